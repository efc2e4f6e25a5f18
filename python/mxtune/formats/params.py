"""MXNet's ``.params`` files, read and written without MXNet: every size is checked before it is trusted."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from .. import store
from ..errors import WeightsError
from ..graph import Graph
from ..words import shape_text
from . import Contents, Format, Glimpse, Weights, register
from .untrusted import MOST_AXES, is_too_large

Array = NDArray[Any]
_LIST = 0x112
_MOST_ARRAYS = 100_000
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_TYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8", 7: "?"}
_BFLOAT16 = 12
_FLAGS = {np.dtype(code): flag for flag, code in _TYPES.items()}


def read_params(path: Union[str, os.PathLike[str]]) -> dict[str, Array]:
    """The arrays of a ``.params`` file by name, in the order of the file, each with memory of its own.

    Names are as stored: MXNet's checkpoints write ``"arg:conv0_weight"``. Files without names give ``"0"``,
    ``"1"``, ... Of any MXNet up to 1.9; float16, float32, float64, integers and boolean as they are, bfloat16
    as float32.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    WeightsError
        The file is missing, damaged or cut short, claims more than it holds, or holds a sparse array.

    Examples
    --------
    >>> import numpy as np, tempfile, pathlib
    >>> from mxtune.formats.params import read_params, write_params
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "small.params"
    >>> write_params(file, {"arg:w": np.ones((2, 3), "float32")})
    >>> read_params(file)["arg:w"].shape
    (2, 3)
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise _Reader(b"", os.fspath(path)).error(error.strerror or str(error)) from error
    reader = _Reader(content, os.fspath(path))
    if reader.number("<Q", "the file") != _LIST:
        raise reader.error("it does not begin like an MXNet .params file")
    reader.number("<Q", "the file")
    count = reader.count("the number of arrays", least=4)
    if count > _MOST_ARRAYS:
        raise reader.error(f"it has {count:,} arrays; at most {_MOST_ARRAYS:,} are read")
    arrays = [reader.array(f"array {i + 1} of {count}") for i in range(count)]
    names = [reader.text(f"name {i + 1}") for i in range(reader.count("the number of names", least=8))]
    if reader.left:
        raise reader.error(f"{reader.left} bytes follow its end")
    if not names:
        names = [str(i) for i in range(count)]
    if len(names) != count or len(set(names)) != count:
        raise reader.error(f"it has {count} arrays and {len(set(names))} names")
    return dict(zip(names, arrays))


class _Reader:
    """A position in a file's bytes; reading beyond the end is an error."""

    def __init__(self, content: bytes, path: str) -> None:
        self.content, self.path, self.at = content, path, 0

    @property
    def left(self) -> int:
        return len(self.content) - self.at

    def error(self, reason: str) -> WeightsError:
        return WeightsError(f"Can't read the weights in {self.path}: {reason}.")

    def number(self, code: str, what: str) -> int:
        size = struct.calcsize(code)
        if size > self.left:
            raise self.error(f"the file ends within {what}, after {len(self.content)} bytes")
        value: int = struct.unpack_from(code, self.content, self.at)[0]
        self.at += size
        return value

    def count(self, what: str, least: int) -> int:
        """A count of things that take at least ``least`` bytes each."""
        value = self.number("<Q", what)
        if value * least > self.left:
            raise self.error(f"{what} is {value}, more than the file can hold")
        return value

    def text(self, what: str) -> str:
        length = self.count(f"the length of {what}", least=1)
        self.at += length
        try:
            return self.content[self.at - length : self.at].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"{what} is not text") from error

    def array(self, what: str) -> Array:
        magic = self.number("<I", what)
        if magic in (_V2, _V3) and self.number("<i", what) > 0:
            raise self.error(f"{what} is sparse, which no network here uses")
        shape = self.shape(magic, what)
        if shape is None:
            return np.zeros((0,), dtype="<f4")  # MXNet saves an array that was never filled so
        self.number("<i", what)  # the device it was on
        self.number("<i", what)
        flag = self.number("<i", what)
        if flag not in _TYPES and flag != _BFLOAT16:
            raise self.error(f"{what} is of the unknown type {flag}")
        dtype = np.dtype("<u2" if flag == _BFLOAT16 else _TYPES[flag])
        items = 1
        for side in shape:
            items *= side  # Python's integers do not overflow
        if items * dtype.itemsize > self.left:
            raise self.error(
                f"{what} claims to be {shape_text(shape)} of {dtype}, but {self.left} bytes are left in the file"
            )
        flat = np.frombuffer(self.content, dtype, count=items, offset=self.at).copy()
        self.at += items * dtype.itemsize
        if flag == _BFLOAT16:
            flat = (flat.astype("<u4") << 16).view("<f4")
        return flat.reshape(shape)

    def shape(self, magic: int, what: str) -> Optional[tuple[int, ...]]:
        """The shape, or None for an array that was never filled; early MXNet wrote no magic number."""
        versioned = magic in (_V1, _V2, _V3)
        dimensions = self.number("<i", what) if versioned else magic
        if dimensions == (-1 if magic == _V3 else 0):
            return None
        if not 0 <= dimensions <= MOST_AXES:
            raise self.error(f"{what} has {dimensions} dimensions")
        shape = tuple(self.number("<q" if versioned else "<I", what) for _ in range(dimensions))
        if min(shape, default=0) < 0 or is_too_large(shape):
            raise self.error(f"{what} has sides of {shape_text(shape)}")
        return shape


def write_params(path: Union[str, os.PathLike[str]], arrays: Mapping[str, Array]) -> None:
    """Write arrays as MXNet's ``nd.save`` does; an existing file is replaced whole or left as it is.

    MXNet reads arrays without dimensions or without items only under ``mx.util.np_shape``.

    Parameters
    ----------
    path : str or path
    arrays : dict of str to ndarray
        float16, float32, float64, uint8, int8, int32, int64 or bool.

    Raises
    ------
    WeightsError
        A type that the format lacks.
    StoreError
        The file can't be written.
    """
    parts = [struct.pack("<QQQ", _LIST, 0, len(arrays))]
    for name, array in arrays.items():
        values = np.asarray(array)
        flag = _FLAGS.get(values.dtype.newbyteorder("<"))
        if flag is None:
            raise WeightsError(f"MXNet's .params files can't hold {name!r}, which is of type {values.dtype}.")
        magic = _V2 if values.size and values.ndim else _V3
        parts.append(struct.pack(f"<Iii{values.ndim}q", magic, 0, values.ndim, *values.shape))
        parts.append(struct.pack("<iii", 1, 0, flag))  # on the CPU
        parts.append(values.astype(_TYPES[flag], copy=False).tobytes())
    parts.append(struct.pack("<Q", len(arrays)))
    for name in arrays:
        encoded = name.encode("utf-8")
        parts.append(struct.pack("<Q", len(encoded)) + encoded)
    store.write(path, parts, "the weights")


def parameters_of(path: Path) -> Weights:
    """The arrays of a ``.params`` file; the ``arg:`` and ``aux:`` of a checkpoint are taken off their names.

    Raises
    ------
    WeightsError
        The file is damaged, or holds an array twice.
    """
    weights: Weights = {}
    for name, array in read_params(path).items():
        bare = name[4:] if name.startswith(("arg:", "aux:")) else name
        if bare in weights:
            raise WeightsError(f"{path} contains {bare} twice.")
        weights[bare] = array
    return weights


def write_parameters(path: Path, weights: Weights, graph: Optional[Graph]) -> None:
    """Write weights as a checkpoint of MXNet, which distinguishes moving statistics from other parameters.

    Raises
    ------
    WeightsError
        A type that the format lacks.
    StoreError
        The file can't be written.
    """
    auxiliary = set(graph.auxiliary) if graph else set()
    write_params(path, {f"{'aux' if name in auxiliary else 'arg'}:{name}": array for name, array in weights.items()})


def sniff(glimpse: Glimpse) -> bool:
    """Whether it begins as a list of arrays does."""
    return glimpse.begins(re.escape(struct.pack("<QQ", _LIST, 0)))


def read(path: Path, limit: float = 1.0) -> Contents:  # noqa: ARG001 - weights have no graph
    """The arrays of a ``.params`` file; see `parameters_of`."""
    return Contents(weights=parameters_of(path))


def write(path: Path, contents: Contents) -> None:
    """Write the weights; see `write_parameters`."""
    write_parameters(path, contents.weights or {}, contents.graph)


register(Format("MXNet weights", (".params",), sniff, read, write))
