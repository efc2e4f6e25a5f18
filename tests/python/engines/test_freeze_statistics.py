"""BatchNorm's statistics move only where they are trained."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.engines.passes import freeze_statistics
from mxtune.graph import Builder
from mxtune.tasks.losses import SquaredError
from running import bound, program

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(4, 3)).astype("float32")


def test_statistics_move_only_where_they_are_trained() -> None:
    b = Builder()
    graph = b.graph(b.batchnorm(b.batchnorm(b.data(), "one"), "two"))
    params = {name: np.ones(3, "float32") for name in (*graph.arguments, *graph.auxiliary) if name != "data"}
    trainable = params.keys() - {"one_moving_mean", "one_moving_var"}
    one = program(graph, params, DATA, trainable)
    frozen, _ = freeze_statistics(one)
    assert frozen.graph.node("one").attrs["use_global_stats"] == "True"
    assert frozen.graph.node("two").attrs.get("use_global_stats", "False") != "True"
    executor = bound(one)
    executor.step(DATA, np.zeros((4, 3)), np.ones(4), SquaredError((0.0,) * 3, (1.0,) * 3), 1e-3)
    assert executor.parameters().keys() == trainable
    for name in ("two_moving_mean", "two_moving_var"):
        assert not np.array_equal(executor.parameters()[name], params[name])


def test_frozen_statistics_are_used_in_training() -> None:
    """Otherwise the gradient of a batch with a mean of its own would be that of a centred one."""
    b = Builder()
    graph = b.graph(b.batchnorm(b.data(), "one"))
    params = {name: np.ones(3, "float32") for name in (*graph.arguments, *graph.auxiliary) if name != "data"}
    executor = bound(program(graph, params, DATA, ["one_beta"]))
    loss = executor.step(DATA, np.zeros((4, 3)), np.ones(4), SquaredError((0.0,) * 3, (1.0,) * 3), 0.0)
    outputs = (DATA - 1) / np.sqrt(1 + 1e-3) + 1
    assert loss == pytest.approx(0.5 * (outputs**2).mean(), rel=1e-3)
