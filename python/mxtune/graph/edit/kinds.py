"""Kinds of layers in a graph: which of them a node is, and the nodes that write one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ...errors import NetworkError
from ...ops import find, spell
from ...ops.kinds import KINDS, Form, kind_named
from ..data import Entry, Graph, Node

_PRODUCTS = ("elemwise_mul", "broadcast_mul")


def is_kind(graph: Graph, node: Node, kind: str) -> bool:
    """Whether a layer is of this kind: one of `KINDS`, or an operator by any of its names."""
    named = kind_named(kind)
    if named is not None:
        return any(_takes(graph, node, form) is not None for form in KINDS[named])
    operator = find(kind)
    return operator is not None and not node.is_variable and node.operator is operator


def source(graph: Graph, node: Node) -> Entry:
    """What a layer takes: its first input; of a value times its own gate, the value.

    Raises
    ------
    NetworkError
        It is a variable, which takes nothing.
    """
    if not node.inputs:
        raise NetworkError(f"{node.name} is a variable: nothing comes before it, and no layer can take its place.")
    entries = (_takes(graph, node, form) for forms in KINDS.values() for form in forms if form.gate)
    return next((entry for entry in entries if entry is not None), node.inputs[0])


def _takes(graph: Graph, node: Node, form: Form) -> Optional[Entry]:
    """What a layer written in this form takes; None where it is not."""
    if node.is_variable or not node.inputs:
        return None
    if not form.gate:
        return node.inputs[0] if form.fits(node.operator.name, node.values) and not is_gate(graph, node) else None
    if node.operator.name not in _PRODUCTS:
        return None
    for value, gate in (node.inputs, node.inputs[::-1]):
        if _gates(graph, graph.node(gate[0]), value, form):
            return value
    return None


def _gates(graph: Graph, gate: Node, value: Entry, form: Form) -> bool:
    """Whether a node is this form's function of the value."""
    if gate.is_variable or not form.fits(gate.operator.name, gate.values):
        return False
    if form.inner is None:
        return gate.inputs[0] == value
    inner = graph.node(gate.inputs[0][0])
    fitting = not inner.is_variable and any(one.fits(inner.operator.name, inner.values) for one in KINDS[form.inner])
    return fitting and inner.inputs[0] == value


def is_gate(graph: Graph, node: Node) -> bool:
    """Whether a layer is only the inner part of another, such as the sigmoid of a SiLU."""
    users = graph.consumers[node.name]
    gates = [form for forms in KINDS.values() for form in forms if form.gate]
    if any(user.operator.name in _PRODUCTS and _gates(graph, node, _other(user, node), form)
           for user in users for form in gates):  # fmt: skip
        return True
    inner = [form for gate in gates if gate.inner for form in KINDS[gate.inner]]
    return any(form.fits(node.operator.name, node.values) for form in inner) and any(
        is_gate(graph, user) for user in users
    )


def _other(product: Node, node: Node) -> Entry:
    """What a product takes beside this node."""
    return next((entry for entry in product.inputs if entry[0] != node.name), product.inputs[0])


def form_of(operator: str) -> Form:
    """How a kind of layer is written; an operator of MXNet as itself."""
    kind = kind_named(operator) if operator in KINDS or find(operator) is None else None
    return Form(operator) if kind is None else KINDS[kind][0]


def written(entry: Entry, operator: str, name: str, attrs: Mapping[str, object]) -> list[Node]:
    """The nodes of a new layer, the last of which has its name; a variable for each parameter comes before.

    Parameters
    ----------
    entry
        What it takes.
    operator
        One of MXNet, or a kind of layer.
    attrs
        The operator's arguments.
    """
    form = form_of(operator)
    arguments = {**form.attrs, **attrs}
    if not form.gate:
        return _layer(entry, form.op, name, arguments)
    nodes: list[Node] = []
    inside = entry
    if form.inner is not None:
        nodes += written(entry, form.inner, f"{name}_{form.inner}", {})
        inside = (nodes[-1].name, 0)
    nodes += _layer(inside, form.op, f"{name}_gate", arguments)
    return [*nodes, Node(name, "elemwise_mul", {}, (entry, (nodes[-1].name, 0)))]


def _layer(entry: Entry, operator: str, name: str, attrs: Mapping[str, object]) -> list[Node]:
    bare = Node(name, operator, {key: spell(value) for key, value in attrs.items() if value is not None})
    extra = [slot for slot in bare.slots if slot.role == "data"][1:]
    if extra:
        raise NetworkError(f"{operator} takes {len(extra) + 1} inputs.", hint="Give a graph with one input.")
    variables = [Node(f"{name}_{slot.name}") for slot in bare.slots if slot.role != "data"]
    return [*variables, Node(name, operator, bare.attrs, (entry, *((variable.name, 0) for variable in variables)))]
