"""NumPy archives of weights: arrays by name, or in order as Lasagne's and Theano's programs save them.

``numpy.savez(file, *lasagne.layers.get_all_param_values(network))`` gives ``arr_0``, ``arr_1``, ...: a network's
parameters layer by layer.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from . import Contents, Format, Glimpse, register
from .untrusted import FaultError, is_too_large, refuse_packing, shown

_MOST_TIMES = 8  # that the arrays may be as large as the file: trained weights hardly shrink
_MOST_ARRAYS = 20_000
_MOST_HEADER = 10_000
_NUMBERED = re.compile(r"arr_\d{1,6}")
# Of an array's header, which is a dict in Python's words: NumPy would evaluate it.
_TYPE = re.compile(r"'descr': *'([^']{1,12})'")
_ORDER = re.compile(r"'fortran_order': *(True|False)\b")
_SHAPE = re.compile(r"'shape': *\(((?:\d{1,18}L?(?:, *|(?=\))))*)\)")


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name; those that are only numbered, in their order. No pickle is opened.

    Raises
    ------
    FaultError
        It is damaged or hostile, or holds objects.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            stream.seek(0)
            if stream.read(2) != b"PK":
                raise FaultError("something stands before its first array")
            left = _MOST_TIMES * path.stat().st_size
            for member in archive.infolist():
                refuse_packing(member)
                left -= member.file_size
                if left < 0 or len(arrays) >= _MOST_ARRAYS:
                    raise FaultError("its arrays would be far larger than the file")
                name = re.sub(r"\.npy$", "", member.filename)
                if name in arrays:
                    raise FaultError(f"{shown(name)}: it occurs twice")
                arrays[name] = _array(name, archive.read(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as fault:
        raise FaultError(f"it is damaged ({str(fault)[:80]})") from None
    return arrays if not is_ordered(arrays) else {name: arrays[name] for name in sorted(arrays, key=_number)}


def is_ordered(names: Iterable[str]) -> bool:
    """Whether arrays have numbers in place of names."""
    return all(map(_NUMBERED.fullmatch, names))


def _number(name: str) -> int:
    return int(name[4:])


def _array(name: str, content: bytes) -> NDArray[Any]:
    header, values = _parts(name, content)
    of_type, by_columns, sides = _TYPE.search(header), _ORDER.search(header), _SHAPE.search(header)
    if of_type is None or not re.fullmatch(r"[<>|=]?(f[248]|[iu][1248]|b1)", of_type[1]):
        found = "a table" if of_type is None else "Python objects" if "O" in of_type[1] else shown(of_type[1])
        raise FaultError(f"{shown(name)}: it holds {found}, not numbers")
    dtype = np.dtype(of_type[1])
    if by_columns is None or sides is None:
        raise FaultError(f"{shown(name)}: it does not state its shape")
    shape = tuple(int(side) for side in re.findall(r"\d+", sides[1]))
    if is_too_large(shape) or prod(shape) * dtype.itemsize != len(values):
        raise FaultError(f"{shown(name)}: it does not fill its shape")
    array = np.frombuffer(values, dtype).reshape(shape, order="F" if by_columns[1] == "True" else "C")
    return np.array(array, dtype.newbyteorder("="), order="C")


def _parts(name: str, content: bytes) -> tuple[str, memoryview]:
    """The header of an array, and its values."""
    if not content.startswith(b"\x93NUMPY") or len(content) < 12 or content[6] not in (1, 2, 3):
        raise FaultError(f"{shown(name)}: it is no array of NumPy")
    layout, start = ("<H", 10) if content[6] == 1 else ("<I", 12)
    size = struct.unpack_from(layout, content, 8)[0]
    if size > min(_MOST_HEADER, len(content) - start):
        raise FaultError(f"{shown(name)}: its header is damaged")
    return content[start : start + size].decode("latin-1"), memoryview(content)[start + size :]


def sniff(glimpse: Glimpse) -> bool:
    """Whether it is a zip of nothing but arrays."""
    return bool(glimpse.members) and all(name.endswith(".npy") for name in glimpse.members)


def read(path: Path, limit: float = 1.0) -> Contents:  # noqa: ARG001 - weights have no graph
    """The arrays of the archive.

    Raises
    ------
    WeightsError
        It is damaged or hostile, or holds objects.
    """
    try:
        return Contents(weights=arrays_of(path))
    except FaultError as fault:
        raise WeightsError(f"Can't read the weights in {path}.", [fault.what], fault.hint) from None
    except OSError as fault:
        raise WeightsError(f"Can't read {path}: {fault.strerror or fault}.") from None


register(Format("NumPy archive", (".npz",), sniff, read))
