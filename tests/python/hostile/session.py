"""Thousands of files are opened in this process, which is watched: time, memory, what runs, what is said."""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mxtune
from mxtune import progress
from mxtune.errors import MxtuneError

from .damage import ANYWHERE, Change, spliced
from .hdf5 import config_changed, description_changed, hdf5_changed
from .pickles import CANARY, evil, evil_legacy, other_instructions
from .samples import Sample, samples
from .trees import json_changed, message_changed, npy_changed, place_changed, safetensors_changed, text_changed
from .zips import header_changed, huge_dictionary, member_changed, packed_otherwise, resealed

SECONDS, BYTES = 2.0, 192 << 20
"""What one file of some kilobytes may take; all that the process has at that time is not counted."""

_CODE = (sys.prefix, sys.base_prefix, str(Path(mxtune.__file__).parent))
_RUNS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "socket.",
         "ctypes.dlopen", "pty.", "pickle.find_class", "webbrowser.", "shutil.", "os.remove", "os.rename", "os.mkdir",
         "os.symlink", "os.chmod")  # fmt: skip


def changes_of(sample: Sample, others: list[bytes]) -> list[Change]:
    """What is done to a file: to its bytes, and to what its format is made of."""
    inner: tuple[Change, ...] = ANYWHERE
    of_zip = (packed_otherwise, header_changed, header_changed, huge_dictionary)
    own: dict[str, tuple[Change, ...]] = {
        "mxtune model": (
            *of_zip,
            *map(resealed, (json_changed, json_changed, json_changed, safetensors_changed, *inner[:4])),
        ),
        "MXNet network": (json_changed,) * 8,
        "safetensors": (safetensors_changed,) * 8,
        "NumPy archive": (*of_zip, *map(member_changed, (npy_changed,) * 4 + inner)),
        "ONNX": (message_changed,) * 10 + (place_changed,) * 4,
        "Caffe": (text_changed,) * 8,
        "Caffe weights": (message_changed,) * 10,
        "Keras description": (json_changed, json_changed, config_changed) * 4,
        "Keras HDF5": (hdf5_changed,) * 6 + (description_changed,) * 6,
        "Keras": (
            *of_zip,
            *map(member_changed, (hdf5_changed,) * 9 + (config_changed,) * 6 + (json_changed,) * 6 + inner),
        ),
        "PyTorch": (*of_zip, *map(member_changed, (evil, evil, evil, other_instructions, other_instructions, *inner))),
    }
    if sample.format == "PyTorch" and not sample.content.startswith(b"PK"):
        own["PyTorch"] = (evil_legacy, evil_legacy, other_instructions, other_instructions)
    return [*ANYWHERE, spliced(others), *own.get(sample.format, of_zip if sample.content.startswith(b"PK") else ())]


@dataclass
class Report:
    """What came of the files."""

    opened: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: int = 0

    def fault(self, sample: Sample, change: str, number: int, what: str) -> None:
        self.faults.append(f"{sample.name}, file {number}, {change}: {what}")


def run(count: int, seed: int, only: str = "", keep: Path | None = None) -> Report:
    """Open so many damaged files, the same for the same seed.

    Parameters
    ----------
    only
        The name of a format, if not all.
    keep
        A folder for the files that something is wrong with.
    """
    report, watch = Report(), _Watch()
    with tempfile.TemporaryDirectory() as name, progress.using(progress.Silent()):
        folder = Path(name)
        made = [one for one in samples(_new(folder, "made")) if only in one.format]
        everything = [one.content for one in made]
        os.chdir(_new(folder, "here"))
        for sample in made:  # what is imported late is imported now
            _file(folder, sample).write_bytes(sample.content)
            sample.open(_file(folder, sample))
        sys.addaudithook(watch.event)
        for number in range(count):
            sample = made[number % len(made)]
            rng = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
            change = rng.choice(changes_of(sample, everything))
            content = _changed(change, rng, sample)
            label = getattr(change, "__qualname__", "?").replace(".<locals>", "")
            before = len(report.faults)
            _open_one(report, watch, sample, _file(folder, sample), content, label, number)
            if keep is not None and len(report.faults) > before:
                keep.mkdir(exist_ok=True)
                (keep / f"{seed}-{number}-{sample.name}").write_bytes(content)
    return report


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _file(folder: Path, sample: Sample) -> Path:
    home = folder / sample.format.replace(" ", "")
    if not home.exists():
        home.mkdir()
        (home / "folder").mkdir()
        (home / "link").symlink_to("/etc")
        os.mkfifo(home / "pipe")
    return sample.put(home)


def _changed(change: Change, rng: random.Random, sample: Sample) -> bytes:
    try:
        return change(rng, sample.content)
    except (ValueError, KeyError, OSError, TypeError, RecursionError):  # the sample is not of this structure
        return rng.choice(ANYWHERE)(rng, sample.content)


def _open_one(
    report: Report, watch: _Watch, sample: Sample, file: Path, content: bytes, change: str, number: int
) -> None:
    file.write_bytes(content)
    peak, started = _peak(), time.process_time()
    with warnings.catch_warnings(record=True) as heard, watch.over(file.parent):
        warnings.simplefilter("always")
        try:
            sample.open(file)
            report.opened[sample.format] += 1
        except MxtuneError as error:
            report.refused.setdefault(sample.format, Counter())[type(error).__name__] += 1
            text = str(error)
            if not any(name in text for name in (file.name, *sample.beside)):
                report.fault(sample, change, number, f"its name is not in {text[:300]!r}")
            if "too little memory" in text:
                report.fault(sample, change, number, "it would take all memory")
            if len(text) > 3_000:
                report.fault(sample, change, number, f"a message of {len(text)} characters: {text[:200]!r}")
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            *_, (frame, line) = traceback.walk_tb(error.__traceback__)
            where = f"{frame.f_code.co_filename}:{line}"
            report.fault(sample, change, number, f"{type(error).__name__}: {str(error)[:200]} ({where})")
    seconds, grown = time.process_time() - started, max(0, _peak() - peak)
    report.slowest, report.largest = max(report.slowest, seconds), max(report.largest, grown)
    if seconds > SECONDS:
        report.fault(sample, change, number, f"{seconds:.1f} s")
    if grown > BYTES:
        report.fault(sample, change, number, f"{grown >> 20} MB")
    for one in heard:
        report.fault(sample, change, number, f"it warned: {str(one.message)[:200]} ({one.filename}:{one.lineno})")
    for event in watch.events:
        report.fault(sample, change, number, f"it did {event}")
    if Path(CANARY).exists():
        Path(CANARY).unlink()
        report.fault(sample, change, number, "code of the file was run")


class _Watch:
    """Hears what this process does, by Python's audit events, while it is over a folder."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.folder: Path | None = None

    def event(self, name: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None:
            return
        if name == "open":
            path, mode, flags = arguments
            inside = not isinstance(path, str) or path.startswith((str(self.folder), *_CODE))
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not inside or writes:
                self.events.append(f"open {path!r} {mode}")
        elif name.startswith(_RUNS):
            self.events.append(f"{name} {str(arguments)[:100]}")

    def over(self, folder: Path) -> _Over:
        self.events = []
        return _Over(self, folder)


@dataclass
class _Over:
    watch: _Watch
    folder: Path

    def __enter__(self) -> None:
        self.watch.folder = self.folder

    def __exit__(self, *_: object) -> None:
        self.watch.folder = None


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def lines(report: Report) -> Iterator[str]:
    """The counts by format, and whatever went wrong."""
    for name in sorted({*report.opened, *report.refused}):
        refused = report.refused.get(name, Counter())
        kinds = ", ".join(f"{count} {kind}" for kind, count in refused.most_common())
        yield f"{name:16} {report.opened[name]:5} opened, {sum(refused.values()):5} refused: {kinds}"
    yield f"the slowest took {report.slowest:.2f} s, the largest {report.largest >> 20} MB"
    yield from report.faults
    yield f"{len(report.faults)} faults"
