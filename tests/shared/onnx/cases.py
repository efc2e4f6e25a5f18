"""One model for each of ONNX's operators and manner of using it, with what onnxruntime computes; see make.py.

Each takes an image (N, 1, h, w) that is first brought to the shape that the operator wants.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

_RNG = np.random.default_rng(11)


def _drawn(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape).astype(np.float32)


def _whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


MAP, VECTOR, TOKENS, HEADS = (4, 6, 6), (12,), (6, 8), (2, 6, 4)
_ONE = ("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Abs", "Neg", "Exp", "Erf", "Ceil", "Floor", "Sign",
        "Sin", "Cos", "HardSigmoid", "Elu", "Selu", "LeakyRelu", "Identity", "Softmax", "LogSoftmax", "Atan",
        "Round")  # fmt: skip


Row = tuple[str, int, tuple[int, ...], str, list[Any], dict[str, Any]]
"""A name, the opset, the shape of one image, the operator, more inputs (arrays; None without), attributes."""


class _Rows(list[Row]):
    def __call__(self, name: str, opset: int, shape: tuple[int, ...], op: str, *more: Any, **attributes: Any) -> None:
        self.append((name, opset, shape, op, list(more), attributes))


def _activations(add: _Rows) -> None:
    """Activations and softmax."""
    for op in _ONE:
        add(op, 13, MAP, op)
        add(f"{op}_vector", 13, VECTOR, op)
    for op in ("Mish", "HardSwish"):
        add(op, 18, MAP, op)
    add("Gelu", 20, MAP, "Gelu")
    add("Gelu_tanh", 20, MAP, "Gelu", approximate="tanh")
    add("Elu_alpha", 9, MAP, "Elu", alpha=0.7)
    add("LeakyRelu_alpha", 9, MAP, "LeakyRelu", alpha=0.2)
    add("HardSigmoid_alpha", 9, MAP, "HardSigmoid", alpha=0.5, beta=0.6)
    add("PRelu_channels", 13, MAP, "PRelu", _drawn(4, 1, 1))
    add("PRelu_one", 13, MAP, "PRelu", _drawn(1))
    add("Softmax_old", 11, VECTOR, "Softmax", axis=1)
    add("Softmax_old_map", 11, MAP, "Softmax", axis=1)
    add("Softmax_channels", 13, MAP, "Softmax", axis=1)
    add("Clip_old", 9, MAP, "Clip", min=-0.5, max=0.7)
    add("Clip_low", 9, MAP, "Clip", min=0.0)
    add("Clip_new", 13, MAP, "Clip", np.float32(-0.2), np.float32(0.9))
    add("Clip_high", 13, MAP, "Clip", None, np.float32(0.9))
    add("Clip_positive", 13, MAP, "Clip", np.float32(0.3))
    add("Dropout_old", 9, MAP, "Dropout", ratio=0.3)
    add("Dropout_new", 13, MAP, "Dropout", np.float32(0.3))


def _arithmetic(add: _Rows) -> None:
    """Arithmetic with numbers, arrays and values."""
    for op in ("Add", "Sub", "Mul", "Div", "Min", "Max"):
        add(f"{op}_number", 13, MAP, op, np.float32(1.7))
        add(f"{op}_channels", 13, MAP, op, _drawn(4, 1, 1) + 3)
        add(f"{op}_map", 13, MAP, op, _drawn(1, 4, 6, 6) + 3)
        add(f"{op}_vector", 13, VECTOR, op, _drawn(12) + 3)
        add(f"{op}_self", 13, MAP, op, "x")
    add("Pow_two", 13, MAP, "Pow", np.float32(2))
    add("Pow_three", 13, MAP, "Pow", np.float32(3))
    add("Sum", 13, MAP, "Sum", "x", _drawn(1, 4, 6, 6))
    add("Mean", 13, MAP, "Mean", "x", _drawn(1, 4, 6, 6))
    for op in ("Sub", "Div"):
        add(f"{op}_from_number", 13, MAP, op, np.float32(2), turned=True)


def _windows(add: _Rows) -> None:
    """Convolutions and poolings."""
    add("Conv", 11, MAP, "Conv", _drawn(8, 4, 3, 3), _drawn(8))
    add("Conv_strided", 11, MAP, "Conv", _drawn(8, 4, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    add("Conv_groups", 11, MAP, "Conv", _drawn(8, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    add("Conv_depthwise", 11, MAP, "Conv", _drawn(4, 1, 5, 5), group=4, pads=[2, 2, 2, 2])
    add("Conv_dilated", 11, MAP, "Conv", _drawn(8, 4, 3, 3), dilations=[2, 2])
    add("Conv_uneven", 11, MAP, "Conv", _drawn(8, 4, 3, 3), pads=[0, 1, 1, 0])
    add("Conv_oblong", 11, MAP, "Conv", _drawn(8, 4, 1, 3), pads=[0, 1, 0, 1])
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        add(f"Conv_{mode}", 11, MAP, "Conv", _drawn(8, 4, 3, 3), strides=[2, 2], auto_pad=mode)
        add(f"MaxPool_{mode}", 12, MAP, "MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad=mode)
        add(f"AveragePool_{mode}", 11, MAP, "AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad=mode)
    add("ConvTranspose", 11, MAP, "ConvTranspose", _drawn(4, 3, 2, 2), _drawn(3), strides=[2, 2])
    add("ConvTranspose_padded", 11, MAP, "ConvTranspose", _drawn(4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1],
        output_padding=[1, 1])  # fmt: skip
    for op in ("MaxPool", "AveragePool"):
        add(op, 12, MAP, op, kernel_shape=[2, 2])
        add(f"{op}_strided", 12, MAP, op, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        add(f"{op}_ceil", 12, MAP, op, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        add(f"{op}_whole", 12, MAP, op, kernel_shape=[6, 6])
    add("AveragePool_border", 11, MAP, "AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    add("MaxPool_uneven", 11, MAP, "MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    add("AveragePool_uneven", 11, MAP, "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    add("GlobalAveragePool", 9, MAP, "GlobalAveragePool")
    add("GlobalMaxPool", 9, MAP, "GlobalMaxPool")


def _layers(add: _Rows) -> None:
    """Normalisation, products, reductions."""
    add("BatchNormalization", 9, MAP, "BatchNormalization", _drawn(4), _drawn(4), _drawn(4), np.abs(_drawn(4)) + 1)
    add("BatchNormalization_vector", 9, VECTOR, "BatchNormalization", _drawn(12), _drawn(12), _drawn(12),
        np.abs(_drawn(12)) + 1, epsilon=1e-3)  # fmt: skip
    add("LayerNormalization", 17, TOKENS, "LayerNormalization", _drawn(8), _drawn(8))
    add("LayerNormalization_eps", 17, TOKENS, "LayerNormalization", _drawn(8), epsilon=1e-2)
    add("InstanceNormalization", 9, MAP, "InstanceNormalization", _drawn(4), _drawn(4), epsilon=1e-3)
    add("GroupNormalization", 21, MAP, "GroupNormalization", _drawn(4), _drawn(4), num_groups=2)
    add("LRN", 13, MAP, "LRN", size=3, alpha=0.1, beta=0.6, bias=1.5)
    add("LpNormalization", 13, MAP, "LpNormalization", axis=1, p=2)
    add("Gemm", 11, VECTOR, "Gemm", _drawn(12, 5), _drawn(5))
    add("Gemm_turned", 11, VECTOR, "Gemm", _drawn(5, 12), _drawn(1, 5), transB=1)
    add("Gemm_scaled", 11, VECTOR, "Gemm", _drawn(12, 5), _drawn(1), alpha=0.5, beta=2.0)
    add("Gemm_bare", 11, VECTOR, "Gemm", _drawn(12, 5))
    add("MatMul", 13, VECTOR, "MatMul", _drawn(12, 5))
    add("MatMul_tokens", 13, TOKENS, "MatMul", _drawn(8, 5))
    add("MatMul_heads", 13, (2, 4, 4), "MatMul", "x")
    for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd", "ReduceL2", "ReduceSumSquare"):
        add(f"{op}_map", 11, MAP, op, axes=[2, 3])
        add(f"{op}_flat", 11, MAP, op, axes=[2, 3], keepdims=0)
        add(f"{op}_channels", 11, MAP, op, axes=[1])
        add(f"{op}_last", 11, TOKENS, op, axes=[-1], keepdims=0)
        add(f"{op}_input", 18, MAP, op, _whole(2, 3))


def _shapes(add: _Rows) -> None:
    """Other shapes."""
    add("Reshape", 13, MAP, "Reshape", _whole(0, -1))
    add("Reshape_heads", 13, TOKENS, "Reshape", _whole(-1, 6, 2, 4))
    add("Reshape_same", 13, MAP, "Reshape", _whole(0, 0, 36))
    add("Flatten", 13, MAP, "Flatten")
    add("Squeeze", 13, (4, 1, 6), "Squeeze", _whole(2))
    add("Squeeze_old", 11, (4, 1, 6), "Squeeze", axes=[2])
    add("Unsqueeze", 13, TOKENS, "Unsqueeze", _whole(1))
    add("Unsqueeze_old", 11, TOKENS, "Unsqueeze", axes=[-1])
    add("Transpose", 13, MAP, "Transpose", perm=[0, 2, 3, 1])
    add("Transpose_tokens", 13, TOKENS, "Transpose", perm=[0, 2, 1])
    add("Expand", 13, (4, 1, 6), "Expand", _whole(1, 4, 3, 6))
    add("Tile", 13, TOKENS, "Tile", _whole(1, 2, 1))
    add("DepthToSpace", 13, MAP, "DepthToSpace", blocksize=2)
    add("SpaceToDepth", 13, MAP, "SpaceToDepth", blocksize=2)


def _parts(add: _Rows) -> None:
    """Parts, joins, borders, other sizes."""
    add("Slice", 13, MAP, "Slice", _whole(1, 2), _whole(3, 6), _whole(1, 3))
    add("Slice_old", 9, MAP, "Slice", starts=[1], ends=[-1], axes=[2])
    add("Slice_steps", 13, MAP, "Slice", _whole(1), _whole(2**40), _whole(2), _whole(2))
    add("Gather_one", 13, TOKENS, "Gather", np.array(2, np.int64), axis=1)
    add("Gather_row", 13, TOKENS, "Gather", _whole(1, 2, 3), axis=1)
    add("Split", 13, MAP, "Split", axis=1, outputs=2)
    add("Split_sizes", 13, MAP, "Split", _whole(1, 3), axis=1, outputs=2)
    add("Concat", 13, MAP, "Concat", "x", axis=1)
    add("Concat_last", 13, TOKENS, "Concat", "x", axis=-1)
    add("Pad", 13, MAP, "Pad", _whole(0, 0, 1, 0, 0, 0, 2, 1), np.float32(0.5))
    add("Pad_old", 9, MAP, "Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1])
    add("Pad_reflect", 13, MAP, "Pad", _whole(0, 0, 1, 1, 0, 0, 1, 1), mode="reflect")
    add("Pad_edge", 13, MAP, "Pad", _whole(0, 0, 1, 1, 0, 0, 1, 1), mode="edge")
    add("Pad_axes", 18, MAP, "Pad", _whole(1, 2), None, _whole(2), mode="constant")
    add("Resize_nearest", 13, MAP, "Resize", None, np.array([1, 1, 2, 2], np.float32),
        coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    add("Resize_linear", 13, MAP, "Resize", None, np.array([1, 1, 1.5, 2], np.float32), mode="linear")
    add("Upsample", 9, MAP, "Upsample", np.array([1, 1, 2, 2], np.float32))


def _table() -> _Rows:
    rows = _Rows()
    for family in (_activations, _arithmetic, _windows, _layers, _shapes, _parts):
        family(rows)
    return rows


def _model(opset: int, shape: tuple[int, ...], op: str, more: list[Any], given: dict[str, Any]) -> onnx.ModelProto:
    attributes = dict(given)
    count, turned = attributes.pop("outputs", 1), attributes.pop("turned", False)
    arrays = {f"c{number}": one for number, one in enumerate(more) if isinstance(one, (np.ndarray, np.generic))}
    inputs = ["x"] + [one if isinstance(one, str) else f"c{n}" if one is not None else "" for n, one in enumerate(more)]
    outputs = ["y", *(f"y{number}" for number in range(1, count))]
    arrays["shape"] = _whole(-1, *shape)
    nodes = [
        helper.make_node("Reshape", ["image", "shape"], ["x"]),
        helper.make_node(op, inputs[::-1] if turned else inputs, outputs, name=op.lower(), **attributes),
    ]
    last = "y"
    if count > 1:
        nodes.append(helper.make_node("Concat", outputs[::-1], ["joined"], axis=1))
        last = "joined"
    nodes.append(helper.make_node("Flatten", [last], ["output"]))
    sides = [math.prod(shape[:-1]), shape[-1]]
    graph = helper.make_graph(
        nodes, "case", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *sides])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def cases() -> dict[str, np.ndarray]:
    """For each case ``<name>.onnx`` as bytes, and ``<name>.x``, ``<name>.y``: input and output."""
    stored: dict[str, np.ndarray] = {}
    for name, opset, shape, op, more, attributes in _table():
        model = _model(opset, shape, op, more, attributes)
        content = model.SerializeToString()
        x = _drawn(2, 1, math.prod(shape[:-1]), shape[-1])
        try:
            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        except Exception as fault:
            raise ValueError(f"onnxruntime does not take {name}") from fault
        stored[f"{name}.onnx"] = np.frombuffer(content, np.uint8)
        stored[f"{name}.x"], stored[f"{name}.y"] = x, session.run(None, {"image": x})[0]
    return stored
