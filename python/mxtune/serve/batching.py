"""Images of many requests, gathered into batches for one thread; the queue has an end.

The event loop owns the queue; the model is called in a thread of its own, one batch at a time, as MXNet wants it. What
comes while a batch is computed is the next one: the busier, the larger, and an image that comes alone waits for none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

Work = Callable[[Sequence[Any], Any], Sequence[Any]]


class FullError(Exception):
    """The queue is full; ``seconds`` is when it may not be."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the queue is full")
        self.seconds = seconds


class _Waiting(NamedTuple):
    item: Any
    kind: Hashable
    work: Work
    future: asyncio.Future[Any]


class Batching:
    """A queue in front of one thread.

    Parameters
    ----------
    batch, queue
        Items at once; items that may wait.
    seen, waits
        Called with the size of each batch; with how many items wait, whenever that changes.
    """

    def __init__(self, batch: int, queue: int, seen: Callable[[int], None], waits: Callable[[int], None]) -> None:
        self._batch, self._most, self._seen, self._waits = batch, queue, seen, waits
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "mxtune-model")
        self._seconds = 0.01  # that an item has taken lately
        self._held = 0

    def hold(self, count: int) -> None:
        """Keep places for a request before its images are decoded.

        Raises
        ------
        FullError
            There are not so many; while nothing waits, any request may come.
        """
        if self._held and self._held + count > self._most:
            raise FullError(self._held * self._seconds)
        self._held += count

    def let_go(self, count: int) -> None:
        self._held -= count

    async def ask(self, items: Sequence[Any], kind: Hashable, work: Work) -> list[Any]:
        """What ``work(items, kind)`` gives for these, computed together with others of this kind and work."""
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(item, kind, work, loop.create_future()) for item in items]
        self._waiting.extend(waiting)
        self._waits(len(self._waiting))
        self._arrived.set()
        try:
            return list(await asyncio.gather(*(one.future for one in waiting)))
        except asyncio.CancelledError:  # nobody waits for it any more
            for one in waiting:
                one.future.cancel()
            raise

    async def run(self, start: Callable[[], None]) -> None:
        """Work until cancelled; first ``start()`` in the thread."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, start)
        while True:
            await self._arrived.wait()
            chosen = self._next()
            if not chosen:
                self._arrived.clear()
                continue
            began = loop.time()
            items = [one.item for one in chosen]
            try:
                results = await loop.run_in_executor(self._thread, chosen[0].work, items, chosen[0].kind)
            except Exception as error:  # noqa: BLE001 - each of them is told; the service goes on
                for one in chosen:
                    if not one.future.done():
                        one.future.set_exception(error)
            else:
                for one, result in zip(chosen, results):
                    if not one.future.done():
                        one.future.set_result(result)
            self._seen(len(chosen))
            self._seconds += 0.2 * ((loop.time() - began) / len(chosen) - self._seconds)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _next(self) -> list[_Waiting]:
        """The oldest, and others like it, in order; the rest keeps its place.

        So many as a power of two: engines plan few sizes, and fill up others with what nobody asked for.
        """
        waiting = [one for one in self._waiting if not one.future.done()]
        alike = [one for one in waiting if (one.kind, one.work) == (waiting[0].kind, waiting[0].work)]
        count = min(len(alike), self._batch)
        chosen = alike[: 1 << count.bit_length() >> 1]
        taken = set(map(id, chosen))
        self._waiting = deque(one for one in waiting if id(one) not in taken)
        self._waits(len(self._waiting))
        return chosen
