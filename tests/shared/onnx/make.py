"""Writes the files of this folder: small networks as exporters write them, and what onnxruntime computes with each.

    python tests/shared/onnx/make.py   (in the environment that `make parity` sets up: torch, onnx, onnxruntime)

Whole networks are compared by `make parity`; here are blocks of each kind, small enough to lie in the repository.
`cases.npz` has one model for each operator and manner of using it; `outputs.npz` the outputs of the files. Those in
`prepared/` prepare their images themselves.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

HERE = Path(__file__).parent
SIZE = 16
logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")


def images(channels: int = 3, count: int = 3) -> np.ndarray:
    """What every network here is run on; the tests draw the same."""
    return np.random.default_rng(7).normal(size=(count, channels, SIZE, SIZE)).astype(np.float32)


def filled(model: nn.Module) -> nn.Module:
    """The network with numbers of its own in every array, no two alike."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, one in [*model.named_parameters(), *model.named_buffers()]:
            if one.is_floating_point():
                drawn = torch.randn(one.shape, generator=generator) * 0.3
                one.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn + (one.ndim == 1) * 0.5)
    return model.eval()


# ---- blocks, as PyTorch's two exporters write them


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, 1, 1, groups=2, bias=False), nn.BatchNorm2d(8)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)) + x)
        return self.fc(torch.flatten(self.pool(x), 1))


class Mobile(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.se, self.act, self.head = SqueezeExcite(8), nn.SiLU(), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.se(self.depth(self.stem(x))))
        return self.head(x.mean((2, 3)))


class Shuffle(nn.Module):
    """Channels split, joined and shuffled; poolings with a rounded end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.branch, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(4, 4, 1), nn.Linear(8, 5)
        self.pool, self.average = nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.conv(x))
        left, right = x.chunk(2, 1)
        x = torch.cat([left, torch.relu(self.branch(right))], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.head(self.average(x).amax((2, 3)))


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm0 = nn.Conv2d(3, 8, 4, 4), LayerNorm2d(8)
        self.conv_dw, self.norm = nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.LayerNorm(8, 1e-6)
        self.fc1, self.fc2, self.gamma = nn.Linear(8, 16), nn.Linear(16, 8), nn.Parameter(torch.ones(8))
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm0(self.stem(x))
        y = self.norm(self.conv_dw(x).permute(0, 2, 3, 1))
        y = self.gamma * self.fc2(nn.functional.gelu(self.fc1(y)))
        return self.head((x + y.permute(0, 3, 1, 2)).mean([-2, -1]))


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, 8, 4, 4)
        self.cls_token, self.pos_embed = nn.Parameter(torch.ones(1, 1, 8)), nn.Parameter(torch.ones(1, 17, 8))
        self.norm1, self.qkv, self.proj = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)
        self.norm2, self.fc1, self.fc2 = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        n, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(n, tokens, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        y = (q * (width // 2) ** -0.5 @ k.transpose(-2, -1)).softmax(-1) @ v
        x = x + self.proj(y.transpose(1, 2).reshape(n, tokens, width))
        x = x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))
        return self.head(x[:, 0])


BLOCKS = {"residual": Residual, "mobile": Mobile, "shuffle": Shuffle, "convnext": ConvNeXt, "transformer": Transformer}


def by_tracing(model: nn.Module, opset: int, open_batch: bool = True, **settings: Any) -> onnx.ModelProto:
    stream = io.BytesIO()
    axes = {"input": {0: "N"}, "output": {0: "N"}} if open_batch else None
    torch.onnx.export(
        model, torch.from_numpy(images(count=1)), stream, dynamo=False, opset_version=opset, dynamic_axes=axes,
        input_names=["input"], output_names=["output"], **settings,
    )  # fmt: skip
    return onnx.load_model_from_string(stream.getvalue())


def by_dynamo(model: nn.Module) -> onnx.ModelProto:
    program = torch.onnx.export(model, (torch.from_numpy(images(count=1)),), dynamo=True, verbose=False)
    return program.model_proto


def torch_models() -> Iterator[tuple[str, onnx.ModelProto]]:
    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    for name, block in BLOCKS.items():
        yield f"{name}_tracing17", by_tracing(filled(block()), 17)
        yield f"{name}_state_dict", by_tracing(filled(block()), 17, **kept)
        yield f"{name}_dynamo", by_dynamo(filled(block()))
        yield f"{name}_tracing13_one", by_tracing(filled(block()), 13, open_batch=False)
    for opset in (7, 9, 11):
        yield f"residual_tracing{opset}", by_tracing(filled(Residual()), opset)
    for opset in (9, 11):
        yield f"mobile_tracing{opset}", by_tracing(filled(Mobile()), opset)


# ---- written by hand: as Keras' and Caffe2's exporters do


def model_of(
    nodes: list[onnx.NodeProto], arrays: dict[str, np.ndarray], input_shape: list[Any], opset: int, ir: int = 8
) -> onnx.ModelProto:
    last = nodes[-1].output[0]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def keras() -> onnx.ModelProto:
    """Channels last, BatchNorm as a product and a sum, a padding before strides, a dense layer as product and sum."""
    rng = np.random.default_rng(1)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32) * 0.4

    node = helper.make_node
    arrays = {
        "w1": drawn(8, 3, 3, 3), "scale": drawn(1, 1, 1, 8), "shift": drawn(8), "w2": drawn(8, 1, 3, 3),
        "b2": drawn(8), "pads": np.array([0, 0, 0, 0, 0, 1, 1, 0], np.int64),
        "w3": drawn(8, 5), "b3": drawn(5), "low": np.float32(0), "high": np.float32(6),
    }  # fmt: skip
    nodes = [
        node("Transpose", ["x"], ["t1"], name="model/conv/Conv2D__1", perm=[0, 3, 1, 2]),
        node("Conv", ["t1", "w1"], ["c1"], name="model/conv/Conv2D", pads=[1, 1, 1, 1]),
        node("Transpose", ["c1"], ["t2"], perm=[0, 2, 3, 1]),
        node("Mul", ["t2", "scale"], ["m1"], name="model/bn/mul"),
        node("Add", ["m1", "shift"], ["a1"], name="model/bn/add"),
        node("Clip", ["a1", "low", "high"], ["r1"], name="model/relu/Relu6"),
        node("Pad", ["r1", "pads"], ["p1"], name="model/pad/Pad"),
        node("Transpose", ["p1"], ["t3"], perm=[0, 3, 1, 2]),
        node("Conv", ["t3", "w2", "b2"], ["c2"], name="model/depthwise/Conv2D", group=8, strides=[2, 2]),
        node("Transpose", ["c2"], ["t4"], perm=[0, 2, 3, 1]),
        node("ReduceMean", ["t4"], ["g1"], axes=[1, 2], keepdims=0, name="model/pool/Mean"),
        node("MatMul", ["g1", "w3"], ["d1"], name="model/dense/MatMul"),
        node("Add", ["d1", "b3"], ["d2"], name="model/dense/BiasAdd"),
        node("Softmax", ["d2"], ["probabilities"], name="model/dense/Softmax"),
    ]
    model = model_of(nodes, arrays, ["unk__1", SIZE, SIZE, 3], 15)
    model.producer_name = "tf2onnx"
    model.metadata_props.add(key="names", value="{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog', 4: 'elk'}")
    return model


def caffe2() -> onnx.ModelProto:
    """A batch of one, inputs that list the weights, LRN, a Reshape to that batch."""
    rng = np.random.default_rng(2)
    arrays = {
        "conv1_w_0": rng.normal(size=(8, 3, 5, 5)).astype(np.float32) * 0.2,
        "conv1_b_0": rng.normal(size=8).astype(np.float32),
        "bn_s": rng.normal(size=8).astype(np.float32), "bn_b": rng.normal(size=8).astype(np.float32),
        "bn_m": rng.normal(size=8).astype(np.float32), "bn_v": rng.random(8).astype(np.float32) + 0.5,
        "shape": np.array([1, -1], np.int64), "fc_w_0": rng.normal(size=(5, 72)).astype(np.float32) * 0.1,
        "fc_b_0": rng.normal(size=5).astype(np.float32),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "conv1_w_0", "conv1_b_0"], ["conv1_1"], strides=[2, 2], kernel_shape=[5, 5]),
        node("BatchNormalization", ["conv1_1", "bn_s", "bn_b", "bn_m", "bn_v"], ["bn_1"], epsilon=1e-5),
        node("Relu", ["bn_1"], ["relu_1"]),
        node("LRN", ["relu_1"], ["norm_1"], size=5, alpha=1e-3, beta=0.75, bias=1.0),
        node("MaxPool", ["norm_1"], ["pool_1"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 2, 2]),
        node("Dropout", ["pool_1"], ["drop_1"], ratio=0.4),
        node("Reshape", ["drop_1", "shape"], ["flat_1"]),
        node("Gemm", ["flat_1", "fc_w_0", "fc_b_0"], ["fc_1"], transB=1),
        node("Softmax", ["fc_1"], ["prob_1"], axis=1),
    ]
    model = model_of(nodes, arrays, [1, 3, SIZE, SIZE], 9, ir=3)
    for name, array in arrays.items():
        kind = TensorProto.INT64 if array.dtype == np.int64 else TensorProto.FLOAT
        model.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
    model.producer_name = "onnx-caffe2"
    return model


# ---- files that prepare their images themselves


class Prepared(nn.Module):
    """Pixels in, logits out: as a user wraps a network before the export."""

    def __init__(self, takes_bytes: bool = False) -> None:
        super().__init__()
        self.network, self.takes_bytes = filled(Residual()), takes_bytes
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.takes_bytes:
            x = x.permute(0, 3, 1, 2).float() / 255
        return self.network((x - self.mean) / self.std)


def keras_prepared() -> onnx.ModelProto:
    """Keras' Rescaling and Normalization before the network, as tf2onnx writes them."""
    model = keras()
    node, numbers = helper.make_node, numpy_helper.from_array
    before = [
        node("Mul", ["x", "factor"], ["scaled"], name="model/rescaling/mul"),
        node("Add", ["scaled", "offset"], ["rescaled"], name="model/rescaling/add"),
        node("Sub", ["rescaled", "mean"], ["centred"], name="model/normalization/sub"),
        node("Div", ["centred", "std"], ["prepared"], name="model/normalization/truediv"),
    ]
    model.graph.node[0].input[0] = "prepared"
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*before, *rest])
    constants = {"factor": 1 / 127.5, "offset": -1.0, "mean": [[[[0.1, -0.2, 0.3]]]], "std": [[[[0.5, 0.6, 0.7]]]]}
    model.graph.initializer.extend(numbers(np.array(one, np.float32), name) for name, one in constants.items())
    return model


def write_prepared(folder: Path) -> None:
    """Files that take pixels from 0 to 255, or from 0 to 1, with what they give for the same ones."""
    pixels = np.random.default_rng(9).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.uint8)
    planes = (pixels.transpose(0, 3, 1, 2) / 255).astype(np.float32)
    one, bytes_ = torch.from_numpy(planes[:1]), torch.from_numpy(pixels[:1])
    axes = {"dynamic_axes": {"input": {0: "N"}}, "input_names": ["input"]}
    streams = {name: io.BytesIO() for name in ("tracing", "bytes")}
    torch.onnx.export(Prepared(), one, streams["tracing"], dynamo=False, opset_version=17, **axes)
    torch.onnx.export(Prepared(True), bytes_, streams["bytes"], dynamo=False, opset_version=17, **axes)
    models = {name: onnx.load_model_from_string(stream.getvalue()) for name, stream in streams.items()}
    models["dynamo"] = torch.onnx.export(Prepared(), (one,), dynamo=True, verbose=False).model_proto
    models["keras"] = keras_prepared()
    outputs = {"pixels": pixels}
    folder.mkdir(exist_ok=True)
    for name, model in models.items():
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        x = {"bytes": pixels, "keras": pixels.astype(np.float32)}.get(name, planes)
        outputs[name] = np.concatenate([session.run(None, {port.name: x[n : n + 1]})[0] for n in range(3)])
        for part in [*model.graph.node, model]:
            part.ClearField("doc_string")
            part.ClearField("metadata_props")
        model.graph.ClearField("value_info")
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    np.savez_compressed(folder / "outputs.npz", **outputs)


def computed(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    """What onnxruntime computes, image by image where the file fixes the batch."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    x = x.transpose(0, 2, 3, 1) if port.shape[-1] == 3 else x
    step = port.shape[0] if isinstance(port.shape[0], int) else len(x)
    return np.concatenate([session.run(None, {port.name: x[at : at + step]})[0] for at in range(0, len(x), step)])


def main() -> None:
    from cases import cases

    for old in [*HERE.glob("*.onnx*")]:
        old.unlink()
    outputs: dict[str, np.ndarray] = {}
    makers: list[tuple[str, Callable[[], onnx.ModelProto]]] = [("keras", keras), ("caffe2", caffe2)]
    for name, model in [*torch_models(), *((name, make()) for name, make in makers)]:
        model.ClearField("doc_string")
        for node in model.graph.node:
            node.ClearField("doc_string")
            node.ClearField("metadata_props")
        model.graph.ClearField("value_info")
        outputs[name] = computed(model, images())
        (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    model = by_tracing(filled(Residual()), 17)
    outputs["outside"] = computed(model, images())
    onnx.save(model, HERE / "outside.onnx", save_as_external_data=True, location="outside.onnx.data", size_threshold=0)
    (HERE / "outside.onnx.data").chmod(0o644)
    np.savez_compressed(HERE / "outputs.npz", **outputs)
    np.savez_compressed(HERE / "cases.npz", **cases())
    write_prepared(HERE / "prepared")


if __name__ == "__main__":
    main()
