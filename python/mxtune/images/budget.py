"""How many pixels are decoded at once: threads wait for one another before they exhaust the memory.

While it is decoded, an image takes 4 bytes per pixel, and up to 16 as a WebP: the largest that is read has 110 million.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..machine import return_freed_memory

_LARGE = 16_000_000  # pixels; a larger image takes longer to decode than its memory to be given back


class PixelBudget:
    """Pixels that threads may have decoded at the same time; more of them wait, first come first served.

    Parameters
    ----------
    pixels
        For all threads together; an image that has more is decoded when no other is.
    """

    def __init__(self, pixels: int) -> None:
        self._all = self._free = pixels
        self._queue = threading.Lock()
        self._change = threading.Condition()
        self._mine = threading.local()

    @contextmanager
    def share(self) -> Iterator[None]:
        """Inside the block this thread may `take` pixels, once; at its end they are free again."""
        self._mine.taken = 0
        try:
            yield
        finally:
            taken, self._mine.taken = self._mine.taken, None
            if taken:
                if taken >= _LARGE:
                    return_freed_memory()
                with self._change:
                    self._free += taken
                    self._change.notify_all()

    def take(self, pixels: int) -> None:
        """Wait until so many pixels are free. Outside of `share`, as for a single image, nothing is counted."""
        if getattr(self._mine, "taken", None) != 0:
            return
        needed = min(pixels, self._all)
        with self._queue, self._change:  # the queue: small images must not overtake a large one for ever
            self._change.wait_for(lambda: self._free >= needed)
            self._free -= needed
            self._mine.taken = needed
