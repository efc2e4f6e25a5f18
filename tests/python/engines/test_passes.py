"""All passes together, on every network of the zoo: the same function, and parameters that come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines import Program, get
from running import NETWORKS, bound, small

pytestmark = pytest.mark.mxnet

PASSES = get("mxnet").passes


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
        "activate_after_pooling",
        "mirror_maps",
        "depthwise_as_matmul",
        "absorb_asymmetric_padding",
        "means_over_the_edge",
        "guard_concat",
        "guard_fusion",
        "align_channels",
        "widen_maps",
        "clip_as_relus",
        "depthwise_in_columns",
    )
