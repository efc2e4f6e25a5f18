"""What every operator of the registry must be; those of tomorrow are walked too."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import mxnetwork, ops
from mxtune.engines.mxnet import load
from mxtune.errors import NetworkError
from mxtune.formats import Contents, mxt
from mxtune.graph import from_json, to_json
from mxtune.network import Network
from mxtune.ops.attributes import REQUIRED, Flag, Integer
from mxtune.ops.refused import REFUSED
from mxtune.ops.supported import markdown
from mxtune.zoo import entries

OPERATORS = list(ops.all_operators())


@pytest.fixture(scope="module")
def arguments() -> dict[str, dict[str, str]]:
    """For each operator of MXNet by all its names, its arguments and what MXNet reports about each."""
    library = load("mxnet.base")._LIB
    count, names = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    library.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names))
    copied = [names[i] for i in range(count.value)]  # the next call of the library takes this memory for itself
    return {name.decode(): _arguments(library, name) for name in copied}


def _arguments(library: Any, name: bytes) -> dict[str, str]:
    handle, text, number = ctypes.c_void_p(), ctypes.c_char_p, ctypes.c_uint()
    library.NNGetOpHandle(name, ctypes.byref(handle))
    words, lists = [text() for _ in range(4)], [ctypes.POINTER(text)() for _ in range(3)]
    real, about, key, kind = words
    told = [real, about, number, *lists, key, kind]
    library.MXSymbolGetAtomicSymbolInfo(handle, *map(ctypes.byref, told))
    return {lists[0][i].decode(): lists[1][i].decode() for i in range(number.value)}


@pytest.mark.mxnet
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_mxnet_has_it_with_these_names_arguments_and_defaults(
    operator: ops.Operator, arguments: dict[str, dict[str, str]]
) -> None:
    for name in (operator.name, *operator.aliases):
        theirs = arguments[name]
        unlisted = {"num_args"} if operator.name == "add_n" else set()
        assert {attribute.name for attribute in operator.attributes} - unlisted <= set(theirs), name
    for attribute in operator.attributes:
        told = arguments[operator.name].get(attribute.name, "")
        if attribute.default is REQUIRED or "default=" not in told:
            continue
        default = told.split("default=")[1].strip("'")
        if isinstance(attribute.kind, Flag):
            assert default == ("None" if attribute.default is None else str(int(attribute.default)))
        elif isinstance(attribute.kind, Integer):
            assert default == str(attribute.default)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two operators have the name relu"):
        ops.register(ops.Operator("relu", ops.find("relu").shapes))  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="unknown roles"):
        ops.register(ops.Operator("new", ops.find("relu").shapes, roles=frozenset({"activaton"})))  # type: ignore[union-attr]
    assert ops.find("new") is None and not {operator.name for operator in OPERATORS} & set(REFUSED)


def test_every_network_of_the_zoo_is_made_of_these() -> None:
    listed = {row["operator"] for row in ops.table()}
    used = set()
    for one in entries():
        preprocess = one.preprocess_for(None, None)
        graph = one.build(one.classes, preprocess.size, preprocess.channels)
        used |= {node.operator.name for node in graph.nodes if not node.is_variable}
    assert used <= listed and {"Convolution", "BatchNorm", "Pooling", "FullyConnected"} <= used


def test_the_page_of_operators_is_that_of_the_registry(repository: Path) -> None:
    told = "write it anew: python -c 'from mxtune.ops.supported import markdown; print(markdown(), end=\"\")'"
    assert (repository / "OPERATORS.md").read_text() == markdown(), told


@pytest.fixture(scope="module")
def lenet() -> Network:
    return mxnetwork("lenet", seed=1)


@pytest.mark.parametrize(
    ("operator", "attrs"),
    [
        ("smooth_l1", {"scalar": 1.0}), ("sin", {}), ("erf", {}), ("LeakyReLU", {"act_type": "gelu"}),
        ("LeakyReLU", {"act_type": "prelu"}), ("LayerNorm", {}), ("hard_sigmoid", {}), ("_mul_scalar", {"scalar": 2}),
        ("L2Normalization", {}), ("Dropout", {"p": 0.1}), ("square", {}), ("BatchNorm", {"fix_gamma": False}),
    ],
)  # fmt: skip
def test_what_can_be_inserted_can_be_opened_again(
    operator: str, attrs: dict[str, Any], lenet: Network, tmp_path: Path
) -> None:
    network = lenet.insert("fc1", operator, **attrs)
    assert from_json(to_json(network.graph)) == network.graph
    model = {"task": "regression", "settings": {}, "metrics": {}, "history": [], "versions": {}}
    one = network.replace_head(1)
    mxt.save(tmp_path / "one.mxt", Contents.of(one, model))
    again = mxt.load(tmp_path / "one.mxt").network
    assert again.graph == one.graph
    assert all(np.array_equal(again.params[name], value) for name, value in one.params.items())


@pytest.mark.parametrize(
    ("operator", "attrs", "words"),
    [
        ("smooth_l2", {}, "x is a smooth_l2, an operator that is not supported.\ni Did you mean smooth_l1"),
        ("Custom", {}, "x is a Custom, an operator that is not supported: it runs code from outside the network."),
        ("_npi_add", {}, "x is a _npi_add, an operator that is not supported: it belongs to MXNet's NumPy interface."),
        (
            "Dropout",
            {"p": 2},
            r"The layer x \(Dropout\) is impossible: its p is 2 and must be a number from 0 to",
        ),
        ("Dropout", {"pp": 2}, r"The layer x \(Dropout\) is impossible: it takes no pp.\ni Did you mean p"),
        ("BatchNorm", {"axis": 7, "nonsense": 1}, r"The layer x \(BatchNorm\) is impossible: it takes no nonsense."),
        ("clip", {"a_min": 0}, r"The layer x \(clip\) is impossible: its a_max is missing."),
    ],
)
def test_a_file_and_an_edit_refuse_the_same_in_the_same_words(
    operator: str, attrs: dict[str, Any], words: str, lenet: Network
) -> None:
    written = {name: str(value) for name, value in attrs.items()}
    layer = {"op": operator, "name": "x", "attrs": written, "inputs": [[0, 0]]}
    nodes = [{"op": "null", "name": "data", "inputs": []}, layer]
    with pytest.raises(NetworkError, match=words):
        from_json(json.dumps({"nodes": nodes, "heads": [[1, 0]]}))
    with pytest.raises(NetworkError, match=words):
        lenet.insert("fc1", operator, name="x", **attrs)


def test_what_would_corrupt_memory_is_refused(lenet: Network) -> None:
    with pytest.raises(NetworkError, match="its axis is 2 and must be that of the channels, 1"):
        lenet.insert("conv1", "BatchNorm", axis=2)
    with pytest.raises(NetworkError, match="its shape may not have a -1 after a -2 or -4"):
        lenet.insert("conv1", "Reshape", shape=(0, -4, 2, 10, -1))
