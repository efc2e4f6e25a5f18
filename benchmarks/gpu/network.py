"""Networks of the zoo with random weights, as `make gpu-check` compares them between devices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mxtune import engines
from mxtune.engines import AdamW, Executor, Program
from mxtune.network import Network
from mxtune.tasks.losses import CrossEntropy
from mxtune.zoo.opening import mxnetwork

NETWORKS = (
    "lenet", "alexnet", "resnet18", "densenet121", "squeezenet1.0", "mobilenet_v3_small", "shufflenet_v2_x0_5",
    "efficientnet_lite0", "convnext_atto", "ghostnet_100", "vit_tiny_patch16_224",
)  # fmt: skip
"""A light one of each family."""
PLAIN = AdamW()


def drawn(name: str) -> Network:
    """A network with random weights, small images, and ten classes."""
    return mxnetwork(name, weights=None, classes=10, **({} if name in ("lenet", "alexnet") else {"image_size": 64}))


def pictures(network: Network, count: int) -> np.ndarray:
    """Images (N, H, W, C) uint8 of the size that it takes: smooth ones, as photographs are."""
    height, width = network.preprocess.size
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 1 + height // 8, 1 + width // 8, network.preprocess.channels), np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]


def executor(
    network: Network, device: str, precision: str = "float32", trainable: bool = False, optimiser: AdamW = PLAIN
) -> Executor:
    """The network bound to a device; what learns are all weights, under statistics that stay."""
    learned = frozenset(network.params) - set(network.graph.auxiliary) if trainable else frozenset()
    return engines.choose(device, precision, "torch").bind(Program.of(network, learned, optimiser))


def moments(network: Network, device: str, images: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient by each parameter: what a step that changes nothing leaves as its first moment."""
    stepped = executor(without_dropout(network), device, trainable=True, optimiser=AdamW(beta1=0.0))
    stepped.step(images, np.arange(len(images)) % 10, np.ones(len(images)), CrossEntropy(10), 0.0)
    return {name: array for name, array in stepped.state().items() if name.startswith("mean:")}


def without_dropout(network: Network) -> Network:
    """The network whose dropouts drop nothing: what they draw depends on the device."""
    nodes = tuple(
        replace(node, attrs={**node.attrs, "p": "0"}) if node.has_role("dropout") else node
        for node in network.graph.nodes
    )
    return replace(network, graph=replace(network.graph, nodes=nodes))
