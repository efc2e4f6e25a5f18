"""NumPy archives of weights: arrays by name, or in order as Lasagne's and Theano's programs save them.

``numpy.savez(file, *lasagne.layers.get_all_param_values(network))`` gives ``arr_0``, ``arr_1``, ...: a network's
parameters layer by layer.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..errors import WeightsError
from . import Contents, Format, Glimpse, register
from .untrusted import FaultError, is_too_large, shown

_MOST_TIMES = 8  # that the arrays may be as large as the file: trained weights hardly shrink
_MOST_ARRAYS = 20_000
_NUMBERED = re.compile(r"arr_\d{1,6}")


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
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)  # type: ignore[no-untyped-call]
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = header(stream)  # type: ignore[no-untyped-call]  # of at most 10,000 characters
    if dtype.kind not in "fiub":
        raise FaultError(f"{shown(name)}: it holds {'Python objects' if dtype.hasobject else dtype}, not numbers")
    values = memoryview(content)[stream.tell() :]
    if any(side < 0 for side in shape) or is_too_large(shape) or prod(shape) * dtype.itemsize != len(values):
        raise FaultError(f"{shown(name)}: it does not fill its shape")
    array = np.frombuffer(values, dtype).reshape(shape, order="F" if by_columns else "C")
    return np.array(array, dtype.newbyteorder("="), order="C")


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
