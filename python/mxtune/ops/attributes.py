"""Attributes of operators: their types, bounds, defaults, and how MXNet writes them as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Optional, Union

from ..words import near
from .misfit import MisfitError

_INTEGER = re.compile(r"\s*[+-]?\d{1,18}L?\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Required:
    """The default of an attribute that must be given."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = Required()


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def parse(self, text: str) -> int:
        """The value that MXNet reads; ValueError if none is allowed."""
        if not _INTEGER.fullmatch(text) or not self.low <= (value := int(text.strip().rstrip("L"))) <= self.high:
            raise ValueError
        return value

    def __str__(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Real:
    """A finite number from `low` to `high`."""

    low: float = -1e30
    high: float = 1e30

    def parse(self, text: str) -> float:
        """The value that MXNet reads; ValueError if none is allowed."""
        if not _NUMBER.fullmatch(text) or not self.low <= (value := float(text)) <= self.high:
            raise ValueError
        return value

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def parse(self, text: str) -> bool:
        """The value that MXNet reads; ValueError if none is allowed."""
        value = _FLAGS.get(text.strip().lower())
        if value is None:
            raise ValueError
        return value

    def __str__(self) -> str:
        return "True or False"


@dataclass(frozen=True)
class Integers:
    """A tuple of `shortest` to `longest` whole numbers from `low` to `high`, of which some may be None."""

    low: int
    high: int
    shortest: int = 0
    longest: int = 8
    gaps: bool = False

    def parse(self, text: str) -> tuple[Optional[int], ...]:
        """The value that MXNet reads; ValueError if none is allowed."""
        inner = text.strip()
        one = Integer(self.low, self.high)
        if inner[:1] + inner[-1:] in ("()", "[]"):
            inner = inner[1:-1].strip()
            inner = inner[:-1] if inner.endswith(",") else inner
            parts = inner.split(",", self.longest) if inner else []
        else:
            parts = [inner]  # a single number needs no brackets
        values = tuple(None if self.gaps and part.strip() == "None" else one.parse(part) for part in parts)
        if not self.shortest <= len(values) <= self.longest:
            raise ValueError
        return values

    def __str__(self) -> str:
        length = f"{self.longest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        return f"{length} whole numbers from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def parse(self, text: str) -> str:
        """The value that MXNet reads; ValueError if none is allowed."""
        if text not in self.words:
            raise ValueError
        return text

    def __str__(self) -> str:
        return " or ".join(self.words)


Kind = Union[Integer, Real, Flag, Integers, Choice]


@dataclass(frozen=True)
class Attribute:
    """One argument of an operator.

    Parameters
    ----------
    name
        As MXNet calls it.
    kind
        Its type and bounds.
    default
        Its value where it is not given, or `REQUIRED`.
    optional
        True if it may be given as None.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    optional: bool = False

    def parse(self, text: str) -> Any:
        """The value that the text stands for.

        Raises
        ------
        MisfitError
            It is of another type or outside the bounds.
        """
        if self.optional and text == "None":
            return None
        try:
            return self.kind.parse(text)
        except ValueError:
            shortened = text if len(text) <= 60 else f"{text[:57]}..."
            allowed = f"{self.kind}{' or None' if self.optional else ''}"
            raise MisfitError(f"its {self.name} is {shortened} and must be {allowed}") from None


def integer(name: str, low: int, high: int, default: Any = REQUIRED, optional: bool = False) -> Attribute:
    """A whole number."""
    return Attribute(name, Integer(low, high), default, optional)


def real(name: str, default: Any = REQUIRED, low: float = -1e30, high: float = 1e30) -> Attribute:
    """A number."""
    return Attribute(name, Real(low, high), default, optional=default is None)


def flag(name: str, default: bool = False) -> Attribute:
    """True or False."""
    return Attribute(name, Flag(), default)


def integers(name: str, low: int, high: int, shortest: int = 0, longest: int = 8, default: Any = ()) -> Attribute:
    """A tuple of whole numbers."""
    return Attribute(name, Integers(low, high, shortest, longest), default, optional=default is None)


def choice(name: str, *words: str, default: Any = REQUIRED, optional: bool = False) -> Attribute:
    """One of a few words."""
    return Attribute(name, Choice(words), default, optional)


# Arguments that change nothing: which of cuDNN's algorithms, how much memory it may take.
CUDNN = (
    choice("cudnn_tune", "off", "limited_workspace", "fastest", default=None, optional=True),
    flag("cudnn_off"),
)


def workspace(default: int) -> Attribute:
    """How many MB cuDNN may take, which changes nothing."""
    return integer("workspace", 0, 2**40, default)


FLOAT32 = choice("dtype", "float32", default="float32")


def parse(attributes: Sequence[Attribute], written: Mapping[str, str]) -> SimpleNamespace:
    """The values of all attributes of an operator, by name.

    Parameters
    ----------
    written
        The arguments of a graph's node, as text; a user's own attributes (``__lr_mult__``) are ignored.

    Raises
    ------
    MisfitError
        An attribute is unknown, missing, of another type or outside its bounds.
    """
    by_name = {attribute.name: attribute for attribute in attributes}
    values = {name: attribute.default for name, attribute in by_name.items()}
    for name, text in written.items():
        if name in by_name:
            values[name] = by_name[name].parse(text)
        elif not (name.startswith("__") and name.endswith("__")):
            raise MisfitError(f"it takes no {name[:60]}", near(name, by_name))
    missing = [name for name, value in values.items() if value is REQUIRED]
    if missing:
        raise MisfitError(f"its {missing[0]} is missing")
    return SimpleNamespace(**values)


def spell(value: object) -> str:
    """A value as MXNet writes it.

    Examples
    --------
    >>> spell((3, 3)), spell((2,)), spell(True), spell(0.5)
    ('(3, 3)', '(2,)', 'True', '0.5')
    """
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(str, value)) + ("," if len(value) == 1 else "") + ")"
    return str(value)
