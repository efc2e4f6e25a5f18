"""A vector of R as plain data, which both ways of carrying fill and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .parts import Stuck

NA_INTEGER = -(2**31)
NA_REAL_BITS = 0x7FF00000000007A2  # R's own kind of NaN; only the lower half distinguishes it from others
DTYPES: dict[str, Any] = {  # numbers as they lie in R's memory; a missing logical is NA_INTEGER, too
    "logical": np.int32,
    "integer": np.int32,
    "double": np.float64,
    "complex": np.complex128,
    "raw": np.uint8,
}
ATTRIBUTES = ("names", "dim", "dimnames", "class", "levels", "units", "tzone", "row.names")  # the others are dropped


@dataclass(frozen=True)
class Vector:
    """A vector of R.

    Parameters
    ----------
    type
        R's ``typeof()``: a key of `DTYPES`, ``"character"`` or ``"list"``.
    values
        A one-dimensional array of the type's dtype, in the order of R's memory; a list of strings, None where
        missing; or a list of vectors and of what is carried as it is (None is ``NULL``).
    attributes
        By name: see `ATTRIBUTES`.
    """

    type: str
    values: Any
    attributes: dict[str, Any] = field(default_factory=dict)

    def texts(self, attribute: str) -> Optional[list[Any]]:
        """The strings of an attribute, or None where the vector has none."""
        value = self.attributes.get(attribute)
        return list(value.values) if isinstance(value, Vector) else None

    def inherits(self, name: str) -> bool:
        """Whether R's ``inherits()`` is true."""
        return name in (self.texts("class") or ())

    def missing(self) -> npt.NDArray[np.bool_]:
        """Where R has ``NA``; not where a number is NaN."""
        if self.type in ("logical", "integer"):
            return np.asarray(self.values == NA_INTEGER)
        if self.type == "double":
            lower = np.uint64(0xFFFFFFFF)
            na = (self.values.view(np.uint64) & lower) == (np.uint64(NA_REAL_BITS) & lower)
            return np.asarray(np.isnan(self.values) & na)
        if self.type == "character":
            return np.array([text is None for text in self.values], bool)
        return np.zeros(len(self.values), bool)

    def classed(self, *classes: str, **attributes: Vector) -> Vector:
        """The same with S3 classes and other attributes."""
        return Vector(self.type, self.values, {**self.attributes, **attributes, "class": strings(classes)})


def numbers(kind: str, values: Any, missing: Any = None) -> Vector:
    """A vector of numbers of R's type ``kind``, NA where ``missing``; logicals as 0 and 1."""
    array = np.ravel(np.asarray(values), order="F").astype(DTYPES[kind])
    if missing is not None and kind == "double":
        array.view(np.int64)[missing] = NA_REAL_BITS
    elif missing is not None:
        array[missing] = NA_INTEGER
    return Vector(kind, array)


def strings(values: Iterable[Any]) -> Vector:
    """A character vector; what is not a string is missing (None) or becomes one."""
    return Vector("character", [v if v is None else _text(v) for v in values])


def _text(value: Any) -> str:
    """Text that R can hold; a byte that was none, as in the name of a file, as R prints it: ``\\xff``."""
    text = str(value)
    if "\0" in text:
        raise Stuck(f"the text {text!r}: R's text ends at a NUL", 'Take it out: text.replace("\\0", "").')
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, and no byte
        return text.encode("utf-8", "backslashreplace").decode()


def listed(items: Iterable[Any], names: Optional[Iterable[Any]] = None) -> Vector:
    """A list, with or without names."""
    return Vector("list", list(items), {} if names is None else {"names": strings(map(str, names))})
