"""Running a graph in a test: the shortest way from arrays to outputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Union

import numpy as np

from mxtune import engines
from mxtune.engines import Executor, InputSpec, Program
from mxtune.errors import NetworkError
from mxtune.graph import Graph
from mxtune.network import Network
from mxtune.zoo import entries, entry

# One light network for each family of PyTorch's; the others differ in their numbers. `make parity` runs all.
LIGHT_TEMPLATES = (
    "resnet18", "squeezenet1.0.torchvision", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v3_small", "regnet_y_400mf",
    "mobilenetv4_conv_small", "tf_efficientnet_lite0", "ghostnet_100", "convnext_atto", "convnextv2_atto",
)  # fmt: skip
NETWORKS = [one.name for one in entries() if not one.signature or one.name in LIGHT_TEMPLATES]
"""Networks of the zoo for tests that run each of them."""

Arrays = Mapping[str, np.ndarray]


def program(
    graph: Graph, params: Arrays, batch: Union[np.ndarray, Arrays], trainable: Collection[str] = (), **settings: Any
) -> Program:
    """The program that takes a batch such as this one, of float32."""
    names = [name for name in graph.arguments if name not in params]
    named = batch if isinstance(batch, Mapping) else {names[0]: batch}
    inputs = {name: InputSpec(named[name].shape[1:]) for name in names}
    return Program(graph, dict(params), inputs, frozenset(trainable), **settings)


def bound(one: Program, passes: bool = True, engine: str = "", devices: int = 1) -> Executor:
    """The program on the CPU, by the first engine that is installed; several devices all are it."""
    cpus = [engines.Device("cpu", index) for index in range(devices)]
    return engines.get(engine or engines.installed()[0]).bind(one, cpus, passes=passes)


def outputs(graph: Graph, params: Arrays, batch: np.ndarray, passes: bool = True) -> Any:
    """What a graph computes for a batch of float32; without passes as the engine itself runs it."""
    return bound(program(graph, params, batch), passes).predict(batch)


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
