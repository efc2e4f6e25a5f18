"""What a user sees who pushes a model to the hub and loads it: a process of its own, as `hub_session`.

    python hub_push_session.py MODEL '[["push", "hf:me/clothes", {}], ["mxload", "hf:me/clothes", {}], ...]'

writes a line of JSON for each call: what came back or the error, the messages, and the seconds that it took.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from typing import Any

from hub_session import Heard
from mxtune import Model, mxload, mxnetwork, progress
from mxtune.errors import MxtuneError


def digest(model: Any) -> str:
    return hashlib.sha256(model.to_bytes()).hexdigest()


def told(model: Any, verb: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    heard, started = Heard(), time.monotonic()
    with progress.using(heard):
        try:
            if verb == "push":
                answer = {"url": model.push(name, **arguments)}
            elif verb == "mxload":
                answer = {"digest": digest(mxload(name, **arguments))}
            else:
                answer = {"levels": mxnetwork(name, **arguments).levels}
        except MxtuneError as fault:
            answer = {"error": type(fault).__name__, "text": str(fault)}
    return {**answer, "messages": heard.texts, "bytes": heard.bytes, "seconds": time.monotonic() - started}


if __name__ == "__main__":
    if os.environ.get("WITHOUT_HUB"):
        sys.modules["huggingface_hub"] = None  # type: ignore[assignment]
    with open(sys.argv[1], "rb") as file:  # noqa: PTH123
        given = Model.from_bytes(file.read())
    print("ready", flush=True)
    for call in json.loads(sys.argv[2]):
        print(json.dumps(told(given, *call)), flush=True)
