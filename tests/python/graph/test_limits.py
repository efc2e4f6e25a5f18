"""What needs too much is refused in words: quickly, without memory, and with the one argument that allows it."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mxtune import Model, mxload, mxnetwork
from mxtune.errors import ArgumentError, ModelFileError, NetworkError
from mxtune.formats import mxt
from mxtune.graph import LIMITS, Builder, from_json, shapes_of, to_json
from mxtune.graph.limits import needs_of
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from mxtune.zoo import entry
from running import NETWORKS


@contextmanager
def quickly(seconds: float = 5, megabytes: float = 150) -> Iterator[None]:
    """Fails if what is inside takes longer, on a busy machine too, or more memory."""
    start = time.process_time()
    tracemalloc.start()
    try:
        yield
    finally:
        used, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert used < seconds and peak < megabytes * 2**20


def layer(op: str, **attrs: str) -> Callable[[], str]:
    def symbol() -> str:
        b = Builder()
        return to_json(b.graph(b.add_node(op, "layer", [b.data()], **attrs)))

    return symbol


def doubling() -> str:
    b = Builder()
    x = b.data()
    for _ in range(2000):
        x = b.concat([x, x])
    return to_json(b.graph(x))


def convolution(**attrs: str) -> Callable[[], str]:
    def symbol() -> str:
        b = Builder()
        conv = {"kernel": "(3, 3)", "num_filter": "8", **attrs}
        return to_json(b.graph(b.add_node("Convolution", "layer", [b.data(), b.variable("w")], no_bias="True", **conv)))

    return symbol


def chain(length: int) -> str:
    nodes: list[dict[str, Any]] = [{"op": "null", "name": "data", "inputs": []}]
    nodes += [{"op": "relu", "name": f"r{n}", "inputs": [[n, 0]]} for n in range(length)]
    return json.dumps({"nodes": nodes, "heads": [[length, 0]]})


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "upsampling": (layer("UpSampling", scale="500", sample_type="nearest", num_args="1"), "1 x 3 x 112000 x 112000"),
    "resize": (layer("_contrib_BilinearResize2D", height="10000", width="10000"), "needs 1 x 3 x 10000 x 10000"),
    "adaptive pooling": (layer("_contrib_AdaptiveAvgPooling2D", output_size="10000"), "needs 1 x 3 x 10000 x 10000"),
    "padding": (layer("Pad", mode="edge", pad_width="(0,0,0,0,0,0,0,5000)"), "8 whole numbers from 0 to 1,024"),
    "padding of a convolution": (convolution(pad="(5000, 5000)"), "2 whole numbers from 0 to 1,024"),
    "filters": (convolution(num_filter="1000000"), "needs 1 x 1000000 x 222 x 222"),
    "repeated": (layer("tile", reps="(1, 1, 1000, 1000)"), "needs 1 x 3 x 224000 x 224000"),
    "broadcast": (layer("broadcast_to", shape="(1, 3, 2000000000, 1)"), "can't stretch"),
    "doubling": (doubling, "concat_.* needs 1 x .* numbers; at most 67,108,864 are allowed"),
    "a chain": (lambda: chain(50_000), "50,001 nodes; at most 20,000|MB; at most 8 MB"),
    "a deep chain": (lambda: chain(5_000), "a depth of 5,000 layers; at most 4,000"),
    "brackets": (lambda: "[" + "[]," * 10_000_000 + "[]]", "MB; at most 8 MB are read"),
    "brackets that fit": (lambda: "[" + "[]," * 2_000_000 + "[]]", "brackets; at most 400,000 are read"),
    "digits": (lambda: '{"nodes": ' + "9" * 7_000_000 + "}", "not JSON|no list"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_graph_that_needs_too_much_is_refused(name: str) -> None:
    text, words = HOSTILE[name]
    with pytest.raises(NetworkError, match=words):
        symbol = text()
        with quickly():
            Network(from_json(symbol), {}, {}, Preprocess(size=(224, 224))).initialise().check()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Preprocess(size=(8192, 8192)), "images of 9,362 x 9,362 pixels; at most 16,777,216 are allowed"),
        (Preprocess(size=(224, 224), crop=1e-5), "images of 22,400,000 x 22,400,000 pixels"),
        (Preprocess(size=(224, 224), crop=1e-320), "images of inf x inf pixels"),
        (Preprocess(size=(20_000, 1_000), fit="stretch"), "images of 20,000 x 1,000 pixels"),
    ],
)
def test_pictures_that_are_too_large_are_refused(spec: Preprocess, words: str) -> None:
    b = Builder()
    graph = b.graph(b.flatten(b.global_pool(b.data())))
    with quickly(), pytest.raises(NetworkError, match=words):
        Network(graph, {}, {}, spec).check()


@pytest.fixture(scope="module")
def parts(repository: Path) -> Any:
    return mxt.read(repository / "tests/shared/golden/classification.mxt")[:3]


@pytest.mark.parametrize(
    "change",
    [
        {"levels": [f"{n}" for n in range(1_000_000)]},
        {"metrics": {f"{n}": 0.5 for n in range(1_000_000)}},
        {"history": [{"stage": "head", "epoch": 1}] * 1_000_000},
        {"preprocess": {"size": [8192, 8192]}},
        {"preprocess": {"size": [28, 28], "crop": 1e-5}},
        {"settings": [[]] * 1_000_000},
    ],
    ids=["levels", "metrics", "history", "size", "crop", "brackets"],
)
def test_a_model_file_that_needs_too_much_is_refused(change: dict[str, Any], parts: Any) -> None:
    manifest, symbol, arrays = parts
    if "preprocess" in change:
        change = {"preprocess": {**manifest["preprocess"], **change["preprocess"]}}
    stream = io.BytesIO()
    mxt.write(stream, {**manifest, **change}, symbol, arrays)
    content = stream.getvalue()
    with quickly(), pytest.raises(ModelFileError):
        Model.from_bytes(content)


def test_the_hint_names_the_argument_and_the_number_that_allow_it(tmp_path: Path) -> None:
    spec = {"size": 4_096, "channels": 3, "mean": 0, "std": 255, "crop": 1.0}
    b = Builder()
    x = b.pool(b.conv(b.data(), "conv", 8, kernel=1), "max", kernel=32, stride=32)
    (tmp_path / "large-symbol.json").write_text(to_json(b.graph(b.dense(b.flatten(b.global_pool(x)), "fc", 2))))
    with pytest.raises(NetworkError, match=r"conv needs 1 x 8 x 4096 x 4096 .* are allowed\.\ni .*: limit=2"):
        mxnetwork(tmp_path / "large-symbol.json", weights="random", preprocess=spec)
    network = mxnetwork(tmp_path / "large-symbol.json", weights="random", preprocess=spec, limit=8)
    assert network.limit == 8 and network.replace_head(3).check().limit == 8


def test_a_limit_may_be_lowered(repository: Path) -> None:
    file = repository / "tests/shared/golden/classification.mxt"
    assert mxload(file, limit=0.5).levels == mxload(file).levels
    with pytest.raises(ModelFileError, match="at most"):
        mxt.load(file, limit=0.0001)
    with pytest.raises(NetworkError, match="at most"):
        mxnetwork("efficientnet_lite0", weights="random", limit=0.01)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "2", None, 1e9])
def test_a_limit_is_a_number(limit: Any, repository: Path) -> None:
    for opens in (mxnetwork, mxload):
        with pytest.raises(ArgumentError, match="`limit` must be a number from"):
            opens(repository / "tests/shared/golden/classification.mxt", limit=limit)  # type: ignore[operator]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_zoo_has_room(name: str) -> None:
    one = entry(name)
    size = (64, 64) if name == "lenet" else (512, 512)
    graph = one.build(one.classes, size, 3 if name != "lenet" else 1)
    inputs = {graph.inputs[0]: (1, 3 if name != "lenet" else 1, *size)}
    assert shapes_of(graph, inputs, LIMITS.times(0.6))


def test_needs_are_those_of_the_layers() -> None:
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 4, kernel=1, bias=False), "relu")
    graph = b.graph(b.add(x, b.conv(x, "side", 4, kernel=1, bias=False), "sum"))
    needs = needs_of(graph, shapes_of(graph, {"data": (1, 2, 5, 5)}))
    assert needs.depth == 4 and needs.parameters == 4 * 2 + 4 * 4
    assert needs.bytes_alive == 4 * 3 * 100  # relu, side and their sum
    assert needs.work == 25 * (8 + 16) + 4 * 100
