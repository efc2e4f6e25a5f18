"""`LabelType`: what the classes' names were before they became text, so that predictions have that type again."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ..arguments import is_number, one_of, yes_or_no
from ..calls import in_r
from ..spec import json_values, settings

KINDS = ("text", "boolean", "integer", "number")
_BOOLEANS = {"False": False, "True": True}


@dataclass(frozen=True)
class LabelType:
    """The type of labels that are classes; a model keeps it.

    Parameters
    ----------
    kind
        ``"text"``, ``"boolean"``, ``"integer"`` or ``"number"``.
    ordered
        Whether the classes have an order, as those of an ordered categorical (an R ordered factor).

    Examples
    --------
    >>> kind = LabelType.of([True, False])
    >>> kind, kind.values(["False", "True"])
    (LabelType(kind='boolean', ordered=False), [False, True])
    """

    kind: str = "text"
    ordered: bool = False

    @classmethod
    def of(cls, values: Iterable[Any], ordered: bool = False) -> LabelType:
        """The type that all of these labels have; text where they differ."""
        kinds = {kind_of(value) for value in values}
        if kinds == {"integer", "number"}:
            return cls("number", ordered)
        return cls(kinds.pop() if len(kinds) == 1 else "text", ordered)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LabelType:
        """The type that `to_dict` described.

        Raises
        ------
        ArgumentError
            There is no such type.
        """
        label_type = cls(**settings(cls, values))
        one_of("kind", label_type.kind, KINDS)
        yes_or_no("ordered", label_type.ordered)
        return label_type

    def to_dict(self) -> dict[str, Any]:
        """The type as JSON values; empty for plain text."""
        return {} if self == TEXT else json_values(self)

    def fits(self, levels: Iterable[str]) -> bool:
        """Whether each of these texts stands for a value of this type."""
        try:
            return all(label_text(self.value(level)) == level for level in levels)
        except (KeyError, ValueError, OverflowError):
            return False

    def value(self, level: str) -> Any:
        """The value of a text: str, bool, int or float."""
        if self.kind == "boolean":
            return _BOOLEANS[level]
        return {"integer": int, "number": float}.get(self.kind, str)(level)

    def values(self, levels: Sequence[str]) -> list[Any]:
        """The values of these texts."""
        return [self.value(level) for level in levels]

    def shown(self, level: str) -> str:
        """The class as the current language writes it: R has ``TRUE``, and ``1e+05``."""
        return r_text(self.value(level)) if in_r() and self.kind != "text" else level


TEXT = LabelType()


def kind_of(value: Any) -> str:
    """The kind of a label; anything but booleans and numbers is text."""
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, Decimal) or is_number(value):
        return "integer" if isinstance(value, (int, np.integer)) else "number"
    return "text"


def label_text(value: Any) -> str:
    """A label as the name of a class: composed characters (NFC), bytes read as UTF-8 or else as Latin-1, whole numbers
    without a point.

    Examples
    --------
    >>> label_text(3.0), label_text(b"cat"), label_text("cafe\\u0301") == "caf\\u00e9"
    ('3', 'cat', True)
    """
    if isinstance(value, (bytes, bytearray)):
        value = _decoded(bytes(value))
    if kind_of(value) == "number":
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    return unicodedata.normalize("NFC", str(value))


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")  # which keeps different labels apart


def r_text(value: Any) -> str:
    """A value as R's ``as.character()`` writes it: 15 digits, and an exponent where that is shorter.

    Examples
    --------
    >>> r_text(True), r_text(100000.0), r_text(0.1 + 0.2), r_text(123456.5), r_text(7)
    ('TRUE', '1e+05', '0.3', '123456.5', '7')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(value).upper()
    if not isinstance(value, (float, np.floating)) or not math.isfinite(value):
        return str(value)
    mantissa, _, exponent = f"{value:.14e}".partition("e")
    scientific = f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    digits = len(mantissa.strip("-0").replace(".", ""))
    fixed = f"{value:.{max(0, digits - 1 - int(exponent))}f}"
    return fixed if len(fixed) <= len(scientific) else scientific
