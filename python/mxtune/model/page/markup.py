"""HTML and SVG made of calls: what is no `Markup` is text, and is escaped where it meets HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any, Union

from ...words import shortened

Node = Union[None, str, int, "Iterable[Node]"]
_VOID = frozenset(("meta", "img", "br", "hr"))
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # which HTML can't hold
_LONGEST = 60  # letters of a name of a user's, in a line


class Markup(str):
    """HTML as it is to be written."""

    __slots__ = ()


def tag(name: str, /, *children: Node, **attributes: Any) -> Markup:
    """An element: attributes that are None or false are left out, an underscore in their names is a hyphen.

    Examples
    --------
    >>> print(tag("p", "a < b ", tag("b", "now"), class_="lead", hidden=None))
    <p class="lead">a &lt; b <b>now</b></p>
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    written = "".join(
        f" {key}" if value is True else f' {key}="{text(value)}"'
        for key, value in given
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{together(children)}</{name}>")


def together(*nodes: Node) -> Markup:
    """Nodes one after the other."""
    return Markup("".join(map(_written, nodes)))


def _written(node: Node) -> str:
    if node is None:
        return ""
    if isinstance(node, (str, int)):
        return text(node)
    return "".join(map(_written, node))


def text(value: Any) -> Markup:
    """Text that no one takes for HTML; letters that HTML can't hold are replaced."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return Markup(f"{value:.6g}")
    return Markup(escape(_NO_TEXT.sub("\ufffd", str(value))))


def named(name: Any, most: int = _LONGEST) -> Markup:
    """A word of the user's (a class, a file): in a direction of its own, and cut where it is long.

    Examples
    --------
    >>> print(named("<b>"), named("abcdefghijkl", most=9))
    <bdi>&lt;b&gt;</bdi> <bdi title="abcdefghijkl">abc...jkl</bdi>
    """
    whole = " ".join(str(name).split())
    short = shortened(whole, most)
    return tag("bdi", short, title=None if short == whole else shortened(whole, 1000))


def link(address: str) -> Markup:
    """A link, of an address of the web alone: any other is text."""
    if not re.match(r"https?://[^\s]+$", address):
        return text(address)
    return tag("a", address, href=address, rel="noopener noreferrer")
