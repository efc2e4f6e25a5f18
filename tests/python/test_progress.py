"""Progress: what is told, and how it looks where."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from mxtune import progress

TRAIN = """
import warnings
from mxtune import mxexample, mxtrain
warnings.filterwarnings("ignore", "lenet has no pretrained weights")
mxtrain(mxexample('fashion'), net='lenet', epochs=2, verbose={})
"""


def run(verbose: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", TRAIN.format(verbose)], capture_output=True, text=True, check=True)


def test_nothing_is_said_with_verbose_0() -> None:
    done = run(0)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_line_an_epoch_where_there_is_no_terminal() -> None:
    done = run(None)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split()[:2] for line in lines] == [["all", "1/2"], ["all", "2/2"]]
    assert all(word in lines[0] for word in ("train_loss", "valid_loss", "valid_accuracy"))


def test_training_shows_bars_in_a_terminal() -> None:
    shown = in_terminal(TRAIN.format(None))
    for words in ("Checking the images", "all 1/2", "320/320", "Validating", "80/80", "all 2/2"):
        assert words in shown


def test_a_bar_tells_how_far_it_is_and_how_fast() -> None:
    code = (
        "import time; from mxtune.progress import Bar; bar = Bar()\n"
        "bar.event('start', title='Work', total=320, unit='images')\n"
        "for _ in range(4): time.sleep(0.1); bar.event('advance', n=64)\n"
        "time.sleep(0.5); bar.event('end')"
    )
    assert re.search(r"Work .*256/320.* [\d,]+ images/s .*0:00:0", in_terminal(code))


def in_terminal(code: str) -> str:
    """What a program shows in a terminal; it says nothing on stdout."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert process.returncode == 0
    return shown


def read_all(handle: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(handle, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            os.close(handle)
            return b"".join(parts).decode(errors="replace")
        parts.append(part)


class Kept:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    def event(self, kind: str, **_: object) -> None:
        self.kinds.append(kind)


def test_a_reporter_listens_only_inside_its_block_and_work_ends_with_it() -> None:
    kept = Kept()
    with pytest.raises(ZeroDivisionError), progress.using(kept):
        progress.current().event("start", title="Work", total=3, unit="images")
        raise ZeroDivisionError
    progress.current().event("message", text="nobody hears this")
    assert kept.kinds == ["start", "end"]


def test_who_listens_already_is_kept_unless_silence_is_wished() -> None:
    kept = Kept()
    with progress.using(kept):
        assert progress.default(None) is kept
        assert progress.default(2) is kept
        assert isinstance(progress.default(0), progress.Silent)
    assert isinstance(progress.default(1), progress.Lines)
    assert isinstance(progress.default(2), progress.Bar)


@pytest.mark.parametrize("reporter", [progress.Lines, progress.Bar, progress.Silent])
def test_every_reporter_bears_every_event(
    reporter: Callable[[], progress.Reporter], capsys: pytest.CaptureFixture[str]
) -> None:
    one = reporter()
    for _ in range(2):
        one.event("advance", n=1)
        one.event("start", title="Work [50%]", total=0, unit="images")
        one.event("advance", n=1, loss=0.5)
        one.event("message", text="A sentence with [brackets].")
        one.event("epoch", stage="tail", epoch=1, epochs=2, metrics={"train_loss": 0.123456})
        one.event("end")
        one.event("end")
    shown = capsys.readouterr()
    assert shown.out == ""
    silent = reporter is progress.Silent
    assert ("A sentence with [brackets]." in shown.err) is not silent
    assert ("tail 1/2  train_loss 0.1235" in shown.err) is not silent
