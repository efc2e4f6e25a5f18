"""Maps of any number of channels are put together before a convolution, and the whole is trained."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines.mxnet.passes.guard_concat import guard_concat
from mxtune.graph import Builder, Graph
from mxtune.tasks.losses import CrossEntropy
from running import bound, outputs, program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(4, 3, 12, 12)).astype("float32")


def joined(channels: int, between: str = "relu") -> tuple[Graph, dict[str, np.ndarray]]:
    """Six maps of so many channels, as in a cell of NASNet, then a convolution; a sum in between, as in GhostNet."""
    b = Builder()
    data = b.data()
    maps = [b.conv(data, f"part{number}", channels, kernel=1, bias=False) for number in range(6)]
    x = b.concat(maps, "joined")
    x = b.act(x, "relu", "relu") if between == "relu" else b.add(x, x, "sum")
    x = b.conv(x, "points", 88, kernel=1, bias=False)
    graph = b.graph(b.dense(b.flatten(b.global_pool(x, "avg", "pool"), "flat"), "logits", 2))
    sizes = {f"part{number}_weight": (channels, 3, 1, 1) for number in range(6)}
    sizes |= {"points_weight": (88, 6 * channels, 1, 1), "logits_weight": (2, 88), "logits_bias": (2,)}
    return graph, {name: (0.3 * RNG.normal(size=size)).astype("float32") for name, size in sizes.items()}


@pytest.mark.parametrize("between", ["relu", "sum"])
@pytest.mark.parametrize("channels", [11, 16, 44, 88])
def test_maps_of_any_number_of_channels_are_trained(channels: int, between: str) -> None:
    graph, params = joined(channels, between)
    executor = bound(program(graph, params, PICTURES, set(params)))
    loss = executor.step(PICTURES, np.array([0, 1, 0, 1]), np.ones(4), CrossEntropy(2), 1e-2)
    after = executor.parameters()
    assert np.isfinite(loss) and all(np.any(after[name] != array) for name, array in params.items())


def test_the_function_is_the_same_and_whole_blocks_are_left_alone() -> None:
    graph, params = joined(44)
    one = program(graph, params, PICTURES, set(params))
    guarded = guard_concat(one)[0]
    assert [node.op for node in guarded.graph.nodes].count("transpose") == 1
    np.testing.assert_array_equal(outputs(guarded.graph, params, PICTURES), outputs(graph, params, PICTURES))
    assert guard_concat(program(graph, params, PICTURES))[0].graph == graph  # nothing is trained
    even = program(*joined(16), PICTURES, {"points_weight"})
    assert guard_concat(even)[0] is even
