"""Labels that are probably wrong: to be looked at, since the model may be wrong as well."""

from __future__ import annotations

from typing import Any, Optional

from ..elements import folded, note, table
from ..gallery import gallery
from ..markup import Node, named, tag
from ..numbers import many, share, short
from ..section import Section, section
from ..subject import Subject

_SHOWN, _ROWS, _SETS = 12, 50, 20


@section("suspects", 45)
def suspects(subject: Subject) -> Optional[Section]:
    if subject.judged is None:
        return None
    found = subject.suspects
    rows = found.table[found.table["suspect"]].to_dict("records")
    parts: list[Node] = [tag("p", _counted(len(found), len(subject.judged.names)))]
    if rows:
        place_of = {name: row for row, name in reversed(list(enumerate(found.names)))}
        first = {place_of[row["file"]]: row for row in reversed(rows)}
        shown = [row for row in reversed(first) if subject.places[row] >= 0][:_SHOWN]
        if shown and subject.images is not None:
            parts.append(gallery(subject, shown, [_said(subject, row, first[row]) for row in shown]))
        listed = _table(subject, rows[:_ROWS])
        parts.append(folded(f"The first {len(rows[:_ROWS])} as a table", listed) if shown else listed)
    parts += [*_copies(found.copies), *_alike(found.classes)]
    return Section("Labels that may be wrong", tuple(parts))


def _counted(suspect: int, of: int) -> str:
    if not suspect:
        return f"None of {many(of, 'image')} has a label that the model finds unlikely."
    has = "has a label" if suspect == 1 else "have labels"
    return (
        f"{suspect:,} of {many(of, 'image')} {has} that the model finds ten times less likely than another. Look at "
        "them, the most suspect first: some labels are wrong, and for some it is the model that is."
    )


def _said(subject: Subject, row: int, record: dict[str, Any]) -> list[Node]:
    assert subject.judged is not None  # noqa: S101 - who calls has seen to it
    label = subject.task.text(subject.judged.y[row])
    return [["labelled ", named(label or "none", 24)], tag("b", named(subject.task.remedy(record), 24), "?")]


def _table(subject: Subject, rows: list[dict[str, Any]]) -> Node:
    by_level, has_classes = "level" in rows[0], subject.task.has_classes
    heads = [
        "File",
        *(["Of"] if by_level else []),
        "Label",
        "Suggested",
        *(["Its probability"] if has_classes else ["Off by"]),
    ]
    cells: list[list[Node]] = []
    for row in rows:
        level: list[Node] = [named(row["level"], 28)] if by_level else []
        label, suggested = (named(_written(row[name]), 28) for name in ("label", "suggested"))
        sure: Node = share(row["suggested_prob"]) if has_classes else f"{short(row['score'])} robust deviations"
        cells.append([named(row["file"], 40), *level, label, suggested, sure])
    return table("Suspect labels, the most suspect first", heads, cells, (len(heads) - 1,))


def _written(value: Any) -> str:
    """A label in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return short(value) if isinstance(value, float) else str(value)


def _copies(copies: Any) -> list[Node]:
    """Images that are the same and have different labels."""
    if not len(copies):
        return []
    rows: list[list[Node]] = [
        [int(one["set"]), named(one["file"], 40), named(one["label"], 28)]
        for one in copies[copies["set"] <= _SETS].to_dict("records")
    ]
    sets = int(copies["set"].max())
    parts: list[Node] = [table("Copies with different labels: at most one is right", ("Set", "File", "Label"), rows)]
    return [*parts, note(f"And {sets - _SETS} more sets.") if sets > _SETS else None]


def _alike(classes: Any) -> list[Node]:
    """Classes that may be one."""
    rows: list[list[Node]] = [
        [named(one["level"], 28), named(one["other"], 28), share(one["told_apart"])]
        for one in classes.head(_SETS).to_dict("records")
    ]
    if not rows:
        return []
    caption = "Classes that may be one, and the share of pairs that is told apart (a guess: 50 %)"
    return [table(caption, ("Class", "Other", "Told apart"), rows, (2,))]
