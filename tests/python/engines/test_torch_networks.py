"""Networks computed by PyTorch give what MXNet gives: one for each family of layers; `make engines` takes all."""

from __future__ import annotations

import numpy as np
import pytest

from beside_mxnet import GRADIENTS, OUTPUTS, Outputs, gradients_apart, in_float64, outputs_of, prepared
from mxtune.engines.torch.operators import Run
from mxtune.engines.torch.runner import Runner

pytestmark = pytest.mark.mxnet

NETWORKS = {
    "lenet": None,  # tanh or ReLU, dense layers
    "squeezenet1.1": 64,  # joined maps
    "resnet18_v1": 64,  # sums before a ReLU
    "mobilenetv2_0.25": 64,  # depthwise kernels
    "mobilenet_v3_small": 64,  # hard sigmoid and swish, squeezed and excited channels
    "tf_efficientnet_b0": 64,  # SiLU, and borders of TensorFlow's
    "shufflenet_v2_x0_5": 64,  # groups, and channels in another order
    "convnext_atto": 64,  # LayerNorm, GELU
    "vit_tiny_patch16_224": 64,  # attention
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_the_same_outputs_and_gradients(name: str) -> None:
    network, images = prepared(name, NETWORKS[name])
    assert outputs_of(network, images).apart <= OUTPUTS
    smooth, _ = prepared(name, NETWORKS[name], smooth=True)
    for training in (False, True) if network.graph.auxiliary else (False,):
        assert gradients_apart(smooth, images, training) <= GRADIENTS


def test_networks_that_differ_by_more_than_rounding_are_told_apart() -> None:
    assert Outputs(apart=1.9e-4, torch=2.5e-4, mxnet=2.2e-4).same  # ResNet-152: each rounds as much as the other
    assert not Outputs(apart=1.9e-4, torch=2e-6, mxnet=1.9e-4).same
    assert not Outputs(apart=1.9e-4, torch=1.9e-4, mxnet=2e-6).same
    assert not Outputs(apart=2e-3, torch=2e-3, mxnet=2e-3).same
    assert not Outputs(apart=float("nan"), torch=2e-6, mxnet=float("nan")).same


def test_an_operator_of_another_meaning_is_no_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = prepared("resnet18_v1", 64)
    exact, call = in_float64(network, images), Runner.__call__

    def otherwise(self: Runner, variables: object, run: Run) -> object:  # also in float64
        return [out * (1 + 3e-4) for out in call(self, variables, run)]

    monkeypatch.setattr(Runner, "__call__", otherwise)
    found = outputs_of(network, images)
    assert np.abs(in_float64(network, images) - exact).max() > 0
    assert found.torch < 1e-5
    assert not found.same
