"""`mxload`: a model from its file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Union

from ..arguments import number, user_path
from ..formats import mxt
from .model import Model
from .saving import parts_of

PathLike = Union[str, "os.PathLike[str]"]


def mxload(
    path: PathLike,
    limit: float = 1,
    device: Union[str, Sequence[str]] = "auto",
    engine: str = "auto",
    precision: str = "auto",
) -> Model:
    """The `Model` in a file that `Model.save`, or R's ``mxsave()``, wrote.

    Reading runs no code from the file: every size, name and checksum is checked first.

    Parameters
    ----------
    path
        The file.
    limit
        How many times as much memory and work for one image the network may need as `mxtune.graph.Limits` says. The
        networks of the zoo need half or less of it.
    device, engine
        Where it predicts, as for `mxtrain`: ``"auto"`` is decided at the first prediction.
    precision
        ``"auto"``: int8 where `Model.quantize` chose it and MXNet is to predict on a CPU; or as of `Model.on`.

    Raises
    ------
    ArgumentError
        It is to predict in int8 and does not know the ranges of its layers.
    DeviceError
        A GPU is asked for and can't be used.
    EngineError
        The engine that is asked for is not installed.
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
    file = user_path("path", path)
    model = Model(**parts_of(mxt.load(file, number("limit", limit, 0.01, 1_000_000)), file.name))
    return model if device == engine == precision == "auto" else model.on(device, engine, precision)
