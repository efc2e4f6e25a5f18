"""Hostile models: valid files whose parts are wrong. Each is one clear error, and none reaches MXNet."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mxtune import Model, mxexample, mximages, mxtrain
from mxtune.errors import ModelFileError
from mxtune.formats import mxt as bundle

IMAGES = mximages(mxexample("fashion")).take(range(0, 400, 8))


@pytest.fixture(scope="module")
def parts() -> tuple[dict[str, Any], str, dict[str, np.ndarray]]:
    content = mxtrain(IMAGES, net="lenet", epochs=1, verbose=0).to_bytes()
    return bundle.read(content)[:3]


def written(manifest: dict[str, Any], symbol: str, arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    bundle.write(stream, manifest, symbol, arrays)
    return stream.getvalue()


def edited(symbol: str, which: str, **changes: Any) -> str:
    graph = json.loads(symbol)
    node = next(node for node in graph["nodes"] if node["name"] == which)
    node.get("attrs", {}).update({key: value for key, value in changes.items() if key not in ("op", "name")})
    node.update({key: value for key, value in changes.items() if key in ("op", "name")})
    return json.dumps(graph)


def test_the_parts_as_they_were_are_a_model(parts: Any) -> None:
    manifest, symbol, arrays = parts
    assert Model.from_bytes(written(manifest, symbol, arrays)).predict(IMAGES).shape == (50, 2)


ARRAYS: dict[str, Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]] = {
    "missing": lambda a: {n: v for n, v in a.items() if n != "conv1_weight"},
    "none": lambda a: {},  # noqa: ARG005
    "shape": lambda a: {**a, "conv1_weight": np.zeros((20, 1, 3, 3), "float32")},
    "flat": lambda a: {**a, "fc1_weight": a["fc1_weight"].ravel()},
    "empty": lambda a: {**a, "fc1_bias": np.zeros(0, "float32")},
    "scalar": lambda a: {**a, "head_bias": np.float32(1).reshape(())},
    "float64": lambda a: {**a, "fc1_weight": a["fc1_weight"].astype(float)},
    "int": lambda a: {**a, "fc1_bias": a["fc1_bias"].astype(int)},
    "outputs": lambda a: {**a, "head_weight": a["head_weight"][:3], "head_bias": a["head_bias"][:3]},
    "head": lambda a: {n: v for n, v in a.items() if n != "head_weight"},
}


@pytest.mark.parametrize("what", ARRAYS)
def test_weights_that_do_not_fit_are_refused(parts: Any, what: str) -> None:
    manifest, symbol, arrays = parts
    with pytest.raises(ModelFileError, match=r"Can't use the model in the bytes.\nx "):
        Model.from_bytes(written(manifest, symbol, ARRAYS[what](dict(arrays))))


GRAPHS: dict[str, Callable[[str], str]] = {
    "no graph": lambda s: "{}",  # noqa: ARG005
    "a list": lambda s: "[]",  # noqa: ARG005
    "custom code": lambda s: edited(s, "tanh1", op="Custom", op_type="x"),
    "unknown operator": lambda s: edited(s, "tanh1", op="LaunchMissiles"),
    "huge kernel": lambda s: edited(s, "conv1", kernel="(100000, 100000)"),
    "huge padding": lambda s: edited(s, "conv1", pad="(1000000, 1000000)"),
    "no stride": lambda s: edited(s, "conv1", stride="(0, 0)"),
    "negative stride": lambda s: edited(s, "pool1", stride="(-1, -1)"),
    "huge dense": lambda s: edited(s, "fc1", num_hidden="2000000000"),
    "words": lambda s: edited(s, "conv1", kernel="five"),
    "two outputs": lambda s: json.dumps({**json.loads(s), "heads": [[0, 0, 0], [1, 0, 0]]}),
    "another output": lambda s: json.dumps({**json.loads(s), "heads": [[3, 0, 0]]}),
    "no classifier": lambda s: edited(s, "head", name="other"),
    "two inputs": lambda s: s.replace('"conv1_bias"', '"more_data"'),
}


@pytest.mark.parametrize("what", GRAPHS)
def test_graphs_that_are_no_network_are_refused(parts: Any, what: str) -> None:
    manifest, symbol, arrays = parts
    with pytest.raises(ModelFileError):
        Model.from_bytes(written(manifest, GRAPHS[what](symbol), arrays))


MANIFESTS: list[tuple[str, Any]] = [
    ("task", "clustering"), ("task", None), ("task", ["classification"]), ("task", {}),
    ("levels", "abcdefghij"), ("levels", None), ("levels", []), ("levels", ["a"]), ("levels", ["a"] * 10),
    ("levels", list(range(10))), ("levels", [["a"]] * 10), ("levels", [f"{k}" for k in range(11)]),
    ("history", {}), ("history", "abc"), ("history", [1]), ("history", [{"stage": "all", "epoch": "one"}]),
    ("history", [{"stage": ["all"]}]), ("history", [{"epoch": 1}]), ("history", [{"stage": "all", "lr": {}}]),
    ("settings", []), ("settings", None), ("settings", {"pictures": 3}),
    ("metrics", []), ("metrics", {"accuracy": "high"}), ("metrics", {"accuracy": [1]}), ("versions", {"numpy": 2}),
    ("network", None), ("network", {}), ("network", {"classifier": "head", "provenance": []}),
    ("network", {"classifier": "head", "provenance": {"name": ["x"]}}),
    ("network", {"classifier": "nothing", "provenance": {}}), ("network", {"classifier": 3, "provenance": {}}),
    ("network", {"classifier": "fc1", "provenance": {}}), ("network", {"classifier": "conv1", "provenance": {}}),
    ("levels", [f"{k}" for k in range(200_000)]), ("metrics", {f"{k}": 1 for k in range(30_000)}),
    ("history", [{"stage": "all", "epoch": 1}] * 30_000), ("settings", {f"{k}": 1 for k in range(30_000)}),
    ("preprocess", {}), ("preprocess", None), ("preprocess", {"size": [28]}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "value"), MANIFESTS, ids=lambda value: str(value)[:30])
def test_a_manifest_of_other_types_is_refused(parts: Any, part: str, value: Any) -> None:
    manifest, symbol, arrays = parts
    with pytest.raises(ModelFileError, match="Can't use the model"):
        Model.from_bytes(written({**manifest, part: value}, symbol, arrays))


@pytest.mark.parametrize(
    "part", ["task", "levels", "history", "settings", "metrics", "versions", "network", "preprocess"]
)
def test_a_part_that_is_missing_is_named(parts: Any, part: str) -> None:
    manifest, symbol, arrays = parts
    fewer = {name: value for name, value in manifest.items() if name != part}
    with pytest.raises(ModelFileError, match=f"it has no {part}"):
        Model.from_bytes(written(fewer, symbol, arrays))


@pytest.mark.parametrize(
    "change",
    [
        {"size": [100_000, 100_000]}, {"size": [30_000, 30_000]}, {"size": [1, 1]}, {"size": [0, 28]}, {"size": "28"},
        {"channels": 3}, {"channels": 2}, {"mean": ["a"]}, {"std": [0]}, {"fit": "bend"}, {"crop": 2}, {"evil": 1},
    ],
    ids=str,
)  # fmt: skip
def test_preprocessing_that_can_not_be_is_refused(parts: Any, change: dict[str, Any]) -> None:
    manifest, symbol, arrays = parts
    with pytest.raises(ModelFileError, match="Can't use the model"):
        Model.from_bytes(written({**manifest, "preprocess": {**manifest["preprocess"], **change}}, symbol, arrays))


def test_figures_that_were_no_numbers_come_back_as_such(parts: Any) -> None:
    manifest, symbol, arrays = parts
    told = {**manifest, "metrics": {"accuracy": float("nan"), "n": 3}}
    model = Model.from_bytes(written(told, symbol, arrays))
    assert np.isnan(model.metrics["accuracy"])
    assert "nan" in model.summary()


def test_whether_a_network_is_pretrained_is_kept_and_files_without_a_word_on_it_are(parts: Any) -> None:
    manifest, symbol, arrays = parts
    assert "pretrained" not in manifest["network"]
    assert Model.from_bytes(written(manifest, symbol, arrays)).network.pretrained
    told = {**manifest, "network": {**manifest["network"], "pretrained": False}}
    model = Model.from_bytes(written(told, symbol, arrays))
    assert not model.network.pretrained and not Model.from_bytes(model.to_bytes()).network.pretrained
    told["network"]["pretrained"] = "yes"
    with pytest.raises(ModelFileError, match="does not state whether its network is pretrained"):
        Model.from_bytes(written(told, symbol, arrays))
