"""Connections on which no request comes: the service does not keep them, as there are only so many."""

from __future__ import annotations

import asyncio
from typing import Any, Optional

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def impatient(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol, which waits for the head of a request without end, with one."""

    class Impatient(AutoHTTPProtocol):  # type: ignore[misc] # its types are not looked at
        _clock: Optional[asyncio.TimerHandle] = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._start()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:  # the head is there
                self._stop()
            elif self._clock is None:
                self._start()

        def connection_lost(self, error: Optional[Exception]) -> None:
            self._stop()
            super().connection_lost(error)

        def _start(self) -> None:
            self._clock = self.loop.call_later(seconds, self.transport.close)

        def _stop(self) -> None:
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

    return Impatient
