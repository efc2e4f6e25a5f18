"""A network and a batch of which several processes learn what one learns, and how near they must be."""

from __future__ import annotations

from typing import Any

import numpy as np

from mxtune.engines import AdamW, InputSpec, Program
from mxtune.graph import Builder
from mxtune.tasks.losses import CrossEntropy
from mxtune.zoo.opening import mxnetwork

BATCH = np.random.default_rng(5).integers(0, 256, (7, 28, 28, 1), np.uint8)
LABELS = np.array([0, 1, 2, 3, 4, 0, 1])
COUNTS = np.array([1, 1, 1, 0.5, 1, 1, 0])
CROSS = CrossEntropy(5, 0.1, (1.0, 2.0, 1.0, 1.0, 0.5))


def lenet() -> Program:
    """With two Dropouts, of maps and of features."""
    net = mxnetwork("lenet", classes=5, seed=2).insert("fc1", "Dropout", p=0.5).insert("pool1", "Dropout", p=0.2)
    return Program.of(net, frozenset(net.params), AdamW({"fc1_weight": 0.5}, 0.1), seed=3)


def with_moving_statistics(rng: np.random.Generator) -> Program:
    """With a BatchNorm, whose statistics each process sees of its share alone."""
    b = Builder()
    graph = b.graph(b.dense(b.global_pool(b.batchnorm(b.conv(b.data(), "conv", 4, kernel=3), "bn"), "max"), "fc", 5))
    shapes = {"conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "fc_weight": (5, 4), "fc_bias": (5,)}
    shapes |= dict.fromkeys(("bn_gamma", "bn_beta", "bn_moving_mean", "bn_moving_var"), (4,))
    params = {name: rng.uniform(0.5, 1, shapes[name]).astype("float32") for name in graph.roles if name in shapes}
    return Program(graph, params, {"data": InputSpec((3, 8, 8))}, frozenset(params))


def steps(executor: Any, rows: int = 7) -> list[float]:
    """The losses of three steps."""
    return [executor.step(BATCH[:rows], LABELS[:rows], COUNTS[:rows], CROSS, 1e-3) for _ in range(3)]


def equal(some: dict[str, np.ndarray], others: dict[str, np.ndarray], atol: float = 2e-5) -> None:
    """The same arrays, so near."""
    assert some.keys() == others.keys()
    for name, array in others.items():
        np.testing.assert_allclose(some[name], array, atol=atol, err_msg=name)
