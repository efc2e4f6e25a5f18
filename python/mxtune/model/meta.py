"""What a user says about a model: title, author, notes, date; and for its card what no file can tell.

None of it by default: the same training gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..calls import value_text
from ..errors import ArgumentError
from ..words import near

FIELDS = ("title", "author", "notes", "date")
CARD = ("intended_use", "out_of_scope", "factors", "data", "ethics", "caveats", "licence")
"""Of a model card (Mitchell et al., 2019), what a report can't know."""


def checked(
    meta: Optional[Mapping[str, Any]], fields: Sequence[str] = FIELDS, argument: str = "meta"
) -> dict[str, str]:
    """The fields that were given, as text, in their order.

    Raises
    ------
    ArgumentError
        It has no named fields, an unknown field, or one that is not text.

    Examples
    --------
    >>> checked({"author": ["A. Lovelace", "C. Babbage"], "title": "Pets", "date": dt.date(2026, 5, 4)})
    {'title': 'Pets', 'author': 'A. Lovelace, C. Babbage', 'date': '2026-05-04'}
    """
    if meta is None:
        return {}
    if not isinstance(meta, Mapping):
        raise ArgumentError(
            f"`{argument}` must have fields by name.", [f"it is {value_text(meta)}"], f"Fields: {', '.join(fields)}."
        )
    unknown = [str(name) for name in meta if name not in fields]
    if unknown:
        hint = near(unknown[0], fields) or f"Fields: {', '.join(fields)}."
        raise ArgumentError(f"`{argument}` has fields that are not known.", unknown, hint)
    return {name: _text(argument, name, meta[name]) for name in fields if meta.get(name) is not None}


def kept(settings: Mapping[str, Any]) -> dict[str, str]:
    """The fields among the settings of a model; none of an older one."""
    meta = settings.get("meta")
    return dict(meta) if isinstance(meta, Mapping) else {}


def _text(argument: str, name: str, value: Any) -> str:
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()  # R's dates, and pandas', come as midnight
    if isinstance(value, dt.date):  # datetimes, too
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and all(isinstance(v, str) for v in value):
        return ", ".join(value)
    if not isinstance(value, str):
        raise ArgumentError(f"`{argument}` must be text: its {name} is not.", [f"it is {value_text(value)}"])
    return value
