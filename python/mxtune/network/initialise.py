"""Initial values of parameters, drawn by NumPy: the same seed gives the same bytes on any machine."""

from __future__ import annotations

import math
import zlib
from typing import Optional

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..graph import Graph, Node
from ..ops import Slot

MAX_ELEMENTS = 2**31
_GLUON = {"ones": 1.0, "zeros": 0.0}


def initial_value(graph: Graph, name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """The initial value of a parameter: He et al. 2015 before a rectifier, Glorot and Bengio 2010 elsewhere.

    BatchNorm starts as the identity, biases at zero. Each parameter has a stream of its own: its
    value depends on the seed, its name and its shape, and on nothing else in the network.

    Raises
    ------
    WeightsError
        The parameter has no known role, or more than 2**31 elements.
    """
    if math.prod(shape) > MAX_ELEMENTS:
        raise WeightsError(f"The parameter {name} would have {math.prod(shape):,} elements.")
    slot, user = _slot(graph, name)
    if slot is not None and slot.initial is not None:
        return np.full(shape, slot.initial, np.float32)
    if slot is None:
        written = graph.node(name).attrs.get("__init__", "")
        if written in _GLUON:
            return np.full(shape, _GLUON[written], np.float32)
        raise WeightsError(
            f"There is no value for {name}, and no initial value is defined.", hint="Use `weights` that contain it."
        )
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    if user.has_role("transposed"):
        fan_in, fan_out = fan_out, fan_in
    if _rectified(graph, user):
        return rng.normal(0, math.sqrt(2 / max(fan_in, 1)), shape).astype(np.float32)
    bound = math.sqrt(6 / max(fan_in + fan_out, 1))
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _slot(graph: Graph, name: str) -> tuple[Optional[Slot], Node]:
    """The parameter's place in the operator that takes it; None for one in no such place, such as a layer scale."""
    for user in graph.consumers[name]:
        for (source, _), slot in zip(user.inputs, user.slots):
            if source == name and slot.role != "data":
                return slot, user
    return None, graph.node(name)


def _rectified(graph: Graph, node: Node) -> bool:
    """True if the next layer, past BatchNorm and Dropout, is a rectifier."""
    for _ in range(3):
        users = graph.consumers[node.name]
        if len(users) != 1:
            return False
        node = users[0]
        if not any(node.has_role(role) for role in ("batchnorm", "dropout", "sum")):
            break
    return node.has_role("rectifier") or node.attrs.get("act_type") == "relu"
