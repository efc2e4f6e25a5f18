"""Edits: pure functions that take graphs and return a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Union

from ..errors import NetworkError
from ..ops import spell
from .data import Entry, Graph, Node


def _entry(graph: Graph, output: Union[str, Entry]) -> Entry:
    name, index = (output, 0) if isinstance(output, str) else output
    return graph.node(name).name, index


def subgraph(graph: Graph, outputs: Sequence[Union[str, Entry]]) -> Graph:
    """The graph that ends in these outputs, with only what they need.

    Raises
    ------
    NetworkError
        A layer of that name does not exist.
    """
    heads = tuple(_entry(graph, output) for output in outputs)
    needed = graph.ancestors(name for name, _ in heads)
    return Graph(tuple(node for node in graph.nodes if node.name in needed), heads)


def partition(graph: Graph, trainable: Iterable[str]) -> tuple[Graph, Graph]:
    """The part that no training changes, and the rest.

    Dropout at the cut belongs to the rest, so that features of the front may be computed once and kept.

    Parameters
    ----------
    trainable
        Names of the variables that are trained.

    Returns
    -------
    front : Graph
        All operators without a trainable ancestor; its heads are the entries that the rest takes from it.
        Without nodes and heads if there are none.
    rest : Graph
        The other operators with the heads of `graph`; each crossing entry has become the variable
        ``<node>_<index>_cut``, in the order of the front's heads. Data, parameters and labels stay variables.
    """
    open_names = set(trainable)
    rest_names: set[str] = set()
    for node in graph.nodes:
        if node.op == "null":
            if node.name in open_names:
                rest_names.add(node.name)
        elif any(source in rest_names for source, _ in node.inputs):
            rest_names.add(node.name)
    if rest_names:
        _give_dropout(graph, rest_names)

    cuts: dict[Entry, str] = {}
    taken: list[str] = []

    def cross(entry: Entry) -> Entry:
        if entry[0] in rest_names or graph.node(entry[0]).op == "null":
            return entry
        if entry not in cuts:
            cuts[entry] = graph.fresh(f"{entry[0]}_{entry[1]}_cut", taken)
            taken.append(cuts[entry])
        return cuts[entry], 0

    kept: list[Node] = []
    for node in graph.nodes:
        if node.op == "null":
            kept.append(node)
        elif node.name in rest_names:
            kept.append(replace(node, inputs=tuple(cross(entry) for entry in node.inputs)))
    heads = tuple(cross(head) for head in graph.heads)
    nodes = (*(Node(name) for name in cuts.values()), *kept)
    rest = subgraph(Graph(nodes, heads), heads)
    if not cuts:
        return Graph((), ()), rest
    used = {node.name for node in rest.nodes}
    crossing = [entry for entry, name in cuts.items() if name in used]
    return subgraph(graph, crossing), rest


def _give_dropout(graph: Graph, rest_names: set[str]) -> None:
    """Add to the rest each Dropout that only the rest uses."""
    heads = {name for name, _ in graph.heads}
    for node in reversed(graph.nodes):
        users = graph.consumers[node.name]
        only_rest = all(user.name in rest_names for user in users) and (users or node.name in heads)
        if node.has_role("dropout") and node.name not in rest_names and only_rest:
            rest_names.add(node.name)


def attach(graph: Graph, other: Graph, mapping: Mapping[str, Union[str, Entry]]) -> Graph:
    """`graph` with `other` on top of it: the heads of `other` become the heads.

    Parameters
    ----------
    mapping
        For variables of `other`, the entry of `graph` that each becomes. Other variables that both graphs
        have by one name are shared; other operators must have names that are new.

    Raises
    ------
    NetworkError
        An operator's name occurs in both, or `mapping` names what is not there.
    """
    sources = {name: _entry(graph, entry) for name, entry in mapping.items()}
    for name in sources:
        if other.node(name).op != "null":
            raise NetworkError(f"{name} is not a variable of the graph that is to be attached.")
    nodes = list(graph.nodes)
    for node in other.nodes:
        if node.name in sources:
            continue
        if node.name in graph:
            if node.op != "null" or graph.node(node.name).op != "null":
                raise NetworkError(f"Both graphs have a node {node.name}.", hint="Rename one of them first.")
            continue
        nodes.append(replace(node, inputs=tuple(sources.get(e[0], e) for e in node.inputs)))
    heads = tuple(sources.get(head[0], head) for head in other.heads)
    return subgraph(Graph(tuple(nodes), heads), heads)


def rename(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The same graph with nodes renamed, ``{old: new}``.

    Raises
    ------
    NetworkError
        An old name does not exist, or a new one is taken.
    """
    for old in names:
        graph.node(old)

    def entry(pair: Entry) -> Entry:
        return names.get(pair[0], pair[0]), pair[1]

    nodes = tuple(
        replace(node, name=names.get(node.name, node.name), inputs=tuple(entry(e) for e in node.inputs))
        for node in graph.nodes
    )
    return Graph(nodes, tuple(entry(head) for head in graph.heads))


def replace_node(graph: Graph, name: str, node: Node) -> Graph:
    """The graph with `node` in the place of the one called `name`; what used that now uses this."""
    graph.node(name)
    swapped = Graph(tuple(node if old.name == name else _moved(old, name, node.name) for old in graph.nodes),
                    tuple((node.name if h[0] == name else h[0], h[1]) for h in graph.heads))  # fmt: skip
    return subgraph(swapped, swapped.heads)


def _moved(node: Node, old: str, new: str) -> Node:
    if old == new or all(source != old for source, _ in node.inputs):
        return node
    return replace(node, inputs=tuple((new if s == old else s, index) for s, index in node.inputs))


def insert(graph: Graph, after: str, new: Sequence[Node], output: str) -> Graph:
    """The graph with nodes after a layer: what used output 0 of `after` now uses `output`, one of `new`.

    Parameters
    ----------
    new
        In topological order; they take entries of `after`, of what comes before it, or of one another.
    """
    graph.node(after)

    def entry(pair: Entry) -> Entry:
        return (output, 0) if pair == (after, 0) else pair

    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.append(replace(node, inputs=tuple(entry(e) for e in node.inputs)))
        if node.name == after:
            nodes.extend(new)
    return Graph(tuple(nodes), tuple(entry(head) for head in graph.heads))


def remove(graph: Graph, name: str) -> Graph:
    """The graph without a layer: what used it now uses the layer's first input.

    Raises
    ------
    NetworkError
        There is no such layer, or it is a variable.
    """
    node = graph.node(name)
    if not node.inputs:
        raise NetworkError(f"{name} is a variable: it can't be removed from the network.")
    source = node.inputs[0]

    def entry(pair: Entry) -> Entry:
        return source if pair[0] == name else pair

    nodes = tuple(
        replace(other, inputs=tuple(entry(e) for e in other.inputs)) for other in graph.nodes if other.name != name
    )
    heads = tuple(entry(head) for head in graph.heads)
    return subgraph(Graph(nodes, heads), heads)


def declare(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> Graph:
    """The graph in which each data variable that has a value declares its shape, and so is a parameter.

    Parameters
    ----------
    shapes
        Shapes of the values that there are, by name.
    """
    with_value = [name for name in graph.inputs if shapes.get(name)]
    if not with_value:
        return graph
    nodes = (
        replace(node, attrs={**node.attrs, "__shape__": spell(shapes[node.name])}) if node.name in with_value else node
        for node in graph.nodes
    )
    return Graph(tuple(nodes), graph.heads)


def without_loss(graph: Graph) -> Graph:
    """The graph whose heads are logits: ``SoftmaxOutput`` and its kin, and a final softmax, removed."""
    heads = []
    for head in graph.heads:
        entry = head
        while (node := graph.node(entry[0])).has_role("loss") or node.has_role("softmax"):
            entry = node.inputs[0]
        heads.append(entry)
    return graph if tuple(heads) == graph.heads else subgraph(graph, heads)


def without_casts(graph: Graph) -> Graph:
    """The graph without casts between floating-point types: all is computed in float32."""
    sources: dict[Entry, Entry] = {}
    nodes = []
    for node in graph.nodes:
        inputs = tuple(sources.get(entry, entry) for entry in node.inputs)
        if node.op in ("Cast", "cast", "amp_cast", "amp_multicast"):
            sources.update({(node.name, output): entry for output, entry in enumerate(inputs)})
        else:
            nodes.append(replace(node, inputs=inputs))
    return Graph(tuple(nodes), tuple(sources.get(head, head) for head in graph.heads)) if sources else graph
