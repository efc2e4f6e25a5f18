"""Groups: images of one patient, animal, burst or place, which no split may separate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from ..calls import kind_text
from ..errors import ArgumentError
from ..tasks.label_type import label_text
from ..words import bullets, counted
from .labels import is_missing

Groups = Union[str, Mapping[str, Any], Sequence[Any], None]


def groups_of(groups: Any, names: Sequence[str]) -> list[str]:
    """The group of each image as text.

    Parameters
    ----------
    groups
        One value per image; a mapping from names; or a regular expression, whose first group (or whole match) in
        an image's name is its group.
    names
        The images' names.

    Raises
    ------
    ArgumentError
        An image has no group, or the expression is invalid.

    Examples
    --------
    >>> groups_of(r"^([^_]+)_", ["anna_1.jpg", "anna_2.jpg", "ben_1.jpg"])
    ['anna', 'anna', 'ben']
    """
    is_row_of_values = hasattr(groups, "__iter__") and not hasattr(groups, "columns")
    if isinstance(groups, bytes) or not (is_row_of_values or isinstance(groups, str)):
        text = "`groups` must be one value per image, a column, or a regular expression."
        raise ArgumentError(text, [f"it is {kind_text(groups)}"])
    if isinstance(groups, str):
        values = _matches(groups, names)
    elif isinstance(groups, Mapping):
        values = [groups.get(name) for name in names]
    else:
        values = groups.tolist() if hasattr(groups, "tolist") else list(groups)
    if len(values) != len(names):
        raise ArgumentError(f"Got {counted(len(values), 'group')} for {counted(len(names), 'image')}.")
    ungrouped = [name for name, value in zip(names, values) if is_missing(value)]
    if ungrouped:
        subject = counted(len(ungrouped), "image has", "images have")
        raise ArgumentError(f"{subject} no group.", bullets(ungrouped), "`groups` must name a group for each image.")
    return [label_text(value) for value in values]


def _matches(pattern: str, names: Sequence[str]) -> list[Any]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ArgumentError("`groups` is not a regular expression.", [f"{pattern}: {error}"]) from error
    matches = [expression.search(name) for name in names]
    return [None if match is None else match.group(min(1, expression.groups)) for match in matches]


def joined(*keys: Sequence[Any]) -> list[int]:
    """A number for each image: equal for those that some key links, directly or through others.

    Examples
    --------
    >>> joined(["a", "a", "b", "c"], [1, 2, 2, 3])
    [0, 0, 0, 3]
    """
    links = Links(len(keys[0]))
    for key in keys:
        first_rows: dict[Any, int] = {}
        links.add((first_rows.setdefault(value, row), row) for row, value in enumerate(key))
    return links.groups()


class Links:
    """What pairs link, directly or through others, pair by pair.

    Attributes
    ----------
    largest
        How many the largest group has.
    """

    def __init__(self, count: int) -> None:
        self._parents, self._sizes = list(range(count)), [1] * count
        self.largest = min(count, 1)

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Link the two of each of these pairs."""
        for pair in pairs:
            one, other = sorted(map(self._root_of, pair))
            if one != other:
                self._parents[other] = one
                self._sizes[one] += self._sizes[other]
                self.largest = max(self.largest, self._sizes[one])

    def groups(self) -> list[int]:
        """A number for each, equal for those that are linked: the first one's."""
        return [self._root_of(row) for row in range(len(self._parents))]

    def _root_of(self, row: int) -> int:
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row
