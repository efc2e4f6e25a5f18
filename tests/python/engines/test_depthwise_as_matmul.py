"""Depthwise convolutions in training: another graph, the same function and the same gradients."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines import Program
from mxtune.engines.mxnet.passes.depthwise_as_matmul import depthwise_as_matmul
from mxtune.graph import Graph, Node
from running import bound, program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)


def depthwise(kernel: int, stride: int, pads: str, pad: int = 0, bias: bool = True) -> tuple[Graph, dict]:
    nodes = [
        Node("data"), Node("w"), *([Node("b")] if bias else []),
        Node("pad", "Pad", {"mode": "constant", "pad_width": pads}, (("data", 0),)),
        Node(
            "conv", "Convolution",
            {"kernel": str((kernel,) * 2), "stride": str((stride,) * 2), "pad": str((pad,) * 2), "num_filter": "6",
             "num_group": "6", "no_bias": str(not bias)},
            (("pad" if pads else "data", 0), ("w", 0), *([("b", 0)] if bias else [])),
        ),
    ]  # fmt: skip
    graph = Graph(tuple(node for node in nodes if pads or node.name != "pad"), (("conv", 0),))
    params = {"w": RNG.normal(size=(6, 1, kernel, kernel)), "b": RNG.normal(size=6)}
    return graph, {name: array.astype("float32") for name, array in params.items() if name in graph}


def learned(one: Program, data: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The outputs, and the gradients (a tenth of them, as AdamW keeps them)."""
    executor = bound(one, passes=False)
    outputs = executor.predict(data)

    def towards(outputs: np.ndarray, *_: np.ndarray) -> tuple[float, np.ndarray]:
        return 1.0, outputs - np.arange(outputs.size).reshape(outputs.shape) % 7

    executor.step(data, np.zeros(len(data)), np.ones(len(data)), towards, 1e-3)
    return outputs, {name: array for name, array in executor.state().items() if name.startswith("mean:")}


@pytest.mark.parametrize(
    ("kernel", "stride", "pads", "pad", "size"),
    [
        (5, 1, "", 2, (2, 2)),
        (3, 1, "", 1, (2, 3)),
        (5, 2, "", 2, (4, 6)),
        (5, 1, "", 0, (6, 5)),
        (3, 2, "(0,0,0,0,0,1,0,1)", 0, (6, 4)),
        (5, 2, "(0,0,0,0,1,2,0,1)", 0, (4, 5)),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_a_depthwise_convolution_of_a_small_map_is_a_matrix_product(
    kernel: int, stride: int, pads: str, pad: int, size: tuple[int, int], bias: bool
) -> None:
    graph, params = depthwise(kernel, stride, pads, pad, bias)
    data = RNG.normal(size=(4, 6, *size)).astype("float32")
    before = program(graph, params, data, [name for name in ("w", "b") if name in params])
    after, _ = depthwise_as_matmul(before)
    assert not any(node.op in ("Convolution", "Pad") for node in after.graph.nodes)
    outputs, gradients = learned(after, data)
    expected, wanted = learned(before, data)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    for name, gradient in wanted.items():
        np.testing.assert_allclose(gradients[name], gradient, atol=1e-3)


@pytest.mark.parametrize(
    ("kernel", "pad", "size", "trainable"),
    [(3, 1, (7, 7), ["w"]), (5, 2, (14, 14), ["w"]), (5, 2, (7, 7), ["b"])],
)
def test_what_is_quick_large_or_frozen_stays_a_convolution(
    kernel: int, pad: int, size: tuple[int, int], trainable: list[str]
) -> None:
    graph, params = depthwise(kernel, 1, "", pad)
    one = program(graph, params, np.zeros((4, 6, *size)), trainable)
    assert depthwise_as_matmul(one)[0].graph == graph
