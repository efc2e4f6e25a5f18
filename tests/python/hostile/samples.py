"""Small valid files of every format that is read, and how a user opens each."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mxtune import Preprocess, formats, mxload, mxnetwork
from mxtune.formats import Contents, mxt
from mxtune.graph import Builder
from mxtune.network import Network
from torch_files import legacy, tensor, zipped

from .trees import with_arrays_elsewhere

SHARED = Path(__file__).resolve().parents[2] / "shared" / "formats"
MODEL = {
    "task": "classification", "settings": {"seed": 1}, "metrics": {"accuracy": 0.5}, "versions": {"mxtune": "0"},
    "history": [{"stage": "all", "epoch": 1, "lr": 0.1}],
}  # fmt: skip
_SUFFIXES_OF_GRAPHS = (".mxt", ".onnx", ".json", ".prototxt")


@dataclass(frozen=True)
class Sample:
    """A valid file.

    Parameters
    ----------
    format
        As the registry calls it.
    beside
        Files that belong to it, by name.
    network
        What its weights are put into; empty for a file that holds a graph.
    weights
        Where the weights of its graph are, if they must be named.
    """

    format: str
    name: str
    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)
    network: str = ""
    weights: str = ""

    def put(self, folder: Path) -> Path:
        """Write what belongs to it into a folder; where the file itself is to be."""
        for name, content in self.beside.items():
            (folder / name).write_bytes(content)
        return folder / self.name

    def open(self, file: Path) -> Network:
        """The network, as a user gets it."""
        if file.suffix == ".mxt":
            return mxload(file).network
        if self.weights:
            return mxnetwork(file, weights=file.parent / self.weights)
        return mxnetwork(file.parent / self.network, weights=file) if self.network else mxnetwork(file)


def small_network() -> Contents:
    """A model with a convolution, a BatchNorm and a dense layer."""
    b = Builder()
    x = b.act(b.batchnorm(b.conv(b.data(), "conv", 4, 3, bias=False), "norm"), "relu", "relu")
    graph = b.graph(b.dense(b.flatten(b.global_pool(x, "avg", "pool"), "features"), "head", 3))
    preprocess = Preprocess(size=(8, 8), channels=3, mean=(0.0,), std=(255.0,))
    network = Network(graph, {}, {"name": "small"}, preprocess, levels=("a", "b", "c")).initialise(1)
    return Contents.of(replace(network, pretrained=True), MODEL)


def with_memory(file: Path, whole: Contents) -> bytes:
    """The model as one that remembers 24 images of three classes."""
    rng, rows = np.random.default_rng(0), np.arange(24)
    halves = {"axes_0": np.eye(3, 2), "axes_1": np.eye(1), "coordinates": rng.normal(size=(24, 3))}
    singles = {"mean": np.zeros(4), "scale": np.ones(4), "whitening": np.eye(2), "means": rng.normal(size=(3, 2)),
               "beside": np.ones(1), "usual": np.sort(rng.random(24))}  # fmt: skip
    whole_numbers = {"row": rows, "group": rows, "labels": rows % 3, "images": np.asarray([30])}
    bytes_ = {"digests": rng.integers(0, 256, (24, 16)), "names": np.frombuffer(
              json.dumps([f"{row}.png" for row in rows]).encode(), np.uint8)}  # fmt: skip
    kinds = {"f2": halves, "f4": singles, "i4": whole_numbers, "u1": bytes_}
    memory = {name: array.astype(kind) for kind, part in kinds.items() for name, array in part.items()}
    mxt.save(file, replace(whole, memory=memory))
    return file.read_bytes()


def samples(folder: Path, whole: Contents | None = None) -> list[Sample]:
    """One or more files of every format that is read, of this model where the format is written."""
    whole = whole or small_network()
    weights = {name: np.asarray(array) for name, array in (whole.weights or {}).items()}

    def written(name: str) -> bytes:
        formats.write(folder / name, whole)
        return (folder / name).read_bytes()

    graph = {"net-symbol.json": written("net-symbol.json")}
    onnx = written("net.onnx")
    named, elsewhere = with_arrays_elsewhere(onnx, "net.data")
    order = ("conv_weight", "norm_beta", "norm_gamma", "norm_moving_mean", "norm_moving_var", "head_weight",
             "head_bias")  # fmt: skip
    numbered = [weights[name].T if name == "head_weight" else weights[name] for name in order]
    made = [
        Sample("mxtune model", "net.mxt", written("net.mxt")),
        Sample("mxtune model", "seen.mxt", with_memory(folder / "seen.mxt", whole)),
        Sample("MXNet network", "net-symbol.json", graph["net-symbol.json"],
               {"net-0000.params": (folder / "net-0000.params").read_bytes()}),
        Sample("MXNet weights", "w.params", written("w.params"), graph, "net-symbol.json"),
        Sample("safetensors", "w.safetensors", written("w.safetensors"), graph, "net-symbol.json"),
        Sample("PyTorch", "zip.pth", _torch(weights, lambda content, raw, _: zipped(content, raw)), graph,
               "net-symbol.json"),
        Sample("PyTorch", "old.pth", _torch(weights, legacy), graph, "net-symbol.json"),
        Sample("NumPy archive", "w.npz", _npz(folder, np.savez, **weights), graph, "net-symbol.json"),
        Sample("NumPy archive", "z.npz", _npz(folder, np.savez_compressed, *numbered), graph, "net-symbol.json"),
        Sample("ONNX", "net.onnx", onnx),
        Sample("ONNX", "far.onnx", named, {"net.data": elsewhere}),
    ]  # fmt: skip
    return made + _kept({one.format for one in made})


def _kept(made: set[str]) -> list[Sample]:
    """Files that lie in tests/shared/formats, of formats that nothing here writes; and of ONNX others' too."""
    found = []
    for file in sorted(one for one in SHARED.iterdir() if one.suffix != ".py"):
        name, content = formats.format_of(file).name, file.read_bytes()
        if name in ("Caffe", "Caffe weights"):
            other = file.with_suffix(".prototxt" if name == "Caffe weights" else ".caffemodel")
            network = other.name if name == "Caffe weights" else ""
            found.append(Sample(name, file.name, content, {other.name: other.read_bytes()}, network))
        elif name == "Keras description":
            other = next(file.parent.glob(f"{file.stem}.[hk]*"))
            found.append(Sample(name, file.name, content, {other.name: other.read_bytes()}, weights=other.name))
        elif name == "ONNX" or name not in made:
            found.append(Sample(name, file.name, content))
    return found


def _torch(weights: Mapping[str, Any], layout: Callable[..., bytes]) -> bytes:
    content, raw, counts = OrderedDict(), {}, {}
    for number, (name, array) in enumerate(weights.items()):
        strides = tuple(stride // array.itemsize for stride in array.strides)
        content[name] = tensor(str(number), array.size, array.shape, strides)
        raw[str(number)], counts[str(number)] = array.tobytes(), array.size
    return layout(content, raw, counts)


def _npz(folder: Path, save: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    save(folder / "made.npz", *arrays, **named)
    return (folder / "made.npz").read_bytes()
