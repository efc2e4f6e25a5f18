"""What every format must stand, those of a later day too: they get these tests by registering.

A format that writes makes its own sample here; one that is only read has files in tests/shared/formats.
"""

from __future__ import annotations

import os
import pickle
import random
import resource
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import Preprocess, formats
from mxtune.errors import FormatError, MissingFileError, MxtuneError
from mxtune.formats import Contents, Format
from mxtune.graph import Builder
from mxtune.network import Network

SHARED = Path(__file__).resolve().parents[2] / "shared" / "formats"
FORMATS = {one.name: one for one in formats.formats()}
READ = [name for name, one in FORMATS.items() if one.read]
WRITTEN = [name for name, one in FORMATS.items() if one.write]
MUTATIONS, LIES = 300, 200  # test_hostile.py opens more, of more kinds; `make fuzz` 10,000
MODEL = {
    "task": "classification", "settings": {"seed": 1}, "metrics": {"accuracy": 0.5}, "versions": {"mxtune": "0"},
    "history": [{"stage": "all", "epoch": 1, "lr": 0.1}],
}  # fmt: skip
# Which have the parameters that the graph needs, in float32, and no others; ONNX tells the same graph in its own words.
WHOLE, TRANSLATED = ("mxtune model", "ONNX"), ("ONNX",)
DTYPES = ("f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", ">f4", "c8", "U3", "O")


@cache
def whole() -> Contents:
    """A small model, with names in several scripts."""
    b = Builder()
    x = b.act(b.batchnorm(b.conv(b.data(), "层 conv", 4, 3, bias=False), "слой-bn"), "relu", "é_act")
    graph = b.graph(b.dense(b.flatten(b.global_pool(x, "avg", "pool"), "features"), "head", 3))
    preprocess = Preprocess(size=(8, 8), channels=3, mean=(0.0,), std=(255.0,))
    network = Network(graph, {}, {"name": "small"}, preprocess, levels=("a", "b", "Äpfel")).initialise(1)
    return Contents.of(replace(network, pretrained=True), MODEL)


def read(file: Path) -> Contents:
    """What a file has, with the weights beside it."""
    contents = formats.read(file)
    if contents.weights is None and contents.weights_file is not None:
        contents = replace(contents, weights=formats.read(contents.weights_file).weights)
    return contents


def name_for(one: Format, folder: Path) -> Path:
    return folder / f"ü sample{one.suffixes[0]}"


def samples(name: str, folder: Path) -> Iterator[bytes]:
    """Files of a format: one that it writes, or those that are kept for it."""
    one = FORMATS[name]
    if one.write:
        formats.write(name_for(one, folder), whole())
        yield name_for(one, folder).read_bytes()
        return
    kept = [file for file in sorted(SHARED.iterdir()) if file.suffix != ".py" and formats.format_of(file) is one]
    assert kept, f"{name} is read and not written: put small files of it into {SHARED}"
    for file in kept:
        yield file.read_bytes()


def same(array: Any, other: Any) -> bool:
    return array.dtype == other.dtype and array.shape == other.shape and array.tobytes() == other.tobytes()


# ---- what is written comes back


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_comes_back_to_the_bit(name: str, tmp_path: Path) -> None:
    file, first = name_for(FORMATS[name], tmp_path), whole()
    formats.write(file, first)
    assert formats.format_of(file) is FORMATS[name]
    again = read(file)
    assert again.weights is not None and first.weights is not None
    if name in TRANSLATED:
        values = {array.tobytes() for array in again.weights.values()}
        assert values >= {array.tobytes() for array in first.weights.values()} and again.levels == first.levels
        return
    assert again.weights.keys() == first.weights.keys()
    assert all(same(array, first.weights[name]) for name, array in again.weights.items())
    for part in ("graph", "preprocess", "levels", "classifier", "model"):
        assert getattr(again, part) in (None, getattr(first, part)), part
    before = file.read_bytes()
    formats.write(file, replace(again, graph=again.graph or first.graph))
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", WRITTEN)
def test_any_array_comes_back_to_the_bit_or_is_refused_by_name(name: str, tmp_path: Path) -> None:
    file, kept = name_for(FORMATS[name], tmp_path), 0
    values = np.arange(6).reshape(2, 3)
    arrays = [values.astype(code) for code in DTYPES]
    arrays += [
        values.astype("f4").T,
        np.zeros((0, 2), "f4"),
        np.full((), 3, "f4"),
        np.array([np.nan, -0.0, np.inf], "f4"),
    ]
    for array in arrays:
        try:
            formats.write(file, replace(whole(), weights={**(whole().weights or {}), "梨": array}))
            weights = read(file).weights
        except MxtuneError as error:
            assert "梨" in str(error) or "Can't use the model" in str(error)
            continue
        assert weights is not None and same(weights["梨"], array.astype(array.dtype.newbyteorder("=")))
        assert weights["梨"].flags.writeable and weights["梨"].flags.c_contiguous
        kept += 1
    assert kept >= 8 or name in WHOLE


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_that_is_there_is_replaced_whole_or_left(name: str, tmp_path: Path) -> None:
    file = name_for(FORMATS[name], tmp_path)
    formats.write(file, whole())
    before = file.read_bytes()
    with pytest.raises(MxtuneError):
        formats.write(file, replace(whole(), weights={"odd": np.array([object()])}))
    assert name == "MXNet network" or file.read_bytes() == before
    with pytest.raises(MxtuneError):
        formats.write(tmp_path / "none" / file.name, whole())
    assert [one.name for one in tmp_path.iterdir() if "mxtune-" in one.name] == []


# ---- damage and malice


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The file cut short, with flipped bits, a length that lies, or parts moved, taken out or doubled."""
    data, at = bytearray(content), rng.randrange(len(content))
    kind = rng.randrange(6)
    if kind == 0:
        return content[:at]
    if kind == 1:
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 2:
        size, code = rng.choice([(1, "B"), (2, "<H"), (4, "<I"), (8, "<Q")])
        lie = rng.choice([0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1])
        data[at : at + size] = struct.pack(code, lie)
    elif kind == 3:
        data[at : at + rng.randint(1, 40)] = b""
    elif kind == 4:
        data[at:at] = data[at // 2 : at // 2 + rng.randint(1, 40)]
    else:
        data[at : at + rng.randint(1, 8)] = rng.randbytes(rng.randint(1, 8))
    return bytes(data)


def arrays_of(contents: Contents) -> list[Any]:
    return list((contents.weights or {}).values())


@pytest.mark.parametrize("name", READ)
def test_hundreds_of_damaged_files_are_errors_or_arrays(name: str, tmp_path: Path) -> None:
    file, whole_files = name_for(FORMATS[name], tmp_path), list(samples(name, tmp_path))
    rng, refused = random.Random(5), 0  # noqa: S311 - no secret
    started = time.process_time()
    for number in range(MUTATIONS):
        content = mutated(whole_files[number % len(whole_files)], rng)
        file.write_bytes(content)
        try:
            arrays = arrays_of(formats.read(file))
        except MxtuneError:
            refused += 1
            continue
        assert all(isinstance(array, np.ndarray) and array.dtype.kind in "fiub" for array in arrays)
        assert sum(array.nbytes for array in arrays) <= 8 * len(content)
    assert refused > MUTATIONS / 10
    assert time.process_time() - started < 20


class _Evil:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.trace}'",)


@pytest.mark.parametrize("name", READ)
def test_a_pickle_that_would_run_code_does_not(name: str, tmp_path: Path) -> None:
    one, trace = FORMATS[name], tmp_path / "trace"
    (sample, *_) = samples(name, tmp_path)
    assert one.read is not None
    for protocol in range(6):
        evil = pickle.dumps(_Evil(trace), protocol)
        for content in (evil, sample[:16] + evil, evil + sample, sample.replace(sample[64:128], evil, 1)):
            name_for(one, tmp_path).write_bytes(content)
            for reader in (formats.read, one.read):
                with pytest.raises(MxtuneError):
                    reader(name_for(one, tmp_path))
    assert not trace.exists()


@pytest.mark.parametrize("name", READ)
def test_any_size_that_lies_is_refused_before_memory_is_taken(name: str, tmp_path: Path) -> None:
    """Wherever the file says how long something is, it now says more than any machine has."""
    file, whole_files = name_for(FORMATS[name], tmp_path), list(samples(name, tmp_path))
    rng = random.Random(6)  # noqa: S311 - no secret
    file.write_bytes(whole_files[0])
    formats.read(file)  # what is imported late is imported now
    with little_memory():
        for number in range(LIES):
            content = whole_files[number % len(whole_files)]
            lie = rng.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0\0\0\0\x10", b"\xff" * 8])
            at = rng.randrange(len(content))
            file.write_bytes(content[:at] + lie + content[at + len(lie) :])
            try:
                arrays = arrays_of(formats.read(file))
            except MxtuneError as error:
                assert "too little memory" not in str(error)
                continue
            assert sum(array.nbytes for array in arrays) <= 8 * len(content)


@contextmanager
def little_memory() -> Iterator[None]:
    """Within, this process gets no more than 512 MB in addition to what it has: a lie is 2 GB or more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (512 << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", READ)
def test_what_is_no_file_is_told(name: str, tmp_path: Path) -> None:
    one, file = FORMATS[name], name_for(FORMATS[name], tmp_path)
    assert one.read is not None
    with pytest.raises(MissingFileError):
        formats.read(file)
    with pytest.raises(MxtuneError, match="sample"):
        one.read(file)
    file.mkdir()
    with pytest.raises(FormatError, match="is a folder"):
        formats.read(file)
    with pytest.raises(MxtuneError, match="sample"):
        one.read(file)
    file.rmdir()
    file.write_bytes(b"")
    with pytest.raises(FormatError, match="is empty"):
        formats.read(file)
    with pytest.raises(MxtuneError, match="sample"):
        one.read(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(FormatError, match="not a regular file"):
        formats.read(file)


@pytest.mark.parametrize("name", READ)
def test_a_file_is_known_under_the_suffix_of_any_other(name: str, tmp_path: Path) -> None:
    for content in samples(name, tmp_path):
        for other in FORMATS.values():
            file = tmp_path / f"other{(*other.suffixes, '')[0]}"
            file.write_bytes(content)
            assert formats.format_of(file).name == name
            if other.read and other.name != name:
                with pytest.raises(MxtuneError):
                    other.read(file)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in READ])
def test_a_format_that_is_not_read_says_the_way_round(name: str) -> None:
    assert FORMATS[name].way_round and FORMATS[name].write is None
