"""A transfer that tells our reporter how far it is, and can be interrupted: it runs in a thread of its own.

Ctrl-C and Esc in R are noted at the reporter's events, which R hears in the main thread alone; and the package
hf_xet, where it is installed, brings files without a word to the thread that waits for them.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable
from typing import Any, Optional, Protocol

from .. import progress
from ..errors import HubError

_BEAT, _LAST = 0.1, 3.0  # seconds between two events, and for a download that is to stop
_RESTARTS = 3


class Counting(Protocol):
    """What knows how many bytes have gone through it."""

    @property
    def n(self) -> float: ...


class Transfer:
    """A file on its way from the hub, or to it.

    Parameters
    ----------
    what
        Which file of which repository.
    most
        How many bytes it may have.
    """

    def __init__(self, what: str, most: int) -> None:
        self.what, self.most = what, most
        self.bars: list[Counting] = []
        self.is_stopped = False

    def of(self, work: Callable[[], str], size: int) -> str:
        """What `work` gives, which moves about `size` bytes.

        Raises
        ------
        HubError
            More bytes come than may, or the connection breaks too often.
        """
        outcome: list[Any] = []
        ended = threading.Event()  # not Thread.join: once interrupted, it takes the thread for ended

        def run() -> None:
            try:
                outcome.append(work())
            except Exception as fault:  # noqa: BLE001 - raised again by the one who waits
                outcome.append(fault)
            finally:
                ended.set()

        reporter, told = progress.current(), 0
        reporter.event("start", title=self.what, total=max(size, 0), unit="B")
        threading.Thread(target=run, name="mxtune and the hub", daemon=True).start()
        try:
            while not ended.wait(_BEAT):
                told += self._advance(reporter, told)
            self._advance(reporter, told)
        except BaseException:
            self._stop()
            ended.wait(_LAST)
            raise
        finally:
            reporter.event("end")
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return str(outcome[0])

    def _advance(self, reporter: progress.Reporter, told: int) -> int:
        """Tell how many bytes more have come than were told, and give it."""
        more = max((int(bar.n) - told for bar in self.bars), default=0)
        reporter.event("advance", n=max(more, 0))
        return max(more, 0)

    def _stop(self) -> None:
        self.is_stopped = True
        with contextlib.suppress(Exception):  # what its package does at Ctrl-C in the thread that waits
            importlib.import_module("huggingface_hub.utils._xet").abort_xet_session()


class Bar:
    """What `huggingface_hub` takes for a bar of tqdm: it counts, and ends a transfer that is to stop."""

    def __init__(
        self, transfer: Transfer, *_: Any, total: Optional[float] = None, initial: float = 0, **__: Any
    ) -> None:
        self.total, self.n = total, initial
        self._transfer, self._restarts, self._thread = transfer, 0, threading.get_ident()
        transfer.bars.append(self)

    def update(self, n: Optional[float] = 1) -> None:
        """So many bytes more have come; fewer than none if the hub begins again, which it might do for ever."""
        self.n += n or 0
        self._restarts += (n or 0) < 0
        if threading.get_ident() != self._thread:  # one of hf_xet's, which has no use for an exception
            return
        if self._transfer.is_stopped:
            raise InterruptedError
        if self.n > self._transfer.most:
            raise HubError(f"{self._transfer.what} is longer than the hub says.")
        if self._restarts > _RESTARTS:
            raise HubError(f"The connection broke while {self._transfer.what} was downloaded.", hint="Try again.")

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None  # what else a bar can do
