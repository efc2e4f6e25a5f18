"""What a user sees who opens networks of the hub: a process of its own, since `huggingface_hub` reads settings once.

    python hub_session.py '[["mxnetwork", {"name_or_path": "hf:timm/x"}], ...]'

writes a line of JSON for each call: what came back or the error, the messages, and the seconds that it took.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from mxtune import mxnetwork, progress
from mxtune.errors import MxtuneError
from mxtune.network.layers import count


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.bytes = 0

    def event(self, kind: str, **info: Any) -> None:
        if kind == "message":
            self.texts.append(info["text"])
        if kind == "advance":
            self.bytes += info["n"]


def facts(arguments: dict[str, Any]) -> dict[str, Any]:
    heard, started = Heard(), time.monotonic()
    with progress.using(heard):
        try:
            network = mxnetwork(**arguments)
            answer = {
                "provenance": network.provenance,
                "preprocess": network.preprocess.to_dict(),
                "levels": network.levels,
                "parameters": count(network.graph, network.shapes),
                "classifier": network.classifier,
                "sum": float(sum(array.sum(dtype="f8") for array in network.params.values())),
            }
        except MxtuneError as fault:
            answer = {"error": type(fault).__name__, "text": str(fault)}
    return {**answer, "messages": heard.texts, "bytes": heard.bytes, "seconds": time.monotonic() - started}


if __name__ == "__main__":
    if os.environ.get("WITHOUT_HUB"):
        sys.modules["huggingface_hub"] = None  # type: ignore[assignment]
    for call in json.loads(sys.argv[1]):
        print(json.dumps(facts(call)), flush=True)
