"""A network computed by both engines: how far PyTorch's outputs and gradients are from MXNet's."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import numpy as np
from PIL import Image
from skimage import data

from mxtune import engines, mxnetwork
from mxtune.engines import AdamW, Device, Executor, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes import guard_concat
from mxtune.graph import Graph, Node
from mxtune.network import Network
from mxtune.tasks.losses import CrossEntropy

OUTPUTS, GRADIENTS, ROUNDING = 1e-4, 1e-3, 4
"""How far outputs may be apart, by the largest; gradients, by their length; these, by MXNet's own rounding."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
Gradients = dict[str, np.ndarray]


def photographs(network: Network) -> np.ndarray:
    """Four photographs of scikit-image's, (4, H, W, C) uint8."""
    spec = network.preprocess
    height, width = spec.size
    mode = "L" if spec.channels == 1 else "RGB"
    found = [Image.fromarray(getattr(data, name)()).convert(mode).resize((width, height)) for name in PHOTOGRAPHS]
    return np.stack([np.asarray(one).reshape(height, width, spec.channels) for one in found])


def with_attributes(network: Network, role: str, **attributes: str) -> Graph:
    """The graph with other attributes of all layers of a role."""

    def changed(node: Node) -> Node:
        return replace(node, attrs={**node.attrs, **attributes}) if node.has_role(role) else node

    return Graph(tuple(map(changed, network.graph.nodes)), network.graph.heads)


def prepared(name: str, side: Optional[int]) -> tuple[Network, np.ndarray]:
    """A network with drawn weights, without dropout, whose BatchNorms have the statistics of the images; and these.

    Parameters
    ----------
    side
        Of the images, in pixels; None for the network's own.
    """
    network = mxnetwork(name, weights="random", seed=1, image_size=side)
    network = replace(network, graph=with_attributes(network, "dropout", p="0"))
    images = photographs(network)
    if network.graph.auxiliary:
        program = Program.of(network, frozenset(network.graph.auxiliary))
        program = replace(program, graph=with_attributes(network, "batchnorm", momentum="0"))
        network = replace(network, params={**network.params, **stepped("torch", program, images).parameters()})
    return network, images


def stepped(engine: str, program: Program, images: np.ndarray, order: tuple[int, ...] = (0, 1, 2, 3)) -> Executor:
    """An executor after one step that moves no weight, but keeps the gradients as its first moments."""
    program, cpu = replace(program, optimiser=AdamW(beta1=0.0)), [Device("cpu")]
    if engine == "mxnet":  # which can't take the gradient of some joined maps apart without help
        executor: Executor = MXNetExecutor(program, cpu, (guard_concat,))
    else:
        executor = engines.get(engine).bind(program, cpu, passes=False)
    classes = executor.predict(images[:1]).shape[1]
    targets = np.array(order) % classes
    executor.step(images[list(order)], targets, np.ones(len(order)), CrossEntropy(classes), 0.0)
    return executor


def outputs_apart(network: Network, images: np.ndarray) -> float:
    """How far the engines' outputs are apart, by the largest."""
    program = Program.of(network)
    ours, theirs = (engines.get(name).bind(program, [Device("cpu")]).predict(images) for name in ("torch", "mxnet"))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def gradients(engine: str, program: Program, images: np.ndarray, noise: bool = False) -> Gradients:
    """The gradient by each parameter; with noise, of weights that are a millionth off and images in another order."""
    rng = np.random.default_rng(0)
    if noise:
        params = {n: array * (1 + 1e-6 * rng.uniform(-1, 1, array.shape)) for n, array in program.params.items()}
        program = replace(program, params={name: array.astype(np.float32) for name, array in params.items()})
    state = stepped(engine, program, images, (2, 0, 3, 1) if noise else (0, 1, 2, 3)).state()
    return {name: array for name, array in state.items() if name.startswith("mean:")}


def apart(ours: Gradients, theirs: Gradients) -> float:
    """How far gradients are apart, by the length of all of them together."""
    difference = [float(np.linalg.norm(ours[name] - array)) for name, array in theirs.items()]
    return float(np.linalg.norm(difference) / np.linalg.norm([float(np.linalg.norm(a)) for a in theirs.values()]))


def gradients_apart(network: Network, images: np.ndarray, training: bool) -> tuple[float, float]:
    """How far the engines' gradients are apart, and how far they may be.

    Beside a ReLU rounding decides whether a value passes. Where MXNet's own gradient moves by more than `GRADIENTS`
    when the images change places and weights change by a millionth, `ROUNDING` times as much is allowed.

    Parameters
    ----------
    training
        Whether BatchNorms take the statistics of the batch, instead of those that they keep.
    """
    moving = network.graph.auxiliary if training else ()
    program = Program.of(network, frozenset({*network.graph.arguments, *moving} & set(network.params)))
    theirs = gradients("mxnet", program, images)
    far = apart(gradients("torch", program, images), theirs)
    if far <= GRADIENTS:
        return far, GRADIENTS
    return far, max(GRADIENTS, ROUNDING * apart(gradients("mxnet", program, images, noise=True), theirs))
