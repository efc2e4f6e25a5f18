"""TensorFlow's SAME padding, done by the convolution: another graph, the same function."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines import Program
from mxtune.engines.passes import absorb_asymmetric_padding
from mxtune.graph import Graph, Node
from mxtune.zoo.opening import mxnetwork
from running import bound, program

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(3, 3, 13, 11)).astype("float32")


def padded(
    pads: str, kernel: int = 3, stride: int = 2, groups: int = 1, trainable: tuple[str, ...] = (), **attrs: str
) -> Program:
    pad = {"mode": "constant", "pad_width": pads, "constant_value": "0", **attrs}
    conv = {"kernel": (kernel,) * 2, "stride": (stride,) * 2, "num_filter": 6, "num_group": groups}
    graph = Graph(
        (
            Node("data"), Node("w"), Node("b"),
            Node("pad", "Pad", pad, (("data", 0),)),
            Node("conv", "Convolution", {k: str(v) for k, v in conv.items()}, (("pad", 0), ("w", 0), ("b", 0))),
        ),
        (("conv", 0),),
    )  # fmt: skip
    weight = RNG.normal(size=(6, 3 // groups, kernel, kernel)).astype("float32")
    return program(graph, {"w": weight, "b": RNG.normal(size=6).astype("float32")}, PICTURES, trainable)


@pytest.mark.parametrize("trainable", [(), ("w",)])
@pytest.mark.parametrize(
    ("pads", "kernel", "stride", "groups"),
    [
        ("(0,0,0,0,0,1,0,1)", 3, 2, 1),
        ("(0,0,0,0,1,2,1,2)", 5, 2, 1),
        ("(0,0,0,0,0,1,1,1)", 3, 2, 3),
        ("(0,0,0,0,1,1,1,1)", 3, 1, 1),
        ("(0,0,0,0,0,3,0,2)", 2, 3, 1),
    ],
)
def test_uneven_padding_in_the_kernel_is_the_same_function(
    pads: str, kernel: int, stride: int, groups: int, trainable: tuple[str, ...]
) -> None:
    before = padded(pads, kernel, stride, groups, trainable)
    after, undo = absorb_asymmetric_padding(before)
    assert "pad" not in after.graph
    np.testing.assert_allclose(
        bound(after, passes=False).predict(PICTURES), bound(before, passes=False).predict(PICTURES), atol=2e-5
    )
    assert (after.params["w"].shape == before.params["w"].shape) == (bool(trainable) or pads == "(0,0,0,0,1,1,1,1)")
    learned = {name: after.params[name] for name in trainable}
    assert undo(learned) == learned


@pytest.mark.parametrize("change", [{"mode": "edge"}, {"constant_value": "1"}, {"pad_width": "(0,0,0,0,1,0,1,0)"}])
def test_other_padding_stays(change: dict[str, str]) -> None:
    before = padded("(0,0,0,0,0,1,0,1)", **change)
    assert absorb_asymmetric_padding(before)[0].graph == before.graph


def test_a_kernel_that_two_layers_share_stays() -> None:
    before = padded("(0,0,0,0,0,1,0,1)")
    other = Node("again", "Convolution", before.graph.node("conv").attrs, (("data", 0), ("w", 0), ("b", 0)))
    shared = replace(before, graph=Graph((*before.graph.nodes, other), (("conv", 0), ("again", 0))))
    assert absorb_asymmetric_padding(shared)[0].graph == shared.graph


def test_the_pretrained_network_stays_itself() -> None:
    """Its logits are compared as MXNet runs both graphs; a row of zeros at the wrong end moves them by whole units."""
    before = Program.of(mxnetwork("efficientnet_lite0", image_size=64))
    after, _ = absorb_asymmetric_padding(before)
    assert any(node.op == "Pad" for node in before.graph.nodes)
    assert not any(node.op == "Pad" for node in after.graph.nodes)
    pictures = RNG.integers(0, 256, (2, 64, 64, 3), dtype="uint8")
    expected = bound(before, passes=False).predict(pictures)
    np.testing.assert_allclose(bound(after, passes=False).predict(pictures), expected, atol=1e-4)
