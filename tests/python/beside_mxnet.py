"""A network computed by both engines: how far PyTorch's outputs and gradients are from MXNet's."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Optional

import numpy as np
from PIL import Image
from skimage import data

from mxtune import engines, mxnetwork
from mxtune.engines import AdamW, Device, Executor, Program
from mxtune.engines.mxnet.executor import MXNetExecutor
from mxtune.engines.mxnet.passes import guard_concat
from mxtune.engines.torch.load import load
from mxtune.engines.torch.operators import Run
from mxtune.engines.torch.runner import Runner
from mxtune.graph import Graph, Node
from mxtune.network import Network
from mxtune.tasks.losses import CrossEntropy

OUTPUTS, GRADIENTS = 1e-4, 1e-3
"""How far outputs may be apart, by the largest, and gradients, by the length of all together."""
GROWN, ALIKE = 1e-3, 2.0
"""How far apart rounding may bring outputs, and how many times as far as the other engine one may be from float64."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def photographs(network: Network) -> np.ndarray:
    """Four photographs of scikit-image's, (4, H, W, C) uint8."""
    spec = network.preprocess
    height, width = spec.size
    mode = "L" if spec.channels == 1 else "RGB"
    found = [Image.fromarray(getattr(data, name)()).convert(mode).resize((width, height)) for name in PHOTOGRAPHS]
    return np.stack([np.asarray(one).reshape(height, width, spec.channels) for one in found])


def prepared(name: str, side: Optional[int], smooth: bool = False) -> tuple[Network, np.ndarray]:
    """A network with drawn weights, without dropout, whose BatchNorms have the statistics of the images; and these.

    Parameters
    ----------
    side
        Of the images, in pixels; None for the network's own.
    smooth
        Whether functions with a bend are replaced by smooth ones. At a bend rounding decides whether a gradient passes:
        MXNet's own then moves by percents when images change places.
    """
    network = mxnetwork(name, weights="random", seed=1, image_size=side)
    nodes = [_without_chance(node) for node in network.graph.nodes]
    network = replace(network, graph=Graph(tuple(map(_smooth, nodes) if smooth else nodes), network.graph.heads))
    images = photographs(network)
    if network.graph.auxiliary:
        now = [
            replace(n, attrs={**n.attrs, "momentum": "0"}) if n.has_role("batchnorm") else n
            for n in network.graph.nodes
        ]
        program = Program.of(network, frozenset(network.graph.auxiliary))
        program = replace(program, graph=Graph(tuple(now), network.graph.heads))
        network = replace(network, params={**network.params, **stepped("torch", program, images).parameters()})
    return network, images


def _without_chance(node: Node) -> Node:
    return replace(node, attrs={**node.attrs, "p": "0"}) if node.has_role("dropout") else node


def _smooth(node: Node) -> Node:
    if node.op in ("relu", "clip") or node.attrs.get("act_type") in ("relu", "leaky"):
        return replace(node, op="Activation", attrs={"act_type": "softrelu"})
    if node.attrs.get("pool_type") == "max":  # MXNet loses some of the means over windows that reach over the edge
        full = node.attrs.get("pooling_convention") == "full"
        return replace(node, attrs={**node.attrs, "pool_type": "sum" if full else "avg"})
    if node.op == "hard_sigmoid":
        return replace(node, op="sigmoid", attrs={})
    return node


def stepped(engine: str, program: Program, images: np.ndarray) -> Executor:
    """An executor after one step that moves no weight, but keeps the gradients as its first moments."""
    program, cpu = replace(program, optimiser=AdamW(beta1=0.0)), [Device("cpu")]
    if engine == "mxnet":  # which can't take the gradient of some joined maps apart without help
        executor: Executor = MXNetExecutor(program, cpu, (guard_concat,))
    else:
        executor = engines.get(engine).bind(program, cpu, passes=False)
    classes = executor.predict(images[:1]).shape[1]
    targets = np.arange(len(images)) % classes
    executor.step(images, targets, np.ones(len(images)), CrossEntropy(classes), 0.0)
    return executor


class Outputs(NamedTuple):
    """How far PyTorch's outputs are from MXNet's, and each engine's from those in float64; by the largest."""

    apart: float
    torch: float
    mxnet: float

    @property
    def rounding(self) -> bool:
        """Whether the engines are equally far from float64, and not too far.

        What one of them computes otherwise would put MXNet alone far from float64, which is PyTorch's program;
        and a coarse kernel one of the two.
        """
        alike = max(self.torch, self.mxnet) <= ALIKE * min(self.torch, self.mxnet)
        return self.apart <= GROWN and alike

    @property
    def same(self) -> bool:
        """Whether the engines agree, as far as float32 lets them in a network that makes rounding grow."""
        return self.apart <= OUTPUTS or self.rounding


def outputs_of(network: Network, images: np.ndarray) -> Outputs:
    """The outputs of both engines, compared."""
    program = Program.of(network)
    ours, theirs = (engines.get(name).bind(program, [Device("cpu")]).predict(images) for name in ("torch", "mxnet"))
    exact = in_float64(network, images)
    return Outputs(_far(ours, theirs), _far(ours, exact), _far(theirs, exact))


def _far(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max() / np.abs(other).max())


def in_float64(network: Network, images: np.ndarray) -> np.ndarray:
    """A network's outputs by PyTorch's operators in float64: the graph as it is, without passes."""
    torch, spec = load(), network.preprocess
    scaled = (images - np.asarray(spec.mean, np.float64)) / np.asarray(spec.std, np.float64)
    arrays = {**network.params, network.input: scaled.transpose(0, 3, 1, 2)}
    variables = {name: torch.from_numpy(np.array(array, np.float64)) for name, array in arrays.items()}
    with torch.no_grad():
        return np.asarray(Runner(network.graph)(variables, Run())[0])


def gradients_apart(network: Network, images: np.ndarray, training: bool) -> float:
    """How far the engines' gradients by all parameters are apart, by the length of all together.

    Parameters
    ----------
    training
        Whether BatchNorms take the statistics of the batch, instead of those that they keep.
    """
    moving = network.graph.auxiliary if training else ()
    program = Program.of(network, frozenset({*network.graph.arguments, *moving} & set(network.params)))
    ours, theirs = (stepped(engine, program, images).state() for engine in ("torch", "mxnet"))
    names = [name for name in theirs if name.startswith("mean:")]
    difference = [float(np.linalg.norm(ours[name] - theirs[name])) for name in names]
    return float(np.linalg.norm(difference) / np.linalg.norm([float(np.linalg.norm(theirs[name])) for name in names]))
