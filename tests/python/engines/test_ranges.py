"""Ranges of layers: what int8 is scaled by."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune import engines
from mxtune.engines import InputSpec, Program
from mxtune.engines.ranges import measured
from mxtune.graph import Builder
from running import bound, program

RNG = np.random.default_rng(0)
MAPS = RNG.normal(size=(6, 3, 8, 8)).astype("float32")


@pytest.mark.parametrize("engine", engines.installed())
def test_ranges_are_the_extremes_of_what_each_layer_gives(engine: str) -> None:
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 4, kernel=3, bias=False), "relu", "relu")
    y = b.conv(x, "last", 2, kernel=1, bias=False)
    params = {"conv_weight": RNG.normal(size=(4, 3, 3, 3)), "last_weight": RNG.normal(size=(2, 4, 1, 1))}
    params = {name: array.astype("float32") for name, array in params.items()}
    one = program(b.graph(b.flatten(b.global_pool(y, "max", "pooled"))), params, MAPS)
    found = measured(one, [MAPS[:2], MAPS[2:]], lambda each: bound(each, engine=engine))
    assert set(found) == {"relu", "last", "pooled"}  # what a ReLU reads is fused away
    for name, ends in found.items():
        layer = program(b.graph((name, 0)), {n: params[n] for n in params if n in b.graph((name, 0))}, MAPS)
        values = bound(layer, engine=engine).predict(MAPS)
        least = 0 if name == "relu" else values.min()
        np.testing.assert_allclose(ends, (least, values.max()), rtol=1e-4, atol=1e-5)
        assert all(end == np.float32(end) for end in ends)


def test_of_images_it_is_black_to_white() -> None:
    b = Builder()
    spec = InputSpec((4, 4, 3), (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))
    one = Program(b.graph(b.flatten(b.data())), {}, {"data": spec})
    batch = RNG.integers(90, 100, (2, 4, 4, 3), np.uint8)
    low, high = measured(one, [batch], bound)["data"]
    assert low == pytest.approx(-100 / 50) and high == pytest.approx(155 / 50)
