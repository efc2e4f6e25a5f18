"""Keras: a network of Keras 2 or 3 in a ``.keras`` or ``.h5`` file, read without Keras; nothing in it is run.

``hdf5``, ``archive``: the files as plain data.  ``config``: what the description says.  ``weights``: which array is
whose.  ``layers``: one file per family of Keras' layers.  ``building``, ``reading``, ``whole``: from these to our
graph.  ``flattened``, ``front``: what is put into other layers.  ``applications``: how images are prepared.
``known``: Keras' own networks, for files of weights alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ... import progress
from ...errors import FormatError, UnsupportedFormatError
from .. import Contents, Format, Glimpse, format_of, register
from ..untrusted import FaultError, RefusedError, json_of
from .archive import read_archive
from .config import Net, net_of
from .hdf5 import Tree, opened
from .known import known
from .layers import names
from .reading import layout_of
from .weights import Arrays
from .whole import contents_of

__all__ = ["names", "read_description", "read_file", "read_zip"]

_MOST_BYTES = 2**25  # of a description


def sniff_file(glimpse: Glimpse) -> bool:
    """Whether it is HDF5."""
    return glimpse.begins(rb"\x89HDF\r\n\x1a\n")


def sniff_zip(glimpse: Glimpse) -> bool:
    """Whether a member of the zip is the weights."""
    return glimpse.holds(r"model\.weights(_\d+)?\.h5")


def sniff_description(glimpse: Glimpse) -> bool:
    """Whether it is JSON that begins with a network's class."""
    begin = rb'\s*\{\s*("module"\s*:\s*"(tf_)?keras[\w.]*"\s*,\s*)?"class_name"\s*:\s*"(Functional|Model|Sequential)"'
    return glimpse.begins(begin)


def read_file(path: Path, limit: float = 1.0) -> Contents:
    """The network in an HDF5 file of Keras; of weights alone, Keras' own network that they fit.

    Raises
    ------
    FormatError
        It is damaged or hostile, holds no network, or has a layer that is not read: the layer is named.
    """
    with _told(path), path.open("rb") as stream, opened(stream, path.stat().st_size) as tree:
        described = _described(tree)
        if described is None:
            return _of_weights(tree, path, limit)
        return contents_of(net_of(described), _version(tree), Arrays(tree), limit)


def read_zip(path: Path, limit: float = 1.0) -> Contents:
    """The network in a ``.keras`` file.

    Raises
    ------
    FormatError
        As `read_file`.
    """
    with _told(path):
        archive = read_archive(path)
        version = archive.metadata.get("keras_version") if isinstance(archive.metadata, dict) else None
        with opened(io.BytesIO(archive.weights), path.stat().st_size) as tree:
            return contents_of(net_of(archive.config), str(version or "3"), Arrays(tree), limit)


def read_description(path: Path, limit: float = 1.0) -> Contents:
    """What ``model.to_json()`` gave, to be read with a file of weights.

    Raises
    ------
    FormatError
        It is damaged or hostile, or describes no network.
    """
    with _told(path):
        if path.stat().st_size > _MOST_BYTES:
            raise FaultError("it is too large for a network's description")
        net = net_of(json_of(path.name, path.read_bytes()))
    return Contents(with_weights=partial(_read_onto, net, limit), provenance={"name": net.name})


def _read_onto(net: Net, limit: float, path: Path) -> Contents:
    """The network of a description with the weights in this file."""
    kind = format_of(path)
    if kind.read not in (read_file, read_zip):
        raise FormatError(f"Can't put {path} into a network of Keras: its format is {kind.name}.")
    with _told(path, "weights"), path.open("rb") as file:
        stream = file if kind.read is read_file else io.BytesIO(read_archive(path).weights)
        with opened(stream, path.stat().st_size) as tree:
            return contents_of(net, _version(tree), Arrays(tree).fitted(layout_of(net)), limit)


def _of_weights(tree: Tree, path: Path, limit: float) -> Contents:
    arrays = Arrays(tree)
    found = known(arrays)
    if found is None:
        raise FaultError(
            "it holds weights alone, of a network that is not one of Keras' own",
            "Save what model.to_json() gives in Keras as net.json, and open that with these weights: "
            f'mxnetwork("net.json", weights="{path}").',
        )
    net, fitted = found
    progress.current().event("message", text=f"{path.name} holds weights of {net.name}.")
    return contents_of(net, "3", fitted, limit)


def _described(tree: Tree) -> Any:
    text = tree.text("", "model_config")
    return json_of("model_config", text.encode()) if text else None


def _version(tree: Tree) -> str:
    at = "model_weights" if "model_weights" in tree.groups else ""
    return tree.text("", "keras_version") or tree.text(at, "keras_version") or "3"


@contextmanager
def _told(path: Path, what: str = "network") -> Iterator[None]:
    """Faults inside, as errors that name the file."""
    try:
        yield
    except FaultError as fault:
        error = UnsupportedFormatError if isinstance(fault, RefusedError) else FormatError
        raise error(f"Can't read the {what} in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise FormatError(f"Can't read {path}: {fault.strerror or fault}.") from None


register(Format("Keras HDF5", (".h5", ".hdf5"), sniff_file, read_file))
register(Format("Keras", (".keras",), sniff_zip, read_zip))
register(Format("Keras description", (".json",), sniff_description, read_description))
