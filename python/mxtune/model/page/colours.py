"""What every page of ours has: its colours, light and dark, and a policy that lets its own code run and no other."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path


def in_colours(style: Path) -> str:
    """A style sheet, after the colours and typefaces that it uses."""
    return "".join(file.read_text(encoding="utf-8") for file in (Path(__file__).parent / "colours.css", style))


def digest(code: str) -> str:
    """What a Content-Security-Policy calls a style or script by, so that it may stand in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
