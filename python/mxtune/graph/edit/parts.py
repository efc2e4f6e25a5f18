"""Parts of a graph: what ends in some layers, what training leaves alone, what lies before the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Union

from ...ops import spell
from ..data import Entry, Graph, Node


def entry_of(graph: Graph, output: Union[str, Entry]) -> Entry:
    name, index = (output, 0) if isinstance(output, str) else output
    return graph.node(name).name, index


def subgraph(graph: Graph, outputs: Sequence[Union[str, Entry]]) -> Graph:
    """The graph that ends in these outputs, with only what they need.

    Raises
    ------
    NetworkError
        A layer of that name does not exist.
    """
    heads = tuple(entry_of(graph, output) for output in outputs)
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

    def crosses(entry: Entry) -> bool:
        return entry[0] not in rest_names and graph.node(entry[0]).op != "null"

    taken = [entry for node in graph.nodes if node.name in rest_names for entry in node.inputs]
    cuts = list(dict.fromkeys(filter(crosses, (*taken, *graph.heads))))
    rest, names = behind(graph, cuts)
    crossing = [entry for entry, name in zip(cuts, names) if name in rest]
    return subgraph(graph, crossing) if crossing else Graph((), ()), rest


def behind(graph: Graph, entries: Sequence[Entry]) -> tuple[Graph, tuple[str, ...]]:
    """What lies behind some entries: the graph with a new variable in the place of each, and their names in order.

    Examples
    --------
    >>> from mxtune.graph import Builder
    >>> b = Builder()
    >>> pooled = b.global_pool(b.data())
    >>> behind(b.graph(b.flatten(pooled)), [pooled])[0].arguments
    ('data_avgpool_0_cut',)
    """
    names: list[str] = []
    for name, index in entries:
        names.append(graph.fresh(f"{name}_{index}_cut", names))
    cut = {entry: (name, 0) for entry, name in zip(entries, names)}
    nodes = (node.taking(tuple(cut.get(entry, entry) for entry in node.inputs)) for node in graph.nodes)
    heads = tuple(cut.get(head, head) for head in graph.heads)
    return subgraph(Graph((*map(Node, names), *nodes), heads), heads), tuple(names)


def _give_dropout(graph: Graph, rest_names: set[str]) -> None:
    """Add to the rest each Dropout that only the rest uses."""
    heads = {name for name, _ in graph.heads}
    for node in reversed(graph.nodes):
        users = graph.consumers[node.name]
        only_rest = all(user.name in rest_names for user in users) and (users or node.name in heads)
        if node.has_role("dropout") and node.name not in rest_names and only_rest:
            rest_names.add(node.name)


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
