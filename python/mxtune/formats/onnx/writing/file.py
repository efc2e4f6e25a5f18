"""An ONNX file on its way: nodes, initializers, and the bytes that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ...._version import __version__
from ..._protobuf import written

OPSET, IR_VERSION = 17, 8  # of 2022: onnxruntime 1.12 and what came after, in browsers and on phones
FLOAT, UINT8, INT64 = 1, 2, 7
_CODES = {np.dtype("float32"): FLOAT, np.dtype("int64"): INT64}

Attribute = Union[int, float, str, Sequence[int]]
Dimension = Union[int, str]


class File:
    """Nodes in order, and initializers by name."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.arrays: dict[str, NDArray[Any]] = {}

    def add(self, op: str, inputs: Sequence[str], outputs: Union[str, Sequence[str]], **attributes: Attribute) -> None:
        """A node; its name is that of its first output."""
        outputs = [outputs] if isinstance(outputs, str) else outputs
        parts = [written(1, name) for name in inputs] + [written(2, name) for name in outputs]
        parts += [written(3, outputs[0]), written(4, op)]
        parts += [written(5, _attribute(name, value)) for name, value in sorted(attributes.items())]
        self.nodes.append(b"".join(parts))

    def constant(self, name: str, values: Any, dtype: str = "float32") -> str:
        """An initializer, and its name."""
        self.arrays[name] = np.asarray(values, dtype)
        return name

    def content(
        self,
        name: str,
        image: tuple[str, int, Sequence[Dimension]],
        outputs: Sequence[tuple[str, Sequence[Dimension]]],
        metadata: Mapping[str, str],
    ) -> list[bytes]:
        """The bytes of the file, in parts.

        Parameters
        ----------
        image
            Name, type and dimensions of the input; a text for a dimension that is open.
        outputs
            Name and dimensions of each output.
        """
        parts = [written(1, node) for node in self.nodes] + [written(2, name or "network")]
        parts += [written(5, _tensor(name, array)) for name, array in sorted(self.arrays.items())]
        parts += [written(11, _port(*image)), *(written(12, _port(name, FLOAT, dims)) for name, dims in outputs)]
        graph = b"".join(parts)
        return [
            written(1, IR_VERSION) + written(2, "mxtune") + written(3, __version__),
            written(7, graph),
            written(8, written(1, "") + written(2, OPSET)),
            *(written(14, written(1, key) + written(2, text)) for key, text in sorted(metadata.items())),
        ]


def _attribute(name: str, value: Attribute) -> bytes:
    start = written(1, name)
    if isinstance(value, float):
        return start + written(2, value) + written(20, 1)
    if isinstance(value, int):
        return start + written(3, int(value)) + written(20, 2)
    if isinstance(value, str):
        return start + written(4, value) + written(20, 3)
    return start + b"".join(written(8, int(one)) for one in value) + written(20, 7)


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    dims = b"".join(written(1, side) for side in array.shape)
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return dims + written(2, _CODES[array.dtype]) + written(8, name) + written(9, data)


def _port(name: str, elem_type: int, dims: Sequence[Dimension]) -> bytes:
    shape = b"".join(written(1, written(2 if isinstance(dim, str) else 1, dim)) for dim in dims)
    return written(1, name) + written(2, written(1, written(1, elem_type) + written(2, shape)))
