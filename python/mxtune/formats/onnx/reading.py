"""From the nodes of an ONNX file to our graph and its parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph
from ...images.preprocess import CHANNELS
from ...words import counted, listing, near
from ..untrusted import AGAIN, FaultError, RefusedError, shown
from .affine import absorbed
from .fold import fold
from .model import FLOATING, OnnxModel, OnnxNode, Port
from .operators import BATCH, Call, Const, Value, Writer, convert, names, reason
from .operators.base import Input
from .operators.products import turned
from .patterns import recognised
from .preparation import Affine, taken_off

SIZE = (224, 224)
"""Height and width of the images where the file leaves them open."""
_UINT8 = 2
# The numbers that constants may have together that are computed: so many, and so many times those of the file
_FOLDED, _FOLDED_TIMES = 2**24, 16
_READ = "mxtune reads networks that take one image, and classify it or give features of it."
_CONSTANT = ("value", "value_float", "value_int", "value_floats", "value_ints")
_SAME_NUMBERS = ("Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "CastLike", "Dropout")
# What exporters put before or behind a layer's own name.
_NOISE = re.compile(r"^(StatefulPartitionedCall|PartitionedCall|functional(_\d+)?|model(_\d+)?|node_)(?=/)")
_SLOT = re.compile(r"[._](weight|bias|gamma|beta|running_mean|running_var|moving_mean|moving_variance|kernel|w_0|b_0)$")


@dataclass(frozen=True)
class Converted:
    """A graph with its parameters.

    Parameters
    ----------
    image
        Channels, height and width of what it takes.
    own
        What the file did to each channel before; None if it did nothing.
    takes_bytes
        Whether it takes pixels as they are, 0 to 255.
    """

    graph: Graph
    params: Mapping[str, NDArray[Any]]
    image: tuple[int, int, int]
    own: Optional[Affine]
    takes_bytes: bool


def converted(model: OnnxModel) -> Converted:
    """The network of an ONNX model, its batch open, its channels first.

    Raises
    ------
    FaultError
        It takes other than one image, or has an operator or an argument that is not read; the node is named.
    """
    port = _image_input(model)
    numbers = sum(array.size for array in model.arrays.values())
    writer = Writer(port.dims[0] or 0 if port.dims else 0, _FOLDED + _FOLDED_TIMES * numbers)
    values: dict[str, Input] = {name: Const(array, name) for name, array in model.arrays.items()}
    values[port.name], image = _image(writer, port)
    uses = Counter(name for node in model.nodes for name in node.inputs)
    uses.update(one.name for one in model.outputs)
    for node in model.nodes:
        _read(writer, model, node, values, uses)
    graph = writer.graph(_head(model, values, writer))
    graph = absorbed(recognised(graph, writer.params), writer.params)
    graph, own = taken_off(graph, writer.params, image[0])
    params = {one.name: writer.params[one.name] for one in graph.nodes if one.name in writer.params}
    return Converted(graph, params, image, own, port.elem_type == _UINT8)


def _image_input(model: OnnxModel) -> Port:
    used = {name for node in model.nodes for name in node.inputs}
    inputs = [one for one in model.inputs if one.name in used]
    if len(inputs) != 1:
        raise RefusedError(f"it takes {counted(len(inputs), 'input')} ({listing([one.name for one in inputs], 4)}), "
                         "and a network here takes one: the image", _READ)  # fmt: skip
    if inputs[0].elem_type not in (*FLOATING, _UINT8):
        raise FaultError(f"its input {shown(inputs[0].name)} is no image", _READ)
    return inputs[0]


def _image(writer: Writer, port: Port) -> tuple[Value, tuple[int, int, int]]:
    """The image as the file takes it, (N, C, H, W) or (N, H, W, C); and its channels, height and width."""
    dims = port.dims or (None, 3, None, None)
    if len(dims) != 4:
        raise FaultError(f"its input {shown(port.name)} has {len(dims)} axes, and images have four", _READ)
    last = dims[3] in CHANNELS and dims[1] not in CHANNELS
    channels, height, width = (dims[3], dims[1], dims[2]) if last else (dims[1], dims[2], dims[3])
    if channels not in CHANNELS:
        wrong = f"{channels or 'an open number of'} channels, not 1, 3 or 4"
        raise FaultError(f"its input {shown(port.name)} has {wrong}", _READ)
    height, width = height or width or SIZE[0], width or height or SIZE[1]
    if max(height, width) > 2**14:
        raise FaultError(f"its images have {height} x {width} pixels")
    entry = writer.image((BATCH, channels, height, width))
    if last:
        return Value(entry, (BATCH, height, width, channels), (0, 2, 3, 1)), (channels, height, width)
    return Value(entry, (BATCH, channels, height, width), (0, 1, 2, 3)), (channels, height, width)


def _read(writer: Writer, model: OnnxModel, node: OnnxNode, values: dict[str, Input], uses: Counter[str]) -> None:
    """Add the outputs of a node to the values."""
    try:
        outputs = _outputs(writer, model, node, values, uses)
    except FaultError as fault:
        label = node.name or (node.outputs[0] if node.outputs else "")
        raise type(fault)(
            f"{shown(label)} ({shown(node.op)[1:-1]}): {fault.what}", _READ if fault.hint == AGAIN else fault.hint
        ) from None
    values.update(zip(node.outputs, outputs))


def _outputs(
    writer: Writer, model: OnnxModel, node: OnnxNode, values: dict[str, Input], uses: Counter[str]
) -> list[Input]:
    if node.op == "Constant" and not node.domain:
        return [_constant(node)]
    for name in node.inputs:
        if name and name not in values:
            raise FaultError(f"it takes {shown(name)}, which does not come before it")
    inputs = tuple(values[name] if name else None for name in node.inputs)
    constants = [one for one in inputs if one is None or isinstance(one, Const)]
    if len(constants) == len(inputs) and not _repeats(node, constants):
        outputs = fold(node, [one.array if one is not None else None for one in constants])
        if outputs is not None:
            writer.folded += sum(array.size for array in outputs)
            if writer.folded > writer.most_folded:
                raise FaultError("the constants that the file computes would fill the memory")
            return [_named(node, constants, array) for array in outputs]
    once = tuple(uses[name] == 1 for name in node.inputs)
    result = convert(writer, Call(node, model.opset, inputs, _layer_name(node, inputs), once))
    if result is None:
        raise _unknown(node, model.opset)
    return result


def _repeats(node: OnnxNode, constants: list[Optional[Const]]) -> bool:
    """Whether a constant is repeated for each image, and so is none any more."""
    return node.op == "Expand" and len(constants) == 2 and constants[1] is not None and BATCH in constants[1].array


def _unknown(node: OnnxNode, opset: int) -> FaultError:
    domain = f" of {shown(node.domain)[1:-1]}" if node.domain else f" of ONNX {opset}"
    why = reason(node.op)
    if why:
        return RefusedError(why)
    hint = near(node.op, names()) if not node.domain else None
    return FaultError(
        f"the operator {shown(node.op)[1:-1]}{domain} is not read",
        hint or "mxtune.formats.onnx.names() lists those that are.",
    )


def _constant(node: OnnxNode) -> Const:
    value = next((node.attributes[name] for name in _CONSTANT if node.attributes.get(name) is not None), None)
    if value is None or isinstance(value, str):
        raise FaultError("it holds no numbers")
    if isinstance(value, np.ndarray):
        return Const(value, node.outputs[0] if node.outputs else "")
    dtype = np.int64 if "int" in next(name for name in _CONSTANT if name in node.attributes) else np.float32
    return Const(np.array(value, dtype))


def _named(node: OnnxNode, inputs: list[Optional[Const]], array: NDArray[Any]) -> Const:
    """What was computed, under the name of the array whose numbers it still has."""
    first = inputs[0] if inputs else None
    if first is None or not first.name:
        return Const(array)
    if node.op in _SAME_NUMBERS and not first.turned:
        return Const(array, first.name)
    if node.op == "Transpose" and first.array.ndim == 2 and array.shape == first.array.shape[::-1]:
        return turned(first)
    return Const(array)


def _layer_name(node: OnnxNode, inputs: tuple[Input, ...]) -> str:
    """What a layer is called: as its weights are, or by its own name in the file."""
    for one in inputs:
        if isinstance(one, Const) and "::" not in one.name and (match := _SLOT.search(one.name)):
            return _plain_name(one.name[: match.start()])
    return _plain_name(_NOISE.sub("", node.name or (node.outputs[0] if node.outputs else "")) or node.op.lower())


def _plain_name(name: str) -> str:
    """A name such as ``/layer1/layer1.0/relu/Relu`` as ``layer1.0.relu``: the path of modules, each once."""
    parts: list[str] = []
    for part in filter(None, name.split("/")):
        if parts and part.startswith(f"{parts[-1].split('/')[-1]}."):
            parts[-1] = part
        else:
            parts.append(part)
    if len(parts) > 1 and re.fullmatch(r"[A-Z][A-Za-z]*(_\d+)?", parts[-1]):
        kind = parts.pop()
        function = parts and not re.search(rf"(^|[._]){re.escape(kind.split('_')[0].lower())}", parts[-1].lower())
        if function or "_" in kind:
            parts.append(kind.lower())
    text = ".".join(parts).removeprefix("node_")
    return re.sub(r"[^\w.\-]", "_", text)[:200] or "layer"


def _head(model: OnnxModel, values: Mapping[str, Input], writer: Writer) -> tuple[str, int]:
    """The output that gives a number for each class: the first with (N, classes)."""
    outputs = [one for port in model.outputs if isinstance(one := values.get(port.name), Value)]
    for one in outputs:
        rest = [side for side in one.shape[1:] if side != 1]
        if one.shape[0] == BATCH and len(rest) <= 1:
            return writer.reshaped(one, (BATCH, rest[0] if rest else 1), "output").entry
    found = listing([f"{port.name}" for port in model.outputs], 4)
    raise RefusedError(f"its output ({found}) is no row of numbers for each image", _READ)
