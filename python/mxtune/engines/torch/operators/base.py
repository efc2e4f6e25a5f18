"""The registry: for each operator of `mxtune.ops` the function that computes it with PyTorch.

A family is one file with the name of its file in ``ops/``; its functions register themselves::

    @computes("clip")
    def clip(data: Tensor, *, a_min: float, a_max: float) -> Tensor:
        return data.clamp(a_min, a_max)

A function takes the operator's inputs in the order of its slots, as tensors of float32: maps are (N, C, H, W), in any
memory format. It returns the output, or a tuple where the operator has several. What it takes by keyword alone are

* attributes of the operator, by their names in ``ops/`` and as parsed there, checked when it registers; with a default,
  those that not every operator it is registered for has;
* ``run``, if it differs in training, draws random numbers, or moves statistics: see `Run`.

It changes none of its inputs, and leaves PyTorch's global state alone. Its gradient is autograd's; where MXNet's is
another one (of losses, for example), it is a ``torch.autograd.Function``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Optional, TypeVar

from torch import Generator, Tensor

from .... import ops
from ....errors import EngineError
from ....graph import Node

Compute = Callable[..., Any]
"""From tensors to a tensor or a tuple of them."""
_Function = TypeVar("_Function", bound=Compute)


@dataclass
class Run:
    """One pass of a batch through a network.

    Parameters
    ----------
    training
        Whether dropout drops and BatchNorm takes the statistics of the batch.
    generator
        What random numbers are drawn from, on the device of the batch.
    rows
        Which rows of how many these are, where numbers are to be those of the whole batch: first, end, all.
    moved
        What a step moves without a gradient: (the parameter as the operator got it, its new value). It is written
        when the step is taken.
    """

    training: bool = False
    generator: Optional[Generator] = None
    rows: Optional[tuple[int, int, int]] = None
    moved: list[tuple[Tensor, Tensor]] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """How one operator is computed: the function, the attributes that it takes, and whether it takes the run."""

    function: Compute
    attributes: tuple[str, ...]
    takes_run: bool


_REGISTRY: dict[str, Entry] = {}
_IN_PLACE: dict[str, Entry] = {}


def computes(*names: str) -> Callable[[_Function], _Function]:
    """Register a function for the operators of these names.

    Raises
    ------
    ValueError
        ``ops/`` has no such operator or it has no such attribute; or there is already a function for it.
    """

    return _registering(names, _REGISTRY)


def writes(*names: str) -> Callable[[_Function], _Function]:
    """Register a function that gives what that of `computes` gives, and may write over its first input."""
    return _registering(names, _IN_PLACE)


def _registering(names: Sequence[str], registry: dict[str, Entry]) -> Callable[[_Function], _Function]:
    def registered(function: _Function) -> _Function:
        keywords = _keywords(function)
        for name in names:
            operator = ops.find(name)
            if operator is None or operator.name != name:
                raise ValueError(f"there is no operator {name}")
            if name in registry:
                raise ValueError(f"two functions compute {name}")
            known = {attribute.name for attribute in operator.attributes}
            required = {key for key, default in keywords.items() if default is inspect.Parameter.empty}
            if unknown := required - known - {"run"}:
                raise ValueError(f"{name} has no attribute {', '.join(sorted(unknown))}")
            registry[name] = Entry(function, tuple(key for key in keywords if key in known), "run" in keywords)
        return function

    return registered


def _keywords(function: Compute) -> dict[str, Any]:
    """The parameters that a function takes by keyword alone, and their defaults; none of a function of PyTorch's."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return {}
    if str(getattr(function, "__module__", "")).partition(".")[0] == "torch":
        return {}
    return {one.name: one.default for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}


RULES: list[Compute] = []
"""Functions of shapes alone, which PyTorch's compiler can't follow and needs not."""


def rule(function: _Function) -> _Function:
    """Register a function from shapes and attributes to a shape."""
    RULES.append(function)
    return function


def known() -> Iterator[str]:
    """The names of all operators that can be computed."""
    return iter(sorted(_REGISTRY))


def compute(node: Node) -> tuple[Compute, bool]:
    """The function for a node, its attributes filled in, and whether it takes the run.

    Raises
    ------
    EngineError
        There is none.
    """
    name = node.operator.name
    entry = _REGISTRY.get(name)
    if entry is None:
        raise EngineError(f"PyTorch can't run {node.name}, a {name}: nobody has told it how.")
    return _filled(entry, node), entry.takes_run


def compute_over(node: Node) -> Optional[Compute]:
    """The function for a node that may write over its first input; None where there is none."""
    entry = _IN_PLACE.get(node.operator.name)
    return None if entry is None else _filled(entry, node)


def _filled(entry: Entry, node: Node) -> Compute:
    attributes = {key: getattr(node.values, key) for key in entry.attributes}
    return partial(entry.function, **attributes) if attributes else entry.function


def missing(nodes: Sequence[Node]) -> list[Node]:
    """Those of the nodes whose operators can't be computed."""
    return [node for node in nodes if not node.is_variable and node.operator.name not in _REGISTRY]
