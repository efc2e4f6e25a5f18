"""Attention computed by PyTorch's own function is what its products and softmax give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mxtune import engines
from mxtune.engines import Device
from mxtune.graph import Graph, Node
from running import program

RNG = np.random.default_rng(2)
ROWS = RNG.normal(size=(3, 7, 12)).astype("float32")  # of two heads of 6


@pytest.fixture(params=[name for name in engines.installed() if name == "torch"], autouse=True)
def torch(request: pytest.FixtureRequest) -> Any:  # noqa: ARG001 - none where it is missing
    """PyTorch, where it is installed."""
    return engines.get("torch").load()


def graph(*nodes: tuple[str, str, dict[str, str], str], heads: str = "out") -> Graph:
    """Nodes (name, operator, attributes, inputs) behind queries ``q``, keys ``k`` and values ``v`` of ``data``."""
    made = [Node("data")]
    for name in "qkv":
        made.append(Node(f"{name}_w"))
        attrs = {"num_hidden": "12", "no_bias": "True", "flatten": "False"}
        made.append(Node(name, "FullyConnected", attrs, (("data", 0), (f"{name}_w", 0))))
    made += [Node(name, op, attrs, tuple((one, 0) for one in inputs.split())) for name, op, attrs, inputs in nodes]
    return Graph(tuple(made), tuple((name, 0) for name in heads.split()))


SPLIT, TURN, BACK = {"shape": "(0, 0, 2, 6)"}, {"axes": "(0, 2, 1, 3)"}, {"shape": "(0, 0, -3)"}
BY, OF = {"scalar": "0.7"}, {"transpose_b": "True"}


def split(name: str) -> tuple[tuple[str, str, dict[str, str], str], ...]:
    return (f"{name}2", "Reshape", SPLIT, name), (f"{name}3", "_mul_scalar", BY, f"{name}2"), (
        f"{name}4", "transpose", TURN, f"{name}3",
    )  # fmt: skip


END = (("back", "transpose", TURN, "mixed"), ("out", "Reshape", BACK, "back"))
FUSED = {
    "factors of both, as timm's": graph(
        *split("q"), *split("k"), ("v2", "Reshape", SPLIT, "v"), ("v4", "transpose", TURN, "v2"),
        ("score", "batch_dot", OF, "q4 k4"), ("soft", "softmax", {"axis": "3"}, "score"),
        ("mixed", "batch_dot", {}, "soft v4"), *END,
    ),
    "a factor of the product": graph(
        ("score", "batch_dot", OF, "q k"), ("less", "_div_scalar", {"scalar": "3"}, "score"),
        ("soft", "softmax", {"axis": "-1"}, "less"), ("out", "batch_dot", {}, "soft v"),
    ),
    "no factor": graph(
        ("score", "batch_dot", OF, "q k"), ("soft", "softmax", {}, "score"), ("out", "batch_dot", {}, "soft v"),
    ),
    "a softmax along the other axis": graph(
        ("score", "batch_dot", OF, "q k"), ("soft", "softmax", {"axis": "1"}, "score"),
        ("out", "batch_dot", {}, "soft v"),
    ),
    "queries read elsewhere": graph(
        ("less", "_mul_scalar", BY, "q"), ("score", "batch_dot", OF, "less k"), ("soft", "softmax", {}, "score"),
        ("mixed", "batch_dot", {}, "soft v"), ("gate", "sigmoid", {}, "q"), ("out", "elemwise_add", {}, "mixed gate"),
        heads="out less",
    ),
    "one thing as queries, keys and values": graph(
        ("score", "batch_dot", OF, "q q"), ("soft", "softmax", {}, "score"), ("out", "batch_dot", {}, "soft q"),
    ),
}  # fmt: skip
OTHERS = {
    "a temperature": graph(
        ("score", "batch_dot", OF, "q k"), ("soft", "softmax", {"temperature": "2"}, "score"),
        ("out", "batch_dot", {}, "soft v"),
    ),
    "weights that are an output": graph(
        ("score", "batch_dot", OF, "q k"), ("soft", "softmax", {}, "score"), ("out", "batch_dot", {}, "soft v"),
        heads="out soft",
    ),
    "scores read elsewhere": graph(
        ("score", "batch_dot", OF, "q k"), ("soft", "softmax", {}, "score"), ("mixed", "batch_dot", {}, "soft v"),
        ("size", "mean", {"axis": "2", "keepdims": "True"}, "score"), ("out", "broadcast_add", {}, "mixed size"),
    ),
    "a product that is not turned": graph(
        ("k2", "transpose", {"axes": "(0, 2, 1)"}, "k"), ("score", "batch_dot", {}, "q k2"),
        ("soft", "softmax", {}, "score"), ("out", "batch_dot", {}, "soft v"),
    ),
}  # fmt: skip
WEIGHTS = {f"{name}_w": RNG.normal(0, 0.3, size=(12, 12)).astype("float32") for name in "qkv"}


def functions(executor: Any) -> int:
    return len(executor._runner._calls)


@pytest.mark.parametrize("name", [*FUSED, *OTHERS])
def test_attention_gives_the_same_outputs_and_gradients(name: str) -> None:
    one = program({**FUSED, **OTHERS}[name], WEIGHTS, ROWS)
    ours, plain = (engines.get("torch").bind(one, [Device("cpu")], passes=passes) for passes in (True, False))
    assert (functions(ours) < functions(plain)) == (name in FUSED)
    found, expected = ours.predict(ROWS), plain.predict(ROWS)
    pairs = zip(found, expected) if len(one.graph.heads) > 1 else [(found, expected)]
    for array, other in pairs:
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-5 * np.abs(other).max())
    above = RNG.normal(size=(3, 7, 12)).astype("float32")
    gradients = [executor.gradient(ROWS, above)["data"] for executor in (ours, plain)]
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5 * np.abs(gradients[1]).max())
