"""A network in each library, on the same images and weights: `python -m benchmarks.rivals LIBRARY KIND NETWORK FOLDER
SECONDS`, where KIND is predict or train, and `export()` has written the weights and images to FOLDER.

Each library runs in an environment of its own, made by `make bench-peers`, at the settings that its documentation
gives for a CPU. All but ours are handed normalised float32; ours begins at the pixels.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any, Callable

import numpy as np

from .busy import busy_processes
from .chart import bars
from .measure import Figure, Process, fresh, python_of, spread

BATCH, ROUNDS, SECONDS, LIMIT = 32, 3, 5, 180
NETWORKS = {"efficientnet_lite0": "tf_efficientnet_lite0", "mobilenetv2_100": "mobilenetv2_100", "resnet50": "resnet50"}
_LITE_BLOCKS = ((3, 1, 32, 16, 1, 1), (3, 2, 16, 24, 6, 2), (5, 2, 24, 40, 6, 2), (3, 3, 40, 80, 6, 2),
                (5, 3, 80, 112, 6, 1), (5, 4, 112, 192, 6, 2), (3, 1, 192, 320, 6, 1))  # fmt: skip
Step = Callable[[], object]


def compare(kind: str, libraries: dict[str, str], wanted: dict[str, str]) -> list[Figure]:
    """Images a second and peak memory of each library by turns, alone, and beside a process that keeps a CPU busy.

    Parameters
    ----------
    kind
        ``"predict"`` or ``"train"``.
    libraries
        What each is called in the table, by its name here.
    wanted
        The ratios to reach, by network.
    """
    there = {name: python_of(name) for name in libraries if Path(python_of(name)).exists()}
    rows, drawn = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for busy, network in product((0, 1), NETWORKS):
            export(network, Path(folder))
            runs: dict[str, dict[int, Process]] = {name: {} for name in there}
            for turn in range(ROUNDS):
                for name, python in there.items():
                    command = (python, "-m", "benchmarks.rivals", name, kind, network, folder, str(SECONDS))
                    with busy_processes(busy), contextlib.suppress(TimeoutError):  # told instead of a rate
                        runs[name][turn] = fresh(*command, limit=LIMIT)
            what = f"{network}{' beside a busy process' if busy else ''}"
            rates = {name: [run.said["rate"] for run in found.values()] for name, found in runs.items() if found}
            drawn[what] = {libraries[name]: statistics.median(values) for name, values in rates.items()}
            for name, values in rates.items():
                found, ours = runs[name], runs["mxtune"]
                ratios = [ours[turn].said["rate"] / found[turn].said["rate"] for turn in found.keys() & ours.keys()]
                memory = spread([run.peak for run in found.values()], ".0f", "MB")
                is_beside = ratios and name != "mxtune"
                beside = f"; ours: {statistics.median(ratios):.2f} times that" if is_beside else ""
                shown = next(iter(found.values())).said["library"]
                measured = f"{spread(values, ',.1f')} images/s{beside}; peak memory {memory}"
                rows.append(Figure(f"{what}: {shown}", measured, wanted.get(network, "") if name == "mxtune" else ""))
            for name in libraries.keys() - rates.keys():
                reason = f"none ended within {LIMIT} s" if name in there else "not installed: make bench-peers"
                rows.append(Figure(f"{what}: {libraries[name]}", reason))
    name = {"predict": "inference", "train": "training"}[kind]
    bars(f"{name}, images/s in batches of {BATCH}", drawn, Path(__file__).with_name(f"{name}.svg"))
    return rows


def export(name: str, folder: Path) -> None:
    """Write a network for each library: its arrays in order, for ONNX and for timm; and a batch of images."""
    from mxtune import mxnetwork
    from mxtune.zoo import entry

    net = mxnetwork(name, weights=None if entry(name).installed() else "random")
    net.save(folder / f"{name}.onnx")
    net.save(folder / f"{name}.safetensors")
    arrays = [[net.params[source] for source, _ in node.inputs if source in net.params] for node in net.graph.nodes]
    layers = [array for layer in arrays for array in layer]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, *net.preprocess.size, 3), np.uint8)
    mean, std = (np.asarray(value, np.float32) for value in (net.preprocess.mean, net.preprocess.std))
    np.savez(folder / f"{name}.npz", *layers, images=images, mean=mean, std=std)


def given(name: str, folder: Path) -> tuple[Any, np.ndarray, np.ndarray]:
    """What `export` wrote: the arrays, images (N, H, W, 3) uint8, and the same normalised, float32."""
    arrays = np.load(folder / f"{name}.npz")
    return arrays, arrays["images"], (arrays["images"] - arrays["mean"]) / arrays["std"]


def channels_first(images: np.ndarray) -> np.ndarray:
    """(N, 3, H, W)."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def mxtune(kind: str, name: str, folder: Path, moving: bool = False) -> Step:
    """Ours: all layers, BatchNorm's statistics as they were behind a head; or moving, as in a training from nothing."""
    from mxtune import mxnetwork
    from mxtune.engines import Program, choose
    from mxtune.tasks.losses import CrossEntropy
    from mxtune.zoo import entry

    net = mxnetwork(name, weights=None if entry(name).installed() else "random")
    images, target = given(name, folder)[1], choose("cpu")
    if kind == "predict":
        executor = target.bind(Program.of(net))
        return lambda: executor.predict(images)
    trained = frozenset(net.params) - (frozenset() if moving else frozenset(net.graph.auxiliary))
    executor, codes = target.bind(Program.of(net, trained)), np.arange(BATCH) % 10
    return lambda: executor.step(images, codes, np.ones(BATCH), CrossEntropy(1000), 1e-5)


def torch(kind: str, name: str, folder: Path) -> Step:
    """PyTorch with timm's network, channels last."""
    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    from torchvision_here import torchvision

    torchvision()
    import timm

    model = timm.create_model(NETWORKS[name], checkpoint_path=str(folder / f"{name}.safetensors"))
    model = model.to(memory_format=torch.channels_last).train(kind == "train")
    x = torch.from_numpy(channels_first(given(name, folder)[2])).to(memory_format=torch.channels_last)
    if kind == "predict":

        def predict() -> Any:
            with torch.inference_mode():
                return model(x)

        return predict
    codes, loss = torch.arange(BATCH) % 10, torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-5)

    def step() -> None:
        optimiser.zero_grad()
        loss(model(x), codes).backward()
        optimiser.step()

    return step


def keras(kind: str, name: str, folder: Path) -> Step:
    """Keras on TensorFlow, its own MobileNetV2 and ResNet-50."""
    import keras

    arrays, _, x = given(name, folder)
    net = keras_network(name, arrays)
    if kind == "predict":
        return lambda: net.predict_on_batch(x)
    net.compile(keras.optimizers.AdamW(1e-5), keras.losses.SparseCategoricalCrossentropy())
    codes = np.arange(BATCH) % 10
    return lambda: net.train_on_batch(x, codes)


def keras_network(name: str, arrays: Any, top: bool = True) -> Any:
    """The network in Keras; EfficientNet-Lite0, which it lacks, with our weights: an EfficientNet without gates.

    It takes normalised images; without its ``top`` it gives the pooled features.
    """
    import keras

    applications = keras.applications
    if name != "efficientnet_lite0":
        kind = {"mobilenetv2_100": applications.MobileNetV2, "resnet50": applications.ResNet50}[name]
        return kind(weights=None, include_top=top, pooling="avg")
    keys = ("kernel_size", "repeats", "filters_in", "filters_out", "expand_ratio", "strides")
    blocks = [{**dict(zip(keys, block)), "id_skip": True, "se_ratio": 0} for block in _LITE_BLOCKS]
    module = sys.modules[applications.EfficientNetB0.__module__]
    net = module.EfficientNet(
        1.0, 1.0, 224, 0.0, blocks_args=blocks, activation="relu6", weights=None, weights_name="", include_top=top,
        input_shape=(224, 224, 3), pooling="avg",
    )  # fmt: skip
    position = 0
    for layer in net.layers:
        if isinstance(layer, keras.layers.Rescaling):
            layer.scale = 1.0
        elif not isinstance(layer, keras.layers.Normalization) and layer.weights:
            count = len(layer.weights)
            ours = [arrays[f"arr_{number}"] for number in range(position, position + count)]
            position += count
            axes = {"Conv2D": (2, 3, 1, 0), "DepthwiseConv2D": (2, 3, 0, 1), "Dense": (1, 0)}.get(type(layer).__name__)
            layer.set_weights([array if axes is None or array.ndim == 1 else array.transpose(axes) for array in ours])
    return net


def onnxruntime(kind: str, name: str, folder: Path) -> Step:
    """onnxruntime on the CPU, with every optimisation of graphs, which is its default."""
    import onnxruntime

    assert kind == "predict"
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: channels_first(given(name, folder)[2])}
    return lambda: session.run(None, inputs)[0]


def openvino(kind: str, name: str, folder: Path) -> Step:
    """OpenVINO in float32, compiled for this batch; a batch at a time, as the others have it."""
    import openvino

    assert kind == "predict"
    core, x = openvino.Core(), channels_first(given(name, folder)[2])
    model = core.read_model(folder / f"{name}.onnx")
    model.reshape(x.shape)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer([x], share_inputs=True)[0]


def mxtune_moving(kind: str, name: str, folder: Path) -> Step:
    """Ours, and BatchNorm's statistics move."""
    return mxtune(kind, name, folder, moving=True)


_LIBRARIES: dict[str, tuple[Callable[[str, str, Path], Step], str, str]] = {
    "mxtune": (mxtune, "mxtune on MXNet", "mxnet"),
    "mxtune_moving": (mxtune_moving, "mxtune, moving statistics, on MXNet", "mxnet"),
    "torch": (torch, "PyTorch", "torch"),
    "keras": (keras, "Keras on TensorFlow", "tensorflow-cpu"),
    "onnxruntime": (onnxruntime, "onnxruntime", "onnxruntime"),
    "openvino": (openvino, "OpenVINO", "openvino"),
}


def main(library: str, kind: str, name: str, folder: str, seconds: str) -> None:
    """Print the images a second, which library it was, and the first outputs of a prediction."""
    from importlib.metadata import version

    function, shown, package = _LIBRARIES[library]
    step = function(kind, name, Path(folder))
    for _ in range(2):
        value: Any = step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < float(seconds):
        value = step()
        steps += 1
    rate = BATCH * steps / (time.perf_counter() - start)
    first = np.asarray(value, np.float64)[0, :3].tolist() if kind == "predict" else []
    print(json.dumps({"rate": rate, "library": f"{shown} {version(package)}", "first": first}))


if __name__ == "__main__":
    main(*sys.argv[1:])
