"""Caffe's types of layers, and what each is in a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from ...errors import NetworkError
from ...graph import Builder, Entry, Node
from ...graph.data import misfit
from ...ops import MisfitError, Shape, spell
from ..untrusted import AGAIN, FaultError
from .net import Layer, one
from .text import Message

Rule = Callable[["Building", Layer, tuple[Entry, ...]], Any]
RULES: dict[str, Rule] = {}
_ELSEWHERE = "If another framework has the network, bring it from there: as ONNX, or as a state dict of PyTorch."


class Building:
    """A graph on its way: what each layer adds to, and may ask for shapes.

    Parameters
    ----------
    image
        (C, H, W) of the input, as far as the description says.
    scales
        For each BatchNorm, the Scale that belongs to it; see `net.scaled`.
    """

    def __init__(self, image: Optional[Shape], scales: dict[str, str]) -> None:
        self.builder, self.image, self.scales = Builder(), image, scales
        self.input = self.builder.data()
        self._shapes: dict[str, tuple[Optional[Shape], ...]] = {}

    def add(self, op: str, layer: Layer, *inputs: Entry, **attrs: Any) -> Entry:
        """A node of the layer's name."""
        return self.builder.add_node(op, layer.name, inputs, **{name: spell(value) for name, value in attrs.items()})

    def step(self, op: str, layer: Layer, what: str, *inputs: Entry, **attrs: Any) -> Entry:
        """A node that is a part of the layer."""
        written = {name: spell(value) for name, value in attrs.items()}
        return self.builder.add_node(op, f"{layer.name}_{what}", inputs, **written)

    def parameter(self, layer: Layer, what: str, shape: Optional[Shape] = None) -> Entry:
        """A parameter of the layer; one that no operator has a slot for needs its shape."""
        attrs = {} if shape is None else {"__shape__": spell(shape)}
        return self.builder.add_node("null", f"{layer.name}_{what}", (), **attrs)

    def shape(self, entry: Entry) -> Shape:
        """(C, ...) of an entry."""
        if self.image is None:
            raise FaultError(
                "its size depends on that of the image, which is not in the file",
                "Use the description for deployment (deploy.prototxt), which has the size of its input.",
            )
        for node in self.builder.nodes[len(self._shapes) :]:  # those since the last time
            self._shapes[node.name] = self._outputs(node)
        shape = self._shapes[entry[0]][entry[1]]
        if shape is None:
            raise FaultError("its size is not known")
        return shape[1:]

    def _outputs(self, node: Node) -> tuple[Optional[Shape], ...]:
        if node.name == self.input[0]:
            return ((1, *(self.image or ())),)
        if node.is_variable:  # a parameter has the shape that its layer gives it
            return (node.declared_shape,)
        try:
            _, outputs = node.operator.infer(node.values, tuple(self._shapes[name][at] for name, at in node.inputs))
        except MisfitError as fault:
            raise misfit(node, fault) from None
        return outputs


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Registers what makes layers of these types."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


def _sides(settings: Message, name: str, default: Optional[int], plain: str = "") -> tuple[int, int]:
    """Height and width of a kernel, stride or padding: one number, two, or each by name."""
    values = settings.get(plain or name, [])
    if len(values) > 2 or any(type(value) is not int for value in values):
        raise FaultError(f"a {name} must be one or two whole numbers")
    height, width = one(settings, f"{name}_h", None), one(settings, f"{name}_w", None)
    if height is not None and width is not None:
        return height, width
    if not values and default is None:
        raise FaultError(f"its {name} is missing")
    sides = values or [default]
    return sides[0], sides[-1]


@rule("Convolution", "DepthwiseConvolution", "ConvolutionDepthwise", "Deconvolution")
def _convolution(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    settings = layer.message("convolution_param")
    with_bias = bool(one(settings, "bias_term", True))
    parts = [net.parameter(layer, "weight")] + ([net.parameter(layer, "bias")] if with_bias else [])
    filters = one(settings, "num_output", None)
    depthwise = layer.kind in ("DepthwiseConvolution", "ConvolutionDepthwise")
    return net.add(
        "Deconvolution" if layer.kind == "Deconvolution" else "Convolution",
        layer,
        inputs[0],
        *parts,
        kernel=_sides(settings, "kernel", None, "kernel_size"),
        stride=_sides(settings, "stride", 1),
        pad=_sides(settings, "pad", 0),
        dilate=_sides(settings, "dilation", 1),
        num_filter=filters,
        num_group=one(settings, "group", filters if depthwise else 1),
        no_bias=not with_bias,
    )


@rule("InnerProduct")
def _dense(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    settings = layer.settings
    if one(settings, "axis", 1) != 1:
        raise FaultError(f"a dense layer over axis {settings['axis'][-1]} is not supported")
    with_bias = bool(one(settings, "bias_term", True))
    parts = [net.parameter(layer, "weight")] + ([net.parameter(layer, "bias")] if with_bias else [])
    units = one(settings, "num_output", None)
    return net.add("FullyConnected", layer, inputs[0], *parts, num_hidden=units, no_bias=not with_bias)


_POOLS = {"MAX": "max", "AVE": "avg", 0: "max", 1: "avg"}


@rule("Pooling")
def _pooling(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    settings = layer.settings
    kind = _POOLS.get(one(settings, "pool", "MAX"))
    if kind is None:
        raise FaultError(f"it pools by {settings['pool'][-1]}; supported are MAX and AVE")
    if one(settings, "global_pooling", False):
        return net.add("Pooling", layer, inputs[0], pool_type=kind, kernel=(1, 1), global_pool=True)
    kernel = _sides(settings, "kernel", None, "kernel_size")
    stride, pad = _sides(settings, "stride", 1), _sides(settings, "pad", 0)
    down = one(settings, "round_mode", "CEIL") in ("FLOOR", 1) or not one(settings, "ceil_mode", True)
    pooled = net.add("Pooling", layer, inputs[0], pool_type=kind, kernel=kernel, stride=stride, pad=pad,
                     pooling_convention="valid" if down else "full")  # fmt: skip
    if down or not any(pad):
        return pooled
    for axis, (size, step, border) in enumerate(zip(net.shape(inputs[0])[1:], stride, pad), start=2):
        places = net.shape(pooled)[axis - 1]
        if (places - 1) * step >= size + border:  # Caffe leaves out a window that lies in the padding alone
            pooled = net.step("slice_axis", layer, "cut", pooled, axis=axis, begin=0, end=places - 1)
    return pooled


@rule("BatchNorm")
def _batchnorm(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    owner = Layer(net.scales.get(layer.name, layer.name), "Scale")
    parts = [net.parameter(owner, part) for part in ("gamma", "beta")]
    parts += [net.parameter(layer, part) for part in ("moving_mean", "moving_var")]
    eps = float(one(layer.settings, "eps", 1e-5))
    return net.add("BatchNorm", layer, inputs[0], *parts, eps=eps, momentum=0.9, fix_gamma=False)


@rule("Scale")
def _scale(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    if layer.name in net.scales.values():
        return inputs[0]
    settings = layer.settings
    if len(inputs) == 2:
        return net.add("broadcast_mul", layer, inputs[0], _spread(net, layer, inputs[1], inputs[0]))
    each = _each_channel(net, inputs[0], one(settings, "axis", 1))
    scaled = net.add("broadcast_mul", layer, inputs[0], net.parameter(layer, "gamma", each))
    if not one(settings, "bias_term", False):
        return scaled
    return net.step("broadcast_add", layer, "shifted", scaled, net.parameter(layer, "beta", each))


@rule("Bias")
def _bias(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    if len(inputs) == 2:
        return net.add("broadcast_add", layer, inputs[0], _spread(net, layer, inputs[1], inputs[0]))
    each = _each_channel(net, inputs[0], one(layer.settings, "axis", 1))
    return net.add("broadcast_add", layer, inputs[0], net.parameter(layer, "beta", each))


@rule("Axpy")
def _axpy(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    product = net.step("broadcast_mul", layer, "scaled", inputs[1], _spread(net, layer, inputs[0], inputs[1]))
    return net.add("elemwise_add", layer, product, inputs[2])


def _each_channel(net: Building, x: Entry, axis: int) -> Shape:
    shape = net.shape(x)
    if axis != 1 or len(shape) != 3:
        raise FaultError("it must scale or shift the channels of a map (axis 1)")
    return (1, shape[0], 1, 1)


def _spread(net: Building, layer: Layer, factors: Entry, x: Entry) -> Entry:
    """Factors for each channel, (N, C), as (N, C, 1, 1)."""
    if len(net.shape(factors)) == len(net.shape(x)):
        return factors
    return net.step("Reshape", layer, "factors", factors, shape=(0, 0, 1, 1))


@rule("ReLU")
def _relu(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    slope = float(one(layer.settings, "negative_slope", 0))
    if slope:
        return net.add("LeakyReLU", layer, inputs[0], act_type="leaky", slope=slope)
    return net.add("Activation", layer, inputs[0], act_type="relu")


@rule("PReLU")
def _prelu(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    if one(layer.settings, "channel_shared", False):
        raise FaultError("one slope for all channels is not supported")
    return net.add("LeakyReLU", layer, inputs[0], net.parameter(layer, "gamma"), act_type="prelu")


@rule("ELU")
def _elu(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return net.add("LeakyReLU", layer, inputs[0], act_type="elu", slope=float(one(layer.settings, "alpha", 1)))


@rule("ReLU6")
def _relu6(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return net.add("clip", layer, inputs[0], a_min=0, a_max=6)


@rule("Sigmoid", "TanH", "BNLL")
def _activation(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    kinds = {"Sigmoid": "sigmoid", "TanH": "tanh", "BNLL": "softrelu"}
    return net.add("Activation", layer, inputs[0], act_type=kinds[layer.kind])


@rule("AbsVal")
def _abs(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return net.add("abs", layer, inputs[0])


@rule("Power")
def _power(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return _scalars(net, layer, inputs[0], "power")


@rule("Exp", "Log")
def _exp_and_log(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    if one(layer.settings, "base", -1) > 0:
        raise FaultError("only the natural base is supported")
    return net.add(layer.kind.lower(), layer, _scalars(net, layer, inputs[0], ""))


def _scalars(net: Building, layer: Layer, x: Entry, power: str) -> Entry:
    """``(shift + scale * x) ** power``, without the steps that do nothing."""
    for name, op, nothing in (("scale", "_mul_scalar", 1), ("shift", "_plus_scalar", 0), (power, "_power_scalar", 1)):
        value = float(one(layer.settings, name, nothing))
        if value != nothing:
            x = net.step(op, layer, name, x, scalar=value)
    return x


@rule("LRN")
def _lrn(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    settings = layer.settings
    if one(settings, "norm_region", 0) not in (0, "ACROSS_CHANNELS"):
        raise FaultError("normalisation within channels is not supported")
    values = {name: float(one(settings, name, default)) for name, default in (("alpha", 1), ("beta", 0.75), ("k", 1))}
    size = one(settings, "local_size", 5)
    return net.add("LRN", layer, inputs[0], nsize=size, alpha=values["alpha"], beta=values["beta"], knorm=values["k"])


@rule("Concat")
def _concat(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    axis = one(layer.settings, "axis", one(layer.settings, "concat_dim", 1))
    return net.add("Concat", layer, *inputs, dim=axis, num_args=len(inputs))


@rule("Slice")
def _slice(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> list[Entry]:
    axis = one(layer.settings, "axis", one(layer.settings, "slice_dim", 1))
    shape = net.shape(inputs[0])
    if type(axis) is not int or not 1 <= axis <= len(shape):
        raise FaultError(f"it can't be sliced along axis {axis}")
    count, whole = len(layer.tops), shape[axis - 1]
    points = layer.settings.get("slice_point") or [whole * part // count for part in range(1, count)]
    borders = [0, *points, whole]
    if len(points) != count - 1 or any(type(p) is not int for p in points) or sorted(set(borders)) != borders:
        raise FaultError(f"its slices do not fit {whole} values")
    return [
        net.step("slice_axis", layer, str(part), inputs[0], axis=axis, begin=begin, end=end)
        for part, (begin, end) in enumerate(zip(borders, borders[1:]))
    ]


@rule("Split")
def _split(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> list[Entry]:  # noqa: ARG001
    return [inputs[0] for _ in layer.tops]


_JOINS = {"PROD": "elemwise_mul", "SUM": "elemwise_add", "MAX": "_maximum"}


@rule("Eltwise")
def _eltwise(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    settings = layer.settings
    kind = one(settings, "operation", "SUM")
    kind = {0: "PROD", 1: "SUM", 2: "MAX"}.get(kind, kind)
    factors = settings.get("coeff", [])
    if kind not in _JOINS or len(inputs) < 2 or len(factors) not in (0, len(inputs)):
        raise FaultError(f"its arguments do not fit {len(inputs)} inputs")
    parts = list(inputs)
    for place, factor in enumerate(factors):
        if factor != 1:
            parts[place] = net.step("_mul_scalar", layer, f"part{place}", parts[place], scalar=float(factor))
    result = parts[0]
    for part in parts[1:-1]:
        result = net.step(_JOINS[kind], layer, "partly", result, part)
    return net.add(_JOINS[kind], layer, result, parts[-1])


@rule("Dropout")
def _dropout(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return net.add("Dropout", layer, inputs[0], p=float(one(layer.settings, "dropout_ratio", 0.5)))


@rule("Flatten")
def _flatten(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    if one(layer.settings, "axis", 1) != 1 or one(layer.settings, "end_axis", -1) != -1:
        raise FaultError("only flattening from axis 1 to the end is supported")
    return net.add("Flatten", layer, inputs[0])


@rule("Reshape")
def _reshape(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    target = (layer.settings.get("shape") or [{}])[-1]
    sides = target.get("dim", []) if isinstance(target, dict) else []
    whole = one(layer.settings, "axis", 0) == 0 and one(layer.settings, "num_axes", -1) == -1
    if not whole or not sides or sides[0] not in (0, -1, 1) or any(type(side) is not int for side in sides):
        raise FaultError("only a reshaping that leaves the images of a batch apart is supported")
    return net.add("Reshape", layer, inputs[0], shape=(-1 if sides[0] == -1 else 0, *sides[1:]))


@rule("Softmax")
def _softmax(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> Entry:
    return net.add("softmax", layer, inputs[0], axis=one(layer.settings, "axis", 1))


def made(net: Building, layer: Layer, inputs: tuple[Entry, ...]) -> list[Entry]:
    """What a layer makes, an entry for each of its tops.

    Raises
    ------
    FaultError
        Its type is not supported, or its arguments are not; it is named.
    """
    function = RULES.get(layer.kind)
    if function is None:
        raise FaultError(f"{layer.name}: layers of type {layer.kind} are not supported", _ELSEWHERE)
    try:
        result = function(net, layer, inputs)
    except (TypeError, ValueError, IndexError, OverflowError):
        raise FaultError(f"{layer.name}: its arguments or inputs are not those of a {layer.kind}") from None
    except NetworkError as fault:
        raise FaultError(f"{layer.name}: {'; '.join([fault.message, *fault.bullets])}", _ELSEWHERE) from None
    except FaultError as fault:
        hint = _ELSEWHERE if fault.hint == AGAIN else fault.hint
        raise FaultError(f"{layer.name}: {fault.what}", hint) from None
    entries = result if isinstance(result, list) else [result]
    if len(entries) != len(layer.tops):
        raise FaultError(f"{layer.name}: it makes {len(entries)} blobs and names {len(layer.tops)}")
    return entries
