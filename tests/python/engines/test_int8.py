"""Networks in int8: near those in float32, whatever the order of the batches, and refused where they can't be had."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune import mxexample, mximages, mxnetwork
from mxtune.engines import Device, Executor, Program, Target, choose, get
from mxtune.engines.ranges import measured
from mxtune.errors import ArgumentError, EngineError
from mxtune.images.loader import Loader
from mxtune.network import Network
from running import bound, small

pytestmark = [pytest.mark.mxnet, pytest.mark.vnni]

RNG = np.random.default_rng(0)
# Of each kind one: with BatchNorm, without, grouped, shuffled, gated, joined, with sums before and behind a ReLU.
NETWORKS = (
    "alexnet", "convnext_atto", "densenet121", "efficientnet_lite0", "ghostnet_100", "lenet", "mobilenet0.25",
    "mobilenet_v3_small", "mobilenetv2_0.25", "regnet_y_400mf", "resnet18_v1", "resnet18_v2", "shufflenet_v2_x0_5",
    "squeezenet1.0",
)  # fmt: skip
CPU = Target(
    get("mxnet"), (Device("cpu"),), "float32"
)  # which loads nothing: where there is no MXNet, none is asked for


def in_int8(one: Program, pictures: np.ndarray, passes: bool = True) -> Executor:
    ranges = measured(one, [pictures], CPU.bind)
    return choose("cpu", "int8", ranges=ranges).bind(one, passes)


def lite0(size: int) -> Network:
    net = mxnetwork("efficientnet_lite0")
    return replace(net, preprocess=replace(net.preprocess, size=(size, size)))


def pictures_for(net: Network, count: int = 4) -> np.ndarray:
    """Smooth ones: of noise, averages are all alike."""
    height, width = net.preprocess.size
    coarse = RNG.integers(0, 256, (count, 4, 4, net.preprocess.channels), np.uint8)
    return coarse.repeat(-(-height // 4), axis=1).repeat(-(-width // 4), axis=2)[:, :height, :width]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_in_int8_is_near_what_it_is(name: str) -> None:
    net = small(name)
    pictures = pictures_for(net)
    expected = bound(Program.of(net.body), engine="mxnet").predict(pictures)
    executor = in_int8(Program.of(net.body), pictures)
    low = executor.predict(pictures)
    assert np.square(low - expected).sum() < 0.2 * np.square(expected).sum()
    for rows in (slice(0, 2), slice(0, 4), slice(2, 3), slice(1, 3)):  # weights are laid out anew for each size
        again = executor.predict(pictures[rows])
        assert np.square(again - low[rows]).sum() <= 1e-6 * np.square(low[rows]).sum()


def test_learned_features_of_photographs_are_near() -> None:
    net = lite0(96)
    loader = Loader(mximages(mxexample("fashion")).take(range(0, 400, 8)), net.preprocess)
    pictures = np.concatenate([batch for _, batch in loader.eval_batches(50)])
    expected = bound(Program.of(net.body), engine="mxnet").predict(pictures)
    spread = np.maximum(expected.std(axis=0), np.median(expected.std(axis=0)))
    for passes in (True, False):
        low = in_int8(Program.of(net.body), pictures[:25], passes).predict(pictures)
        apart = np.abs(low - expected) / spread
        assert 0 < apart.mean() < 0.25, passes


def test_averages_of_maps_are_not_rounded_to_8_bits() -> None:
    net = lite0(64)
    pictures = pictures_for(net, 8)
    low = in_int8(Program.of(net.body), pictures).predict(pictures)
    means = low[:, :16]  # of the first stage
    assert all(
        len(np.unique(column)) == len(np.unique(pictures[:, 0, 0], axis=0)) for column in means.T if column.any()
    )


def test_what_trains_stays_in_float32() -> None:
    net = small("lenet")
    one = Program.of(net, frozenset({f"{net.classifier}_weight"}))
    pictures = pictures_for(net)
    low = choose("cpu", "int8", engine="mxnet").bind(one).predict(pictures)
    np.testing.assert_array_equal(low, CPU.bind(one).predict(pictures))


def test_int8_is_refused_where_it_cant_be_had() -> None:
    one = Program.of(small("lenet"))
    with pytest.raises(EngineError, match="ranges of the layers"):
        choose("cpu", "int8").bind(one)
    with pytest.raises(EngineError, match="on CPUs only"):
        get("mxnet").bind(one, [Device("gpu", 0)], "int8")
    with pytest.raises(ArgumentError, match="`precision` must be"):
        choose("cpu", "int4")
    assert choose(precision="int8").devices == (Device("cpu", 0),)


def test_auto_is_int8_where_ranges_are_known() -> None:
    ranges = {"data": (0.0, 1.0)}
    assert choose("cpu", engine="mxnet").precision == "float32"
    assert choose("cpu", engine="mxnet", ranges=ranges).precision == "int8"
    known = choose("cpu", "int8", ranges=ranges)
    others = choose("cpu", "int8", ranges={"data": (0.0, 2.0)})
    assert len({known.arithmetic, others.arithmetic, CPU.arithmetic}) == 3  # names of what is kept
    assert replace(known, ranges={}).arithmetic != known.arithmetic
