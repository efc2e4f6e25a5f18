"""MXNet's symbol JSON: every version is read, with all sizes, types and indices checked; today's is written.

Versions: before 0.9 the operator's arguments are "param" and BatchNorm's moving statistics are implied; then
"attr"; since 1.0 "attrs". Inputs are [node, output] or [node, output, version].
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn, Optional, Union

from ..errors import NetworkError
from ..ops import MisfitError
from ..words import counted
from .data import Entry, Graph, Node, misfit, nameable
from .limits import LIMITS, Limits, check_size
from .names import Names

MAX_BRACKETS = 20  # for each node that a network may have
MAX_NAME = 1_000
MAX_ATTRIBUTE = 10_000
MXNET_VERSION = 10901

_CASTS = ("Cast", "cast", "amp_cast")
_FLOATS = ("float16", "bfloat16", "float64")
# Attributes a user could put on a node before 0.9.5; MXNet has kept them between underscores since.
_HIDDEN = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage", "profiler_scope")


def _refuse(reason: str, hint: Optional[str] = None) -> NoReturn:
    raise NetworkError("Can't read this symbol JSON.", bullets=[reason], hint=hint)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def from_json(text: Union[str, bytes], limits: Limits = LIMITS) -> Graph:
    """The graph that a symbol JSON of MXNet 0.x or 1.x describes; any text that is not one is refused.

    Nothing is computed or run. Names that occur twice are made unique, except that variables of one name
    become one variable, as MXNet treats their values. Moving statistics that old files imply are written out.

    Parameters
    ----------
    text
        The content of a ``-symbol.json`` file.
    limits
        How many nodes are read, and 400 bytes for each.

    Raises
    ------
    NetworkError
        Too large, not JSON, a field missing or of the wrong type, an input that does not come before its
        node, an operator that is not supported (control flow, custom code), or an argument of an operator that
        is unknown or out of bounds; the fault is named.

    Examples
    --------
    >>> graph = from_json('{"nodes": [{"op": "null", "name": "data", "inputs": []},'
    ...                   '{"op": "Flatten", "name": "flat", "inputs": [[0, 0]]}],'
    ...                   '"arg_nodes": [0], "heads": [[1, 0]]}')
    >>> graph.heads
    (('flat', 0),)
    """
    document = _document(text, limits)
    raw_nodes, raw_heads = document.get("nodes"), document.get("heads")
    if not isinstance(raw_nodes, list) or not raw_nodes:
        _refuse('it has no list "nodes"')
    check_size(len(raw_nodes), limits)
    reader = _Reader({_short_name(raw) for raw in raw_nodes})
    for position, raw in enumerate(raw_nodes):
        reader.node(position, raw)
    if not isinstance(raw_heads, list) or not raw_heads:
        _refuse('it has no list "heads"')
    heads = tuple(reader.entry("heads", head) for head in raw_heads)
    return Graph(tuple(reader.nodes), heads)


def _document(text: Union[str, bytes], limits: Limits) -> dict[str, Any]:
    most = limits.symbol_bytes
    if len(text) > most:
        _refuse(f"it has {len(text) / 1e6:.0f} MB; at most {most / 1e6:.0f} MB are read")
    brackets = sum(text.count(b) if isinstance(text, bytes) else text.count(b.decode()) for b in (b"[", b"{"))
    if brackets > MAX_BRACKETS * limits.nodes:
        _refuse(f"it has {brackets:,} brackets; at most {MAX_BRACKETS * limits.nodes:,} are read")
    try:
        document = json.loads(text)
    except RecursionError:
        _refuse("it is nested too deep")
    except (ValueError, UnicodeDecodeError) as fault:
        _refuse(f"not JSON: {str(fault)[:100]}")
    if not isinstance(document, dict):
        _refuse("it is not a JSON object")
    return document


def _short_name(raw: object) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else ""


class _Reader:
    """The nodes read so far, and the name of each position of the file."""

    def __init__(self, written: set[str]) -> None:
        self.names = Names(reserved=written)  # every name in the file: a new one does not clash with a later one
        self.nodes: list[Node] = []
        self.by_position: list[Node] = []
        self.taken: dict[str, Node] = {}

    def node(self, position: int, raw: object) -> None:
        if not isinstance(raw, dict):
            _refuse(f"node {position} is not an object")
        name, operator = raw.get("name"), raw.get("op")
        if not isinstance(name, str) or len(name) > MAX_NAME or not nameable(name):
            _refuse(f"node {position} has no usable name")
        name = name or f"node{position}"
        if not isinstance(operator, str) or not 0 < len(operator) <= MAX_NAME:
            _refuse(f"node {_short(name)} names no operator")
        raw_inputs = raw.get("inputs", [])
        if not isinstance(raw_inputs, list):
            _refuse(f"the inputs of node {_short(name)} are not a list")
        if operator == "null" and raw_inputs:
            _refuse(f"the variable {_short(name)} has inputs")
        inputs = tuple(self.entry(name, raw_input) for raw_input in raw_inputs)
        attributes = _attributes(name, raw)
        if operator in _CASTS and attributes.get("dtype") in _FLOATS:
            attributes["dtype"] = "float32"  # in which all is computed here
        if operator == "null" and name in self.taken and self.taken[name].op == "null":
            self.by_position.append(self.taken[name])
            return
        node = Node(self.names.new(name), operator, attributes, inputs)
        try:
            self.by_position.append(self._add(self._complete(node)))
        except NetworkError as fault:
            _refuse(" ".join([fault.message, *fault.bullets]), fault.hint)

    def entry(self, user: str, raw: object) -> Entry:
        if not isinstance(raw, list) or len(raw) not in (2, 3) or not all(_is_index(part) for part in raw):
            _refuse(f"an input of {_short(user)} is not a list of 2 or 3 indices")
        position, output = raw[0], raw[1]
        if position >= len(self.by_position):
            _refuse(f"an input of {_short(user)} is node {position}, which does not come before it")
        source = self.by_position[position]
        if output >= source.n_outputs:
            _refuse(f"an input of {_short(user)} is output {output} of {_short(source.name)}, which has fewer")
        return source.name, output

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        self.taken[node.name] = node
        return node

    def _complete(self, node: Node) -> Node:
        """The node with the parameters that files before 0.9 leave implicit, as variables of their own."""
        missing = node.slots[len(node.inputs) :]
        if len(node.inputs) > len(node.slots) or any(slot.role == "data" for slot in missing):
            needed = counted(len(node.slots), "input")
            raise misfit(node, MisfitError(f"it takes {needed} and has {len(node.inputs)}"))
        added = []
        for slot in missing:
            name = f"{node.name}_{slot.name}"
            variable = self.taken.get(name)
            if variable is None or not variable.is_variable:
                variable = self._add(Node(self.names.new(name)))
            added.append((variable.name, 0))
        return replace(node, inputs=node.inputs + tuple(added)) if added else node


def _attributes(name: str, raw: dict[str, Any]) -> dict[str, str]:
    """The operator's arguments; a user's own attributes, old or new, between double underscores."""
    param, attr, attrs = (_strings(name, key, raw.get(key)) for key in ("param", "attr", "attrs"))
    arguments = {**(param or {}), **(attrs or {})}
    if param is None:
        arguments = {**(attr or {}), **arguments}
        words = {}
    else:
        words = attr or {}  # before 0.9 "attr" held only what a user had put on the node
    for key in _HIDDEN:
        if key in arguments:
            words[key] = arguments.pop(key)
    user_attributes = {key if key.startswith("__") else f"__{key}__": value for key, value in words.items()}
    return {**arguments, **user_attributes}


def _strings(name: str, key: str, raw: object) -> Optional[dict[str, str]]:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        _refuse(f'"{key}" of node {_short(name)} is not an object')
    for word, value in raw.items():
        if not isinstance(value, str) or len(value) > MAX_ATTRIBUTE or len(word) > MAX_NAME:
            _refuse(f"the argument {_short(word)} of node {_short(name)} is not a short string")
        if not (word + value).isprintable():  # MXNet reads no escapes
            _refuse(f"the argument {_short(word)!r} of node {_short(name)} has control characters")
    return dict(raw)


def to_json(graph: Graph) -> str:
    """The graph as symbol JSON of MXNet 1.9, such as ``mx.sym.load_json`` reads.

    The same graph gives the same text. ``from_json(to_json(graph)) == graph``.

    Examples
    --------
    >>> graph = Graph((Node("data"),), (("data", 0),))
    >>> from_json(to_json(graph)) == graph
    True
    """
    position = {node.name: number for number, node in enumerate(graph.nodes)}
    auxiliary = set(graph.auxiliary)

    def entry(pair: Entry) -> list[int]:
        return [position[pair[0]], pair[1], int(pair[0] in auxiliary)]

    lines = []
    for node in graph.nodes:
        record: dict[str, Any] = {"op": node.op, "name": node.name}
        if node.attrs:
            record["attrs"] = dict(node.attrs)
        record["inputs"] = [entry(pair) for pair in node.inputs]
        lines.append(json.dumps(record, ensure_ascii=False))  # MXNet reads UTF-8, and no \u
    arguments = [position[node.name] for node in graph.nodes if node.op == "null"]
    return (
        '{\n  "nodes": [\n    ' + ",\n    ".join(lines) + "\n  ],\n"
        f'  "arg_nodes": {json.dumps(arguments)},\n'
        f'  "heads": {json.dumps([entry(head) for head in graph.heads])},\n'
        f'  "attrs": {{"mxnet_version": ["int", {MXNET_VERSION}]}}\n}}\n'
    )
