"""The symbol graph as data: read from any age of MXNet, refused where hostile, edited without loss."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mxtune.engines.mxnet import load
from mxtune.errors import NetworkError
from mxtune.graph import (
    Builder,
    Graph,
    Node,
    attach,
    from_json,
    partition,
    remove,
    rename,
    replace_node,
    shapes_of,
    subgraph,
    to_json,
    without_loss,
)
from running import outputs

DATA = {"op": "null", "name": "data", "inputs": []}


def small() -> Graph:
    b = Builder()
    x = b.act(b.batchnorm(b.conv(b.data(), "conv", 4, 3, pad=1), "bn"), "relu", "relu")
    y = b.conv(x, "side", 4, 1)
    x = b.dropout(b.flatten(b.global_pool(b.add(x, y, "sum"), name="pool"), "flat"), 0.5, "drop")
    return b.graph(b.dense(x, "fc", 3))


def values(graph: Graph, shape: tuple[int, ...] = (2, 3, 8, 8)) -> dict[str, np.ndarray]:
    shapes = shapes_of(graph, {"data": shape})
    rng = np.random.default_rng(1)
    names = [node.name for node in graph.nodes if node.op == "null" and node.name != "data"]
    return {name: rng.uniform(0.5, 1, shapes[name][0]).astype("float32") for name in names}


def run(graph: Graph, params: dict[str, np.ndarray], **data: np.ndarray) -> np.ndarray:
    needed = {node.name for node in graph.nodes}
    return outputs(
        graph, {k: v for k, v in params.items() if k in needed}, data if len(data) > 1 else next(iter(data.values()))
    )


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype("float32")


def document(*nodes: object, heads: object = None) -> str:
    return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": heads or [[len(nodes) - 1, 0]]})


def node(op: str, name: str, *inputs: int, **attrs: str) -> dict[str, object]:
    return {"op": op, "name": name, "attrs": attrs, "inputs": [[i, 0, 0] for i in inputs]}


def test_what_is_written_is_read_back() -> None:
    assert from_json(to_json(small())) == small()


@pytest.mark.mxnet
def test_mxnet_reads_what_we_write_and_we_what_it_writes() -> None:
    graph = small()
    symbol = load().sym.load_json(to_json(graph))
    assert tuple(symbol.list_arguments()) == graph.arguments
    assert tuple(symbol.list_auxiliary_states()) == graph.auxiliary
    again = from_json(symbol.tojson())
    assert again.arguments == graph.arguments and again.heads == graph.heads


OLD = """{"nodes": [
 {"op": "null", "param": {}, "name": "data", "inputs": [], "backward_source_id": -1},
 {"op": "null", "param": {}, "name": "conv_weight", "inputs": [],
  "backward_source_id": -1, "attr": {"lr_mult": "2"}},
 {"op": "null", "param": {}, "name": "conv_bias", "inputs": [], "backward_source_id": -1},
 {"op": "Convolution", "param": {"kernel": "(3,3)", "num_filter": "4", "no_bias": "False"}, "name": "conv",
  "inputs": [[0, 0], [1, 0], [2, 0]], "backward_source_id": -1, "attr": {"ctx_group": "a"}},
 {"op": "null", "param": {}, "name": "bn_gamma", "inputs": [], "backward_source_id": -1},
 {"op": "null", "param": {}, "name": "bn_beta", "inputs": [], "backward_source_id": -1},
 {"op": "BatchNorm", "param": {"eps": "0.001", "fix_gamma": "False"}, "name": "bn",
  "inputs": [[3, 0], [4, 0], [5, 0]], "backward_source_id": -1},
 {"op": "Flatten", "param": {}, "name": "flat", "inputs": [[6, 0]], "backward_source_id": -1},
 {"op": "null", "param": {}, "name": "fc_weight", "inputs": [], "backward_source_id": -1},
 {"op": "null", "param": {}, "name": "fc_bias", "inputs": [], "backward_source_id": -1},
 {"op": "FullyConnected", "param": {"num_hidden": "5"}, "name": "fc", "inputs": [[7, 0], [8, 0], [9, 0]],
  "backward_source_id": -1},
 {"op": "null", "param": {}, "name": "softmax_label", "inputs": [], "backward_source_id": -1},
 {"op": "SoftmaxOutput", "param": {}, "name": "softmax", "inputs": [[10, 0], [11, 0]],
  "backward_source_id": -1}],
 "arg_nodes": [0, 1, 2, 4, 5, 8, 9, 11], "heads": [[12, 0]]}"""


@pytest.mark.mxnet
def test_a_file_of_the_caffe_era_means_what_mxnet_takes_it_to_mean() -> None:
    graph = from_json(OLD)
    symbol = load().sym.load_json(OLD)
    assert sorted(graph.arguments) == sorted(symbol.list_arguments())
    assert sorted(graph.auxiliary) == sorted(symbol.list_auxiliary_states()) == ["bn_moving_mean", "bn_moving_var"]
    assert graph.node("conv_weight").attrs == {"__lr_mult__": "2"}
    assert graph.node("bn").attrs == {"eps": "0.001", "fix_gamma": "False"}
    assert load().sym.load_json(to_json(graph)).list_outputs() == symbol.list_outputs()


def test_the_middle_ages_attr_is_read() -> None:
    text = OLD.replace('"param": {}, ', "").replace(', "attr": {"ctx_group": "a"}', "").replace('"param"', '"attr"')
    assert from_json(text).node("conv").attrs["kernel"] == "(3,3)"


def test_a_loss_layer_is_taken_off_and_its_label_with_it() -> None:
    graph = without_loss(from_json(OLD))
    assert graph.heads == (("fc", 0),)
    assert "softmax_label" not in graph and graph.inputs == ("data",)


def test_names_that_occur_twice_are_made_unique_and_variables_shared() -> None:
    nodes = [DATA, node("relu", "a", 0), node("relu", "a", 1), DATA, node("elemwise_add", "a_1", 2, 3)]
    graph = from_json(document(*nodes))
    assert [n.name for n in graph.nodes] == ["data", "a", "a_2", "a_1"]
    assert graph.node("a_1").inputs == (("a_2", 0), ("data", 0))


HOSTILE = {
    "not JSON": "{",
    "not UTF-8": b"\xff\xfe\x00",
    "not a JSON object": "[1, 2]",
    "nested too deep": "[" * 200_000,
    'no list "nodes"': "{}",
    "has no list \"heads\"": json.dumps({"nodes": [DATA], "arg_nodes": [0]}),
    "node 0 is not an object": document(3),
    "no usable name": document({"op": "null", "name": 7}),
    "names no operator": document({"name": "data", "op": None}),
    "node 1, which does not come before it": document(DATA, node("relu", "a", 1)),
    "node 9, which does not come before it": document(DATA, node("relu", "a", 9)),
    "not a list of 2 or 3 indices": document(DATA, {"op": "relu", "name": "a", "inputs": [[-1, 0]]}),
    "an input of b is not a list": document(DATA, {"op": "relu", "name": "b", "inputs": [[True, 0]]}),
    "inputs of node c are not a list": document(DATA, {"op": "relu", "name": "c", "inputs": "0"}),
    "output 5 of data": document(DATA, {"op": "relu", "name": "a", "inputs": [[0, 5]]}),
    "output 1 of a, which has fewer": document(
        DATA, node("relu", "a", 0), {"op": "relu", "name": "b", "inputs": [[1, 1]]}
    ),
    "variable data has inputs": document(DATA, {"op": "null", "name": "data", "inputs": [[0, 0]]}),
    "a is a _foreach": document(DATA, {**node("_foreach", "a", 0), "subgraphs": [{}]}),
    "a is a Custom": document(DATA, node("Custom", "a", 0, op_type="softmax")),
    "a is a _Native": document(DATA, node("_Native", "a", 0, info="0x1")),
    "a is a _cvimread": document(node("_cvimread", "a", filename="/etc/passwd")),
    "layer a (Convolution) is impossible: its num_group is 0 and must be a whole number from 1": document(
        DATA, node("Convolution", "a", 0, kernel="(3,3)", num_filter="4", num_group="0")
    ),
    "its num_outputs is x and must be a whole number": document(DATA, node("SliceChannel", "a", 0, num_outputs="x")),
    "argument kernel of node a is not a short string": document(
        DATA, {"op": "Convolution", "name": "a", "inputs": [[0, 0]], "attrs": {"kernel": 3}}
    ),
    "argument '__mine__' of node a has control characters": document(DATA, node("relu", "a", 0, __mine__="\0")),
    '"attrs" of node a is not an object': document(
        DATA, {"op": "relu", "name": "a", "inputs": [[0, 0]], "attrs": []}
    ),
    "an input of heads": json.dumps({"nodes": [DATA], "arg_nodes": [0], "heads": [[4, 0]]}),
}  # fmt: skip


@pytest.mark.parametrize("reason", HOSTILE)
def test_a_hostile_file_is_refused_and_its_fault_named(reason: str) -> None:
    with pytest.raises(NetworkError, match="Can't read this symbol JSON") as told:
        from_json(HOSTILE[reason])
    assert reason in str(told.value) or reason == "not UTF-8"


def test_a_file_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(NetworkError, match="it has 67 MB; at most 8 MB are read"):
        from_json(b" " * (64 * 2**20 + 1))


def test_every_cut_of_a_file_is_refused() -> None:
    text = to_json(small())
    for end in range(0, len(text) - 3, 97):
        with pytest.raises(NetworkError):
            from_json(text[:end])


def test_a_wrong_layer_name_is_answered_by_near_matches() -> None:
    with pytest.raises(NetworkError, match="Did you mean conv"):
        small().node("cnov")


def test_a_subgraph_holds_only_what_its_outputs_need(x: np.ndarray) -> None:
    graph = small()
    part = subgraph(graph, ["relu"])
    assert "side" not in part and part.arguments == (
        "data",
        "conv_weight",
        "conv_bias",
        "bn_gamma",
        "bn_beta",
    )
    both = subgraph(graph, ["relu", ("fc", 0)])
    first, last = run(both, values(graph), data=x)
    assert first.shape == (2, 4, 8, 8) and last.shape == (2, 3)


@pytest.mark.parametrize(
    "trainable",
    [{"fc_weight", "fc_bias"}, {"side_weight", "fc_weight"}, {"bn_gamma"}, {"conv_weight"}, {"fc_bias"}],
    ids=lambda names: "+".join(sorted(names)),
)
def test_front_and_rest_together_compute_the_whole(trainable: set[str], x: np.ndarray) -> None:
    graph, params = small(), values(small())
    front, rest = partition(graph, trainable)
    assert not trainable & {n.name for n in front.nodes}
    expected = run(graph, params, data=x)
    found = run(front, params, data=x) if front.heads else []
    found = found if isinstance(found, list) else [found]
    cuts = {f"{name}_{index}_cut": array for (name, index), array in zip(front.heads, found)}
    data = {**cuts, **({"data": x} if "data" in rest else {})}
    np.testing.assert_allclose(run(rest, params, **data), expected, rtol=1e-5, atol=1e-5)


def test_with_nothing_frozen_there_is_no_front() -> None:
    front, rest = partition(small(), set(small().arguments))
    assert front == Graph((), ()) and rest == small()


def test_dropout_at_the_border_stays_in_training() -> None:
    front, rest = partition(small(), {"fc_weight"})
    assert front.heads == (("flat", 0),) and "drop" in rest
    assert rest.arguments == ("flat_0_cut", "fc_weight", "fc_bias")


def test_with_nothing_trained_the_rest_is_only_the_cut() -> None:
    front, rest = partition(small(), set())
    assert front.heads == (("fc", 0),) and rest.heads == (("fc_0_cut", 0),)


def test_attach_puts_one_graph_on_another(x: np.ndarray) -> None:
    graph, params = small(), values(small())
    front, rest = partition(graph, {"fc_weight"})
    whole = attach(front, rest, {"flat_0_cut": ("flat", 0)})
    np.testing.assert_array_equal(run(whole, params, data=x), run(graph, params, data=x))


def test_attach_refuses_a_name_that_both_have() -> None:
    b = Builder()
    other = b.graph(b.act(b.data("in"), "relu", "relu"))
    with pytest.raises(NetworkError, match="Both graphs have a node relu"):
        attach(small(), other, {"in": "fc"})


def test_rename_and_remove_and_replace_keep_the_rest(x: np.ndarray) -> None:
    graph, params = small(), values(small())
    expected = run(graph, params, data=x)
    np.testing.assert_array_equal(run(rename(graph, {"relu": "first", "fc": "last"}), params, data=x), expected)
    np.testing.assert_array_equal(run(remove(graph, "drop"), params, data=x), expected)
    relu = graph.node("relu")
    clipped = replace_node(graph, "relu", Node("cut", "clip", {"a_min": "0", "a_max": "1e9"}, relu.inputs))
    np.testing.assert_array_equal(run(clipped, params, data=x), expected)


def test_a_graph_that_is_none_is_refused() -> None:
    with pytest.raises(NetworkError, match="does not come before it"):
        Graph((Node("a", "relu", {}, (("a", 0),)),), (("a", 0),))
    with pytest.raises(NetworkError, match="Two nodes have the name data"):
        Graph((Node("data"), Node("data")), (("data", 0),))
    with pytest.raises(NetworkError, match="output b is not in the graph"):
        Graph((Node("data"),), (("b", 0),))
    with pytest.raises(NetworkError, match="is a variable"):
        remove(small(), "data")


@pytest.mark.parametrize(("size", "kernel", "stride"), [(28, 3, 2), (7, 3, 2), (14, 5, 2), (9, 5, 1), (8, 1, 1)])
def test_same_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int) -> None:
    b = Builder()
    entry, pad = b.same_pad(b.data(), (size, size), kernel, stride)
    graph = b.graph(b.conv(entry, "conv", 1, kernel, stride, pad, bias=False))
    x = np.random.default_rng(0).normal(size=(1, 1, size, size)).astype("float32")
    w = np.random.default_rng(1).normal(size=(1, 1, kernel, kernel)).astype("float32")
    found = outputs(graph, {"conv_weight": w}, x)
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    padded = np.pad(x[0, 0], (total // 2, total - total // 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))[::stride, ::stride]
    np.testing.assert_allclose(found[0, 0], (windows * w[0, 0]).sum((2, 3)), rtol=1e-4, atol=1e-5)
