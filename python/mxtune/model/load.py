"""`mxload`: a model from its file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from .. import hub
from ..arguments import number, user_path
from ..calls import kind_text
from ..errors import ArgumentError, ModelFileError
from ..formats import mxt
from ..network import Network
from .model import Model
from .saving import parts_of

_MOST = 4 << 30  # bytes, of a model on the hub
PathLike = Union[str, "os.PathLike[str]"]


def mxload(
    path: PathLike,
    limit: float = 1,
    device: Union[str, Sequence[str]] = "auto",
    engine: str = "auto",
    precision: str = "auto",
) -> Model:
    """The `Model` in a file that `Model.save`, or R's ``mxsave()``, wrote, or that `Model.push` put on a hub.

    Reading runs no code from the file: every size, name and checksum is checked first.

    Parameters
    ----------
    path
        The file; or ``"hf:owner/name"``, a repository of the Hugging Face hub with a ``model.mxt`` (extra ``hub``),
        whose newest one is taken; ``"@revision"``, a branch, a tag or a commit, may follow.
    limit
        How many times as much memory and work for one image the network may need as `mxtune.graph.Limits` says. The
        networks of the zoo need half or less of it.
    device, engine
        Where it predicts, as for `mxtrain`: ``"auto"`` is decided at the first prediction.
    precision
        ``"auto"``: int8 where `Model.quantize` chose it and MXNet is to predict on a CPU with VNNI; or as of
        `Model.on`.

    Raises
    ------
    ArgumentError
        It is to predict in int8 and does not know the ranges of its layers.
    DeviceError
        A GPU is asked for and can't be used.
    EngineError
        The engine that is asked for is not installed.
    HubError
        The repository does not exist, has no model, is not reachable, or access to it needs a token.
    ModelFileError
        There is no such file; or it is damaged, hostile, made by a newer version, or not a model at all.

    Examples
    --------
    >>> import tempfile, os
    >>> from mxtune import mxexample, mxload, mxtrain
    >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(os.path.join(folder, "fashion.mxt"))
    ...     mxload(os.path.join(folder, "fashion.mxt")).levels == model.levels
    True
    """
    path = os.fspath(path) if isinstance(path, os.PathLike) else path  # the command has paths alone
    if isinstance(path, str) and path.startswith(("https://", "http://")):
        hint = 'Download the file; or write "hf:owner/name" for a repository of the Hugging Face hub.'
        raise ModelFileError("A model is loaded from a file, not from an address.", [f"it is {path}"], hint)
    file = _fetched(path) if hub.is_reference(path) else user_path("path", path)
    model = Model(**parts_of(mxt.load(file, number("limit", limit, 0.01, 1_000_000)), file.name))
    return model if device == engine == precision == "auto" else model.on(device, engine, precision)


def model_of(model: Any) -> Model:
    """A model; that in a file or on the hub; or a network as it is, as a model.

    Raises
    ------
    ArgumentError
        It is none of these.
    """
    if isinstance(model, Network):
        return Model.of_network(model)
    if isinstance(model, (str, os.PathLike)):
        return mxload(model)
    if not isinstance(model, Model):
        raise ArgumentError("`model` must be a model, or the file of one.", [f"it is {kind_text(model)}"])
    return model


def _fetched(repository: str) -> Path:
    """The file of a model in a repository of the hub."""
    return hub.fetch_newest(hub.Reference.of(repository), {hub.MODEL: _MOST})
