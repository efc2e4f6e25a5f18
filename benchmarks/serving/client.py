"""Clients of a service, in one process of their own and without a library, so that they cost little.

    python -m benchmarks.serving.client HOST PORT FOLDER [--clients 32] [--count 1000] [--rate 100] [--end PID]

FOLDER has requests, whole as they are sent. Each connection sends one, waits for its answer, and sends the next; with
``--rate`` requests come by chance, so many a second, and seconds count from when one was due. With ``--end`` the
process gets SIGTERM after half of the answers. Prints JSON: seconds of each answer, how many had which status,
how many requests that were sent before SIGTERM got none.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import signal
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Optional

_PATIENCE = 300.0  # seconds without any answer: it hangs


class Connection:
    """One client: what it has asked, since when, and what has come back."""

    def __init__(self, where: tuple[str, int]) -> None:
        self._where = where
        self.socket = self._connected()
        self.since, self.sent_at = 0.0, 0.0
        self._came = b""

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._where, 30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def again(self) -> None:
        self.socket.close()
        self.socket = self._connected()

    def send(self, request: bytes, due: float) -> None:
        self.since, self.sent_at, self._came = due, time.perf_counter(), b""
        self.socket.sendall(request)

    def receive(self) -> Optional[tuple[int, bool]]:
        """The status and whether the connection stays, once the whole answer is there.

        Raises
        ------
        ConnectionError
            It was closed before.
        """
        came = self.socket.recv(1 << 16)
        if not came:
            raise ConnectionResetError
        self._came += came
        head, end, body = self._came.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        sizes = [int(field.split(b":")[1]) for field in fields if field.startswith(b"content-length:")]
        if not end or len(body) < sizes[0]:
            return None
        return int(fields[0].split()[1]), b"connection: close" not in fields


class Load:
    """Clients under way, and what has come back to them.

    Parameters
    ----------
    where
        The service.
    requests
        What is asked, in turn.
    clients
        Connections.
    rate
        Requests a second, by chance; without, each connection asks as soon as it has its answer.
    """

    def __init__(self, where: tuple[str, int], requests: list[bytes], clients: int, rate: Optional[float]) -> None:
        self._requests, self._rate = requests, rate
        self._idle = [Connection(where) for _ in range(clients)]
        self._selector = selectors.DefaultSelector()
        for one in self._idle:
            self._selector.register(one.socket, selectors.EVENT_READ, one)
        self._rng = random.Random(0)  # noqa: S311
        self._due = time.perf_counter()
        self._sent, self._ended_at = 0, 0.0
        self.each: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.closed = self.lost = 0

    def run(self, count: int, ended: Optional[int]) -> None:
        """Ask so often; ``ended`` is a process that gets SIGTERM after half of them."""
        while len(self.each) + self.closed < count and self._selector.get_map():
            self._ask(count)
            waits = self._due - time.perf_counter() if self._rate and self._idle and self._sent < count else _PATIENCE
            ready = self._selector.select(max(0.0, waits))
            if not ready and waits == _PATIENCE:
                message = f"no answer for {_PATIENCE:g} seconds"
                raise TimeoutError(message)
            for key, _ in ready:
                self._hear(key.data)
            if ended and not self._ended_at and len(self.each) >= count // 2:
                self._ended_at = time.perf_counter()
                os.kill(ended, signal.SIGTERM)

    def _ask(self, count: int) -> None:
        now = time.perf_counter()
        while self._idle and self._sent < count and self._due <= now:
            due = self._due if self._rate else now
            self._due += self._rng.expovariate(self._rate) if self._rate else 0.0
            self._idle.pop().send(self._requests[self._sent % len(self._requests)], due)
            self._sent += 1

    def _hear(self, one: Connection) -> None:
        try:
            answer = one.receive()
        except ConnectionError:
            if one in self._idle:
                self._idle.remove(one)
            else:
                self.closed += 1
                self.lost += not self._ended_at or one.sent_at < self._ended_at
            self._reconnect(one)
            return
        if answer is None:
            return
        status, stays = answer
        self.statuses[status] += 1
        self.each.append(time.perf_counter() - one.since)
        if stays:
            self._idle.append(one)
        else:
            self._reconnect(one)

    def _reconnect(self, one: Connection) -> None:
        self._selector.unregister(one.socket)
        if not self._ended_at:
            one.again()
            self._selector.register(one.socket, selectors.EVENT_READ, one)
            self._idle.append(one)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--end", type=int)
    asked = parser.parse_args()
    requests = [file.read_bytes() for file in sorted(asked.folder.iterdir())]
    load = Load((asked.host, asked.port), requests, asked.clients, asked.rate)
    began = time.perf_counter()
    load.run(asked.count, asked.end)
    statuses = {str(status): times for status, times in load.statuses.items()}
    print(
        json.dumps({"seconds": time.perf_counter() - began, "each": load.each, "statuses": statuses, "lost": load.lost})
    )


if __name__ == "__main__":
    main()
