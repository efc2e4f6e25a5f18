"""Checks of arguments: each gives back the value as the rest of the package wants it."""

from __future__ import annotations

import os
from collections.abc import MappingView, Sequence, Set
from numbers import Real
from pathlib import Path
from typing import Any

from .calls import value_text
from .errors import ArgumentError

LARGEST = 2**31 - 1  # R's largest whole number


def is_number(value: Any) -> bool:
    """Whether it is a number, of Python or NumPy, and no boolean."""
    return isinstance(value, Real) and not isinstance(value, bool)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """The value, if it is allowed.

    Raises
    ------
    ArgumentError
        It is not.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ArgumentError(f"`{name}` must be one of {', '.join(allowed)}.", [f"it is {value_text(value)}"])
    return value


def whole(name: str, value: Any, least: int = 0, most: int = LARGEST) -> int:
    """The whole number as int: R and NumPy have others.

    Raises
    ------
    ArgumentError
        It is not one, or is outside the range.
    """
    if not is_number(value) or not least <= value <= most or value != int(value):
        limits = f"of at least {least}" if least != 0 and most == LARGEST else f"from {least} to {most}"
        raise ArgumentError(f"`{name}` must be a whole number {limits}.", [f"it is {value_text(value)}"])
    return int(value)


def number(name: str, value: Any, least: float, most: float) -> float:
    """The number, if it lies between `least` and `most`.

    Raises
    ------
    ArgumentError
        It is not a number, or is outside.

    Examples
    --------
    >>> number("limit", 2, 0.01, 1e6)
    2.0
    """
    if not is_number(value) or not least <= value <= most:
        raise ArgumentError(f"`{name}` must be a number from {least:,} to {most:,}.", [f"it is {value_text(value)}"])
    return float(value)


def height_and_width(name: str, value: Any) -> tuple[int, int]:
    """Height and width in pixels, of one number or two.

    Raises
    ------
    ArgumentError
        Not one or two whole numbers of at least 1.
    """
    try:
        sides = tuple(value)
    except TypeError:  # one number
        sides = (value, value)
    if len(sides) != 2 or not all(is_number(side) and 1 <= side <= LARGEST and side == int(side) for side in sides):
        text = f"`{name}` must be a whole number of pixels, or height and width."
        raise ArgumentError(text, [f"it is {value_text(value)}"])
    return int(sides[0]), int(sides[1])


def yes_or_no(name: str, value: Any) -> bool:
    """The value as bool.

    Raises
    ------
    ArgumentError
        It is neither true nor false.
    """
    import numpy as np  # late, as above

    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(
            f"`{name}` must be {value_text(True)} or {value_text(False)}.", [f"it is {value_text(value)}"]
        )
    return bool(value)


def in_order(name: str, value: Any) -> Any:
    """The value, if what it holds has an order of its own.

    Raises
    ------
    ArgumentError
        It is a set or a view of a dict: which of its parts belongs to what would be left to chance.

    Examples
    --------
    >>> in_order("y", ["cat", "dog"])
    ['cat', 'dog']
    """
    if isinstance(value, (Set, MappingView)):
        text = f"it is of type {type(value).__name__}"
        raise ArgumentError(f"`{name}` has no order.", [text], "Use a list, or a dict with names.")
    return value


def user_path(name: str, value: Any) -> Path:
    """The path, with ``~`` for the home folder.

    Raises
    ------
    ArgumentError
        It is not a path.
    """
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value) or "\0" in os.fspath(value):
        raise ArgumentError(f"`{name}` must be a path.", [f"it is {value_text(value)}"])
    return Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib fails on a file called "~x"
