"""How the service ends: nobody who was let in is left without an answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Optional

import uvicorn

_READ = 0.5  # seconds in which what was sent before the end is read, also on a busy machine


class Server(uvicorn.Server):  # type: ignore[misc] # its types are not looked at
    """uvicorn's, which would close at once each connection that waits, and lose a request that is on its way there."""

    def __init__(self, config: uvicorn.Config) -> None:
        config.app = _last_ones(config.app, lambda: self.should_exit)
        super().__init__(config)

    async def shutdown(self, sockets: Optional[list[socket.socket]] = None) -> None:
        """Let in nobody new; answer what was sent before, each time as the last one of its connection."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_READ)
        await super().shutdown(sockets)


def _last_ones(app: Any, ending: Callable[[], bool]) -> Any:
    """The application, whose answers tell at the end that there are no more: clients then ask elsewhere."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start" and ending():
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, sent if scope["type"] == "http" else send)

    return told
