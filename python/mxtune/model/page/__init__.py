"""A model as one page of HTML, which needs no network, no script and no other file.

A section is a file in ``sections`` that registers itself. The same model and images give the same bytes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path

from . import sections
from .colours import digest, in_colours
from .markup import Markup, named, tag, together
from .section import Section, made
from .subject import Subject, subject
from .verdict import verdict

__all__ = ["page", "subject"]

for _module in pkgutil.iter_modules(sections.__path__):
    importlib.import_module(f"{sections.__name__}.{_module.name}")


def page(about: Subject) -> bytes:
    """The page, in UTF-8."""
    found = made(about)
    style = in_colours(Path(__file__).parent / "page.css")
    title = about.meta.get("title") or f"Report on {about.model.network.provenance.get('name', 'a model')}"
    html = tag("html", _head(title, style), _body(about, title, found), lang="en")
    return f"<!DOCTYPE html>\n{html}\n".encode()


def _head(title: str, style: str) -> Markup:
    """Nothing may be loaded from anywhere, nor run: the one style is allowed by its digest."""
    policy = f"default-src 'none'; style-src {digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", " ".join(title.split())),
        tag("style", Markup(style)),
    )


def _body(about: Subject, title: str, found: Mapping[str, Section]) -> Markup:
    meta, model = about.meta, about.model
    said = [model.network.provenance.get("name", "a network"), str(about.task)]
    under = [named(text, 200) for text in (*said, *(meta[name] for name in ("author", "date") if name in meta))]
    contents = tag("ol", [tag("li", tag("a", one.title, href=f"#{name}")) for name, one in found.items()])
    line = tag("p", [tag("span", words) for words in under], class_="under")
    heading = tag("header", tag("h1", named(title, 120)), line, verdict(about))
    by = f"Written by mxtune {model.versions.get('mxtune', '')}."
    footer = tag("footer", tag("p", by, " This file loads nothing and runs nothing: it can be kept, sent and printed."))
    return tag(
        "body",
        tag("a", "To the content", href="#content", class_="skip"),
        tag("nav", tag("h2", "Contents"), contents, aria_label="Contents"),
        tag("main", heading, together(one.html(name) for name, one in found.items()), footer, id="content"),
    )
