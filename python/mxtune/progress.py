"""Progress of long work, and who listens. The core never prints: it sends events to a reporter.

A reporter is any object with ``event(kind, **info)``. The kinds:

=========== ==========================================================================
``message`` ``text``: a sentence for the user, such as a default that was chosen
``start``   ``title, total, unit``: work of ``total`` units begins
``advance`` ``n``: so many units more are done; further keywords are figures to show
``end``     the work that was started has ended
``epoch``   ``stage, epoch, epochs, metrics``: an epoch of training has ended
=========== ==========================================================================
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Optional, Protocol

from .arguments import whole


class Reporter(Protocol):
    """Anything that listens."""

    def event(self, kind: str, **info: Any) -> None: ...


class Silent:
    """Listens and prints nothing."""

    def event(self, kind: str, **info: Any) -> None:
        pass


def epoch_line(info: dict[str, Any]) -> str:
    """One epoch as a line of text, the same in every reporter and language."""
    metrics = "  ".join(f"{name} {value:.4g}" for name, value in info["metrics"].items())
    return f"{info['stage']} {info['epoch']}/{info['epochs']}  {metrics}"


class Lines:
    """One line per epoch, for logs and documents."""

    def event(self, kind: str, **info: Any) -> None:
        if kind == "message":
            self._say(info["text"])
        elif kind == "epoch":
            self._say(epoch_line(info))

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Bar:
    """A bar with rate and time left, for a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._since = 0.0
        self._done = 0

    def event(self, kind: str, **info: Any) -> None:
        from rich.console import Console

        if kind == "start":
            self._open(info["title"], info["total"], info.get("unit", ""))
        elif kind == "advance" and self._bar is not None:
            self._done += info["n"]
            rate = self._done / max(time.monotonic() - self._since, 1e-9)
            self._bar.update(self._task, advance=info["n"], rate=f"{rate:,.0f}")
        elif kind == "end":
            self._close()
        elif kind in ("message", "epoch"):
            text = info["text"] if kind == "message" else epoch_line(info)
            console = self._bar.console if self._bar is not None else Console(stderr=True)
            console.print(text, highlight=False, markup=False)

    def _open(self, title: str, total: int, unit: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._close()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} " + f"{unit}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(title, total=total, rate="-")
        self._since, self._done = time.monotonic(), 0
        self._bar.start()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Notebook:
    """The lines so far and a bar beneath them, in one output of a notebook that is rewritten.

    (rich would need ipywidgets for it.)
    """

    _WIDTH, _PAUSE = 30, 0.1  # characters; seconds between two drawings

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._handle: Any = None
        self._work: dict[str, Any] = {}
        self._done, self._since, self._drawn = 0, 0.0, 0.0

    def event(self, kind: str, **info: Any) -> None:
        if kind == "start":
            self._work, self._done, self._since = info, 0, time.monotonic()
        elif kind == "advance":
            self._done += info["n"]
            if time.monotonic() - self._drawn < self._PAUSE:
                return
        elif kind == "end":
            self._work = {}
        else:
            self._lines.append(info["text"] if kind == "message" else epoch_line(info))
        self._draw()

    def _draw(self) -> None:
        from IPython.display import display

        self._drawn = time.monotonic()
        text = "\n".join([*self._lines, self._bar()] if self._work else self._lines)
        bundle = {"text/plain": text}
        if self._handle is not None:
            self._handle.update(bundle, raw=True)
        elif text:
            self._handle = display(bundle, raw=True, display_id=True)

    def _bar(self) -> str:
        total, seconds = max(1, self._work["total"]), time.monotonic() - self._since
        full = self._WIDTH * self._done // total
        left = seconds * (total - self._done) / self._done if self._done else 0.0
        rate = self._done / seconds if seconds > 0 else 0.0
        return (
            f"{self._work['title']} [{'#' * full}{'.' * (self._WIDTH - full)}] {self._done}/{total}  "
            f"{rate:,.0f} {self._work.get('unit', '')}/s  {left:.0f} s left"
        )


_current: ContextVar[Optional[Reporter]] = ContextVar("mxtune_reporter", default=None)


def current() -> Reporter:
    """The reporter that listens now."""
    return _current.get() or _SILENT


@contextmanager
def using(reporter: Reporter) -> Iterator[Reporter]:
    """Let ``reporter`` listen to the work inside the block."""
    token = _current.set(reporter)
    try:
        yield reporter
    finally:
        _current.reset(token)
        reporter.event("end")


def default(verbose: Optional[int] = None) -> Reporter:
    """The reporter for ``verbose``: 0 prints nothing, 1 a line per epoch, 2 a bar; ``None`` chooses by where it runs.

    A reporter that already listens (R's, for one) is kept; where ``verbose`` is 0 and it has a method ``silenced``,
    what that gives.
    """
    listening = _current.get()
    if verbose is not None and whole("verbose", int(verbose) if isinstance(verbose, bool) else verbose, 0, 2) == 0:
        silent: Reporter = getattr(listening, "silenced", Silent)()
        return silent
    if listening is not None:
        return listening
    if verbose == 1:
        return Lines()
    if _in_notebook():
        return Notebook()
    return Bar() if verbose == 2 or sys.stderr.isatty() else Lines()


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


_SILENT = Silent()
