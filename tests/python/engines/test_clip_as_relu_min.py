"""A clip from 0 in training is a ReLU and a minimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines.mxnet.passes.clip_as_relu_min import clip_as_relu_min
from mxtune.graph import Builder, Graph, Node
from running import bound, program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(3, 3, 13, 11)).astype("float32")


def test_a_clip_from_0_is_replaced_in_training_and_nothing_else() -> None:
    b = Builder()
    conv = b.graph(b.conv(b.data(), "c", 4, kernel=3))
    clips = (
        Node("six", "clip", {"a_min": "0.0", "a_max": "6.0"}, conv.heads),
        Node("other", "clip", {"a_min": "-1", "a_max": "1"}, conv.heads),
        Node("end", "elemwise_add", {}, (("six", 0), ("other", 0))),
    )
    graph = Graph((*conv.nodes, *clips), (("end", 0),))
    params = {"c_weight": RNG.normal(size=(4, 3, 3, 3)), "c_bias": RNG.normal(size=4)}
    arrays = {name: array.astype("float32") for name, array in params.items()}
    before = program(graph, arrays, PICTURES, ["c_weight"])
    after, _ = clip_as_relu_min(before)
    assert [node.name for node in after.graph.nodes if node.op == "clip"] == ["other"]
    np.testing.assert_allclose(
        bound(after, passes=False).predict(PICTURES), bound(before, passes=False).predict(PICTURES), atol=1e-5
    )
    frozen = replace(before, trainable=frozenset())
    assert clip_as_relu_min(frozen)[0] is frozen
