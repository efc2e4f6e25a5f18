"""Pooling over windows and over the whole map."""

from __future__ import annotations

from ....ops import Shape
from ...untrusted import FaultError
from .base import Call, Value, Writer, register
from .windows import LOWEST, View, pad, view_of


@register("MaxPool")
def _maximum(writer: Writer, call: Call) -> Value:
    x, view = _view(writer, call)
    if all(k == s == 1 for k, s in zip(view.kernel, view.stride)) and not any(view.before + view.after):
        return x
    after, convention = _ends(view, call)
    if view.before != after:
        x = pad(writer, x, view.before, after, call.layer, LOWEST)
        return _pooling(writer, call, x, view, "max", (0,) * len(view.size))
    return _pooling(writer, call, x, view, "max", view.before, pooling_convention=convention)


@register("AveragePool")
def _average(writer: Writer, call: Call) -> Value:
    x, view = _view(writer, call)
    is_whole = view.kernel == view.size and not any(view.before + view.after)
    if is_whole:
        return writer.layer("Pooling", call.layer, [x], kernel=(1,) * len(view.size), pool_type="avg", global_pool=True)
    if all(k == s == 1 for k, s in zip(view.kernel, view.stride)) and not any(view.before + view.after):
        return x
    with_border = bool(call.attribute("count_include_pad", 0))
    after, convention = _ends(view, call)
    if view.before == after:
        counted = with_border if any(view.before) else None
        return _pooling(
            writer, call, x, view, "avg", view.before, pooling_convention=convention, count_include_pad=counted
        )
    if with_border and after != view.after:
        raise FaultError("its last window reaches over an uneven border that it counts")
    none = (0,) * len(view.size)
    averages = _pooling(writer, call, pad(writer, x, view.before, after, call.layer), view, "avg", none)
    if with_border:
        return averages
    # the share of each window that is no border
    ones = pad(writer, writer.layer("ones_like", f"{call.layer}_ones", [x]), view.before, after, f"{call.layer}_ones")
    shares = _pooling(writer, call, ones, view, "avg", none)
    return writer.layer("elemwise_div", call.layer, [averages, shares])


def _view(writer: Writer, call: Call) -> tuple[Value, View]:
    if len(call.node.outputs) > 1:
        raise FaultError("it gives the places of its maxima, too")
    x = writer.plain(call.value())
    view = view_of(call, x.shape[2:], call.attribute("kernel_shape", ()))
    if set(view.dilate) != {1}:
        raise FaultError("its window has gaps, which no pooling here can have")
    return x, view


def _ends(view: View, call: Call) -> tuple[Shape, str]:
    """The padding at the end, and how the places of the window are counted, for as many outputs as ONNX gives."""
    if not call.attribute("ceil_mode", 0):
        return view.after, "valid"
    fits, reaches, after = [], [], []
    for n, k, s, before, end in zip(view.size, view.kernel, view.stride, view.before, view.after):
        span = n + before + end - k
        fewer, more = span // s + 1, -(-span // s) + 1
        count = more - ((more - 1) * s >= n + before)  # a window that would begin beyond the map is left out
        fits.append(count == fewer)
        reaches.append(count == more)
        after.append(max((count - 1) * s + k - n - before, 0))
    if all(fits):
        return view.after, "valid"
    return (view.after, "full") if all(reaches) else (tuple(after), "valid")


def _pooling(writer: Writer, call: Call, x: Value, view: View, kind: str, border: Shape, **more: object) -> Value:
    return writer.layer(
        "Pooling", call.layer, [x], kernel=view.kernel, pool_type=kind, stride=view.stride, pad=border, **more
    )


@register("GlobalAveragePool", "GlobalMaxPool")
def _global(writer: Writer, call: Call) -> Value:
    kind = "avg" if call.node.op == "GlobalAveragePool" else "max"
    return whole_map(writer, writer.plain(call.value()), kind, call.layer)


def whole_map(writer: Writer, x: Value, kind: str, name: str) -> Value:
    """The average or maximum of each channel, (N, C, 1, 1), of a value whose channels are stored second."""
    stored = writer.stored(x.entry)
    entry = writer.layer(
        "Pooling", name, [x.entry], kernel=(1,) * (len(stored) - 2), pool_type=kind, global_pool=True
    ).entry
    shape = tuple(1 if axis > 1 else side for axis, side in zip(x.axes, x.shape))
    return Value(entry, shape, x.axes)
