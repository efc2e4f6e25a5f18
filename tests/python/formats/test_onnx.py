"""ONNX files compute what onnxruntime computes with them, and what can't be read is named.

The files are made by tests/shared/onnx/make.py; `make parity` compares whole networks.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from mxtune import formats, mxload, mxnetwork, mxtrain
from mxtune.errors import MxtuneError, NetworkError
from mxtune.formats import Contents, onnx
from mxtune.formats._protobuf import MAX_VALUES, Field, parse
from mxtune.formats.onnx.fold import MOST
from mxtune.formats.untrusted import FaultError
from mxtune.network import Network
from mxtune.tasks.losses import CrossEntropy
from running import bound, outputs, program

SHARED = Path(__file__).resolve().parents[2] / "shared" / "onnx"
FILES = sorted(file.stem for file in SHARED.glob("*.onnx"))
CASES = dict(np.load(SHARED / "cases.npz"))
OUTPUTS = dict(np.load(SHARED / "outputs.npz"))
NAMES = sorted(name[:-5] for name in CASES if name.endswith(".onnx"))
TOLERANCE = 1e-5  # of the largest output


def images() -> np.ndarray:
    """What make.py drew."""
    return np.random.default_rng(7).normal(size=(3, 3, 16, 16)).astype(np.float32)


@cache
def contents(name: str) -> Contents:
    return formats.read(SHARED / f"{name}.onnx")


def computed(one: Contents, x: np.ndarray, passes: bool = False) -> Any:
    assert one.graph is not None and one.weights is not None
    return outputs(one.graph, {name: array.astype("float32") for name, array in one.weights.items()}, x, passes)


def same(y: np.ndarray, wanted: np.ndarray) -> bool:
    return y.shape == wanted.shape and bool(np.abs(y - wanted).max() <= TOLERANCE * max(np.abs(wanted).max(), 1e-3))


# ---- it computes what onnxruntime computes


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_computes_what_onnxruntime_computes(name: str, tmp_path: Path) -> None:
    (tmp_path / "one.onnx").write_bytes(CASES[f"{name}.onnx"].tobytes())
    assert same(computed(formats.read(tmp_path / "one.onnx"), CASES[f"{name}.x"]), CASES[f"{name}.y"])


@pytest.mark.parametrize("passes", [False, True], ids=["plain", "passes"])
@pytest.mark.parametrize("name", FILES)
def test_a_network_computes_what_onnxruntime_computes(name: str, passes: bool) -> None:
    assert same(computed(contents(name), images(), passes), OUTPUTS[name])


def test_every_operator_that_is_read_has_a_case_or_lies_in_a_network() -> None:
    covered = set()
    for file in SHARED.glob("*.onnx"):
        covered |= {node.op for node in _model(file.read_bytes()).nodes}
    for name in NAMES:
        covered |= {node.op for node in _model(CASES[f"{name}.onnx"].tobytes()).nodes}
    functions = {"Acos", "Acosh", "Asin", "Asinh", "Atanh", "Cosh", "Sinh", "Tan", "Log", "Sqrt", "Reciprocal", "Not"}
    assert set(onnx.names()) - covered - functions <= {"CastLike", "Swish", "Size"}


def _model(content: bytes) -> Any:
    from mxtune.formats.onnx.model import read_model

    return read_model(content, SHARED, 20_000)


# ---- what becomes of the layers


def test_a_network_has_its_classifier_its_stages_and_the_names_of_its_file() -> None:
    for block, classifier in (("residual", "fc"), ("mobile", "head"), ("convnext", "head"), ("transformer", "head")):
        for way in ("tracing17", "state_dict", "dynamo", "tracing13_one"):
            network = mxnetwork(SHARED / f"{block}_{way}.onnx")
            assert network.classifier == classifier, way
            assert network.preprocess.size == (16, 16) and network.stages
            assert {f"{classifier}.weight", f"{classifier}.bias"} <= set(network.params)


def test_an_exporter_that_is_asked_to_keeps_batchnorm_and_every_name() -> None:
    weights = contents("residual_state_dict").weights or {}
    statistics = ("weight", "bias", "running_mean", "running_var")
    layers = ("conv1.weight", "conv2.weight", "fc.weight", "fc.bias")
    assert set(weights) == {*layers, *(f"bn{n}.{part}" for n in (1, 2) for part in statistics)}
    graph = contents("residual_state_dict").graph
    assert graph is not None and graph.auxiliary == tuple(
        f"bn{n}.{part}" for n in (1, 2) for part in ("running_mean", "running_var")
    )


def operators(name: str) -> list[str]:
    graph = contents(name).graph
    assert graph is not None
    return [node.op for node in graph.nodes if not node.is_variable]


@pytest.mark.parametrize("way", ["tracing17", "state_dict", "dynamo", "tracing13_one"])
def test_what_exporters_take_apart_is_put_together(way: str) -> None:
    assert operators(f"convnext_{way}").count("LayerNorm") == 2
    assert "LeakyReLU" in operators(f"convnext_{way}") and "erf" not in operators(f"convnext_{way}")
    assert "transpose" not in operators(f"convnext_{way}")  # channels come last in the file, first here
    assert operators(f"convnext_{way}").count("Convolution") == 4
    assert operators(f"transformer_{way}").count("FullyConnected") == 5
    assert operators(f"transformer_{way}").count("batch_dot") == 2
    assert "mean" not in operators(f"mobile_{way}") and "Pooling" in operators(f"mobile_{way}")


def test_channels_last_become_channels_first() -> None:
    assert "transpose" not in operators("keras")
    assert contents("keras").image == (3, 16, 16)


def test_what_an_exporter_made_of_batchnorm_goes_into_the_convolution() -> None:
    assert "broadcast_mul" not in operators("keras") and "broadcast_add" not in operators("keras")
    assert operators("convnext_tracing17").count("broadcast_mul") == 1  # a layer scale stays


def test_the_names_of_the_classes_come_along() -> None:
    network = mxnetwork(SHARED / "keras.onnx")
    assert network.levels == ("ant", "bee", "cat", "dog", "elk")
    assert network.provenance["producer"] == "tf2onnx" and network.provenance["sha256"]


def test_a_batch_that_the_file_fixes_is_open_here() -> None:
    x = np.concatenate([images(), images()])
    assert same(computed(contents("caffe2"), x), np.concatenate([OUTPUTS["caffe2"]] * 2))


def test_arrays_that_exporters_share_are_parameters_of_their_own() -> None:
    graph = contents("transformer_dynamo").graph
    assert graph is not None
    users = [name for node in graph.nodes for name, _ in node.inputs if graph.node(name).is_variable]
    assert len(users) - users.count("data") == len({*users} - {"data"})


@pytest.mark.parametrize("name", ["residual_state_dict", "mobile_dynamo", "convnext_tracing17", "keras"])
def test_it_takes_a_new_head_and_comes_back_from_a_model_file(name: str, tmp_path: Path) -> None:
    network = mxnetwork(SHARED / f"{name}.onnx").replace_head(1, stages=True).freeze(2)
    model = {"task": "regression", "settings": {}, "metrics": {}, "history": [], "versions": {}}
    formats.write(tmp_path / "one.mxt", Contents.of(network, model))
    again = formats.read(tmp_path / "one.mxt").network
    assert again.graph == network.graph and isinstance(again, Network)


@pytest.mark.parametrize("tune", ["head", "tail", "all"])
@pytest.mark.parametrize(
    "name", ["residual_state_dict", "mobile_tracing17", "convnext_dynamo", "transformer_tracing17"]
)
def test_it_is_trained_saved_and_loaded(name: str, tune: str, tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (32, 16, 16, 3)).astype("uint8")
    x[::2] //= 4
    epochs = {} if tune == "head" else {"epochs": 1}
    network = mxnetwork(SHARED / f"{name}.onnx", image_size=16)
    model = mxtrain(x, ["dark", "light"] * 16, net=network, tune=tune, verbose=0, seed=1, **epochs)
    model.save(tmp_path / "one.mxt")
    assert mxload(tmp_path / "one.mxt").predict(x).equals(model.predict(x))


@pytest.mark.parametrize("name", ["residual_state_dict", "shuffle_dynamo", "convnext_dynamo", "transformer_tracing17"])
def test_a_step_of_training_moves_every_parameter(name: str) -> None:
    one = contents(name)
    assert one.graph is not None and one.weights is not None
    trainable = set(one.weights) - set(one.graph.auxiliary)
    executor = bound(program(one.graph, one.weights, images(), trainable))
    loss = executor.step(images(), np.array([0, 1, 4]), np.ones(3), CrossEntropy(5), 1e-2)
    assert np.isfinite(loss)
    after = executor.parameters()
    moved = {
        key for key, value in after.items() if not np.array_equal(value, one.weights[key]) and np.isfinite(value).all()
    }
    assert moved == trainable


# ---- other files


def test_weights_in_another_file_are_found_and_a_missing_one_is_named(tmp_path: Path) -> None:
    for name in ("outside.onnx", "outside.onnx.data"):
        shutil.copy(SHARED / name, tmp_path / name)
    assert same(computed(formats.read(tmp_path / "outside.onnx"), images()), OUTPUTS["outside"])
    (tmp_path / "outside.onnx.data").unlink()
    with pytest.raises(NetworkError, match=r"outside.onnx.data.*not there\ni Copy outside.onnx.data into the folder"):
        formats.read(tmp_path / "outside.onnx")


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "C:\\secret", "link"])
def test_no_array_is_read_from_outside_the_folder(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes((SHARED / "outside.onnx.data").read_bytes())
    (folder / "link").symlink_to(secret)
    content = (SHARED / "outside.onnx").read_bytes()
    (folder / "one.onnx").write_bytes(_relocated(content, location))
    with pytest.raises(NetworkError, match=r"outside the folder of this file|is a link"):
        formats.read(folder / "one.onnx")


def test_a_place_beyond_the_end_of_the_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.onnx").write_bytes((SHARED / "outside.onnx").read_bytes())
    (tmp_path / "outside.onnx.data").write_bytes((SHARED / "outside.onnx.data").read_bytes()[:100])
    with pytest.raises(NetworkError, match="does not hold the array"):
        formats.read(tmp_path / "outside.onnx")


# ---- a small writer of protocol buffers, to make what no exporter makes


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def node(op: str, inputs: list[str], output: str, name: str = "", domain: str = "", *attributes: bytes) -> bytes:
    content = b"".join(field(1, one) for one in inputs) + field(2, output) + field(3, name) + field(4, op)
    return content + (field(7, domain) if domain else b"") + b"".join(field(5, one) for one in attributes)


def tensor(name: str, array: np.ndarray) -> bytes:
    kinds = {"float32": 1, "int64": 7, "float16": 10}
    sides = b"".join(field(1, side) for side in array.shape)
    return sides + field(2, kinds[array.dtype.name]) + field(8, name) + field(9, array.tobytes())


def port(name: str, *sides: int) -> bytes:
    dims = b"".join(field(1, field(1, side) if side else field(2, "N")) for side in sides)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(nodes: list[bytes], arrays: list[bytes] | None = None, inputs: list[bytes] | None = None) -> bytes:
    graph = b"".join(field(1, one) for one in nodes) + b"".join(field(5, one) for one in arrays or [])
    graph += b"".join(field(11, one) for one in inputs or [port("x", 0, 3, 8, 8)]) + field(12, field(1, "y"))
    return field(1, 8) + field(2, "test") + field(7, graph) + field(8, field(1, "") + field(2, 17))


def opened(content: bytes, folder: Path) -> Contents:
    (folder / "one.onnx").write_bytes(content)
    return formats.read(folder / "one.onnx")


def _relocated(content: bytes, location: str) -> bytes:
    """The file with its arrays in a file of another name."""
    graph = parse(memoryview(content), {7: Field("graph", "bytes")}).graph
    rebuilt = bytearray()
    at = 0
    view = bytes(graph)
    old, new = field(2, "outside.onnx.data"), field(2, location)
    assert old in view
    while at < len(view):
        tag, length = view[at], view[at + 1]
        start, size = at + 2, length
        if length & 128:
            size, start = length & 127 | view[at + 2] << 7, at + 3
        part = view[start : start + size]
        if tag >> 3 == 5:
            part = _tensor_at(part, old, new)
        rebuilt += field(tag >> 3, part)
        at = start + size
    head = content[: content.index(field(7, view))]
    return head + field(7, bytes(rebuilt)) + content[len(head) + len(field(7, view)) :]


def _tensor_at(part: bytes, old: bytes, new: bytes) -> bytes:
    key = field(1, "location")
    return part.replace(field(13, key + old), field(13, key + new))


def test_the_small_writer_writes_what_is_read(tmp_path: Path) -> None:
    one = opened(model([node("Flatten", ["x"], "f"), node("MatMul", ["f", "w"], "y")],
                       [tensor("w", np.ones((192, 2), np.float32))]), tmp_path)  # fmt: skip
    assert one.graph is not None and one.graph.node(one.graph.heads[0][0]).op == "FullyConnected"


def test_half_precision_is_computed_as_single(tmp_path: Path) -> None:
    weight = np.linspace(-1, 1, 384).reshape(192, 2).astype(np.float16)
    to_half, to_single = (field(1, "to") + field(3, kind) + field(20, 2) for kind in (10, 1))
    nodes = [node("Cast", ["x"], "h", "a", "", to_half), node("Flatten", ["h"], "f"), node("MatMul", ["f", "w"], "m"),
             node("Cast", ["m"], "y", "b", "", to_single)]  # fmt: skip
    x = images()[:, :, :8, :8]
    y = computed(opened(model(nodes, [tensor("w", weight)]), tmp_path), x)
    assert same(y, x.reshape(3, -1) @ weight.astype(np.float32))


# ---- refused


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Einsum", ["x"], "y", "/a/Einsum")], '"/a/Einsum" \\(Einsum\\): the operator Einsum of ONNX 17 is not'),
        ([node("Relux", ["x"], "y", "r")], r"(?s)Relux of ONNX 17 is not read.*Did you mean Relu"),
        ([node("Relu", ["x"], "y", "r", "com.microsoft")], "operator Relu of com.microsoft is not read"),
        ([node("If", ["x"], "y", "r")], "control flow"),
        ([node("QuantizeLinear", ["x"], "y", "r")], "part of a quantised network"),
        ([node("LSTM", ["x"], "y", "r")], "for sequences"),
        ([node("Relu", ["x"], "w", "q"), node("Relu", ["z"], "y", "r")], 'takes "z", which does not come before it'),
        ([node("Conv", ["x", "x"], "y", "r")], "its weight is missing, or is computed from the image"),
        ([node("Relu", ["x"], "z", "r")], r"its output \(y\) is no row of numbers for each image"),
        ([node("Relu", ["x"], "y", "r")], "is no row of numbers for each image"),
        ([node("Cast", ["x"], "y", "r", "", field(1, "to") + field(3, 7) + field(20, 2))], "makes whole numbers"),
    ],
)
def test_what_is_not_read_names_the_node_the_operator_and_the_file(
    nodes: list[bytes], words: str, tmp_path: Path
) -> None:
    with pytest.raises(NetworkError, match=words) as caught:
        opened(model(nodes), tmp_path)
    assert "one.onnx" in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (["Softmax", ("axis", 0)], "images of a batch together"),
        (["ReduceMean", ("axes", 0)], "images of a batch together"),
        (["Resize", ("antialias", 1), ("mode", "linear")], "which no layer here does"),
        (["Resize", ("nearest_mode", "ceil")], "which no layer here does"),
        (["SpaceToDepth", ("blocksize", 2), ("mode", "CRD")], "its mode is CRD"),
    ],
)
def test_what_no_layer_here_does_is_refused_not_done_otherwise(nodes: list[Any], words: str, tmp_path: Path) -> None:
    op, *given = nodes
    kinds = [
        (name, field(3, v) + field(20, 2) if isinstance(v, int) else field(4, v) + field(20, 3)) for name, v in given
    ]
    attributes = [field(1, name) + kind for name, kind in kinds]
    inputs = ["x", "", "scales"] if op == "Resize" else ["x"]
    scales = tensor("scales", np.array([1, 1, 2, 2], np.float32))
    with pytest.raises(NetworkError, match=words):
        opened(model([node(op, inputs, "z", "n", "", *attributes), node("Flatten", ["z"], "y")], [scales]), tmp_path)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([port("x", 0, 3, 8, 8), port("z", 0, 3, 8, 8)], r"it takes 2 inputs \(x, z\)"),
        ([port("x", 0, 8)], "has 2 axes, and images have four"),
        ([port("x", 0, 5, 8, 8)], "has 5 channels, not 1, 3 or 4"),
        ([port("x", 0, 3, 2**20, 8)], "1048576 x 8 pixels"),
    ],
)
def test_what_takes_no_image_is_refused(inputs: list[bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=words):
        opened(model([node("Add", ["x", "z" if len(inputs) > 1 else "x"], "y")], inputs=inputs), tmp_path)


def growing(op: str) -> list[bytes]:
    return [node("Constant", [], "c0", "", "", field(1, "value_ints") + field(8, 2**20) * 3 + field(20, 7)),
            node(op, ["c0"], "big", "grows"), node("Add", ["x", "big"], "y")]  # fmt: skip


def test_a_constant_that_would_fill_the_memory_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=rf"\"grows\".*constant of {2**60:,} numbers"):
        opened(model(growing("ConstantOfShape")), tmp_path)
    doubling = [node("Concat", [f"c{n}", f"c{n}"], f"c{n + 1}", "", "", field(1, "axis") + field(20, 2))
                for n in range(60)]  # fmt: skip
    first = tensor("c0", np.zeros(8, np.int64))
    with pytest.raises(NetworkError, match=f"constant of {2 * MOST:,} numbers"):
        opened(model([*doubling, node("Reshape", ["x", "c60"], "y")], [first]), tmp_path)


@pytest.mark.parametrize("sides", [(2**31, 2**31, 2), (-1,), (10,)])
def test_an_array_that_claims_more_than_the_file_holds_is_refused(sides: tuple[int, ...], tmp_path: Path) -> None:
    lie = b"".join(field(1, side) for side in sides) + field(2, 1) + field(8, "w") + field(9, b"1234")
    with pytest.raises(NetworkError, match='the array "w" has'):
        opened(model([node("Add", ["x", "w"], "y")], [lie]), tmp_path)


def test_a_graph_that_mixes_the_images_of_a_batch_is_refused(tmp_path: Path) -> None:
    shape = tensor("s", np.array([3, -1], np.int64))
    with pytest.raises(NetworkError, match="is no row of numbers for each image"):
        opened(model([node("Reshape", ["x", "s"], "y")], [shape]), tmp_path)


# ---- protocol buffers


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x0a\x05ab", "longer than what is left"),
        (b"\x0a", "cut short"),
        (b"\x10" + b"\xff" * 11, "more than 64 bits"),
        (b"\x0b", "no known kind"),
        (b"\x0a\x02\xff\xfe", "not valid text"),
        (b"\x12\x02\xff\xff", "cut short"),
        (b"\x08\x01", "of another type"),
    ],
)
def test_a_malformed_message_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(FaultError, match=words):
        parse(memoryview(content), {1: Field("name", "text"), 2: Field("sides", "int", repeated=True)})


def test_nesting_and_the_number_of_values_are_bounded() -> None:
    message: dict[int, Field] = {}
    message[1] = Field("inner", message)
    content = b""
    for _ in range(100):
        content = field(1, content)
    with pytest.raises(FaultError, match="nested more than"):
        parse(memoryview(content), message)
    with pytest.raises(FaultError, match=f"more than {MAX_VALUES:,} values"):
        parse(memoryview(b"\x10\x01" * (MAX_VALUES + 1)), {2: Field("sides", "int", repeated=True)})


@pytest.mark.parametrize("numbers", [[], [0], [1, 127, 128, 300, 2**40, -1, -(2**63), 2**63 - 1]])
def test_packed_numbers_come_back(numbers: list[int]) -> None:
    packed = field(2, b"".join(map(varint, numbers)))
    apart = b"".join(field(2, number) for number in numbers)
    for content in (packed, apart):
        assert parse(memoryview(content), {2: Field("n", "int", repeated=True)}).n.tolist() == numbers


def test_an_error_of_the_reader_is_one_of_ours(tmp_path: Path) -> None:
    whole = (SHARED / "residual_dynamo.onnx").read_bytes()
    failures: Callable[[int], bool] = lambda at: _fails(whole[:at], tmp_path)  # noqa: E731
    assert all(failures(at) for at in range(30, len(whole) - 60, 97))


def _fails(content: bytes, folder: Path) -> bool:
    try:
        opened(content, folder)
    except MxtuneError:
        return True
    return False
