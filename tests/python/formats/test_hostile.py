"""Damaged and hostile files of every format: each opens, or one error names it. ``make fuzz`` opens 10,000."""

from __future__ import annotations

import io
import json
import resource
import struct
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import processes
from mxtune import formats
from mxtune.errors import MxtuneError
from mxtune.formats._protobuf import written
from torch_files import MACHINE, MAGIC_PROTOCOL, pickled

FILES = 600
TESTS = str(Path(__file__).parents[1])


def test_no_file_runs_anything_takes_much_or_ends_in_another_error() -> None:
    """In a process of its own, with bounded memory, that hears what it opens, runs and warns of."""
    done = processes.python("import runpy; runpy.run_module('hostile', run_name='__main__')", path=TESTS,
                            arguments=[str(FILES)])  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert all(f"\n{one.name} " in f"\n{done.stdout}" for one in formats.formats() if one.read), done.stdout


# ---- what a few bytes could ask for


def node(op: str, inputs: Sequence[str], output: str, **numbers: int) -> bytes:
    fields = [*(written(1, name) for name in inputs), written(2, output), written(3, "n"), written(4, op)]
    return b"".join(fields) + b"".join(
        written(5, written(1, name) + written(3, value) + written(20, 2)) for name, value in numbers.items()
    )


def array(name: str, values: Any) -> bytes:
    whole = np.asarray(values, "<i8")
    return b"".join(written(1, side) for side in whole.shape) + written(2, 7) + written(8, name) + written(9,
                    whole.tobytes())  # fmt: skip


def onnx(*nodes: bytes, arrays: Sequence[bytes] = ()) -> bytes:
    shape = b"".join(written(1, written(1, side)) for side in (1, 3, 8, 8))
    ports = [written(number, written(1, name) + written(2, written(1, written(1, 1) + written(2, shape))))
             for number, name in ((11, "x"), (12, "y"))]  # fmt: skip
    last = node("Relu", ["x"], "y")
    graph = b"".join(written(1, one) for one in [*nodes, last]) + b"".join(written(5, one) for one in arrays)
    return written(1, 8) + written(7, graph + b"".join(ports)) + written(8, written(1, "") + written(2, 17))


def folded(op: str, *arrays: Any, **numbers: int) -> bytes:
    """A model that computes this of constants."""
    names = [f"a{number}" for number in range(len(arrays))]
    return onnx(node(op, names, "c", **numbers), arrays=[array(*pair) for pair in zip(names, arrays)])


def torch_zip(program: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02" + program + b".")
    return stream.getvalue()


def symbol(count: int) -> bytes:
    layers = [{"op": "relu", "name": "a", "inputs": [[number, 0]]} for number in range(count)]
    nodes = [{"op": "null", "name": "data", "inputs": []}, *layers]
    return json.dumps({"nodes": nodes, "heads": [[count, 0, 0]]}).encode()


def prototxt(layer: str, count: int) -> bytes:
    return (
        'name: "n" input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 ' + f"layer {{ {layer} }} " * count
    ).encode()


PAIRS = b"](" + b"".join(b"X\5\0\0\0%05dN\x86" % number for number in range(20_000)) + b"e"
TABLES = PAIRS + b"q\0" + b"ccollections\nOrderedDict\nq\1" + b"h\1h\0\x85R" * 100_000
DOUBLED = b"](" + b")q\0" + b"h\0h\0\x86q\0" * 100 + b"e"  # tuples of tuples: 2^100 to hash
HEAD = b"".join(map(pickled, (*MAGIC_PROTOCOL, MACHINE, {})))
KERNEL = 'name: "a" type: "Pooling" bottom: "x" top: "x" pooling_param { kernel_size: 3 pad: 1 stride: 1 }'
SIDES = b"".join(written(1, 1 << 62) for _ in range(300_000))
BOMBS: dict[str, Callable[[], bytes]] = {
    "one list in many tables.pth": lambda: torch_zip(TABLES),
    "storages named by doubled tuples.pth": lambda: HEAD + b"\x80\2" + DOUBLED + b".",
    "deep tuples.pth": lambda: torch_zip(b")" + b"\x85" * 1_000_000),
    "many constants.onnx": lambda: onnx(
        *(node("ConstantOfShape", ["s"], f"c{number}") for number in range(1_000)), arrays=[array("s", [1 << 20])]),
    "sums of a constant.onnx": lambda: onnx(
        node("ConstantOfShape", ["s"], "c0"), *(node("Add", [f"c{n}"] * 2, f"c{n + 1}") for n in range(1_000)),
        arrays=[array("s", [1 << 20])]),
    "tile with more axes.onnx": lambda: folded("Tile", [1, 2], [1, 1_000_000_000]),
    "a shape of many sides.onnx": lambda: folded("ConstantOfShape", np.full(300_000, 1 << 40)),
    "many groups.onnx": lambda: onnx(
        node("GroupNormalization", ["x", "s", "s"], "c", num_groups=1 << 31), arrays=[array("s", [1, 1, 1])]),
    "a constant for each image.onnx": lambda: onnx(
        node("Expand", ["s", "r"], "c"), arrays=[array("s", [1]), array("r", [7919, 1 << 40])]),
    "layers of one name.json": lambda: symbol(19_990),
    "layers of one name.onnx": lambda: onnx(*(node("Relu", ["x"], f"v{number}") for number in range(19_000))),
    "layers of one name.prototxt": lambda: prototxt('name: "a" type: "ReLU" bottom: "x" top: "x"', 19_990),
    "poolings that ask for shapes.prototxt": lambda: prototxt(KERNEL, 3_000),
    "an array of many sides.caffemodel": lambda: written(1, "n") + written(
        100, written(1, "a") + written(2, "Convolution") + written(7, written(7, SIDES) + written(5, bytes(4)))),
    "many empty arrays.params": lambda: struct.pack("<QQQ", 0x112, 0, 1_000_000) + bytes(4_000_008),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_time_and_memory(name: str, tmp_path: Path) -> None:
    content = BOMBS[name]()
    (tmp_path / name).write_bytes(content)
    peak, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        formats.read(tmp_path / name)
    except MxtuneError as error:
        assert name in str(error) and len(str(error)) < 2_000
    assert time.process_time() - started < 4  # 0.1 to 0.9 s here; each took 20 s, all memory, or for ever
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 300 << 10
    assert len(content) < 6_000_000
