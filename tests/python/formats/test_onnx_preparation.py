"""What an ONNX file does to its images itself is `Preprocess` here: done once, and what the file says of it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import formats, mxexample, mximages, mxnetwork, mxtrain
from mxtune.formats import Contents
from mxtune.formats.onnx.writing.file import FLOAT, UINT8, File
from mxtune.graph import Builder
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from running import outputs

PREPARED = Path(__file__).resolve().parents[2] / "shared" / "onnx" / "prepared"
WANTED = dict(np.load(PREPARED / "outputs.npz"))
IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
KERAS = ((140.25, 102.0, 165.75), (63.75, 76.5, 89.25))  # 127.5 + 127.5 * mean, 127.5 * std


def close(y: np.ndarray, wanted: np.ndarray, tolerance: float = 1e-5) -> bool:
    return y.shape == wanted.shape and bool(np.abs(y - wanted).max() <= tolerance * max(1e-3, np.abs(wanted).max()))


def softmax(logits: np.ndarray) -> Any:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "expected"), [("tracing", IMAGENET), ("dynamo", IMAGENET), ("bytes", IMAGENET), ("keras", KERAS)]
)
def test_what_exporters_write_before_a_network_becomes_its_preprocess(
    name: str, expected: tuple[tuple[float, ...], ...]
) -> None:
    with listening() as heard:
        network = mxnetwork(PREPARED / f"{name}.onnx")
    preprocess = network.preprocess
    np.testing.assert_allclose([preprocess.mean, preprocess.std], expected, rtol=1e-4)
    assert preprocess.size == (16, 16)
    first = network.graph.consumers[network.graph.inputs[0]]
    assert [node.op for node in first] == ["Convolution"]  # and nothing of the preparation is a parameter
    assert all(array.ndim != 4 or array.shape[0] != 1 for array in network.params.values())
    logits = outputs(network.graph, network.params, preprocess.batch(WANTED["pixels"]))
    assert close(softmax(logits) if name == "keras" else logits, WANTED[name])
    assert bool(heard) == (name != "bytes")  # that is certain; whether others take 0 to 1 or 0 to 255 is a guess


@pytest.mark.parametrize(
    ("steps", "mean", "std"),
    [
        ([("Div", 255.0)], 0, 255),
        ([("Sub", 127.5), ("Mul", 1 / 127.5)], 127.5, 127.5),
        ([("Mul", 2.0), ("Sub", 1.0)], 127.5, 127.5),  # of values from 0 to 1
        ([("Mul", 255.0)], 0, 1),
        ([("Sub", 110.0)], 110, 1),
        ([("Cast", FLOAT), ("Mul", 1 / 255), ("Sub", 0.5), ("Div", 0.25)], 127.5, 63.75),
    ],
)
def test_factors_and_shifts_are_put_together(
    steps: list[tuple[str, float]], mean: float, std: float, tmp_path: Path
) -> None:
    network = mxnetwork(written(steps, tmp_path))
    np.testing.assert_allclose([network.preprocess.mean, network.preprocess.std], [[mean] * 3, [std] * 3], rtol=1e-5)
    assert [node.op for node in network.graph.nodes if not node.is_variable] == ["Convolution", "Flatten"]


@pytest.mark.parametrize(
    "steps",
    [[("Mul", -1.0)], [("Mul", 0.0)], [("Div", 0.0)],
     [("Mul", np.linspace(1, 2, 48, dtype="f4").reshape(1, 3, 4, 4))]],
    ids=["negative", "nothing", "by nothing", "each pixel its own"],
)  # fmt: skip
def test_what_is_no_normalisation_stays_in_the_network(steps: list[tuple[str, Any]], tmp_path: Path) -> None:
    network = mxnetwork(written(steps, tmp_path))
    assert len([node for node in network.graph.nodes if not node.is_variable]) == 3


def written(steps: list[tuple[str, Any]], folder: Path) -> Path:
    """A file that does this to its images of 4 x 4, and then a convolution."""
    file = File()
    is_bytes, last = steps[0][0] == "Cast", "images"
    for number, (op, value) in enumerate(steps):
        attributes = {"to": value} if op == "Cast" else {}
        more = [] if attributes else [file.constant(f"constant{number}", value)]
        file.add(op, [last, *more], f"step{number}", **attributes)
        last = f"step{number}"
    file.add("Conv", [last, file.constant("conv.weight", np.ones((2, 3, 4, 4), "f4"))], "conv")
    file.add("Flatten", ["conv"], "y")
    port = ("images", UINT8 if is_bytes else FLOAT, ["batch", 3, 4, 4])
    (folder / "one.onnx").write_bytes(b"".join(file.content("one", port, [("y", ["batch", 2])], {})))
    return folder / "one.onnx"


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
def test_a_model_comes_back_as_the_same_network(task: str, tmp_path: Path) -> None:
    images = mximages(mxexample("fashion"))[list(range(0, 200, 5))]
    labels = {"classification": None, "multilabel": [["a", "b"][: n % 3] for n in range(40)],
              "regression": [float(n) for n in range(40)]}[task]  # fmt: skip
    grey = mxnetwork("lenet", classes=10)
    net: Any = grey if task == "regression" else mxnetwork("efficientnet_lite0", image_size=48)
    tune = {"tune": "all", "epochs": 1} if task == "regression" else {"tune": "head"}
    model = mxtrain(images, labels, net=net, task=task, verbose=0, **tune)
    model.save(tmp_path / "model.onnx")
    ours, again = model.network, mxnetwork(tmp_path / "model.onnx")
    assert again.preprocess == ours.preprocess
    assert (again.levels or ()) == tuple(model.levels) and again.classifier == ours.classifier
    assert again.params.keys() == ours.params.keys()
    assert all(np.array_equal(again.params[name], array) for name, array in ours.params.items())
    assert {key: again.provenance[key] for key in ("name", "licence")} == {
        key: ours.provenance[key] for key in ("name", "licence")
    }
    x = ours.preprocess.batch(np.stack([ours.preprocess.picture(images.open(place)) for place in range(4)]))
    assert close(outputs(again.graph, again.params, x), outputs(ours.graph, ours.params, x))


def test_a_network_that_takes_prepared_images_keeps_what_prepares_them(tmp_path: Path) -> None:
    preprocess = Preprocess(size=(8, 8), mean=(1, 2, 3), std=(4, 5, 6), fit="pad", interpolation="area", crop=0.5)
    b = Builder()
    x = b.add_node("_mul_scalar", "twice", [b.data()], scalar="2")  # the network's own, of prepared images
    plain = Network(b.graph(b.dense(b.flatten(b.conv(x, "conv", 4, 3)), "fc", 2)), {}, {}, preprocess).initialise(1)
    plain.save(tmp_path / "net.onnx")
    again = mxnetwork(tmp_path / "net.onnx")
    assert again.preprocess.to_dict() == {**preprocess.to_dict(), "std": [2, 2.5, 3]}
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("u1")
    ours, theirs = (outputs(n.graph, n.params, n.preprocess.batch(pixels)) for n in (plain, again))
    assert close(theirs, ours)
    assert mxnetwork(tmp_path / "net.onnx", preprocess={"mean": 0, "std": 255}).preprocess.std == (255.0,) * 3


@pytest.mark.parametrize("model", [None, {"task": "regression"}], ids=["network", "model"])
def test_images_of_four_channels_come_back(model: Any, tmp_path: Path) -> None:
    network = mxnetwork("efficientnet_lite0", image_size=32, classes=2).with_channels(4)
    formats.write(tmp_path / "net.onnx", Contents.of(network, model))
    again = mxnetwork(tmp_path / "net.onnx")
    assert again.preprocess == network.preprocess
    x = np.random.default_rng(0).normal(size=(2, 4, 32, 32)).astype("f4")
    assert close(outputs(again.graph, again.params, x), outputs(network.graph, network.params, x))


@pytest.mark.parametrize("text", ["", "[]", "{}x", '{"size": [8, 8], "colour": 1}', '{"channels": 1}', "[" * 5000])
def test_a_preprocess_that_can_not_be_meant_is_not_believed(text: str, tmp_path: Path) -> None:
    file = File()
    file.add("Conv", ["images", file.constant("conv.weight", np.ones((2, 3, 4, 4), "f4"))], "conv")
    file.add("Flatten", ["conv"], "y")
    notes = {"mxtune.preprocess": text, "mxtune.levels": json.dumps(["a", "b"])}
    port = ("images", FLOAT, ["batch", 3, 4, 4])
    (tmp_path / "one.onnx").write_bytes(b"".join(file.content("one", port, [("y", ["batch", 2])], notes)))
    network = mxnetwork(tmp_path / "one.onnx")
    assert network.preprocess.size == (4, 4) and network.levels == ("a", "b")
    np.testing.assert_allclose(network.preprocess.mean, IMAGENET[0])
