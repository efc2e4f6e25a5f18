"""Constants' arithmetic: what an ONNX graph computes without an image, such as the shape for a Reshape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ..untrusted import FaultError
from .model import OnnxNode

Array = NDArray[Any]
MOST = 2**20
"""The most numbers that a constant may grow to; one of position embeddings has some 600,000."""
_MOST_AXES = 8

_TYPES = {
    1: "f4",
    2: "u1",
    3: "i1",
    5: "i2",
    6: "i4",
    7: "i8",
    9: "?",
    10: "f4",
    11: "f8",
    12: "u4",
    13: "u8",
    16: "f4",
}


def fold(node: OnnxNode, arrays: Sequence[Optional[Array]]) -> Optional[list[Array]]:
    """The outputs of a node whose inputs are all constants; None for an operator that is not evaluated.

    Raises
    ------
    FaultError
        Its inputs do not fit, or its output would be too large.
    """
    function = _FUNCTIONS.get(node.op) if not node.domain else None
    if function is None:
        return None
    try:
        with np.errstate(all="ignore"):
            result = function(node, arrays)
    except (ValueError, IndexError, TypeError, AttributeError, OverflowError, ZeroDivisionError, MemoryError) as fault:
        raise FaultError(f"its inputs do not fit ({str(fault)[:80]})") from None
    return result if isinstance(result, list) else [np.asarray(result)]


def bounded(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a constant.

    Raises
    ------
    FaultError
        It is impossible, or too large for one.
    """
    if len(shape) > _MOST_AXES:
        raise FaultError(f"it would make a constant of {len(shape):,} axes")
    sides = tuple(int(side) for side in shape)
    if min(sides, default=0) < 0 or math.prod(max(side, 1) for side in sides) > MOST:
        raise FaultError(f"it would make a constant of {math.prod(sides):,} numbers")
    return sides


def _together(function: Callable[..., Any]) -> Callable[[OnnxNode, Sequence[Any]], Array]:
    """A function of several arrays, value by value."""

    def folded(node: OnnxNode, arrays: Sequence[Any]) -> Array:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        if all(array.size < math.prod(shape) for array in arrays):
            bounded(shape)
        return np.asarray(function(*arrays))

    return folded


def _divided(left: Array, right: Array) -> Array:
    if left.dtype.kind in "iu":
        return np.trunc(left / right).astype(left.dtype)
    return np.asarray(left / right)


def _axes(node: OnnxNode, arrays: Sequence[Any], position: int = 1) -> Optional[tuple[int, ...]]:
    """The axes that a node names: as an attribute until ONNX 13, as an input since."""
    given: Any = arrays[position] if len(arrays) > position else node.attributes.get("axes")
    return None if given is None else tuple(int(axis) for axis in np.ravel(given))


def _reshape(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    data, wanted = arrays[0], _axes_named(node, arrays, "shape")
    sides = [data.shape[i] if side == 0 and i < data.ndim else int(side) for i, side in enumerate(np.ravel(wanted))]
    return np.asarray(data.reshape(sides))


def _unsqueeze(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    axes = _axes(node, arrays) or ()
    return np.expand_dims(arrays[0], tuple(axes)) if arrays[0].ndim + len(axes) <= _MOST_AXES else _too_deep()


def _too_deep() -> Array:
    raise FaultError(f"it has more than {_MOST_AXES} axes")


def _slice(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    data = arrays[0]
    begin, end, axes, steps = slice_arguments(node, arrays)
    index: list[slice] = [slice(None)] * data.ndim
    for b, e, axis, step in zip(begin, end, axes or range(len(begin)), steps or (1,) * len(begin)):
        # beyond the first element, seen from its end, there is none
        index[axis] = slice(b, None if step < 0 and e < -data.shape[axis] else e, step)
    return np.asarray(data[tuple(index)])


def slice_arguments(
    node: OnnxNode, arrays: Sequence[Any]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Begins, ends, axes and steps of a Slice: attributes until ONNX 9, inputs since; axes and steps may be empty."""

    def of(position: int, name: str) -> tuple[int, ...]:
        given = arrays[position] if len(arrays) > position else node.attributes.get(name)
        return () if given is None else tuple(int(value) for value in np.ravel(given))

    return of(1, "starts"), of(2, "ends"), of(3, "axes"), of(4, "steps")


def _gather(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    data, indices = arrays
    axis = int(node.attributes.get("axis", 0))  # type: ignore[arg-type]
    if indices.size > data.shape[axis]:
        bounded((indices.size, data.size // max(data.shape[axis], 1)))
    taken: Array = np.take(data, indices.astype(np.int64), axis=axis)
    return taken


def _range(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    start, stop, step = (array.reshape(-1)[0] for array in arrays)
    if step == 0:
        raise ValueError("a step of 0")
    bounded((max(0, math.ceil((float(stop) - float(start)) / float(step))),))
    return np.arange(start, stop, step, dtype=arrays[0].dtype)


def _filled(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    value = node.attributes.get("value")
    one = value.reshape(-1)[:1] if isinstance(value, np.ndarray) else np.zeros(1, np.float32)
    return np.full(bounded(arrays[0]), one[0], one.dtype)


def _expand(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    return np.broadcast_to(arrays[0], bounded(np.broadcast_shapes(arrays[0].shape, bounded(arrays[1]))))


def _tile(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    data, repeats = arrays[0], [int(n) for n in arrays[1]]
    more = max(len(repeats), data.ndim)
    bounded([side * n for side, n in zip(_padded(data.shape, more), _padded(repeats, more))])
    return np.tile(data, repeats)


def _padded(sides: Sequence[int], count: int) -> tuple[int, ...]:
    return (*(1,) * (count - len(sides)), *sides)


def _concat(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    bounded((sum(array.size for array in arrays),))
    return np.concatenate(arrays, axis=int(node.attributes["axis"]))  # type: ignore[arg-type]


def _split(node: OnnxNode, arrays: Sequence[Any]) -> list[Array]:
    axis, parts = int(node.attributes.get("axis", 0)), len(node.outputs)  # type: ignore[arg-type]
    given = _axes_named(node, arrays, "split")
    if given is None:
        return list(np.array_split(arrays[0], parts, axis))
    return list(np.split(arrays[0], np.cumsum(given)[:-1].tolist(), axis))


def _axes_named(node: OnnxNode, arrays: Sequence[Any], name: str) -> Any:
    return arrays[1] if len(arrays) > 1 and arrays[1] is not None else node.attributes.get(name)


def _reduced(function: Callable[..., Any]) -> Callable[[OnnxNode, Sequence[Any]], Array]:
    def folded(node: OnnxNode, arrays: Sequence[Any]) -> Array:
        return np.asarray(
            function(arrays[0], axis=_axes(node, arrays), keepdims=bool(node.attributes.get("keepdims", 1)))
        )

    return folded


def _clip(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    low, high = (
        arrays[number] if len(arrays) > number else node.attributes.get(name)
        for number, name in ((1, "min"), (2, "max"))
    )
    return np.asarray(arrays[0] if low is high is None else np.clip(arrays[0], low, high))


def _cast(node: OnnxNode, arrays: Sequence[Any]) -> Array:
    return np.asarray(arrays[0].astype(_TYPES[int(node.attributes["to"])]))  # type: ignore[arg-type]


_FUNCTIONS: dict[str, Callable[[OnnxNode, Sequence[Any]], Any]] = {
    "Identity": lambda node, arrays: arrays[0],
    "Dropout": lambda node, arrays: arrays[0],
    "Cast": _cast,
    "Clip": _clip,
    "CastLike": lambda node, arrays: arrays[0].astype(arrays[1].dtype),
    "Shape": lambda node, arrays: np.array(
        arrays[0].shape[node.attributes.get("start", 0) : node.attributes.get("end")], np.int64
    ),
    "Size": lambda node, arrays: np.array(arrays[0].size, np.int64),
    "ConstantOfShape": _filled,
    "Range": _range,
    "Reshape": _reshape,
    "Flatten": lambda node, arrays: arrays[0].reshape(math.prod(arrays[0].shape[: node.attributes.get("axis", 1)]), -1),
    "Transpose": lambda node, arrays: arrays[0].transpose(node.attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda node, arrays: np.squeeze(arrays[0], _axes(node, arrays)),
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Expand": _expand,
    "Tile": _tile,
    "Where": _together(np.where),
    "Add": _together(np.add),
    "Sub": _together(np.subtract),
    "Mul": _together(np.multiply),
    "Div": _together(_divided),
    "Mod": _together(np.mod),
    "Pow": _together(lambda base, exponent: np.power(base, exponent.astype(base.dtype))),
    "Min": _together(lambda *arrays: np.minimum.reduce(np.broadcast_arrays(*arrays))),
    "Max": _together(lambda *arrays: np.maximum.reduce(np.broadcast_arrays(*arrays))),
    "Equal": _together(np.equal),
    "Greater": _together(np.greater),
    "GreaterOrEqual": _together(np.greater_equal),
    "Less": _together(np.less),
    "LessOrEqual": _together(np.less_equal),
    "And": _together(np.logical_and),
    "Or": _together(np.logical_or),
    "Not": _together(np.logical_not),
    "Neg": _together(np.negative),
    "Abs": _together(np.abs),
    "Floor": _together(np.floor),
    "Ceil": _together(np.ceil),
    "Round": _together(np.rint),
    "Sqrt": _together(np.sqrt),
    "Exp": _together(np.exp),
    "Log": _together(np.log),
    "Sin": _together(np.sin),
    "Cos": _together(np.cos),
    "Reciprocal": _together(np.reciprocal),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceMean": _reduced(np.mean),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
}
