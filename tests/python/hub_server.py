"""A Hugging Face hub on this machine: what `huggingface_hub` asks of one, for repositories made in a test.

Files come as from the hub itself, and go there in its way: what is asked for with POST, PUT and DELETE is in `hub_api`.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hub_api import TOKEN, Api

_FILE = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


_PACKAGE = Path(__file__).parents[2] / "python"


@dataclass
class Repository:
    """Files by name, and how the hub behaves when it is asked for them."""

    files: dict[str, bytes]
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    gated: bool = False
    stored_elsewhere: bool = False  # large files are with another host, as the hub has them
    claims: dict[str, int] = field(default_factory=dict)  # sizes that are told in place of the true ones
    pause: float = 0.0  # seconds between parts of a file
    dies_after: int = -1  # bytes of a file after which the connection ends
    private: bool = False


class Handler(Api, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            return self.answer_api()
        return self.answer(with_body=True)

    def refuse(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, with_body: bool) -> None:  # noqa: PLR0911 - one for each refusal
        hub: Any = self.server
        hub.asked.append((self.command, self.path, self.headers.get("User-Agent", "")))
        for part, (status, _) in hub.refusing.items():
            if part in self.path:
                return self.refuse(status, "")
        hub.tokens.append((self.headers.get("Host", "").partition(":")[0], self.headers.get("Authorization", "")))
        match = _FILE.fullmatch(self.path)
        repository = hub.repositories.get(match["repository"]) if match else None
        if match is None or repository is None:
            return self.refuse(401, "RepoNotFound")
        if repository.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse(403, "GatedRepo")
        if match["revision"] not in ("main", "v1", repository.commit):
            return self.refuse(404, "RevisionNotFound")
        content = repository.files.get(match["name"])
        if content is None:
            return self.refuse(404, "EntryNotFound", repository.commit)
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if (
            repository.stored_elsewhere
            and match["name"].endswith(".safetensors")
            and "127.0.0.1" in self.headers["Host"]
        ):
            self.send_response(302)
            self.send_header("Location", hub.endpoint.replace("127.0.0.1", "localhost") + self.path)
            for name, value in (("X-Linked-Etag", etag), ("X-Linked-Size", str(len(content)))):
                self.send_header(name, value)
            self.send_header("X-Repo-Commit", repository.commit)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        size = repository.claims.get(match["name"], len(content))
        self.send_response(200)
        for name, value in (("ETag", etag), ("X-Linked-Etag", etag), ("X-Repo-Commit", repository.commit)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(size if not with_body or size < len(content) else len(content)))
        self.end_headers()
        if with_body:
            self.write(content, repository)
        return None

    def write(self, content: bytes, repository: Repository) -> None:
        part = 1 << 16 if repository.pause else 1 << 24
        for start in range(0, len(content), part):
            if 0 <= repository.dies_after <= start:
                self.close_connection = True
                return
            try:
                self.wfile.write(content[start : start + part])
                self.wfile.flush()
            except OSError:  # the one who asked has gone
                self.close_connection = True
                return
            time.sleep(repository.pause)


class Hub(ThreadingHTTPServer):
    """The server: `repositories` may be changed while it runs; `asked` has what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.kind = Repository  # of one that is made
        self.asked: list[tuple[str, str, str]] = []
        self.tokens: list[tuple[str, str]] = []  # for each, the host that was meant, and the token
        self.stored: dict[str, bytes] = {}  # large files that came, by sha256
        self.refusing: dict[str, tuple[int, str]] = {}  # parts of addresses: status and words
        self.slow = 0.0  # seconds between parts of a file that comes

    def handle_error(self, *_: Any) -> None:
        """One who asked has gone: nothing to tell."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that answers within the block."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of a process that knows nothing of a user's own hub."""
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    return {**bare, "HF_HOME": str(home), "PYTHONPATH": str(_PACKAGE), **more}
