"""MXNet's symbol JSON: every age of it read with all sizes, types and indices checked; today's written.

Ages: before 0.9 the operator's arguments are "param" and BatchNorm's moving statistics are implied; then
"attr"; since 1.0 "attrs". Inputs are [node, output] or [node, output, version].
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, Optional, Union

from ..errors import NetworkError
from .data import Entry, Graph, Node, integers

MAX_BYTES = 64 * 2**20
MAX_NODES = 100_000
MAX_NAME = 1_000
MAX_ATTRIBUTE = 100_000
MXNET_VERSION = 10901

# What networks of pictures are made of. A file may name nothing else: some of MXNet's 700 operators call
# back into the process, read files, or fault in native code on arguments that nobody tests. Grown here when
# a network needs it.
_OPERATORS = frozenset({
    "null", "Convolution", "Convolution_v1", "Deconvolution", "FullyConnected", "Embedding", "dot",
    "batch_dot", "BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_contrib_SyncBatchNorm", "InstanceNorm",
    "LayerNorm", "GroupNorm", "L2Normalization", "LRN", "Activation", "LeakyReLU", "relu", "sigmoid",
    "tanh", "hard_sigmoid", "softsign", "clip", "erf", "exp", "log", "sqrt", "square", "abs", "negative",
    "rsqrt", "softmax", "SoftmaxActivation", "log_softmax", "SoftmaxOutput", "Softmax",
    "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "SVMOutput", "MakeLoss",
    "make_loss", "Pooling", "Pooling_v1", "_contrib_AdaptiveAvgPooling2D", "UpSampling",
    "_contrib_BilinearResize2D", "Crop", "Pad", "pad", "Concat", "concat", "stack", "add_n",
    "ElementWiseSum", "elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "_plus", "_Plus",
    "_minus", "_Minus", "_mul", "_Mul", "_div", "_Div", "_add", "_sub", "_maximum", "_minimum", "_Maximum",
    "_Minimum", "_grad_add", "broadcast_add", "broadcast_plus", "broadcast_sub", "broadcast_minus",
    "broadcast_mul", "broadcast_div", "broadcast_maximum", "broadcast_minimum", "broadcast_power",
    "broadcast_like", "_plus_scalar", "_PlusScalar", "_minus_scalar", "_MinusScalar", "_rminus_scalar",
    "_RMinusScalar", "_mul_scalar", "_MulScalar", "_div_scalar", "_DivScalar", "_rdiv_scalar",
    "_RDivScalar", "_power_scalar", "_PowerScalar", "_maximum_scalar", "_minimum_scalar", "Flatten",
    "flatten", "Reshape", "reshape", "transpose", "SwapAxis", "swapaxes", "expand_dims", "squeeze", "slice",
    "slice_axis", "slice_like", "SliceChannel", "split", "mean", "sum", "sum_axis", "max", "max_axis",
    "min", "min_axis", "Dropout", "Cast", "cast", "amp_cast", "_copy", "identity", "BlockGrad",
    "stop_gradient", "depth_to_space", "space_to_depth",
})  # fmt: skip

# Words a user could hang on a node before 0.9.5; MXNet keeps them between underscores since.
_HIDDEN = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage", "profiler_scope")

# How many outputs an operator has (its hidden ones too), where it is not one. MXNet trusts these indices.
_OUTPUTS = {
    "BatchNorm": 3, "BatchNorm_v1": 3, "CuDNNBatchNorm": 3, "_contrib_SyncBatchNorm": 3, "Dropout": 2,
    "InstanceNorm": 3, "LayerNorm": 3, "GroupNorm": 3, "LRN": 2, "L2Normalization": 2, "LeakyReLU": 2,
    "SliceChannel": 0, "split": 0,
}  # fmt: skip
_POSITIVE = ("num_group", "num_groups", "num_outputs", "block_size")  # MXNet 1.9 divides by them unchecked


def _refuse(reason: str) -> NoReturn:
    raise NetworkError("Can't read this symbol JSON.", bullets=[reason])


def _short(value: object) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def from_json(text: Union[str, bytes]) -> Graph:
    """The graph that a symbol JSON of MXNet 0.x or 1.x describes; any text that is not one is refused.

    Nothing is computed or run. Names that occur twice are made unique, except that variables of one name
    become one variable, as MXNet treats their values. Moving statistics that old files imply are written out.

    Parameters
    ----------
    text
        The content of a ``-symbol.json`` file, at most 64 MB.

    Raises
    ------
    NetworkError
        Too large, no JSON, a field missing or of the wrong type, an input that does not come before its
        node, or an operator that networks of pictures do not need (control flow, custom code); the fault is
        named.

    Examples
    --------
    >>> graph = from_json('{"nodes": [{"op": "null", "name": "data", "inputs": []},'
    ...                   '{"op": "Flatten", "name": "flat", "inputs": [[0, 0]]}],'
    ...                   '"arg_nodes": [0], "heads": [[1, 0]]}')
    >>> graph.heads
    (('flat', 0),)
    """
    document = _document(text)
    raw_nodes, raw_heads = document.get("nodes"), document.get("heads")
    if not isinstance(raw_nodes, list) or not raw_nodes:
        _refuse('it has no list "nodes"')
    if len(raw_nodes) > MAX_NODES:
        _refuse(f"it has {len(raw_nodes):,} nodes; at most {MAX_NODES:,} are read")
    reader = _Reader({_short_name(raw) for raw in raw_nodes})
    for position, raw in enumerate(raw_nodes):
        reader.node(position, raw)
    if not isinstance(raw_heads, list) or not raw_heads:
        _refuse('it has no list "heads"')
    heads = tuple(reader.entry("heads", head) for head in raw_heads)
    return Graph(tuple(reader.nodes), heads)


def _document(text: Union[str, bytes]) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        _refuse(f"it has {len(text) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read")
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
    """Nodes read so far, and under which name each position of the file is known."""

    def __init__(self, written: set[str]) -> None:
        self.written = written  # every name in the file, so that a new name meets none that comes later
        self.nodes: list[Node] = []
        self.by_position: list[Node] = []
        self.taken: dict[str, Node] = {}

    def node(self, position: int, raw: object) -> None:
        if not isinstance(raw, dict):
            _refuse(f"node {position} is not an object")
        name, operator = raw.get("name"), raw.get("op")
        if not isinstance(name, str) or len(name) > MAX_NAME or "\0" in name:
            _refuse(f"node {position} has no usable name")
        name = name or f"node{position}"
        if not isinstance(operator, str) or not 0 < len(operator) <= MAX_NAME:
            _refuse(f"node {_short(name)} names no operator")
        if raw.get("subgraphs") or operator not in _OPERATORS:
            _refuse(f"node {_short(name)} is a {_short(operator)}, which networks of pictures do not need")
        raw_inputs = raw.get("inputs", [])
        if not isinstance(raw_inputs, list) or len(raw_inputs) > MAX_NODES:
            _refuse(f"the inputs of node {_short(name)} are not a list")
        if operator == "null" and raw_inputs:
            _refuse(f"the variable {_short(name)} has inputs")
        inputs = tuple(self.entry(name, raw_input) for raw_input in raw_inputs)
        attributes = _attributes(name, raw)
        if operator == "null" and name in self.taken and self.taken[name].op == "null":
            self.by_position.append(self.taken[name])
            return
        node = Node(self._unique(name), operator, attributes, inputs)
        self.by_position.append(self._add(self._complete(node)))

    def entry(self, user: str, raw: object) -> Entry:
        if not isinstance(raw, list) or len(raw) not in (2, 3) or not all(_is_index(part) for part in raw):
            _refuse(f"an input of {_short(user)} is not a list of 2 or 3 indices")
        position, output = raw[0], raw[1]
        if position >= len(self.by_position):
            _refuse(f"an input of {_short(user)} is node {position}, which does not come before it")
        source = self.by_position[position]
        if output >= _n_outputs(source):
            _refuse(f"an input of {_short(user)} is output {output} of {_short(source.name)}, which has fewer")
        return source.name, output

    def _unique(self, name: str) -> str:
        if name not in self.taken:
            return name
        number = 1
        while f"{name}_{number}" in self.taken or f"{name}_{number}" in self.written:
            number += 1
        return f"{name}_{number}"

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        self.taken[node.name] = node
        return node

    def _complete(self, node: Node) -> Node:
        """The node with the parameters that files before 0.9 leave unsaid, as variables of their own."""
        missing = node.slots[len(node.inputs) :]
        if not node.inputs or not missing:
            return node
        added = []
        for slot in missing:
            name = f"{node.name}_{slot}"
            variable = self.taken.get(name)
            if variable is None or variable.op != "null":
                variable = self._add(Node(self._unique(name)))
            added.append((variable.name, 0))
        return Node(node.name, node.op, node.attrs, node.inputs + tuple(added))


def _n_outputs(node: Node) -> int:
    return _OUTPUTS.get(node.op, 1) or integers(node.attrs.get("num_outputs", "1"))[0]


def _attributes(name: str, raw: dict[str, Any]) -> dict[str, str]:
    """The operator's arguments; a user's own words, old or new, between double underscores."""
    param, attr, attrs = (_strings(name, key, raw.get(key)) for key in ("param", "attr", "attrs"))
    arguments = {**(param or {}), **(attrs or {})}
    if param is None:
        arguments = {**(attr or {}), **arguments}
        words = {}
    else:
        words = attr or {}  # before 0.9 "attr" held only what a user had hung on the node
    for key in _HIDDEN:
        if key in arguments:
            words[key] = arguments.pop(key)
    for key in _POSITIVE:
        if not _is_positive(arguments.get(key, "1")):
            _refuse(f"{key} of node {_short(name)} is {_short(arguments[key])} and must be at least 1")
    kept = {key if key.startswith("__") else f"__{key}__": value for key, value in words.items()}
    return {**arguments, **kept}


def _is_positive(text: str) -> bool:
    try:
        numbers = integers(text)
    except ValueError:
        return False
    return len(numbers) == 1 and 1 <= numbers[0] <= MAX_NODES


def _strings(name: str, key: str, raw: object) -> Optional[dict[str, str]]:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        _refuse(f'"{key}" of node {_short(name)} is not an object')
    for word, value in raw.items():
        if not isinstance(value, str) or len(value) > MAX_ATTRIBUTE or len(word) > MAX_NAME:
            _refuse(f"the argument {_short(word)} of node {_short(name)} is not a short string")
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
        lines.append(json.dumps(record))
    arguments = [position[node.name] for node in graph.nodes if node.op == "null"]
    return (
        '{\n  "nodes": [\n    ' + ",\n    ".join(lines) + "\n  ],\n"
        f'  "arg_nodes": {json.dumps(arguments)},\n'
        f'  "heads": {json.dumps([entry(head) for head in graph.heads])},\n'
        f'  "attrs": {{"mxnet_version": ["int", {MXNET_VERSION}]}}\n}}\n'
    )
