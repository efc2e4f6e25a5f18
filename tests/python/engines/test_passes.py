"""All passes together, on every network of the zoo: the same function, and parameters that come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines import Program, get
from mxtune.errors import NetworkError
from mxtune.network import Network
from mxtune.zoo import entry
from running import NETWORKS, bound

pytestmark = pytest.mark.mxnet

PASSES = get("mxnet").passes


def small(name: str) -> Network:
    """The network with drawn weights, for the smallest images that it takes."""
    one = entry(name)
    for size in (28, 32, 64, 96):
        spec = replace(one.preprocess, size=(size, size))
        net = Network(one.build(5, spec.size, spec.channels), {}, one.provenance(), spec)
        try:
            return net.initialise(seed=1)
        except NetworkError:
            continue
    raise AssertionError(f"{name} takes no small images")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_stays_itself_with_all_passes(name: str) -> None:
    net = small(name)
    learned = frozenset(net.params) - set(net.graph.auxiliary)
    pictures = np.random.default_rng(0).integers(0, 256, (2, *net.preprocess.size, net.preprocess.channels), np.uint8)
    expected = bound(Program.of(net), passes=False).predict(pictures)
    scale = np.abs(expected).max()
    for one in (Program.of(net), Program.of(net, learned)):
        np.testing.assert_allclose(bound(one).predict(pictures) / scale, expected / scale, atol=1e-5)
    back = bound(Program.of(net, learned)).parameters()
    assert {key: array.shape for key, array in back.items()} == {key: net.params[key].shape for key in learned}
    again = bound(Program.of(replace(net, params={**net.params, **back})), passes=False).predict(pictures)
    np.testing.assert_allclose(again / scale, expected / scale, atol=1e-5)


def test_passes_are_named_as_their_files_are() -> None:
    assert PASSES == (
        "fold_batchnorm",
        "mirror_maps",
        "depthwise_as_matmul",
        "absorb_asymmetric_padding",
        "means_over_the_edge",
        "guard_concat",
        "guard_fusion",
        "align_channels",
        "clip_as_relus",
        "depthwise_in_columns",
    )
