"""Pieces of work for workers that may be slow, or be lost: each piece is done, and counts once."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional, Protocol

from ... import progress
from ...errors import MxtuneError

Piece = tuple[int, int]
_LATE, _LEAST = 3.0, 2.0  # times what a piece takes on average, and seconds: then an idle worker does it, too
_IN_A_ROW = 3  # workers, for each one that there should be, are lost without any piece done
_LOOK = 0.2  # seconds between two looks at Ctrl-C and at late pieces


class LostError(Exception):
    """A worker is gone, and what it was doing; the text says how it ended."""


class Worker(Protocol):
    """A process that computes."""

    def compute(self, piece: Piece) -> Any:
        """What it makes of a piece; an error that it met, or `LostError`."""

    def end(self) -> None:
        """End it, also in the middle of a piece."""


class Dealing:
    """Pieces that are dealt to workers, each by a thread of its own.

    A worker that is lost is replaced, and its piece given to the next. A piece that is late is done by an idle worker,
    too, and the first to finish counts.

    Parameters
    ----------
    pieces
        What is to be done.
    hire
        Starts a worker.
    count
        How many there are at a time.
    """

    def __init__(self, pieces: Sequence[Piece], hire: Callable[[], Worker], count: int) -> None:
        self._waiting = deque(pieces)
        self._hire, self._count = hire, min(count, len(pieces))
        self._begun: dict[Piece, float] = {}  # not done yet
        self._twice: set[Piece] = set()
        self._seconds: list[float] = []
        self._outcomes: queue.Queue[tuple[Optional[Piece], Any]] = queue.Queue()
        self._change = threading.Condition()
        self._workers: list[Worker] = []
        self._losses, self._ended = 0, False

    def results(self) -> Iterator[tuple[Piece, Any]]:
        """Each piece and what a worker made of it, in the order in which they are done.

        Raises
        ------
        MxtuneError
            The first error that a worker met; or workers are lost one after another.
        """
        left = len(self._waiting)
        for number in range(self._count):
            threading.Thread(target=self._serve, name=f"mxtune-worker-{number}", daemon=True).start()
        try:
            while left:
                try:
                    piece, outcome = self._outcomes.get(timeout=_LOOK)
                except queue.Empty:
                    progress.current().event("advance", n=0)  # where Ctrl-C is acted on
                    continue
                if piece is None:
                    raise outcome
                left -= 1
                yield piece, outcome
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()
                workers = [*self._workers]
            for worker in workers:
                worker.end()

    def _serve(self) -> None:
        """What the thread of a worker does."""
        worker: Optional[Worker] = None
        while True:
            piece = self._next()
            if piece is None:
                return
            start = time.monotonic()
            try:
                worker = worker or self._hired()
                outcome = worker.compute(piece)
            except LostError as lost:
                if worker is not None:
                    worker.end()
                worker = None
                self._lost(piece, lost)
            except BaseException as error:  # noqa: BLE001 - it is raised where the results are asked for
                self._outcomes.put((None, error))
                return
            else:
                self._done(piece, outcome, time.monotonic() - start)

    def _hired(self) -> Worker:
        worker = self._hire()
        with self._change:
            self._workers.append(worker)
            if self._ended:  # meanwhile
                worker.end()
        return worker

    def _next(self) -> Optional[Piece]:
        """A piece to do: one that nobody has, or one that is late; None at the end."""
        with self._change:
            while not self._ended:
                if self._waiting:
                    piece = self._waiting.popleft()
                    self._begun[piece] = time.monotonic()
                    return piece
                late = self._late()
                if late is not None:
                    self._twice.add(late)
                    return late
                self._change.wait(_LOOK)
        return None

    def _late(self) -> Optional[Piece]:
        if not self._seconds:
            return None
        limit = max(_LEAST, _LATE * sum(self._seconds) / len(self._seconds))
        now = time.monotonic()
        late = [one for one, begun in self._begun.items() if one not in self._twice and now - begun > limit]
        return late[0] if late else None

    def _done(self, piece: Piece, outcome: Any, seconds: float) -> None:
        with self._change:
            self._losses = 0
            self._seconds.append(seconds)
            if self._begun.pop(piece, None) is not None:  # else another was faster
                self._outcomes.put((piece, outcome))

    def _lost(self, piece: Piece, lost: LostError) -> None:
        with self._change:
            if self._ended:
                return
            self._losses += 1
            if self._losses > _IN_A_ROW * self._count:
                text = f"{self._losses} workers were lost one after another."
                self._outcomes.put((None, MxtuneError(text, [str(lost)], "Leave `workers` out to use this process.")))
            elif piece in self._twice:  # another is at it
                self._twice.remove(piece)
            elif self._begun.pop(piece, None) is not None:
                self._waiting.appendleft(piece)
            self._change.notify_all()
