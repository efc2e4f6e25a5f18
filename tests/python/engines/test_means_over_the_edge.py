"""The gradient of means over windows that reach over the edge is the right one, with MXNet too."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines.mxnet.passes.means_over_the_edge import means_over_the_edge
from mxtune.graph import Graph, Node
from running import bound, program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(4)


def pooled(kernel: int, step: int, pad: int = 0) -> Graph:
    means = {"pool_type": "avg", "pooling_convention": "full", "pad": f"({pad}, {pad})"}
    sizes = {"kernel": f"({kernel}, {kernel})", "stride": f"({step}, {step})"}
    convolution = {"num_filter": "4", "kernel": "(1, 1)", "no_bias": "True"}
    nodes = (
        Node("data"),
        Node("w"),
        Node("conv", "Convolution", convolution, (("data", 0), ("w", 0))),
        Node("pool", "Pooling", {**means, **sizes}, (("conv", 0),)),
    )
    return Graph(nodes, (("pool", 0),))


def slope_of_means(above: np.ndarray, side: int, kernel: int, step: int) -> np.ndarray:
    """The gradient by a map in float64: what lies above a window, over as many values as that has within the map."""
    found = np.zeros((*above.shape[:2], side, side))
    for i, top in enumerate(range(0, step * above.shape[2], step)):
        for j, left in enumerate(range(0, step * above.shape[3], step)):
            window = found[:, :, top : top + kernel, left : left + kernel]
            window += above[:, :, i : i + 1, j : j + 1] / window[0, 0].size
    return found


@pytest.mark.parametrize(("kernel", "step", "side"), [(2, 2, 7), (5, 3, 6), (2, 3, 13), (3, 2, 8), (2, 2, 6)])
def test_each_window_gives_its_gradient_to_the_values_it_is_over(kernel: int, step: int, side: int) -> None:
    graph, weight = pooled(kernel, step), RNG.normal(size=(4, 3, 1, 1)).astype("float32")
    maps = RNG.normal(size=(2, 3, side, side)).astype("float32")
    executor = bound(program(graph, {"w": weight}, maps))
    above = RNG.normal(size=executor.predict(maps).shape).astype("float32")
    by_map = slope_of_means(above, side, kernel, step)
    expected = np.einsum("nkyx,kc->ncyx", by_map, weight[:, :, 0, 0])
    np.testing.assert_allclose(executor.gradient(maps, above)["data"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "step", "side", "pad"),
    [(3, 4, 8, 0), (2, 2, 6, 0), (3, 2, 8, 1)],
    ids=["a window beyond the edge", "none over the edge", "with padding"],
)
def test_what_would_fail_or_be_another_function_is_left_alone(
    kernel: int, step: int, side: int, pad: int, capfd: pytest.CaptureFixture[str]
) -> None:
    maps = RNG.normal(size=(2, 3, side, side)).astype("float32")
    one = program(pooled(kernel, step, pad), {"w": RNG.normal(size=(4, 3, 1, 1)).astype("float32")}, maps, ["w"])
    after, _ = means_over_the_edge(one)
    assert after.graph == one.graph
    executor = bound(one)
    executor.gradient(maps, np.ones_like(executor.predict(maps)))
    assert "prop_kind" not in capfd.readouterr().err
