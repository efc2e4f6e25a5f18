"""Node and Graph: what a symbol graph is."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Optional

from .. import ops
from ..calls import value_text
from ..errors import NetworkError
from ..ops import MisfitError, Operator, Slot
from ..ops.attributes import Integers
from ..words import near

Entry = tuple[str, int]
"""One output of a node: the node's name, and the index of the output."""


@dataclass(frozen=True)
class Node:
    """One operator, or a variable (``op == "null"``).

    Parameters
    ----------
    name
        Unique in its graph.
    op
        MXNet's operator, such as ``"Convolution"``.
    attrs
        The operator's arguments, each as MXNet writes it: ``{"kernel": "(3, 3)"}``.
    inputs
        Which outputs of which nodes it takes, in order.
    """

    name: str
    op: str = "null"
    attrs: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Entry, ...] = ()

    @property
    def is_variable(self) -> bool:
        """True for data, parameters and labels."""
        return self.op == "null"

    @cached_property
    def operator(self) -> Operator:
        """Its operator's entry in the registry.

        Raises
        ------
        NetworkError
            The operator is not supported.
        """
        return ops.get(self.op, self.name)

    @cached_property
    def values(self) -> ops.Values:
        """The operator's arguments with their types, defaults filled in.

        Raises
        ------
        NetworkError
            One is unknown, missing, of another type or outside its bounds.
        """
        try:
            return self.operator.parse(self.attrs)
        except MisfitError as fault:
            raise misfit(self, fault) from None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its inputs: those called data, weight and bias of a convolution; none of a variable."""
        return () if self.is_variable else self.operator.slots_of(self.values)

    @property
    def n_outputs(self) -> int:
        """How many outputs it has."""
        return 1 if self.is_variable else self.operator.n_outputs(self.values)

    def taking(self, inputs: tuple[Entry, ...]) -> Node:
        """The node with these inputs; the same one, with what it knows of itself, where it takes them already."""
        return self if inputs == self.inputs else replace(self, inputs=inputs)

    def has_role(self, role: str) -> bool:
        """True if its operator has this role, one of `ops.ROLES`."""
        return not self.is_variable and role in self.operator.roles

    @cached_property
    def declared_shape(self) -> Optional[ops.Shape]:
        """The shape that a variable declares (``__shape__``), if it leaves no side open."""
        try:
            sides = _SHAPE.parse(self.attrs.get("__shape__", ""))
        except ValueError:
            return None
        return tuple(side for side in sides if side is not None) or None


_SHAPE = Integers(1, 2**31 - 1)


def misfit(node: Node, fault: MisfitError) -> NetworkError:
    """The error of a layer whose arguments or inputs don't fit."""
    return NetworkError(f"The layer {node.name} ({node.op}) is impossible: {fault.words}.", hint=fault.hint)


def nameable(name: str) -> bool:
    """Whether a node can have this name: letters of any script, but no control characters and no lone surrogates."""
    return name.isprintable() or not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, with unique names, and the entries that are the outputs.

    Raises
    ------
    NetworkError
        A name occurs twice, or a node takes one that comes after it or does not exist.

    Examples
    --------
    >>> graph = Graph((Node("data"), Node("out", "Flatten", {}, (("data", 0),))), (("out", 0),))
    >>> graph.inputs, graph.node("out").op
    (('data',), 'Flatten')
    """

    nodes: tuple[Node, ...]
    heads: tuple[Entry, ...]

    def __post_init__(self) -> None:
        names_before: set[str] = set()
        for node in self.nodes:
            for source, _ in node.inputs:
                if source not in names_before:
                    raise NetworkError(f"Node {node.name} takes {source}, which does not come before it.")
            if node.name in names_before:
                raise NetworkError(f"Two nodes have the name {node.name}.")
            if not nameable(node.name):
                raise NetworkError(f"A layer can't be called {node.name!r}.", hint="Use letters, digits and _.")
            names_before.add(node.name)
        for name, _ in self.heads:
            if name not in names_before:
                raise NetworkError(f"The output {name} is not in the graph.")

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def node(self, name: str) -> Node:
        """The node of this name.

        Raises
        ------
        NetworkError
            There is none; near matches are named.
        """
        if not isinstance(name, str):
            raise NetworkError("A layer is chosen by its name.", [f"it is {value_text(name)}"])
        node = self._by_name.get(name)
        if node is None:
            operators = (one.name for one in self.nodes if not one.is_variable)
            raise NetworkError(f"The network has no layer {str(name)[:100]}.", hint=near(name, operators))
        return node

    @cached_property
    def roles(self) -> dict[str, str]:
        """What each variable is: ``"data"``, ``"weight"`` (any parameter), ``"auxiliary"`` or ``"label"``.

        The slots of the operators that take it decide. What lies in no such slot (a layer scale, an embedding of
        positions, a constant) is a parameter if it declares its shape, and data if not; where all declare one, the
        first is the data.
        """
        roles = dict(self.slotted)
        free = [node for node in self.nodes if node.is_variable and node.name not in roles]
        data = [node for node in free if node.declared_shape is None] or free[:1]
        roles.update((node.name, "data" if node in data else "weight") for node in free)
        return roles

    @cached_property
    def known_shapes(self) -> dict[Hashable, dict[str, tuple[ops.Shape, ...]]]:
        """What `shapes_of` has found, by what it was asked: one graph is in many networks on its way to a model."""
        return {}

    @cached_property
    def slotted(self) -> dict[str, str]:
        """The roles of those variables that an operator takes as its parameter or label."""
        roles: dict[str, str] = {}
        for node in self.nodes:
            for (source, _), slot in zip(node.inputs, node.slots):
                if slot.role != "data" and self._by_name[source].is_variable:
                    roles.setdefault(source, slot.role)
        return roles

    @cached_property
    def auxiliary(self) -> tuple[str, ...]:
        """Variables that training updates without a gradient: BatchNorm's moving mean and variance."""
        return self._with_role("auxiliary")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Variables that take the truth in training."""
        return self._with_role("label")

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Variables in order, without auxiliary states: data, labels and parameters."""
        return tuple(node.name for node in self.nodes if node.is_variable and self.roles[node.name] != "auxiliary")

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Variables that hold the data."""
        used = {source for node in self.nodes for source, _ in node.inputs} | {name for name, _ in self.heads}
        return tuple(name for name in self._with_role("data") if name in used)

    def _with_role(self, role: str) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes if node.is_variable and self.roles[node.name] == role)

    @cached_property
    def consumers(self) -> dict[str, tuple[Node, ...]]:
        """For each node's name, the nodes that take one of its outputs, in order."""
        users: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(name for name, _ in node.inputs):
                users[source].append(node)
        return {name: tuple(nodes) for name, nodes in users.items()}

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """These nodes and all that they need."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(source for source, _ in self.node(name).inputs)
        return seen

    def fresh(self, name: str, taken: Sequence[str] = ()) -> str:
        """This name, or this name with the first number that makes it new to the graph."""
        candidate, number = name, 1
        while candidate in self._by_name or candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        return candidate

    def __repr__(self) -> str:
        operators = sum(not node.is_variable for node in self.nodes)
        heads = ", ".join(name for name, _ in self.heads)
        return f"<Graph of {operators} operators, output {heads}>"
