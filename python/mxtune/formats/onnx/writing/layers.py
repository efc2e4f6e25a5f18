"""Our operators as ONNX's: one rule each, by MXNet's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Union

import numpy as np

from ....graph import Graph, Node, Shapes
from ....ops import Shape, all_operators
from ...untrusted import FaultError
from ..operators import BATCH
from .file import File

Rule = Callable[["Layer"], None]
RULES: dict[str, Rule] = {}


@dataclass(frozen=True)
class Layer:
    """One node, and the file that it is written to.

    Parameters
    ----------
    shapes
        Of all nodes' outputs, for a batch of `BATCH` images.
    """

    file: File
    graph: Graph
    node: Node
    shapes: Shapes

    @property
    def values(self) -> Any:
        """The operator's arguments."""
        return self.node.values

    @property
    def inputs(self) -> list[str]:
        """What its inputs are called in the file."""
        return [name_of(*entry) for entry in self.node.inputs]

    @property
    def outputs(self) -> list[str]:
        """What its outputs are called."""
        return [name_of(self.node.name, number) for number in range(self.node.n_outputs)]

    def shape(self, position: int = 0) -> Shape:
        """The shape of an input."""
        name, output = self.node.inputs[position]
        return self.shapes[name][output]

    @property
    def output_shape(self) -> Shape:
        """The shape of the first output."""
        return self.shapes[self.node.name][0]

    def write(self, op: str, inputs: Union[Sequence[str], None] = None, **attributes: Any) -> None:
        """The node that gives the outputs."""
        self.file.add(op, self.inputs if inputs is None else inputs, self.outputs[:1], **attributes)

    def step(self, op: str, what: str, inputs: Sequence[str], **attributes: Any) -> str:
        """A node in between, and the name of its output."""
        name = f"{self.node.name}/{what}"
        self.file.add(op, inputs, name, **attributes)
        return name

    def constant(self, what: str, values: Any, dtype: str = "float32") -> str:
        """A constant of this node."""
        return self.file.constant(f"{self.node.name}/{what}", values, dtype)

    def axis(self, axis: int, position: int = 0) -> int:
        """An axis of an input, counted from the front."""
        return axis % len(self.shape(position))


def name_of(name: str, output: int) -> str:
    """What an output of a node is called in the file."""
    return name if output == 0 else f"{name}:{output}"


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Registers what writes these operators."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def target(shape: Shape) -> list[int]:
    """A shape for ONNX's Reshape: the side that the batch is part of left open."""
    if sum(side % BATCH == 0 for side in shape) > 1:
        raise FaultError("the batch is part of two of its axes")
    return [-1 if side % BATCH == 0 else side for side in shape]


# ---- convolutions and dense layers


def _sides(values: Any, name: str, default: int) -> tuple[int, ...]:
    return getattr(values, name) or (default,) * len(values.kernel)


@rule("Convolution", "Deconvolution")
def _convolution(layer: Layer) -> None:
    values = layer.values
    more: dict[str, Any] = {}
    if layer.node.operator.name == "Deconvolution":
        if any(values.target_shape or ()):
            raise FaultError("its target_shape has no equivalent")
        more = {"output_padding": values.adj or (0,) * len(values.kernel)}
    layer.write(
        "ConvTranspose" if more else "Conv",
        kernel_shape=values.kernel,
        strides=_sides(values, "stride", 1),
        pads=_sides(values, "pad", 0) * 2,
        dilations=_sides(values, "dilate", 1),
        group=values.num_group,
        **more,
    )


@rule("FullyConnected")
def _dense(layer: Layer) -> None:
    x, *parts = layer.inputs
    rank = len(layer.shape())
    if layer.values.flatten or rank == 2:
        flat = layer.step("Flatten", "flat", [x], axis=1) if rank != 2 else x
        layer.write("Gemm", [flat, *parts], transB=1)
        return
    product = [x, layer.step("Transpose", "turned", parts[:1], perm=(1, 0))]
    if layer.values.no_bias:
        layer.write("MatMul", product)
    else:
        layer.write("Add", [layer.step("MatMul", "product", product), parts[1]])


@rule("dot", "batch_dot")
def _product(layer: Layer) -> None:
    sides = layer.inputs
    if layer.node.operator.name == "dot" and any(len(layer.shape(place)) != 2 for place in (0, 1)):
        raise FaultError("a product of arrays with more than two axes has no equivalent")
    for place, name in enumerate(("transpose_a", "transpose_b")):
        if getattr(layer.values, name):
            rank = len(layer.shape(place))
            perm = (*range(rank - 2), rank - 1, rank - 2)
            sides[place] = layer.step("Transpose", name, [sides[place]], perm=perm)
    layer.write("MatMul", sides)


# ---- normalisation


@rule("BatchNorm")
def _batchnorm(layer: Layer) -> None:
    if layer.values.fix_gamma:
        gamma = layer.file.arrays[layer.inputs[1]]
        layer.file.arrays[layer.inputs[1]] = np.ones_like(gamma)
    layer.write("BatchNormalization", epsilon=float(layer.values.eps))


@rule("LayerNorm")
def _layernorm(layer: Layer) -> None:
    rank, axis = len(layer.shape()), layer.axis(layer.values.axis)
    epsilon = float(layer.values.eps)
    if axis == rank - 1:
        layer.write("LayerNormalization", axis=-1, epsilon=epsilon)
        return
    perm = (*(place for place in range(rank) if place != axis), axis)
    back = tuple(perm.index(place) for place in range(rank))
    x, *parts = layer.inputs
    turned = layer.step("Transpose", "turned", [x], perm=perm)
    normed = layer.step("LayerNormalization", "normed", [turned, *parts], axis=-1, epsilon=epsilon)
    layer.write("Transpose", [normed], perm=back)


@rule("InstanceNorm")
def _instancenorm(layer: Layer) -> None:
    layer.write("InstanceNormalization", epsilon=float(layer.values.eps))


@rule("LRN")
def _lrn(layer: Layer) -> None:
    values = layer.values
    layer.write("LRN", size=values.nsize, alpha=float(values.alpha), beta=float(values.beta), bias=float(values.knorm))


# ---- activations

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softrelu": "Softplus", "softsign": "Softsign"}


@rule("Activation", "relu", "sigmoid", "tanh", "softsign")
def _activation(layer: Layer) -> None:
    layer.write(_ACTIVATIONS[getattr(layer.values, "act_type", layer.node.operator.name)])


@rule("LeakyReLU")
def _rectifier(layer: Layer) -> None:
    kind, x = layer.values.act_type, layer.inputs[0]
    if kind == "gelu":  # of the opset after next
        inner = layer.step("Erf", "erf", [layer.step("Mul", "scaled", [x, layer.constant("scale", sqrt(0.5))])])
        both = layer.step("Add", "both", [inner, layer.constant("one", 1)])
        layer.write("Mul", [layer.step("Mul", "half", [x, layer.constant("a_half", 0.5)]), both])
    elif kind == "prelu":
        sides = (layer.shape()[1], *(1 for _ in layer.shape()[2:]))
        slope = layer.step("Reshape", "slope", [layer.inputs[1], layer.constant("sides", sides, "int64")])
        layer.write("PRelu", [x, slope])
    elif kind == "selu":
        layer.write("Selu")
    elif kind in ("leaky", "elu"):
        layer.write("LeakyRelu" if kind == "leaky" else "Elu", alpha=float(layer.values.slope))
    else:
        raise FaultError(f"its act_type {kind} has no equivalent")


@rule("hard_sigmoid")
def _hard_sigmoid(layer: Layer) -> None:
    layer.write("HardSigmoid", alpha=float(layer.values.alpha), beta=float(layer.values.beta))


@rule("clip")
def _clip(layer: Layer) -> None:
    ends = [layer.constant(name, getattr(layer.values, name)) for name in ("a_min", "a_max")]
    layer.write("Clip", [*layer.inputs, *ends])


@rule("softmax", "log_softmax")
def _softmax(layer: Layer) -> None:
    x = layer.inputs[0]
    if layer.values.temperature not in (None, 1.0):
        x = layer.step("Div", "cooled", [x, layer.constant("temperature", layer.values.temperature)])
    kind = "Softmax" if layer.node.operator.name == "softmax" else "LogSoftmax"
    layer.write(kind, [x], axis=layer.axis(layer.values.axis))


# ---- pooling


@rule("Pooling")
def _pooling(layer: Layer) -> None:
    values, x = layer.values, layer.inputs
    kind = {"max": "Max", "avg": "Average"}.get(values.pool_type)
    if kind is None or values.p_value is not None:
        raise FaultError(f"pooling by {values.pool_type} has no equivalent")
    if values.global_pool:
        layer.write(f"Global{kind}Pool", x)
        return
    more = {"count_include_pad": int(values.count_include_pad is not False)} if kind == "Average" else {}
    layer.write(
        f"{kind}Pool",
        x,
        kernel_shape=values.kernel,
        strides=_sides(values, "stride", 1),
        pads=_sides(values, "pad", 0) * 2,
        ceil_mode=int(values.pooling_convention == "full"),
        **more,
    )


@rule("_contrib_AdaptiveAvgPooling2D")
def _adaptive(layer: Layer) -> None:
    before, after = layer.shape()[2:], layer.output_shape[2:]
    if any(n % m for n, m in zip(before, after)):
        raise FaultError("an adaptive pooling with windows of several sizes has no equivalent")
    kernel = [n // m for n, m in zip(before, after)]
    layer.write("AveragePool", kernel_shape=kernel, strides=kernel)


@rule("UpSampling")
def _upsampling(layer: Layer) -> None:
    if layer.values.sample_type != "nearest" or len(layer.inputs) != 1:
        raise FaultError("only the enlarging of one input to its nearest values has an equivalent")
    _resize(layer, "nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@rule("_contrib_BilinearResize2D")
def _bilinear(layer: Layer) -> None:
    way = "align_corners" if layer.values.align_corners else "half_pixel"
    _resize(layer, "linear", coordinate_transformation_mode=way)


def _resize(layer: Layer, mode: str, **attributes: str) -> None:
    scales = [1, 1, *(_scale(n, m) for n, m in zip(layer.shape()[2:], layer.output_shape[2:]))]
    layer.write("Resize", [layer.inputs[0], "", layer.constant("scales", scales)], mode=mode, **attributes)


def _scale(before: int, after: int) -> np.float32:
    """The scale by which a side becomes the other, rounded down as readers of ONNX do."""
    scale = np.float32(after / before)
    return scale if int(before * float(scale)) == after else np.nextafter(scale, np.float32(np.inf))


# ---- arithmetic

_DIRECT = {
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "Log",
    "Neg",
    "Reciprocal", "Round", "Sign", "Sin", "Sinh", "Sqrt", "Tan", "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sum",
    "Identity",
}  # fmt: skip


def _direct(layer: Layer) -> None:
    layer.write(layer.node.operator.onnx)


for _operator in all_operators():
    if _operator.onnx in _DIRECT:
        RULES[_operator.name] = _direct


@rule("Dropout", "BlockGrad", "Cast", "amp_cast", "make_loss", "MakeLoss")
def _nothing(layer: Layer) -> None:
    layer.write("Identity", layer.inputs[:1])


@rule("square")
def _square(layer: Layer) -> None:
    layer.write("Mul", layer.inputs * 2)


@rule("rsqrt")
def _rsqrt(layer: Layer) -> None:
    layer.write("Reciprocal", [layer.step("Sqrt", "root", layer.inputs)])


_SCALARS = {
    "plus": "Add",
    "minus": "Sub",
    "mul": "Mul",
    "div": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
}


@rule(*(f"_{name}_scalar" for name in (*_SCALARS, "rminus", "rdiv", "rpower")))
def _scalar(layer: Layer) -> None:
    kind = layer.node.operator.name[1:-7]
    sides = [*layer.inputs, layer.constant("scalar", layer.values.scalar)]
    reverse = kind not in _SCALARS
    layer.write(_SCALARS[kind[1:] if reverse else kind], sides[::-1] if reverse else sides)


@rule("mean", "sum", "max", "min", "prod")
def _reduction(layer: Layer) -> None:
    values, rank = layer.values, len(layer.shape())
    axes = sorted(layer.axis(axis) for axis in values.axis) if values.axis else list(range(rank))
    if values.axis and values.exclude:
        axes = [axis for axis in range(rank) if axis not in axes]
    name = layer.node.operator.name
    keep = int(values.keepdims)
    if name == "sum":  # whose axes have become an input already
        layer.write("ReduceSum", [*layer.inputs, layer.constant("axes", axes, "int64")], keepdims=keep)
    else:
        layer.write(f"Reduce{name.capitalize()}", axes=axes, keepdims=keep)


# ---- shapes and parts


@rule("Flatten", "Reshape", "expand_dims", "squeeze", "reshape_like")
def _reshape(layer: Layer) -> None:
    sides = layer.constant("shape", target(layer.output_shape), "int64")
    layer.write("Reshape", [layer.inputs[0], sides])


@rule("transpose")
def _transpose(layer: Layer) -> None:
    layer.write("Transpose", perm=layer.values.axes or range(len(layer.shape()))[::-1])


@rule("SwapAxis")
def _swap(layer: Layer) -> None:
    perm = list(range(len(layer.shape())))
    one, other = (layer.axis(axis) for axis in (layer.values.dim1, layer.values.dim2))
    perm[one], perm[other] = perm[other], perm[one]
    layer.write("Transpose", perm=perm)


@rule("Concat")
def _concat(layer: Layer) -> None:
    layer.write("Concat", axis=layer.axis(layer.values.dim))


@rule("SliceChannel")
def _split(layer: Layer) -> None:
    parts = layer.outputs
    names = [f"{part}/part" for part in parts] if layer.values.squeeze_axis else parts
    layer.file.add("Split", layer.inputs, names, axis=layer.axis(layer.values.axis))
    if layer.values.squeeze_axis:
        sides = layer.constant("shape", target(layer.output_shape), "int64")
        for name, part in zip(names, parts):
            layer.file.add("Reshape", [name, sides], part)


def _cut(layer: Layer, axes: Sequence[int], begins: Sequence[int], ends: Sequence[int], steps: Sequence[int]) -> None:
    if 0 in axes:
        raise FaultError("a part of a batch has no equivalent")
    names = [layer.constant(what, one, "int64")
             for what, one in (("begins", begins), ("ends", ends), ("axes", axes), ("steps", steps))]  # fmt: skip
    layer.write("Slice", [layer.inputs[0], *names])


@rule("slice_axis")
def _slice_axis(layer: Layer) -> None:
    values = layer.values
    _cut(layer, [layer.axis(values.axis)], [values.begin], [2**31 if values.end is None else values.end], [1])


@rule("slice")
def _slice(layer: Layer) -> None:
    values = layer.values
    steps = [step or 1 for step in values.step or (1,) * len(values.begin)]
    whole = [(begin, end, step) == (None, None, 1) for begin, end, step in zip(values.begin, values.end, steps)]
    axes = [axis for axis, unchanged in enumerate(whole) if not unchanged]
    if any(steps[axis] < 0 for axis in axes):
        raise FaultError("a slice that goes backwards has no equivalent here")
    begins = [values.begin[axis] or 0 for axis in axes]
    ends = [2**31 if values.end[axis] is None else values.end[axis] for axis in axes]
    _cut(layer, axes, begins, ends, [steps[axis] for axis in axes])


@rule("slice_like")
def _slice_like(layer: Layer) -> None:
    axes = [axis for axis, (n, m) in enumerate(zip(layer.shape(), layer.output_shape)) if n != m]
    _cut(layer, axes, [0 for _ in axes], [layer.output_shape[axis] for axis in axes], [1 for _ in axes])


@rule("Pad")
def _pad(layer: Layer) -> None:
    widths = layer.values.pad_width
    pads = layer.constant("pads", (*widths[::2], *widths[1::2]), "int64")
    fill = [layer.constant("fill", layer.values.constant_value)] if layer.values.mode == "constant" else []
    layer.write("Pad", [*layer.inputs, pads, *fill], mode=layer.values.mode)


@rule("broadcast_to", "broadcast_axis", "broadcast_like")
def _stretch(layer: Layer) -> None:
    before, after = layer.shape(), layer.output_shape
    if len(before) != len(after) or any(n != m and m % BATCH == 0 for n, m in zip(before, after)):
        raise FaultError("what is repeated for each image of a batch has no equivalent here")
    sides = [1 if side % BATCH == 0 else side for side in after]
    layer.write("Expand", [layer.inputs[0], layer.constant("shape", sides, "int64")])


def write(layer: Layer) -> None:
    """Add a node to the file.

    Raises
    ------
    FaultError
        It has no equivalent.
    """
    function = RULES.get(layer.node.operator.name)
    if function is None:
        raise FaultError("the operator has no equivalent")
    function(layer)
