"""Channels of zeros are added to maps in inference, and predictions are the same."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from mxtune import machine, mxnetwork
from mxtune.engines import Device, Program
from mxtune.engines.mxnet import passes as all_passes
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes.widen_maps import _in_full_blocks, widen_maps
from mxtune.graph import Builder
from running import program

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(0)
MAPS = RNG.normal(size=(2, 3, 10, 10)).astype("float32")
VERBOSE = """
import numpy as np
from mxtune import mxnetwork
from mxtune.engines import Program, choose
net = mxnetwork("efficientnet_lite0", weights="random", image_size=64)
choose("cpu", engine="mxnet").bind(Program.of(net)).predict(np.zeros((2, 64, 64, 3), "uint8"))
"""


@pytest.fixture(autouse=True)
def avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass does not depend on the processor that tests run on."""
    monkeypatch.setattr(machine, "instructions", lambda: frozenset({"avx512f", "avx512bw", "avx512vl", "avx512dq"}))
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)


def assert_same(one: Program, batch: np.ndarray) -> None:
    """Both ways, but for rounding."""
    without = [each for each in all_passes.PASSES if each is not widen_maps]
    here, there = (MXNetExecutor(one, [Device("cpu")], each).predict(batch) for each in (all_passes.PASSES, without))
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-4 * np.abs(there).max())


def test_blocks_are_full_whichever_size_is_chosen() -> None:
    pointwise = {16: 16, 24: 32, 32: 32, 40: 48, 64: 64, 80: 96, 96: 96, 112: 128, 144: 144, 160: 160, 192: 192,
                 320: 336, 512: 528, 1280: 1296, 2048: 2064}  # fmt: skip
    assert {channels: _in_full_blocks(channels, True) for channels in pointwise} == pointwise
    assert [_in_full_blocks(channels, False) for channels in (24, 80, 320, 512)] == [32, 96, 320, 512]
    assert [_in_full_blocks(channels, True) for channels in (3, 10, 17)] == [3, 10, 17], "too much would be added"


def test_a_map_grows_with_all_that_read_it_and_averages_are_as_long_as_before() -> None:
    b = Builder()
    first = b.conv(b.data(), "one", 24, kernel=3, pad=1)
    deep = b.act(b.conv(b.act(first, "relu6"), "deep", 24, kernel=3, pad=1, groups=24), "relu")
    last = b.act(b.add(b.conv(deep, "two", 24, kernel=1), first), "relu")
    pools = [b.global_pool(last, kind) for kind in ("avg", "max")]
    graph = b.graph(b.dense(b.flatten(b.concat(pools, "both")), "head", 3))
    shapes = {"one_weight": (24, 3, 3, 3), "one_bias": (24,), "deep_weight": (24, 1, 3, 3), "deep_bias": (24,),
              "two_weight": (24, 24, 1, 1), "two_bias": (24,), "head_weight": (3, 48), "head_bias": (3,)}  # fmt: skip
    params = {name: RNG.normal(0, 0.2, shape).astype("float32") for name, shape in shapes.items()}
    one = program(graph, params, MAPS)
    grown = widen_maps(one)[0].params
    assert {name: array.shape for name, array in grown.items() if array.shape != shapes[name]} == {
        "one_weight": (32, 3, 3, 3), "one_bias": (32,), "deep_weight": (32, 1, 3, 3), "deep_bias": (32,),
        "two_weight": (32, 32, 1, 1), "two_bias": (32,),
    }  # fmt: skip
    assert_same(one, MAPS)
    trained = program(graph, params, MAPS, params)
    assert widen_maps(trained)[0] is trained


def test_a_map_that_comes_out_keeps_its_channels() -> None:
    b = Builder()
    conv = b.conv(b.data(), "c", 24, kernel=1)
    params = {"c_weight": RNG.normal(size=(24, 3, 1, 1)).astype("float32"), "c_bias": np.zeros(24, "float32")}
    for graph in (b.graph(conv), b.graph(b.act(conv, "sigmoid")), b.graph(b.concat([conv, conv], "joined"))):
        one = program(graph, params, MAPS)
        assert widen_maps(one)[0] is one


@pytest.mark.parametrize(
    "name", ["efficientnet_lite0", "mobilenetv2_1.0", "mobilenetv3_small_100", "resnet50", "densenet121", "googlenet"]
)
def test_networks_of_the_zoo_predict_the_same(name: str) -> None:
    net = mxnetwork(name, weights="random", classes=5, image_size=64)
    assert_same(Program.of(net), RNG.integers(0, 256, (2, 64, 64, 3), np.uint8))


@pytest.mark.parametrize("setting", ["AVX2", "avx512_mic"])
def test_nothing_is_added_where_onednn_is_told_to_do_without(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Program.of(mxnetwork("efficientnet_lite0", weights="random", image_size=64))
    assert widen_maps(one)[0] is not one
    monkeypatch.setenv("DNNL_MAX_CPU_ISA", setting)
    assert widen_maps(one)[0] is one


def test_no_convolution_reorders_its_maps() -> None:
    """Those with blocks of channels in memory (aBcd16b) are the slower ones, with all together (acdb) the others."""
    done = subprocess.run(
        [sys.executable, "-c", VERBOSE], env={**os.environ, "DNNL_VERBOSE": "1"}, check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("dnnl_verbose,exec,cpu,convolution")]
    assert len(lines) == 49
    if "Intel AVX-512" in done.stdout:
        assert not [line for line in lines if "src_f32::blocked:aBcd" in line]
