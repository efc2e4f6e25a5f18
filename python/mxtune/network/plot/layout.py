"""Where the boxes lie: in columns, one for each resolution, from top to bottom; what is parallel side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from .blocks import Block

_ROWS = 26  # of a column: a longer one goes on beside itself,
_SLACK = 4  # by so many rows more, where few lines go from one to the next


@dataclass(frozen=True)
class Place:
    """The column of a box, its row there, and its lane among those that are parallel; each counted from 0."""

    column: int
    row: int
    lane: int


@dataclass(frozen=True)
class Layout:
    """The place of each box, by its output; how many lanes each column has, and its title."""

    places: dict[str, Place]
    lanes: tuple[int, ...]
    rows: tuple[int, ...]
    titles: tuple[str, ...]


def arranged(blocks: Sequence[Block], titles: Sequence[str]) -> Layout:
    """The layout of the boxes.

    Parameters
    ----------
    titles
        For each box the title of the part of the network that it belongs to: a new one begins a column.
    """
    ranks = _ranks(blocks)
    order = sorted(range(len(blocks)), key=lambda place: (ranks[place], place))
    last_use = _last_use(blocks, ranks)
    columns = _columns(ranks, titles, last_use)
    places: dict[str, Place] = {}
    taken: dict[int, set[int]] = {}
    free_from: dict[tuple[int, int], int] = {}  # the rank below which a lane of a column is in use by a long edge
    for number in order:
        block, rank = blocks[number], ranks[number]
        column, start = columns[rank]
        used = taken.setdefault(rank, set())
        lane = _lane(block, places, used, column, free_from, rank)
        used.add(lane)
        places[block.output] = Place(column, rank - start, lane)
        if lane:
            free_from[column, lane] = max(free_from.get((column, lane), 0), last_use[number])
    n_columns = max((column for column, _ in columns.values()), default=-1) + 1
    lanes = [1] * n_columns
    rows = [0] * n_columns
    for place in places.values():
        lanes[place.column] = max(lanes[place.column], place.lane + 1)
        rows[place.column] = max(rows[place.column], place.row + 1)
    names = {columns[rank][0]: title for rank, title in sorted(_titles(ranks, titles).items(), reverse=True)}
    return Layout(places, tuple(lanes), tuple(rows), tuple(names[column] for column in range(n_columns)))


def _ranks(blocks: Sequence[Block]) -> list[int]:
    """How many boxes lie before each on the longest way."""
    rank: dict[str, int] = {}
    ranks = []
    for block in blocks:
        here = 1 + max((rank[name] for name in block.inputs), default=-1)
        rank[block.output] = here
        ranks.append(here)
    return ranks


def _titles(ranks: Sequence[int], titles: Sequence[str]) -> dict[int, str]:
    """The title at each rank: that of its first box."""
    first: dict[int, str] = {}
    for rank, title in zip(ranks, titles):
        first.setdefault(rank, title)
    return first


def _columns(ranks: Sequence[int], titles: Sequence[str], last_use: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each rank its column, and the rank with which that begins; long parts have several, of about one length."""
    parts: list[list[int]] = []
    before = None
    for rank, title in sorted(_titles(ranks, titles).items()):
        if title != before:
            parts.append([])
        parts[-1].append(rank)
        before = title
    columns: dict[int, tuple[int, int]] = {}
    column = 0
    for part in parts:
        start = 0
        while start < len(part):
            end = start + _length(part[start:], ranks, last_use)
            columns.update((rank, (column, part[start])) for rank in part[start:end])
            start, column = end, column + 1
    return columns


def _length(part: Sequence[int], ranks: Sequence[int], last_use: Sequence[int]) -> int:
    """Of the first column of a part: as the others, or near that where fewer boxes have lines to what follows."""
    n_columns = ceil(len(part) / _ROWS)
    even = ceil(len(part) / n_columns)
    if n_columns == 1:
        return even
    most = _ROWS + _SLACK
    choices = range(max(even - _SLACK, len(part) - (n_columns - 1) * most), min(even + _SLACK, most) + 1)

    def lines(length: int) -> int:
        return sum(rank < part[length] <= last for rank, last in zip(ranks, last_use))

    return min(choices, key=lambda length: (lines(length), abs(length - even)))


def _last_use(blocks: Sequence[Block], ranks: Sequence[int]) -> list[int]:
    """The rank of the last box that takes each."""
    rank_of = dict(zip((block.output for block in blocks), ranks))
    last = dict(rank_of)
    for block, rank in zip(blocks, ranks):
        for name in block.inputs:
            last[name] = max(last[name], rank)
    return [last[block.output] for block in blocks]


def _lane(
    block: Block,
    places: dict[str, Place],
    used: set[int],
    column: int,
    free_from: dict[tuple[int, int], int],
    rank: int,
) -> int:
    """The lane of the box before, where that is free; else the first free one."""
    wished = [places[name].lane for name in block.inputs if places[name].column == column]
    wish = min(wished, default=0)
    if wish not in used:
        return wish
    lane = 0
    while lane in used or (lane and free_from.get((column, lane), -1) > rank):
        lane += 1
    return lane
