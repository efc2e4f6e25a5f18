"""An ONNX file as plain data: its nodes, its arrays, its inputs and outputs, each size checked against the file."""

from __future__ import annotations

import math
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from .._protobuf import parse
from ..untrusted import FaultError, is_too_large, shown
from .schema import MODEL

Array = NDArray[Any]
Attribute = Union[int, float, str, tuple[int, ...], tuple[float, ...], tuple[str, ...], Array, None]
"""What a node is told; None for a graph, which control flow alone has."""

_DTYPES = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4",
    13: "<u8", 16: "<u2",
}  # fmt: skip
_BFLOAT16 = 16
FLOATING = (1, 10, 11, _BFLOAT16)
_DATA_FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
_EXTERNAL = 1
_SHARES = 8  # arrays may lie in one place; together they may be at most this many times the file


@dataclass(frozen=True)
class OnnxNode:
    """One node of the file.

    Parameters
    ----------
    op, name
        Its operator, and what it is called; many writers call none.
    inputs, outputs
        The names of values; an input that is left out is empty.
    attributes
        By name.
    domain
        Of its operator; empty for ONNX's own.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    domain: str = ""


@dataclass(frozen=True)
class Port:
    """An input or an output of the graph: its type of number, and its sides, None for one that is left open."""

    name: str
    elem_type: int
    dims: Optional[tuple[Optional[int], ...]]


@dataclass(frozen=True)
class OnnxModel:
    """A whole file.

    Parameters
    ----------
    opset
        The version of ONNX's operators.
    arrays
        The initializers, those of other files among them.
    inputs, outputs
        Without those inputs that have an initializer.
    metadata
        What the writer added, as texts by name.
    """

    opset: int
    nodes: tuple[OnnxNode, ...]
    arrays: Mapping[str, Array]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    producer: str
    metadata: Mapping[str, str]


def read_model(content: bytes, folder: Path, most_nodes: int) -> OnnxModel:
    """The model that the bytes of an ONNX file hold; arrays are views of them.

    Parameters
    ----------
    folder
        Where the file lies; arrays may lie in other files of this folder.
    most_nodes
        How many nodes and arrays are read.

    Raises
    ------
    FaultError
        It is damaged or hostile, or another file that it needs is missing or is no such file.
    """
    raw = parse(memoryview(content), MODEL)
    graph = raw.graph
    if graph is None or not graph.nodes or not graph.outputs:
        raise FaultError("it holds no graph")
    if len(graph.nodes) + len(graph.initializers) > most_nodes:
        raise FaultError(f"it has {len(graph.nodes):,} nodes; at most {most_nodes:,} are read")
    versions = [one.version for one in raw.opsets if one.domain in ("", "ai.onnx")]
    elsewhere = _Elsewhere(folder)
    arrays = {one.name: _array(one, elsewhere) for one in graph.initializers}
    return OnnxModel(
        versions[0] if versions else 1,
        tuple(_node(one, elsewhere) for one in graph.nodes),
        arrays,
        tuple(_port(one) for one in graph.inputs if one.name not in arrays),
        tuple(_port(one) for one in graph.outputs),
        f"{raw.producer} {raw.producer_version}".strip(),
        {one.key: one.value for one in raw.metadata},
    )


def _port(raw: SimpleNamespace) -> Port:
    tensor = raw.type.tensor if raw.type is not None else None
    if tensor is None:
        return Port(raw.name, 0, None)
    dims = None
    if tensor.shape is not None:
        dims = tuple(one.value if not one.symbol and one.value > 0 else None for one in tensor.shape.dims)
    return Port(raw.name, tensor.elem_type, dims)


def _node(raw: SimpleNamespace, elsewhere: _Elsewhere) -> OnnxNode:
    attributes = {one.name: _attribute(one, elsewhere) for one in raw.attributes}
    domain = "" if raw.domain == "ai.onnx" else raw.domain
    return OnnxNode(raw.op, raw.name, tuple(raw.inputs), tuple(raw.outputs), attributes, domain)


def _attribute(raw: SimpleNamespace, elsewhere: _Elsewhere) -> Attribute:
    kinds = {1: raw.f, 2: raw.i, 3: raw.s, 4: raw.t, 6: raw.floats, 7: raw.ints, 8: raw.strings}
    value = kinds.get(raw.type)
    if raw.type == 4 and value is not None:
        return _array(value, elsewhere)
    if isinstance(value, memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, list):
        return tuple(bytes(one).decode("utf-8", "replace") for one in value)
    return tuple(value.tolist()) if isinstance(value, np.ndarray) else value


def _array(raw: SimpleNamespace, elsewhere: _Elsewhere) -> Array:
    """The array of a tensor: as many bytes or numbers as its sides say, or it is refused."""
    name, shape = shown(raw.name), tuple(int(side) for side in raw.dims)
    if min(shape, default=0) < 0 or is_too_large(shape):
        raise FaultError(f"the array {name} has impossible sides")
    if raw.data_type not in _DTYPES:
        raise FaultError(f"the array {name} is of type {raw.data_type}, which no image network needs")
    dtype = np.dtype(_DTYPES[raw.data_type])
    size = math.prod(shape) * dtype.itemsize
    if raw.data_location == _EXTERNAL:
        flat = np.frombuffer(elsewhere.read(raw, size), dtype)
    elif len(raw.raw_data) or not math.prod(shape):
        flat = np.frombuffer(raw.raw_data, dtype) if len(raw.raw_data) == size else np.empty(0, dtype)
    else:
        values = next((getattr(raw, field) for field in _DATA_FIELDS if len(getattr(raw, field))), np.empty(0))
        # half precision lies in the lower two bytes of whole numbers
        bits = values.astype("<u2").view(dtype) if dtype.itemsize == 2 and dtype.kind in "fu" else values
        flat = bits.astype(dtype, copy=False)
    if flat.size != math.prod(shape):
        raise FaultError(f"the array {name} has not as many numbers as its sides say")
    if raw.data_type == _BFLOAT16:
        flat = (flat.astype("<u4") << 16).view("<f4")
    return flat.reshape(shape)


class _Elsewhere:
    """Reads arrays that lie in other files: each in the folder of the model or below, large enough, no link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: Counter[Path] = Counter()

    def read(self, raw: SimpleNamespace, size: int) -> bytes:
        """The bytes of an array."""
        where = {one.key: one.value for one in raw.external_data}
        location, name = where.get("location", ""), shown(raw.name)
        file = self._file(location, name)
        place = shown(location)
        hint = f"Copy {location} into the folder {self.folder}: the weights of this network lie in it."
        try:
            facts = file.stat()
        except (OSError, ValueError):
            raise FaultError(f"its weights lie in another file, {place}, which is not there", hint) from None
        try:
            offset, length = int(where.get("offset") or 0), int(where.get("length") or size)
        except ValueError:
            raise FaultError(f"the array {name} has no valid place in {place}") from None
        if not stat.S_ISREG(facts.st_mode) or length != size or offset < 0 or offset + length > facts.st_size:
            raise FaultError(f"{place} does not hold the array {name} where this file says")
        self.taken[file] += size
        if self.taken[file] > _SHARES * facts.st_size:
            raise FaultError(f"its arrays together are far larger than {place}, in which they lie")
        with file.open("rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def _file(self, location: str, name: str) -> Path:
        parts = location.replace("\\", "/").split("/")
        if not location or ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in location:
            raise FaultError(f"the array {name} lies in {shown(location)}, outside the folder of this file")
        file = self.folder
        for part in parts:
            file = file / part
            try:
                is_link = file.is_symlink()
            except OSError:  # too long for a name
                is_link = False
            if is_link:
                raise FaultError(f"{shown(location)}, which has the array {name}, is a link")
        return file
