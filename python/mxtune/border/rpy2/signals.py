"""Signals wait while code of rpy2 or of this border runs.

Python raises Ctrl-C, or what a handler of the user's raises, between any two steps of any code. In rpy2's it leaves R's
memory half changed, a lock taken or an object of R without its owner, and the process ends of it later; pandas loses it
now and then. Within `held` signals are noted. They reach the user's handlers where nothing is half done: at its end,
and within `released`, where R or a function of the user's runs.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Any, Callable, Optional

# those that people stop work with; handlers of the others don't raise
_NAMES = ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
_current: Optional[_Hold] = None


def held() -> AbstractContextManager[None]:
    """Within, signals are noted; then the user's handlers are called. Only the main thread has to do with them."""
    return _Hold() if _current is None and _in_main_thread() else nullcontext()


def released() -> AbstractContextManager[None]:
    """Within, and for what was noted before, the user's handlers are called."""
    return nullcontext() if _current is None or not _in_main_thread() else _Release(_current)


def check() -> None:
    """Call the user's handlers for what was noted, in the middle of long work that may be left here."""
    if _current is not None and _current.came:
        with released():
            pass


class _Hold:
    """Handlers of ours in the place of the user's, and the signals that came to them.

    It is no generator: one that a signal kept from going on would do so when it is forgotten, much later.
    """

    def __init__(self) -> None:
        self._users: dict[signal.Signals, Callable[[int, Optional[FrameType]], Any]] = {}
        self.came: list[int] = []

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()
        self.deliver()

    def begin(self) -> None:
        """Take the place of the handlers that Python has."""
        global _current  # noqa: PLW0603 - signals belong to the process
        try:
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler) and handler != self._note:
                    self._users[number] = handler
                    signal.signal(number, self._note)
            _current = self
        except BaseException:  # of a handler not replaced yet
            self.end()
            raise

    def end(self) -> None:
        """Put the user's handlers back, all of them: one that is back already may raise."""
        global _current  # noqa: PLW0603
        _current = None
        try:
            for number, handler in [*self._users.items()]:
                if signal.getsignal(number) == self._note:  # else it was changed meanwhile
                    signal.signal(number, handler)
                del self._users[number]
        finally:
            if self._users:
                self.end()

    def deliver(self) -> None:
        """Call the user's handlers for what came, after `end`."""
        try:
            while self.came:
                number = self.came.pop(0)
                handler = signal.getsignal(number)
                if callable(handler):
                    handler(number, sys._getframe())
        finally:
            if self.came:
                self.deliver()

    def _note(self, number: int, _: Optional[FrameType]) -> None:
        self.came.append(number)


class _Release:
    """The user's handlers in their own place for a while."""

    def __init__(self, hold: _Hold) -> None:
        self._hold = hold

    def __enter__(self) -> None:
        try:
            self._hold.end()
            self._hold.deliver()
        except BaseException:
            self._hold.begin()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self._hold.begin()
        except BaseException:
            self._hold.begin()
            raise


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
