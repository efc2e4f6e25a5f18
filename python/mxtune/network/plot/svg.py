"""The picture of a network as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from ... import store
from ...errors import ArgumentError
from ...words import shape_text
from .blocks import Block, blocks_of
from .layout import Layout, Place, arranged

if TYPE_CHECKING:
    from ..described import Described

_WIDTH, _HEIGHT = 158, 36  # of a box, in pixels
_GAP_X, _GAP_Y, _GUTTER = 14, 12, 56
_TOP, _LEFT = 96, 40
_RAILS = (13, 22, 27)  # how far from a box lines run that go around others
_LETTER = 5.6  # how wide one is, about
_COLOURS = {  # a light fill and its edge: Okabe and Ito (2008)
    "convolution": ("#dcebf7", "#0072b2"),
    "dense": ("#f7e0d3", "#d55e00"),
    "pooling": ("#d6efe7", "#009e73"),
    "joint": ("#f4f4f4", "#777777"),
    "other": ("#fbf3d5", "#b58900"),
}
_LEGEND = {
    "convolution": "convolution",
    "pooling": "pooling",
    "dense": "dense",
    "joint": "joint",
    "other": "other",
}


class Drawing(str):
    """The text of an SVG picture, which notebooks show.

    Examples
    --------
    >>> from mxtune import mxnetwork
    >>> mxnetwork("lenet").plot()
    <Drawing of lenet: 6 boxes>
    """

    __slots__ = ("about",)
    about: str

    def save(self, path: Path) -> None:
        """Write the picture to a file, whose name ends in .svg; see `Network.plot`."""
        if path.suffix.lower() != ".svg":
            raise ArgumentError("`path` must end in .svg.", [f"it is {path.name}"])
        store.write(path, [self.encode(), b"\n"], "the picture")

    def _repr_svg_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """In its own size, to scroll: as SVG alone, notebooks would shrink it to the page, and its words too."""
        return f'<div style="overflow-x: auto">{self}</div>'

    def __repr__(self) -> str:
        return f"<Drawing of {self.about}>"


def draw(network: Described) -> Drawing:
    """The picture of a network: boxes in columns, one for each resolution; see `Network.plot`."""
    blocks = blocks_of(network.graph, network.shapes)
    layout = arranged(blocks, _titles(network, blocks))
    name = str(network.provenance.get("name", "network"))
    picture = Drawing("\n".join(_lines(network, name, blocks, layout)))
    picture.about = f"{name}: {len(blocks)} boxes"
    return picture


def _titles(network: Described, blocks: Sequence[Block]) -> list[str]:
    """For each box the resolution of its stage, or its number of tokens; for what comes behind, "head"."""
    stage_of: dict[str, str] = {}
    for stage in network.stages:
        size = shape_text(network.shapes[stage][0][2:]).replace("x", "\u00d7")
        for node in network.graph.ancestors([stage]):
            stage_of.setdefault(node, size)
    titles: dict[str, str] = {}
    for block in reversed(blocks):
        own = next((stage_of[layer] for layer in block.layers if layer in stage_of), None) or _tokens(network, block)
        if own:
            titles[block.output] = own
        if block.output in titles:
            titles |= {name: titles.get(name, titles[block.output]) for name in block.inputs}
    return [titles.get(block.output, "head") for block in blocks]


def _tokens(network: Described, block: Block) -> Optional[str]:
    """How many tokens a transformer's dense layer takes."""
    shape = network.shapes[block.output][0]
    return f"{shape[1]} tokens" if block.kind == "dense" and len(shape) == 3 else None


class _Page:
    """Where columns and boxes lie, in pixels."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.left: list[float] = []
        x = float(_LEFT)
        for lanes in layout.lanes:
            self.left.append(x)
            x += lanes * (_WIDTH + _GAP_X) - _GAP_X + _GUTTER
        self.width = x - _GUTTER + _LEFT
        self.height = _TOP + max(layout.rows, default=0) * (_HEIGHT + _GAP_Y) + 40

    def corner(self, place: Place) -> tuple[float, float]:
        """The upper left corner of a box."""
        return self.left[place.column] + place.lane * (_WIDTH + _GAP_X), _TOP + place.row * (_HEIGHT + _GAP_Y)


def _lines(network: Described, name: str, blocks: Sequence[Block], layout: Layout) -> Iterator[str]:
    page = _Page(layout)
    height, width = network.preprocess.size
    told = f"{network.n_parameters:,} parameters, images of {height} \u00d7 {width}"
    size = f'width="{page.width:.0f}" height="{page.height:.0f}" viewBox="0 0 {page.width:.0f} {page.height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="Helvetica, Arial, sans-serif">'
    yield f"<title>{_safe(name)}</title><desc>{_safe(told)}</desc>"
    yield f'<rect width="{page.width:.0f}" height="{page.height:.0f}" fill="white"/>'
    yield _text(_LEFT, 30, name, 18, weight="bold")
    yield _text(_LEFT, 50, told, 12, colour="#555555")
    for column, title in enumerate(layout.titles):
        again = column and layout.titles[column - 1] == title
        yield _text(page.left[column], _TOP - 16, f"{title}, continued" if again else title, 12, weight="bold")
    yield from _edges(blocks, page)
    for block in blocks:
        yield from _box(network, block, page.corner(layout.places[block.output]))
    yield from _legend(blocks, page)
    yield "</svg>"


def _box(network: Described, block: Block, corner: tuple[float, float]) -> Iterator[str]:
    x, y = corner
    fill, edge = _COLOURS[block.kind]
    own = [name for layer in block.layers for name, _ in network.graph.node(layer).inputs if name in network.params]
    frozen = bool(own) and all(name in network.frozen for name in own)
    dash = ' stroke-dasharray="4 3"' if frozen else ""
    yield f'<g><title>{_safe(_told(network, block, frozen))}</title><rect x="{x:g}" y="{y:g}" width="{_WIDTH}" '
    yield f'height="{_HEIGHT}" rx="5" fill="{fill}" stroke="{edge}"{dash}/>'
    first, rest = block.words[0], " \u00b7 ".join(block.words[1:])
    middle = x + _WIDTH / 2
    yield _text(middle, y + (15 if rest else 22), _cut(first, 12), 12, anchor="middle")
    if rest:
        yield _text(middle, y + 29, _cut(rest, 10), 10, anchor="middle", colour="#555555")
    yield "</g>"


def _told(network: Described, block: Block, frozen: bool) -> str:
    """What a box says when it is pointed at: its layers, and the shape of its output."""
    lines = [f"{layer} ({network.graph.node(layer).op})" for layer in block.layers]
    shape = shape_text(network.shapes[block.output][0][1:]).replace("x", "\u00d7")
    return "\n".join([*lines, f"output {shape}", *(["frozen"] if frozen else [])])


# ---- lines between boxes


def _edges(blocks: Sequence[Block], page: _Page) -> Iterator[str]:
    yield '<g fill="none" stroke="#888888" stroke-width="1.2">'
    crossings = 0
    rails = _rails(blocks, page.layout)
    for block in blocks:
        end = page.layout.places[block.output]
        for name in block.inputs:
            start = page.layout.places[name]
            if start.column == end.column:
                yield f'<path d="{_within(start, end, page, rails.get((start, end), 0))}"/>'
            else:
                yield f'<path d="{_across(start, end, page, crossings % 4)}"/>'
                crossings += 1
    yield "</g>"


def _rails(blocks: Sequence[Block], layout: Layout) -> dict[tuple[Place, Place], int]:
    """For each line around other boxes how far out it runs, from 0: two beside one box are apart."""
    pairs = [(layout.places[name], layout.places[block.output]) for block in blocks for name in block.inputs]
    around = [(start, end) for start, end in pairs if _goes_around(start, end)]
    rails: dict[tuple[Place, Place], int] = {}
    for start, end in sorted(around, key=lambda pair: pair[1].row - pair[0].row):
        beside = {
            rail
            for (other, its_end), rail in rails.items()
            if (other.column, other.lane) == (start.column, start.lane)
            and other.row < end.row
            and start.row < its_end.row
        }
        rails[start, end] = min(set(range(len(_RAILS))) - beside, default=len(_RAILS) - 1)
    return rails


def _goes_around(start: Place, end: Place) -> bool:
    return (start.column, start.lane) == (end.column, end.lane) and end.row > start.row + 1


def _within(start: Place, end: Place, page: _Page, rail: int) -> str:
    """From a box to one below it in the same column."""
    (x, y), (to_x, to_y) = page.corner(start), page.corner(end)
    if _goes_around(start, end):
        side, to_side = (x, to_x) if start.lane == 0 else (x + _WIDTH, to_x + _WIDTH)
        out = -_RAILS[rail] if start.lane == 0 else _RAILS[rail]
        top, bottom = y + _HEIGHT / 2, to_y + _HEIGHT / 2
        return f"M{side:g} {top:g} C{side + out:g} {top:g} {side + out:g} {top + 24:g} {side + out:g} {top + 24:g} " \
            f"V{bottom - 24:g} C{side + out:g} {bottom:g} {to_side:g} {bottom:g} {to_side:g} {bottom:g}"  # fmt: skip
    if start.lane > end.lane and end.row > start.row + 1:  # down its own lane, and into the side
        turn = to_y + _HEIGHT / 2
        middle = x + _WIDTH / 2
        down = f"M{middle:g} {y + _HEIGHT:g} V{turn - 12:g}"
        return f"{down} Q{middle:g} {turn:g} {middle - 12:g} {turn:g} H{to_x + _WIDTH:g}"
    from_x, into_x = x + _WIDTH / 2, to_x + _WIDTH / 2
    half = (y + _HEIGHT + to_y) / 2
    if from_x == into_x:
        return f"M{from_x:g} {y + _HEIGHT:g} V{to_y:g}"
    return f"M{from_x:g} {y + _HEIGHT:g} C{from_x:g} {half:g} {into_x:g} {half:g} {into_x:g} {to_y:g}"


def _across(start: Place, end: Place, page: _Page, number: int) -> str:
    """From a box to one in a later column: through the gutter behind its own, and over the columns between."""
    (x, y), (to_x, to_y) = page.corner(start), page.corner(end)
    lanes = page.layout.lanes[start.column]
    edge = page.left[start.column] + lanes * (_WIDTH + _GAP_X) - _GAP_X
    gutter = edge + 10 + 5 * number
    level = y + _HEIGHT / 2
    roof = _TOP - 6 - 2 * number
    into = to_x + _WIDTH / 2 + 6 * number - 9
    if end.row == 0:
        return f"M{x + _WIDTH:g} {level:g} H{gutter:g} V{roof:g} H{into:g} V{to_y:g}"
    before = page.left[end.column] - 12 - 5 * number
    return f"M{x + _WIDTH:g} {level:g} H{gutter:g} V{roof:g} H{before:g} V{to_y + _HEIGHT / 2:g} H{to_x:g}"


# ---- words


def _legend(blocks: Sequence[Block], page: _Page) -> Iterator[str]:
    x, y = float(_LEFT), page.height - 24
    present = [kind for kind in _LEGEND if any(block.kind == kind for block in blocks)]
    for kind in present:
        fill, edge = _COLOURS[kind]
        yield f'<rect x="{x:g}" y="{y:g}" width="14" height="10" rx="2" fill="{fill}" stroke="{edge}"/>'
        yield _text(x + 20, y + 9, _LEGEND[kind], 11, colour="#555555")
        x += 34 + 6.2 * len(_LEGEND[kind])


def _text(
    x: float, y: float, words: str, size: int, anchor: str = "start", weight: str = "normal", colour: str = "#222222"
) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{_safe(words)}</text>'


def _cut(words: str, size: int) -> str:
    """As much as fits into a box."""
    most = int((_WIDTH - 8) / (_LETTER * size / 12))
    return words if len(words) <= most else words[: most - 1] + "\u2026"


def _safe(words: str) -> str:
    """Words of others as text of the picture, without what XML has no place for."""
    return escape("".join(letter for letter in words if letter.isprintable() or letter == "\n"))
