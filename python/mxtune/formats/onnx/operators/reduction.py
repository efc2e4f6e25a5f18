"""Sums, means and extremes over axes; over the whole map they are poolings."""

from __future__ import annotations

from ...untrusted import FaultError
from .base import BATCH, Call, Value, Writer, register
from .pooling import whole_map

_OPERATORS = {
    "ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "prod",
    "ReduceL2": "norm",
}  # fmt: skip
_POOLS = {"ReduceMean": "avg", "ReduceMax": "max"}


@register(*_OPERATORS, "ReduceSumSquare")
def _reduced(writer: Writer, call: Call) -> Value:
    x, op = call.value(), call.node.op
    given = call.integers(1, "axes")
    if not given:
        if call.attribute("noop_with_empty_axes", 0):
            return x
        raise FaultError("it takes all images of a batch together")
    axes = tuple(sorted({x.axis(axis) for axis in given}))
    if any(x.shape[axis] % BATCH == 0 for axis in axes):
        raise FaultError("it takes all images of a batch together")
    keep = bool(call.attribute("keepdims", 1))
    if op == "ReduceSumSquare":
        x, op = writer.same(x, "square", f"{call.layer}_square"), "ReduceSum"
    stored = tuple(sorted(x.axes[axis] for axis in axes))
    if op in _POOLS and len(x.shape) == 4 and stored == (2, 3):
        pooled = whole_map(writer, x, _POOLS[op], call.layer)
    else:
        more = {"ord": 2} if op == "ReduceL2" else {}
        layer = writer.layer(_OPERATORS[op], call.layer, [x.entry], axis=stored, keepdims=True, **more)
        shape = tuple(1 if axis in axes else side for axis, side in enumerate(x.shape))
        pooled = Value(layer.entry, shape, x.axes)
    return pooled if keep else writer.without(pooled, axes, f"{call.layer}_flat")
