"""Convolutions and their transposes."""

from __future__ import annotations

from ...untrusted import FaultError
from .base import Call, Value, Writer, register
from .windows import padded, unpadded, view_of


@register("Conv")
def _convolution(writer: Writer, call: Call) -> Value:
    weight = call.const(1, "weight")
    x, more = unpadded(writer, writer.plain(call.value()))
    view = view_of(call, x.shape[2:], weight.array.shape[2:])
    x, pad = padded(writer, x, view, call.layer)
    parameters = [writer.parameter(weight, call.layer, "weight")]
    if call.has(2):
        parameters.append(writer.parameter(call.const(2, "bias"), call.layer, "bias"))
    return writer.layer(
        "Convolution",
        call.layer,
        [x, *parameters],
        kernel=view.kernel,
        stride=view.stride,
        dilate=view.dilate,
        pad=tuple(a + b for a, b in zip(pad, more)),
        num_filter=weight.array.shape[0],
        num_group=call.attribute("group", 1),
        no_bias=not call.has(2),
    )


@register("ConvTranspose")
def _transposed(writer: Writer, call: Call) -> Value:
    weight = call.const(1, "weight")
    x = writer.plain(call.value())
    view = view_of(call, x.shape[2:], weight.array.shape[2:])
    if not view.is_even or call.attribute("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise FaultError("its padding is uneven")
    if call.attribute("output_shape", ()):
        raise FaultError("it is told the shape of its output")
    groups = call.attribute("group", 1)
    parameters = [writer.parameter(weight, call.layer, "weight")]
    if call.has(2):
        parameters.append(writer.parameter(call.const(2, "bias"), call.layer, "bias"))
    return writer.layer(
        "Deconvolution",
        call.layer,
        [x, *parameters],
        kernel=view.kernel,
        stride=view.stride,
        dilate=view.dilate,
        pad=view.before,
        adj=call.attribute("output_padding", ()) or None,
        num_filter=weight.array.shape[1] * groups,
        num_group=groups,
        no_bias=not call.has(2),
    )
