"""The page's server: on this machine, for whoever has its address.

It listens on 127.0.0.1 alone. Its address has a random part, without which other users of the machine and pages of the
web get nothing; a name that another site lets point here is no name of it (DNS rebinding), and what changes something
must come from the page itself. Images are asked for by number, so that no path of this machine can be.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional, cast
from urllib.parse import urlsplit

from .. import progress
from ..errors import ArgumentError, MxtuneError
from ..images.picture import UnreadableError
from ..model.page.colours import digest, in_colours
from .decisions import Decisions
from .subject import SIDES, Subject

_HOST = "127.0.0.1"
_MOST = 10_000  # bytes of a decision
_PATIENCE = 30  # seconds for a request to arrive
_BEAT = 0.1  # seconds between two looks for Ctrl-C, in an R that hosts this


class Server:
    """The page, served in threads of this process until `close`."""

    def __init__(self, subject: Subject, decisions: Decisions, port: int = 0) -> None:
        self.ended_by_page = False
        self._done = threading.Event()
        try:
            self._http = _Http(subject, decisions, port, self._end)
        except (OSError, OverflowError) as error:
            hint = "Leave the port out: any free one is taken."
            raise ArgumentError(f"Can't serve the page at port {port}.", [str(error)], hint) from error
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_BEAT,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The page's address, which lets in whoever has it."""
        return f"http://{_HOST}:{self._http.server_port}/{self._http.token}/"

    def wait(self) -> None:
        """Until the page is left by its button; Ctrl-C ends it."""
        while not self._done.wait(_BEAT):
            progress.current().event("advance", n=0)

    def close(self) -> None:
        """Serve no more; what is being decided is finished first."""
        self._http.decisions.close()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _end(self) -> None:
        self.ended_by_page = True
        self._done.set()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, subject: Subject, decisions: Decisions, port: int, end: Any) -> None:
        self.subject, self.decisions, self.end = subject, decisions, end
        self.token = secrets.token_urlsafe(24)
        self.page, self.policy = _page()
        super().__init__((_HOST, port), _Handler)
        names = (f"{_HOST}:{self.server_port}", f"localhost:{self.server_port}")
        self.hosts = frozenset(names)
        self.origins = frozenset(f"http://{name}" for name in names)

    def handle_error(self, *_: Any) -> None:
        """A browser that has gone is no news."""


def _page() -> tuple[bytes, str]:
    """The page, and the policy by which it loads from here alone and runs its own script alone."""
    folder = Path(__file__).parent
    style, script = in_colours(folder / "page.css"), (folder / "page.js").read_text(encoding="utf-8")
    frame = (folder / "page.html").read_text(encoding="utf-8")
    page = frame.replace("/* page.css */", style).replace("/* page.js */", script)
    policy = (
        f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
    return page.encode(), policy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE

    @property
    def _http(self) -> _Http:
        return cast("_Http", self.server)

    def version_string(self) -> str:
        return "mxtune"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        asked = self._asked()
        if asked is None:
            return
        if asked == []:
            self._send("text/html; charset=utf-8", self._http.page)
        elif asked == ["state"]:
            with self._http.decisions.lock:
                state = self._http.subject.shown(self._http.decisions)
            self._send_json(state)
        elif len(asked) == 2 and asked[0] in SIDES and asked[1].isdecimal() and asked[1].isascii():
            self._send_picture(int(asked[1][:12]), SIDES[asked[0]])
        else:
            self._refuse(404, "There is nothing here.")

    def do_POST(self) -> None:
        asked = self._asked()
        if asked is None:
            return
        with self._told() as told:
            if told is None:
                return
            decisions = self._http.decisions
            if asked == ["decide"]:
                row, decision, label = (told.get(name) for name in ("row", "decision", "label"))
                is_label = isinstance(label, (str, list, type(None)))
                if type(row) is not int or not isinstance(decision, str) or not is_label:
                    self._refuse(400, "That is no decision.")
                    return
                with decisions.lock:
                    decisions.decide(row, decision, label)
                    self._send_json(self._of_row(row))
            elif asked == ["undo"]:
                with decisions.lock:
                    self._send_json(self._of_row(decisions.undo()))
            elif asked == ["done"]:
                try:
                    self._send_json({})
                finally:  # also where a browser is closed as soon as it has said so
                    self._http.end()
            else:
                self._refuse(404, "There is nothing here.")

    # ---- what comes

    def _asked(self) -> Optional[list[str]]:
        """The parts of the path behind the random one; None where the request was refused."""
        if self.headers.get("Host") not in self._http.hosts:
            self._refuse(403, "This is no name of this page.")
            return None
        first, *rest = urlsplit(self.path).path.strip("/").split("/")
        if not hmac.compare_digest(first.encode("utf-8", "replace"), self._http.token.encode()):
            self._refuse(404, "There is nothing here: the address is not complete.")
            return None
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "same-origin")
        from_page = (origin is None or origin in self._http.origins) and (
            site in ("same-origin", "none") or (self.command == "GET" and not rest)
        )
        if not from_page:
            self._refuse(403, "Only the page itself may ask.")
            return None
        return rest

    @contextlib.contextmanager
    def _told(self) -> Iterator[Optional[dict[str, Any]]]:
        """The JSON that came; None where it was refused. What is wrong with it is said."""
        try:
            yield self._body()
        except ArgumentError as error:
            self._refuse(400, str(error))
        except MxtuneError as error:
            self._refuse(500, str(error))

    def _body(self) -> Optional[dict[str, Any]]:
        if self.headers.get_content_type() != "application/json":  # which no form of another page sends
            self._refuse(415, "Decisions come as JSON.")
            return None
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self._refuse(411, "A decision says how long it is.")
            return None
        if len(length) > 9 or int(length) > _MOST:
            self._refuse(413, "That is too long for a decision.")
            return None
        try:
            told = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            self._refuse(400, "That is no JSON of a decision.")
            return None
        return told

    # ---- what goes

    def _of_row(self, row: Optional[int]) -> dict[str, Any]:
        decisions = self._http.decisions
        told: dict[str, Any] = {"row": row, "steps": decisions.steps, "levels": decisions.levels}
        return told if row is None else told | decisions.now[row]._asdict()

    def _send_picture(self, row: int, side: int) -> None:
        if row >= len(self._http.subject.images):
            self._refuse(404, "There is no such image.")
            return
        try:
            kind, content = self._http.subject.picture(row, side)
        except UnreadableError as error:
            self._refuse(404, f"It can't be read any more: {error}")
            return
        self._send(kind, content, cache="private, max-age=600")

    def _send_json(self, value: Any) -> None:
        content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        self._send("application/json; charset=utf-8", content)

    def _refuse(self, status: int, text: str) -> None:
        self.close_connection = True  # a body may be left unread
        self._send("text/plain; charset=utf-8", f"{text}\n".encode("utf-8", "replace"), status)

    def _send(self, kind: str, content: bytes, status: int = 200, cache: str = "no-store") -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": cache,
            "Content-Security-Policy": self._http.policy if kind.startswith("text/html") else "default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
