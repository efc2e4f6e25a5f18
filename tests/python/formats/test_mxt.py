"""Model files: whole or not at all, the same bytes each time, and nothing believed unchecked."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import signal
import stat
import struct
import subprocess
import sys
import textwrap
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import pytest
from safetensors.numpy import save

from mxtune.errors import ArgumentError, ModelFileError, StoreError
from mxtune.formats import mxt as bundle

SYMBOL = '{"nodes":[],"heads":[]}'
MANIFEST = {"task": "classification", "levels": ["Äpfel", "梨", "a,b"], "history": [{"loss": 0.5}]}


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "head_weight": rng.normal(size=(3, 4)).astype("float32"),
        "head_bias": np.zeros(3, "float32"),
        "counter": np.array(7, "int64"),
        "empty": np.zeros((0, 5), "float16"),
        "mask": np.array([True, False]),
    }


def model_bytes(**changes: Any) -> bytes:
    stream = io.BytesIO()
    bundle.write(stream, {**MANIFEST, **changes}, SYMBOL, arrays())
    return stream.getvalue()


def zip_bytes(
    members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED, change: Optional[Callable] = None
) -> bytes:
    """A zip with any members, by Python's own writer."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicate names
        for name, content in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = compression
            archive.writestr(info, content)
            if change is not None:
                change(info)
    return stream.getvalue()


def forged(
    weights: Optional[bytes] = None,
    symbol: bytes = SYMBOL.encode(),
    manifest: Optional[bytes] = None,
    **told: Any,
) -> bytes:
    """A model file with true hashes and a false content, laid out as mxtune would."""
    from mxtune.formats.mxt.layout import seal
    from mxtune.formats.mxt.writing import _pieces

    weights = save(arrays()) if weights is None else weights
    others = {"symbol.json": symbol, "weights.safetensors": weights}
    told = {"format": 1, "members": {name: seal(content) for name, content in others.items()}, **told}
    manifest = json.dumps(told).encode() if manifest is None else manifest
    return b"".join(_pieces({"manifest.json": manifest, **others}))


def tensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def refused(source: Any) -> str:
    """The one error of a file that can't be read, as text."""
    with pytest.raises(ModelFileError) as caught:
        bundle.read(source)
    assert len(caught.value.bullets) == 1
    return str(caught.value)


# What was written comes back --------------------------------------------------------------------------------


def test_content_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "my model ü.mxt"
    bundle.write(path, MANIFEST, SYMBOL, arrays())
    manifest, symbol, read, others = bundle.read(path)
    assert others == {}
    assert {key: manifest[key] for key in MANIFEST} == MANIFEST
    assert manifest["format"] == 1
    assert symbol == SYMBOL
    assert list(read) == sorted(arrays())
    for name, array in arrays().items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
        assert read[name].shape == array.shape


def test_arrays_read_can_be_changed() -> None:
    for array in bundle.read(model_bytes())[2].values():
        array[...] = 0
        assert array.flags.c_contiguous


def test_any_memory_layout_is_stored_by_value() -> None:
    stream = io.BytesIO()
    turned = np.arange(12.0).reshape(3, 4).T[::2]
    bundle.write(stream, {}, "{}", {"turned": turned, "big": np.arange(3, dtype=">i4")})
    read = bundle.read(stream.getvalue())[2]
    np.testing.assert_array_equal(read["turned"], turned)
    np.testing.assert_array_equal(read["big"], [0, 1, 2])


def test_manifest_names_hash_and_size_of_the_members() -> None:
    with zipfile.ZipFile(io.BytesIO(model_bytes())) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == bundle.MEMBERS
        told = json.loads(archive.read("manifest.json"))["members"]
        for name in bundle.MEMBERS[1:]:
            content = archive.read(name)
            assert told[name] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())


def test_numbers_of_numpy_and_nan_become_json() -> None:
    manifest, _, _, _ = bundle.read(
        model_bytes(
            loss=np.float32("nan"), best=np.float64(0.5), n=np.int64(3), end=float("inf"), size=(2, 3),
            row=np.array([1.0, np.nan]), deep={"is": np.bool_(True)},
        )
    )  # fmt: skip
    assert manifest["loss"] is manifest["end"] is None
    assert (manifest["best"], manifest["n"], manifest["size"]) == (0.5, 3, [2, 3])
    assert manifest["row"] == [1.0, None]
    assert manifest["deep"] == {"is": True}


def test_file_names_that_are_no_text_survive() -> None:
    name = b"photo\xff.jpg".decode("utf-8", "surrogateescape")
    assert bundle.read(model_bytes(files=[name]))[0]["files"] == [name]


def test_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.mxt", tmp_path / "two.mxt"
    bundle.write(one, MANIFEST, SYMBOL, arrays())
    time.sleep(0.01)
    bundle.write(two, MANIFEST, SYMBOL, dict(reversed(arrays().items())))
    assert one.read_bytes() == two.read_bytes() == model_bytes()
    manifest, symbol, read, _ = bundle.read(one)
    bundle.write(two, manifest, symbol, read)
    assert one.read_bytes() == two.read_bytes()


def test_keys_keep_their_order() -> None:
    row = {"stage": "head", "epoch": 1, "train_loss": 0.5, "lr": None}
    manifest = bundle.read(model_bytes(history=[row]))[0]
    assert list(manifest["history"][0]) == list(row)


def test_unknown_type_of_array_is_named() -> None:
    with pytest.raises(ArgumentError, match='"names" of type'):
        bundle.write(io.BytesIO(), {}, "{}", {"names": np.array(["a"], dtype=object)})


# Members that a file may lack --------------------------------------------------------------------------------

OTHERS = {"memory.safetensors": save({"a": np.zeros(2, "float16")}), "of_later.json": b"{}"}


def with_others(others: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    bundle.write(stream, MANIFEST, SYMBOL, arrays(), others)
    return stream.getvalue()


def test_other_members_come_back_and_without_them_the_format_is_1() -> None:
    content = with_others(OTHERS)
    manifest, _, read, others = bundle.read(content)
    assert (manifest["format"], others) == (2, OTHERS)
    assert set(read) == set(arrays())
    assert with_others(dict(reversed(OTHERS.items()))) == content
    assert with_others({}) == model_bytes()
    assert set(manifest["members"]) == {*bundle.MEMBERS[1:], *OTHERS}


def test_every_changed_byte_of_other_members_is_noticed() -> None:
    whole = with_others({"memory.safetensors": save({"a": np.zeros(2, "float16")})})
    for index in range(len(whole)):
        refused(whole[:index] + bytes([whole[index] ^ 0x40]) + whole[index + 1 :])


@pytest.mark.parametrize(
    "name", ["../x.json", "x.py", "Memory.json", "x.json\n", "a/b.json", "x" * 70 + ".json", "é.json", ".json"]
)
def test_other_members_have_plain_names(name: str) -> None:
    with pytest.raises(ArgumentError, match="can't hold these members"):
        with_others({name: b"{}"})
    two = [("manifest.json", b'{"format":2}'), *GOOD[1:], (name, b"{}")]
    assert "which no model file has" in refused(zip_bytes(two))


def test_other_members_are_few_and_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="can't hold these members"):
        with_others({f"part{number}.json": b"{}" for number in range(9)})
    whole = with_others(OTHERS)
    monkeypatch.setattr("mxtune.formats.mxt.layout._MOST_OF_OTHERS", 1)
    assert "and at most 1 are read" in refused(whole)
    with pytest.raises(ArgumentError, match="At most 1 fit"):
        with_others(OTHERS)


# Whole or not at all ----------------------------------------------------------------------------------------


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    for mask, expected in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        path = tmp_path / f"{mask}.mxt"
        before = os.umask(mask)
        try:
            bundle.write(path, MANIFEST, SYMBOL, arrays())
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == expected


def test_fault_in_mid_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.mxt"
    path.write_bytes(model_bytes())

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StoreError, match="No space left on device"):
        bundle.write(path, {"task": "other"}, SYMBOL, arrays())
    assert path.read_bytes() == model_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.mxt"]


def test_process_killed_in_mid_write_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.mxt"
    path.write_bytes(model_bytes())
    script = """
        import os, signal, sys
        import numpy as np
        from mxtune.formats import mxt as bundle
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)  # all is written, nothing renamed
        bundle.write(sys.argv[1], {}, "{}", {"a": np.zeros(100_000)})
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == model_bytes()
    bundle.write(path, {"task": "other"}, SYMBOL, arrays())  # and what is left over is in nobody's way
    assert bundle.read(path)[0]["task"] == "other"


def test_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.mxt", tmp_path / "latest.mxt"
    real.write_bytes(b"old")
    link.symlink_to(real)
    bundle.write(link, MANIFEST, SYMBOL, arrays())
    assert link.is_symlink()
    assert real.read_bytes() == model_bytes()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        bundle.write(tmp_path / "none" / "model.mxt", MANIFEST, SYMBOL, arrays())
    assert f"x there is no folder {tmp_path / 'none'}" in str(caught.value)


def test_folder_as_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="x it is a folder\ni Add a file name"):
        bundle.write(tmp_path, MANIFEST, SYMBOL, arrays())


# Damage -----------------------------------------------------------------------------------------------------


def test_every_shorter_file_is_refused() -> None:
    whole = model_bytes()
    for length in range(1, len(whole)):
        text = refused(whole[:length])
        assert "not a model file" in text or f"{length:,} bytes" in text, text
    assert "x it is empty" in refused(b"")


def test_longer_file_is_refused() -> None:
    refused(model_bytes() + b"\0")
    refused(model_bytes() + model_bytes())
    refused(b"PK\0\0" + model_bytes())


def test_every_changed_byte_is_noticed() -> None:
    whole = model_bytes()
    for index in range(len(whole)):
        for change in (0x01, 0x80, 0xFF):
            refused(whole[:index] + bytes([whole[index] ^ change]) + whole[index + 1 :])


def test_random_damage_is_one_clear_error() -> None:
    rng, whole = random.Random(1), model_bytes()  # noqa: S311 - no secret
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4))
        if bytes(damaged) != whole:
            refused(bytes(damaged))


# Hostile files ----------------------------------------------------------------------------------------------

WEIGHTS = save(arrays())
GOOD = [("manifest.json", b'{"format":1}'), ("symbol.json", b"{}"), ("weights.safetensors", WEIGHTS)]


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "a/../symbol.json", "C:\\x", "notes.txt"])
def test_path_that_climbs_out_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / "model.mxt"
    path.parent.mkdir()
    path.write_bytes(zip_bytes([*GOOD, (name, b"evil")]))
    text = refused(path)
    assert json.dumps(name) in text
    assert "which no model file has" in text
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def test_member_that_comes_twice_is_refused() -> None:
    assert "more than once" in refused(zip_bytes([*GOOD, GOOD[1]]))
    assert "more than once" in refused(zip_bytes([GOOD[0], *GOOD]))


@pytest.mark.parametrize("missing", [1, 2])
def test_missing_member_is_named(missing: int) -> None:
    assert f"it has no {GOOD[missing][0]}" in refused(zip_bytes(GOOD[:missing] + GOOD[missing + 1 :]))


def test_zip_of_other_things_is_refused() -> None:
    assert '"archive/data.pkl"' in refused(zip_bytes([("archive/data.pkl", b"")]))
    assert "it contains nothing" in refused(zip_bytes([]))


def test_compressed_member_is_refused_before_it_is_unpacked() -> None:
    bomb = [("manifest.json", b" " * 50_000_000), *GOOD[1:]]
    assert "compressed" in refused(zip_bytes(bomb, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("field", ["file_size", "compress_size"])
@pytest.mark.parametrize("size", [0, 3, 1_000, 3_000_000_000])
def test_lying_size_is_refused(field: str, size: int) -> None:
    def lie(info: zipfile.ZipInfo) -> None:
        if info.filename == "weights.safetensors":
            setattr(info, field, size)

    assert "weights.safetensors" in refused(zip_bytes(GOOD, change=lie))


def test_lying_size_of_both_is_refused() -> None:
    def lie(info: zipfile.ZipInfo) -> None:
        if info.filename == "manifest.json":
            info.file_size = info.compress_size = 2_000_000_000

    assert "claims to have 2,000,000,000 bytes" in refused(zip_bytes(GOOD, change=lie))


def test_members_that_overlap_are_refused() -> None:
    def lie(info: zipfile.ZipInfo) -> None:
        info.header_offset = 0

    refused(zip_bytes(GOOD, change=lie))


def test_bytes_hidden_between_members_are_refused() -> None:
    whole = zip_bytes(GOOD)
    start = whole.index(b"PK\1\2")
    hidden = whole[:start] + b"hidden" + whole[start:-6] + struct.pack("<I", start + 6) + whole[-2:]
    with zipfile.ZipFile(io.BytesIO(hidden)) as archive:
        assert archive.testzip() is None  # a fine zip, and still no model file
    assert "not laid out as mxtune writes it" in refused(hidden)


def test_false_hash_is_refused() -> None:
    content = {"symbol.json": {"sha256": "0" * 64, "bytes": len(SYMBOL)}}
    assert "does not name the other members" in refused(forged(members=content))
    content["weights.safetensors"] = {"sha256": "0" * 64, "bytes": len(WEIGHTS)}
    assert "symbol.json was changed" in refused(forged(members=content))


def test_forged_file_is_read_when_all_in_it_is_true() -> None:
    assert set(bundle.read(forged())[2]) == set(arrays())


def test_newer_format_is_refused_by_its_number() -> None:
    newer = [("manifest.json", b'{"format": 3}'), ("program.bin", b"")]
    for content in (forged(format=3), zip_bytes(newer)):
        text = refused(content)
        assert "a newer mxtune wrote it, in format 3; this mxtune reads formats up to 2" in text
        assert "i Install a newer version of mxtune." in text


@pytest.mark.parametrize("version", [None, "1", 0, -1, True, 1.0, [1]])
def test_format_that_is_no_number_is_refused(version: Any) -> None:
    assert "does not state the format" in refused(forged(format=version))


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        (b"[1]", "does not state the format"),
        (b"{", "not valid JSON"),
        (b'{"format": NaN}', "NaN is not a number"),
        (b'{"format": 1, "format": 1}', "a key occurs twice"),
        (b'{"format": 1, "x": "\xff"}', "not valid text"),
        (b"[" * 20_000_000, "more than 500,000 values"),
        (b"[" * 400_000, "nested more than 64 levels"),
        (b'{"format":1,"a":' + b"[" * 65 + b"]" * 65 + b"}", "nested more than 64 levels"),
        (b'{"format":' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"a":"' + b'\\"' * 1_000_000, "not valid JSON"),
        (b"[" + b"[]," * 10_000_000 + b"0]", "more than 500,000 values"),
        (b'{"format":1,"a":[' + b"0," * 10_000_000 + b"0]}", "more than 500,000 values"),
    ],
)
def test_hostile_manifest_is_refused(manifest: bytes, what: str) -> None:
    started = time.monotonic()
    assert what in refused(forged(manifest=manifest))
    assert time.monotonic() - started < 5


def test_hostile_symbol_is_refused() -> None:
    assert "symbol.json is nested" in refused(forged(symbol=b'{"a":' * 100_000))
    assert "symbol.json is not valid JSON" in refused(forged(symbol=b"import os"))


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        (b"", "does not fit into 0 bytes"),
        (b"\1\2", "does not fit"),
        (struct.pack("<Q", 1 << 60) + b"{}", "does not fit"),
        (struct.pack("<Q", 3) + b"{}", "does not fit"),
        (tensors([]), "not a table of arrays"),
        (tensors({"a": 1}), '"a" has no valid place'),
        (tensors({"a": {**ONE, "dtype": "O"}}, b"12345678"), "unknown type of number"),
        (tensors({"a": {**ONE, "dtype": ["F32"]}}, b"12345678"), "unknown type of number"),
        (tensors({"a": {**ONE, "shape": [-2]}}, b"12345678"), "no valid shape"),
        (tensors({"a": {**ONE, "shape": [2.0]}}, b"12345678"), "no valid shape"),
        (tensors({"a": {**ONE, "shape": [1] * 33}}, b"12345678"), "no valid shape"),
        (tensors({"a": {**ONE, "shape": [1 << 31, 1 << 31, 4]}}, b"12345678"), "does not fill"),
        (tensors({"a": {**ONE, "shape": [1 << 40, 1 << 40, 0], "data_offsets": [0, 0]}}), "no valid shape"),
        (tensors({"a": {**ONE, "data_offsets": [0, 4]}}, b"12345678"), "does not fill"),
        (tensors({"a": {**ONE, "data_offsets": [8, 0]}}, b"12345678"), "does not fill"),
        (tensors({"a": {**ONE, "data_offsets": [-8, 0]}}, b"12345678"), "no valid place"),
        (tensors({"a": {**ONE, "data_offsets": [0, 1 << 70]}}, b"12345678"), "no valid place"),
        (tensors({"a": {**ONE, "data_offsets": [4, 12]}}, b"123456789012"), "leaves a gap"),
        (tensors({"a": ONE, "b": ONE}, b"12345678"), "overlaps another array"),
        (tensors({"a": ONE}, b"1234567890"), "end elsewhere than the file"),
        (tensors({"a": ONE}, b"1234"), "end elsewhere than the file"),
        (tensors(b'{"a":1,"a":1}'), "a key occurs twice"),
        (tensors({"a": ONE, "__metadata__": [1]}, b"12345678"), "weights.safetensors: "),
    ],
)
def test_hostile_weights_are_refused(weights: bytes, what: str) -> None:
    assert what in refused(forged(weights=weights))


class _Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch /tmp/mxtune-was-here",)  # must never run


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    for name, content, what in (
        (
            "model.rds",
            b"\x1f\x8b\x08\0\0\0\0\0",
            "its format is R, or another compressed file\ni If R wrote it, open it there",
        ),
        ("plain.rds", b"X\n\0\0\0\3", "its format is R, or another compressed file\ni If R wrote it, open it there"),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "its format is Keras HDF5"),
        ("model.onnx", b"\x08\x07\x12\x07pytorch", "its format is ONNX"),
        (
            "model.safetensors",
            WEIGHTS,
            "its format is safetensors\ni mxnetwork() opens the network or the weights in it; a whole model",
        ),
        (
            "model.pkl",
            pickle.dumps(_Evil()),
            "its format is Python's pickle\ni A pickle could run code, so none is opened",
        ),
        ("model.txt", b"PKWARE is no magic", "damaged, or was cut short"),
        ("photo.jpg", b"\xff\xd8\xff\xe0", "its format is an image"),
        ("notes.txt", b"notes", "not a model file"),
        ("empty.mxt", b"", "it is empty"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        text = refused(path)
        assert what in text
        assert str(path) in text.splitlines()[0]
    assert not Path("/tmp/mxtune-was-here").exists()  # noqa: S108


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a folder" in refused(tmp_path)
    assert "there is no such file" in refused(tmp_path / "none.mxt")
    assert f"Looked for {tmp_path}" in refused(str(tmp_path / "none.mxt"))
    assert "not a regular file" in refused(tmp_path / "pipe")
    assert "it is not a valid file name" in refused("a\0b")
