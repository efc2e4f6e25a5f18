"""Asks a service what its own description allows, and what it does not; `make serve-check` runs it.

    .venv/bin/python scripts/served.py PATH/TO/schemathesis

Each answer must be one that /openapi.json describes, by its status, its type, its headers and its content; requests
that don't fit the description must be refused, and so must requests without a key where there are keys. That data which
fit are accepted is not asked: bytes may be no image.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.serving.service import Service

_KEY = "the key of scripts/served.py"
_ALLOWED = {"Authorization": f"Bearer {_KEY}"}


def main(schemathesis: str) -> None:
    from mxtune import mxexample, mxtrain

    with tempfile.TemporaryDirectory() as place:
        model, keys = Path(place, "fashion.mxt"), Path(place, "keys.txt")
        mxtrain(mxexample("fashion"), image_size=32, tune="head", verbose=0).save(model)
        keys.write_text(f"{_KEY}\n")
        for options, headers in (((), {}), (("--key-file", str(keys)), _ALLOWED)):
            with Service(model, *options) as service:
                _ask(schemathesis, service, headers, place)


def _ask(schemathesis: str, service: Service, headers: dict[str, str], place: str) -> None:
    given = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    checks = ("--checks", "all", "--exclude-checks", "positive_data_acceptance")
    command = [schemathesis, "--no-color", "run", f"{service.address}/openapi.json", *checks]
    subprocess.run([*command, "--max-examples", "200", "--seed", "1", *given], check=True, cwd=place)
    request = urllib.request.Request(f"{service.address}/metrics", headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        told = re.findall(r'mxtune_requests_total\{status="(\d+)"\} (\d+)', answer.read().decode())
    print("Answers:", ", ".join(f"{times} x {status}" for status, times in sorted(told)), flush=True)
    if "200" not in dict(told):
        sys.exit("No request was one that the model answers.")


if __name__ == "__main__":
    main(sys.argv[1])
