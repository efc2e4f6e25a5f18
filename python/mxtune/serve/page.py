"""The page at ``/``: one file, which loads nothing from elsewhere and asks this service what any other client may."""

from __future__ import annotations

from pathlib import Path

from fastapi import Response

from ..model.page.colours import digest, in_colours


def page() -> Response:
    """The page, and the policy by which its own script and style alone run."""
    folder = Path(__file__).parent
    style, script = in_colours(folder / "page.css"), (folder / "page.js").read_text(encoding="utf-8")
    frame = (folder / "page.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; img-src blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    content = frame.replace("/* page.css */", style).replace("/* page.js */", script)
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)
