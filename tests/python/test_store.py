"""Files are written whole or not at all, whatever the disk does; the cache keeps within its bound."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import store
from mxtune.cli import output
from mxtune.errors import ArgumentError, MxtuneError, StoreError
from mxtune.formats import mxt
from mxtune.formats.params import write_params
from mxtune.model import report
from mxtune.training.state import Checkpoint, TrainingState
from processes import PACKAGE

ARRAYS = {"weight": np.zeros(50_000, "float32")}
HISTORY = pd.DataFrame({"stage": ["tail"] * 2, "train_loss": [0.9, 0.5]})
WRITERS: dict[str, Callable[[Path], None]] = {
    "the model file": lambda path: mxt.write(path, {}, "{}", ARRAYS),
    "the weights": lambda path: write_params(path, ARRAYS),
    "the checkpoint": lambda path: Checkpoint(path, {}).write(TrainingState(params=ARRAYS)),
    "the plot": lambda path: report.write(report.history(HISTORY), path),
    "the table": lambda path: output.write("a,b\n" * 50_000, path),
    "the cached arrays": lambda path: store.keep(path, [bytes(200_000)], 200_000),
}
NAMES = dict.fromkeys(WRITERS, "file.png") | {"the cached arrays": f"{'0' * 32}.npy"}
every_writer = pytest.mark.parametrize("what", WRITERS)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 64 kB; where this process may mount none, a folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = sys.platform == "linux" and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fault(number: int) -> Callable[..., None]:
    """A function of the system that fails, where no disk can be mounted."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fails


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys, time\nfrom pathlib import Path\nfrom mxtune import store\n{code}"]
        + [str(argument) for argument in arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# ---- whole or not at all


@every_writer
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_old_one(
    what: str, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = disk / NAMES[what]
    path.write_bytes(b"old")
    if not os.path.ismount(disk):
        monkeypatch.setattr(os, "fsync", fault(errno.ENOSPC))
    else:
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
    with pytest.raises(StoreError) as caught:
        WRITERS[what](path)
    assert str(caught.value) == (
        f'Can\'t write {what} "{path}".\nx No space left on device\ni Make room on the disk, or write elsewhere.'
    )
    assert path.read_bytes() == b"old"
    assert {entry.name for entry in disk.iterdir()} <= {path.name, "filler", ".lock"}


@every_writer
def test_a_read_only_disk_is_an_error_that_names_the_file(
    what: str, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = disk / NAMES[what]
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        if os.path.ismount(disk):
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        else:
            patch.setattr(os, "open", fault(errno.EROFS))
        with pytest.raises(StoreError) as caught:
            WRITERS[what](path)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("Can't write ")
    assert str(disk) in first
    assert rest == ["x Read-only file system", "i Write to a folder that you may change."]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("what", ["the model file", "the weights", "the table"])
def test_a_folder_and_a_missing_folder_have_words_of_their_own(what: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="x it is a folder\ni Add a file name"):
        WRITERS[what](tmp_path)
    with pytest.raises(StoreError, match=f"x there is no folder {tmp_path / 'none'}\ni Make the folder first"):
        WRITERS[what](tmp_path / "none" / "file.png")


def test_a_folder_below_a_file_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Can't make the folder"):
        store.make_folder(tmp_path / "file" / "deeper")


def test_the_error_is_caught_as_mxtunes_and_as_pythons_and_crosses_processes() -> None:
    error = StoreError("Can't.", ["no room"], "Make some.")
    assert isinstance(error, MxtuneError)
    assert isinstance(error, OSError)
    assert str(pickle.loads(pickle.dumps(error))) == "Can't.\nx no room\ni Make some."  # noqa: S301 - our own bytes


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        store.write(tmp_path / "file", [b"content"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store.write(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE)
    store.write(tmp_path / "pipe", [b"through ", b"it"])
    assert reader.communicate(timeout=60)[0] == b"through it"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


# ---- killed processes

FOREVER = """
for letter in b"abcdefgh" * 1000:
    store.write(sys.argv[1], [bytes([letter]) * 1_000_000] * 4)
    print(flush=True)
"""


def test_twenty_kills_leave_a_whole_file_and_nothing_that_the_next_write_does_not_remove(tmp_path: Path) -> None:
    path, chance, left_over = tmp_path / "file", np.random.default_rng(1), 0
    for _ in range(20):
        writer = child(FOREVER, path)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.02))
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=60)
        content = path.read_bytes()
        assert content == content[:1] * 4_000_000
        left_over += len(list(tmp_path.iterdir())) - 1
    assert left_over > 0  # or nothing was tested
    assert len(list(tmp_path.iterdir())) <= 2  # each write has removed what the kill before it left
    store.write(tmp_path / "another", [b"new"])
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "another"}


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    code = "def slow():\n    yield b'first '\n    print(flush=True)\n    yield sys.stdin.readline().encode()\n"
    writer = child(f"{code}store.write(sys.argv[1], slow())", tmp_path / "slow")
    assert writer.stdout is not None
    writer.stdout.readline()
    store.write(tmp_path / "quick", [b"done"])
    writer.communicate("second", timeout=60)
    assert writer.returncode == 0
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {
        "slow": b"first second",
        "quick": b"done",
    }


# ---- the cache


def entry(folder: Path, number: int) -> Path:
    return folder / f"{number:032x}.npy"


def test_the_longest_unused_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE_GB", "4e-7")  # 400 bytes
    for number in range(4):
        store.keep(entry(tmp_path, number), [bytes(100)], 100)
        os.utime(entry(tmp_path, number), (1000 + number, 1000 + number))
    store.mark_used(entry(tmp_path, 0))
    store.keep(entry(tmp_path, 4), [bytes(200)], 200)
    assert {one.path for one in store.entries(tmp_path)} == {entry(tmp_path, number) for number in (0, 3, 4)}
    assert sum(one.n_bytes for one in store.entries(tmp_path)) == 400


def test_what_is_larger_than_the_bound_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep(entry(tmp_path, 0), [bytes(100)], 100)
    monkeypatch.setenv("MXTUNE_CACHE_GB", "1e-7")
    with pytest.raises(StoreError, match="200 bytes are more than the 100 bytes that the cache may take"):
        store.keep(entry(tmp_path, 1), [bytes(200)], 200)
    assert [one.path for one in store.entries(tmp_path)] == [entry(tmp_path, 0)]


def test_files_of_others_in_the_folder_are_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {tmp_path / name for name in ("mine.npy", "0123.npy", f"{'0' * 32}.npz", "thesis.docx")}
    for path in others:
        path.write_bytes(bytes(1000))
    monkeypatch.setenv("MXTUNE_CACHE_GB", "2e-7")
    store.keep(entry(tmp_path, 0), [bytes(200)], 200)
    store.keep(entry(tmp_path, 1), [bytes(200)], 200)
    assert store.clear(tmp_path) == 200
    assert set(tmp_path.iterdir()) - {tmp_path / ".lock"} == others


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf"])
def test_a_bound_that_is_no_number_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE_GB", value)
    with pytest.raises(ArgumentError, match=f"`MXTUNE_CACHE_GB` must be a number of gigabytes.\nx it is '{value}'"):
        store.bound()


def test_the_bound_is_two_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MXTUNE_CACHE_GB", raising=False)
    assert store.bound() == 2_000_000_000


def test_the_cache_is_shown_and_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "new"))
    assert list(store.mxcache()["entries"]) == [0, 0, 0]
    assert store.mxcache()["used"].isna().all()
    assert not (tmp_path / "new").exists()
    for number, n_bytes in enumerate((100, 50)):
        store.keep(entry(store.features_dir(), number), [bytes(n_bytes)], n_bytes)
        os.utime(entry(store.features_dir(), number), (1000 * number, 1000 * number))
    images = store.features_dir() / f"{'1' * 32}-{'2' * 16}.pixels"
    store.keep(images, [bytes(9)], 9)
    os.utime(images, (2000, 2000))
    speed = store.make_folder(store.cache_dir() / "speed" / ("0" * 16)) / "lenet.json"
    for file in (speed, store.cache_dir() / "speed" / "mine.json"):
        file.write_bytes(bytes(7))
        os.utime(file, (3000, 3000))
    assert store.mxcache().drop(columns="folder").to_numpy().tolist() == [
        ["features", 2, 150.0, pd.Timestamp(1000, unit="s", tz="UTC")],
        ["images", 1, 9.0, pd.Timestamp(2000, unit="s", tz="UTC")],
        ["speed", 1, 7.0, pd.Timestamp(3000, unit="s", tz="UTC")],
    ]
    assert list(store.mxcache(clear=True)["entries"]) == [0, 0, 0]
    assert {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()} - {".lock"} == {"mine.json"}
    with pytest.raises(ArgumentError, match="`clear`"):
        store.mxcache(clear="features")  # type: ignore[arg-type]


def test_a_folder_in_the_cache_is_none_of_its_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    (tmp_path / "features" / f"{'0' * 32}-{'0' * 16}.rows").mkdir(parents=True)
    assert store.mxcache(clear=True)["entries"].tolist() == [0, 0, 0]


def test_only_the_user_can_read_what_is_cached(tmp_path: Path) -> None:
    store.keep(entry(tmp_path / "new" / "features", 0), [bytes(100)], 100)
    for folder in (tmp_path / "new", tmp_path / "new" / "features"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_user_without_a_home_has_no_cache_and_no_folder_called_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("MXTUNE_CACHE")
    monkeypatch.chdir(tmp_path)
    for of_platform in (fails, lambda *_, **__: Path("~/.cache/mxtune")):  # newer and older versions
        monkeypatch.setattr("platformdirs.user_cache_path", of_platform)
        assert store.cache_dir().is_absolute()
        assert not store.cache_dir().parent.exists()
        assert store.mxcache()["entries"].tolist() == [0, 0, 0]


def test_an_empty_or_missing_cache_has_no_entries(tmp_path: Path) -> None:
    assert store.entries(tmp_path / "none") == []
    assert store.clear(tmp_path / "none") == 0


def test_processes_that_keep_the_same_features_do_not_collide(tmp_path: Path) -> None:
    path = entry(tmp_path, 0)
    code = "for _ in range(40):\n    store.keep(Path(sys.argv[1]), [sys.argv[2].encode() * 100_000], 100_000)"
    writers = [child(code, path, letter) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert content == content[:1] * 100_000
    assert [writer.communicate() and writer.returncode for writer in writers] == [0, 0]
    assert {one.name for one in tmp_path.iterdir()} <= {path.name, ".lock"}
