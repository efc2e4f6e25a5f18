"""The service under test, as a process; and requests, whole as they are sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from ..measure import python

_END = 330  # seconds that a service has to end


class Service:
    """A service until the end of a ``with``; it must end as SIGTERM says."""

    def __init__(self, model: Path, *options: str) -> None:
        # a machine that stands still for a while, busy with others, is no fault of the service
        settings = ["--port", "0", "--timeout", "300", *options]
        command = [sys.executable, "-m", "mxtune.cli", "serve", str(model), *settings]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        if " at http://" not in line:
            raise RuntimeError(line + self.process.stderr.read())
        self.address = line.split(" at ")[1].split(",")[0].strip()
        self.host, _, self.port = self.address.rpartition("/")[2].partition(":")

    def __enter__(self) -> Service:
        return self

    def __exit__(self, _: Optional[type[BaseException]], __: object, ___: Optional[TracebackType]) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_END)
        finally:
            self.process.kill()

    def load(self, folder: Path, clients: int, count: int, *options: object) -> dict[str, Any]:
        """What came of so many requests of a folder; see `client`."""
        given = ("--clients", clients, "--count", count, *options)
        return dict(python("-m", "benchmarks.serving.client", self.host, self.port, folder, *given).said)

    def health(self) -> str:
        with urllib.request.urlopen(f"{self.address}/health", timeout=30) as answer:  # noqa: S310
            return str(json.load(answer)["status"])

    def memory(self) -> float:
        """Resident memory, MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def post(body: bytes, kind: str, query: str = "") -> bytes:
    """A request for predictions."""
    head = f"POST /predict{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def form(name: str, content: bytes) -> bytes:
    """The body of a form with one image, its boundary x."""
    head = f'--x\r\nContent-Disposition: form-data; name="images"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


FORM = "multipart/form-data; boundary=x"


def written(folder: Path, requests: Iterable[bytes]) -> Path:
    """The folder, with these requests in it."""
    folder.mkdir()
    for place, request in enumerate(requests):
        (folder / f"{place:05d}").write_bytes(request)
    return folder
