"""How a model gets into a repository of the hub: what `huggingface_hub` sends, and what the hub answers.

A repository is looked for and made (``/api/models``, ``/api/repos``), how each file is to come is told (``preupload``),
a large one is put into its store (Git LFS), and one commit names them all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

TOKEN = "hf_test"  # noqa: S105 - of no account
_ABOUT = re.compile(
    r"/api/models/(?P<repository>[^/]+/[^/?]+)(/(?P<what>preupload|commit|revision)/(?P<revision>[^/?]+))?"
)


class Api(BaseHTTPRequestHandler):
    """What changes a repository."""

    def do_POST(self) -> None:
        self.answer_api()

    def do_PUT(self) -> None:
        self.answer_api()

    def do_DELETE(self) -> None:
        self.answer_api()

    def reply(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def answer_api(self) -> None:  # noqa: PLR0911 - one for each kind of question
        hub: Any = self.server
        hub.asked.append((self.command, self.path, self.headers.get("User-Agent", "")))
        content = self.content()
        if content is None:
            return None
        for part, (status, words) in hub.refusing.items():
            if part in self.path:
                return self.reply(status, {"error": words})
        if self.path.startswith("/store/"):
            return self.store(content)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.reply(401, {"error": "Invalid username or password."})
        asked = json.loads(content.partition(b"\n")[0] or b"null")
        if self.path.startswith("/api/repos/"):
            return self.make_or_remove(asked)
        if self.path == "/api/validate-yaml":
            fits = asked["content"].startswith("---\n")
            return self.reply(
                200 if fits else 400, {"errors": [] if fits else [{"message": "no metadata"}], "warnings": []}
            )
        if self.path.endswith(".git/info/lfs/objects/batch"):
            return self.reply(200, {"transfer": "basic", "objects": [self.place_for(one) for one in asked["objects"]]})
        match = _ABOUT.match(self.path)
        repository = hub.repositories.get(match["repository"]) if match else None
        if match is None or repository is None:
            return self.reply(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        if match["revision"] not in (None, "main"):
            return self.reply(404, {"error": f"Invalid rev id: {match['revision']}"}, X_Error_Code="RevisionNotFound")
        if match["what"] == "preupload":
            return self.reply(200, {"files": [self.way_of(file) for file in asked["files"]]})
        if match["what"] == "commit":
            return self.commit(match["repository"], content)
        siblings = [{"rfilename": name} for name in repository.files]
        about = {"id": match["repository"], "sha": repository.commit, "private": repository.private}
        return self.reply(200, {**about, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def content(self) -> Any:
        """What was sent; None if it breaks off."""
        hub: Any = self.server
        left, parts = int(self.headers.get("Content-Length", 0)), []
        while left:
            part = self.rfile.read(min(left, 1 << 14 if hub.slow else left))
            if not part:
                self.close_connection = True
                return None
            parts.append(part)
            left -= len(part)
            time.sleep(hub.slow)
        return b"".join(parts)

    def store(self, content: bytes) -> None:
        hub: Any = self.server
        oid = self.path.rpartition("/")[2]
        if hashlib.sha256(content).hexdigest() != oid:
            return self.reply(400, {"error": "it is another file"})
        hub.stored[oid] = content
        return self.reply(200, {})

    def place_for(self, file: dict[str, Any]) -> dict[str, Any]:
        hub: Any = self.server
        there = file["oid"] in hub.stored
        actions = {} if there else {"actions": {"upload": {"href": f"{hub.endpoint}/store/{file['oid']}"}}}
        return {"oid": file["oid"], "size": file["size"], **actions}

    def way_of(self, file: dict[str, Any]) -> dict[str, Any]:
        sample = base64.b64decode(file["sample"])
        mode = "lfs" if b"\0" in sample or file["size"] > 10_000_000 else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def make_or_remove(self, asked: dict[str, Any]) -> None:
        hub: Any = self.server
        name = f"{asked['organization']}/{asked['name']}"
        if self.command == "DELETE":
            hub.repositories.pop(name)
            return self.reply(200, {})
        if name in hub.repositories:
            return self.reply(409, {"error": "You already created this model repo", "url": f"{hub.endpoint}/{name}"})
        is_private = asked.get("visibility") == "private" or bool(asked.get("private"))
        hub.repositories[name] = hub.kind({}, private=is_private)
        return self.reply(200, {"url": f"{hub.endpoint}/{name}"})

    def commit(self, name: str, content: bytes) -> None:
        hub: Any = self.server
        repository, files = hub.repositories[name], {}
        for line in content.splitlines():
            part = json.loads(line)
            if part["key"] == "file":
                files[part["value"]["path"]] = base64.b64decode(part["value"]["content"])
            elif part["key"] == "lfsFile":
                files[part["value"]["path"]] = hub.stored[part["value"]["oid"]]
        repository.files.update(files)
        repository.commit = hashlib.sha1(content + repository.commit.encode()).hexdigest()  # noqa: S324 - as Git's
        url = f"{hub.endpoint}/{name}/commit/{repository.commit}"
        self.reply(200, {"commitUrl": url, "commitOid": repository.commit})
