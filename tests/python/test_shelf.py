"""Arrays in the cache by their keys: whole or not there, whatever wrote beside, ended early or damaged a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mxtune import store
from mxtune.errors import StoreError
from mxtune.shelf import Shelf
from processes import PACKAGE

NAME = "0" * 32
KEYS = [bytes([number]) * 16 for number in range(6)]
ARRAYS = [np.full(5, number, np.float32) for number in range(6)]


def shelf(folder: Path, name: str = NAME) -> Shelf:
    return Shelf(folder, name, np.float32)


def taken(folder: Path, keys: list[bytes]) -> dict[int, list[float]]:
    return {number: array.tolist() for number, array in shelf(folder).take(keys)}


def test_arrays_are_found_by_key_over_several_files(tmp_path: Path) -> None:
    shelf(tmp_path).add(KEYS[:3], ARRAYS[:3])
    one = shelf(tmp_path)
    one.add(KEYS[1:5], ARRAYS[1:5])
    assert sorted(number for number, _ in one.take(KEYS)) == [0, 1, 2, 3, 4]  # what it added, too
    assert taken(tmp_path, KEYS[::-1]) == {5 - number: [number] * 5 for number in range(5)}
    assert sum(entry.n_bytes for entry in store.entries(tmp_path)) < 5 * 20 + 5 * 44 + 2 * 8 + 1  # none twice


def test_arrays_keep_their_shapes(tmp_path: Path) -> None:
    pixels = [np.arange(h * w * 3, dtype=np.uint8).reshape(h, w, 3) for h, w in ((2, 3), (4, 1))]
    Shelf(tmp_path, NAME, np.uint8).add(KEYS[:2], pixels)
    for number, array in Shelf(tmp_path, NAME, np.uint8).take(KEYS):
        np.testing.assert_array_equal(array, pixels[number])


def test_names_are_apart(tmp_path: Path) -> None:
    shelf(tmp_path).add(KEYS, ARRAYS)
    assert list(shelf(tmp_path, "1" * 32).take(KEYS)) == []


def test_what_has_no_key_of_its_own_is_not_kept(tmp_path: Path) -> None:
    keys = [KEYS[0], KEYS[1], KEYS[0], KEYS[2], KEYS[2], b""]  # an image that could not be read has no digest
    arrays = [ARRAYS[0], ARRAYS[1], ARRAYS[3], ARRAYS[2], ARRAYS[2], ARRAYS[4]]
    shelf(tmp_path).add(keys, arrays)
    assert taken(tmp_path, [*KEYS, b""]) == {1: [1] * 5, 2: [2] * 5}


@pytest.mark.parametrize("where", ["data", "index", "count"])
@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "other"])
def test_a_damaged_file_is_removed_and_written_anew(tmp_path: Path, damage: str, where: str) -> None:
    shelf(tmp_path).add(KEYS, ARRAYS)
    (file,) = tmp_path.glob("*.rows")
    content = bytearray(file.read_bytes())
    content[{"data": 30, "index": 150, "count": -7}[where]] ^= 1
    file.write_bytes({"cut": content[:-11], "byte": content, "empty": b"", "other": b"not one of ours" * 9}[damage])
    intact = taken(tmp_path, KEYS)
    assert intact == {number: [number] * 5 for number in intact}
    assert len(intact) < 6
    assert not file.exists()
    shelf(tmp_path).add(KEYS, ARRAYS)
    assert len(taken(tmp_path, KEYS)) == 6


def test_a_file_that_another_process_removed_is_missing_and_nothing_else(tmp_path: Path) -> None:
    shelf(tmp_path).add(KEYS, ARRAYS)
    one = shelf(tmp_path)
    store.clear(tmp_path)
    assert list(one.take(KEYS)) == []


def test_what_is_no_file_is_no_entry(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{NAME}-{'1' * 16}.rows")
    (tmp_path / f"{NAME}-{'2' * 16}.rows").mkdir()
    shelf(tmp_path).add(KEYS, ARRAYS)
    assert len(taken(tmp_path, KEYS)) == 6


def test_what_is_used_is_kept_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        shelf(tmp_path).add([KEYS[number]], [ARRAYS[number]])
    for age, entry in enumerate(sorted(store.entries(tmp_path))):
        os.utime(entry.path, (1000 + age, 1000 + age))
    used = taken(tmp_path, KEYS[:1])
    monkeypatch.setenv("MXTUNE_CACHE_GB", str(2 * (20 + 44 + 8) / 1e9))
    shelf(tmp_path).add([KEYS[4]], [ARRAYS[4]])
    assert {*taken(tmp_path, KEYS)} == {*used, 4}


def test_more_than_the_cache_may_take_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE_GB", "1e-7")
    with pytest.raises(StoreError, match="are more than the 100 bytes that the cache may take"):
        shelf(tmp_path).add(KEYS, ARRAYS)


def test_processes_that_write_at_once_leave_whole_files(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom mxtune.shelf import Shelf\n"
        "for n in range(20):\n"
        "    keys = [bytes([n, m]) * 8 for m in range(9)]\n"
        f"    Shelf(Path(sys.argv[1]), {NAME!r}, np.float32).add(keys, [np.full(999, n, np.float32)] * 9)"
    )
    environ = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environ) for _ in range(2)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    keys = [bytes([n, m]) * 8 for n in range(20) for m in range(9)]
    found = dict(shelf(tmp_path).take(keys))
    assert len(found) == len(keys)
    assert all((array == number // 9).all() for number, array in found.items())
