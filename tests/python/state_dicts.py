"""State dicts as PyTorch writes them, for networks of which there is a template: made of numbers that are drawn."""

from __future__ import annotations

import numpy as np

from drawn_arrays import drawn
from mxtune.network import Network
from mxtune.zoo import entry


def state_dict(name: str, classes: int = 0) -> dict[str, np.ndarray]:
    """Numbers for each array that a network's file has; for so many classes, or its own."""
    one = entry(name)
    graph = one.build(classes or one.classes, one.preprocess.size, 3)
    network = Network(graph, {}, {}, one.preprocess)
    return {key: drawn(key, network.shapes[key][0]) for key, role in graph.roles.items() if role != "data"}
