"""Networks computed by PyTorch give what MXNet gives: one for each family of layers; `make engines` takes all."""

from __future__ import annotations

import pytest

from beside_mxnet import GRADIENTS, OUTPUTS, gradients_apart, outputs_apart, prepared

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
    assert outputs_apart(network, images) <= OUTPUTS
    smooth, _ = prepared(name, NETWORKS[name], smooth=True)
    for training in (False, True) if network.graph.auxiliary else (False,):
        assert gradients_apart(smooth, images, training) <= GRADIENTS
