"""Ctrl-C and SIGTERM where something would be lost: noted when they come, acted on where work can be left.

Python raises Ctrl-C between any two steps of any code, also in a finalizer or a library's callback, where it is lost or
breaks what was half done; and SIGTERM ends the process. Within `watching` both are noted instead once work is
`at_stake`; `check` then raises KeyboardInterrupt, once. A second one acts at once, but for a file that is being
written: `held` lets it finish.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any, Optional

from .progress import Reporter

_SAME = 0.1  # seconds: `timeout`, and shells within shells, send a signal twice
_WATCHED = (signal.SIGINT, signal.SIGTERM)
_languages: list[Callable[[FrameType], bool]] = []
_foreign: set[int] = set()  # handled by another language in this process, whatever Python says


class Watch:
    """The signals that came during a piece of work, and what to do about them."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.told = 0  # how many of them the user was told of
        self._at_stake = self._raised = False
        self._holding = 0
        self._last = -_SAME

    def at_stake(self) -> None:
        """From here on the first signal is noted, for `check` to raise."""
        self._at_stake = True

    def note(self, number: int, frame: Optional[FrameType] = None) -> None:
        """A signal has come, to this code."""
        again, self._last = time.monotonic() - self._last < _SAME, time.monotonic()
        if again and self.received:
            return
        self.received.append(number)
        if not self._holding and (not self._at_stake or len(self.received) > 1):
            _act(number)
        if frame is not None and any(runs(frame) for runs in _languages):
            raise KeyboardInterrupt

    def note_again(self) -> None:
        """Code of another language was interrupted: by the signal that was noted, or by one that only it has heard."""
        if not self.received or self._raised:
            self.note(signal.SIGINT)

    def check(self) -> None:
        """Raise KeyboardInterrupt where a signal was noted; once."""
        if self.received and not self._raised:
            self._raised = True
            raise KeyboardInterrupt

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Within, what the signal was to end has ended: only a second one acts."""
        before, self._raised = self._raised, True
        try:
            yield
        finally:
            self._raised = before

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Within, no signal acts; one that should have does so at the end."""
        self._holding += 1
        already = len(self.received)
        try:
            yield
        finally:
            self._holding -= 1
        if not self._holding and len(self.received) > max(already, 1 if self._at_stake else 0):
            _act(self.received[-1])


class Checking:
    """A reporter before which a watch is checked, where a piece of work is about to go on."""

    def __init__(self, reporter: Reporter, watch: Watch) -> None:
        self._reporter, self._watch = reporter, watch

    def event(self, kind: str, **info: Any) -> None:
        self._reporter.event(kind, **info)
        if kind in ("start", "advance"):
            self._watch.check()


_current: ContextVar[Optional[Watch]] = ContextVar("mxtune_interrupts", default=None)


def current() -> Optional[Watch]:
    """The watch that is kept in this thread."""
    return _current.get()


def leave(number: int) -> None:
    """Never handle this signal: another language in this process does, R its Ctrl-C; Python may not know."""
    _foreign.add(number)


def pass_on(runs: Callable[[FrameType], bool]) -> None:
    """Raise a signal also at once where it comes to code of another language: ``runs`` tells it by Python's frame."""
    _languages.append(runs)


def at_stake() -> None:
    """See `Watch.at_stake`; without a watch nothing happens."""
    watch = _current.get()
    if watch is not None:
        watch.at_stake()


@contextmanager
def watching() -> Iterator[Watch]:
    """A watch over signals, or the one that is kept already.

    Handlers of the user's own stay; so do all of them outside of the main thread. A SIGTERM that no work has caught, as
    there was nothing to keep, ends the process.
    """
    kept = _current.get()
    if kept is not None:
        yield kept
        return
    watch, before = Watch(), dict[signal.Signals, Any]()
    token = _current.set(watch)
    try:
        _handle({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}, watch.note, before)
        yield watch
    except KeyboardInterrupt:
        if watch.received[-1:] == [signal.SIGTERM]:
            _act(signal.SIGTERM)
        raise
    finally:
        _current.reset(token)
        _restore(before)


@contextmanager
def held() -> Iterator[None]:
    """Within, neither Ctrl-C nor SIGTERM stops what is being written; afterwards they do what they would have done."""
    watch = _current.get()
    if watch is not None:
        with watch.holding():
            yield
        return
    came, before = list[int](), dict[signal.Signals, Any]()
    try:
        _handle(dict.fromkeys(_WATCHED), lambda number, _: came.append(number), before)
        yield
    finally:
        _restore(before)
        for number in dict.fromkeys(came):
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, None)
            else:
                _act(number)


def _handle(replaced: dict[signal.Signals, Any], handler: Any, before: dict[signal.Signals, Any]) -> None:
    """Set the handler for signals whose own is as given, or with None any that can be restored; ``before`` keeps it."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number, wanted in replaced.items():
        found = signal.getsignal(number)
        known = number not in _foreign and found not in (None, signal.SIG_IGN)
        if known and wanted in (None, found):
            before[number] = found
            signal.signal(number, handler)


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def _act(number: int) -> None:
    """What a signal does by default in Python."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
