"""The images: how many, of what, how large, how they were divided, and what is odd about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from ..charts import bar
from ..elements import facts, folded, note, table
from ..markup import Node, named, tag
from ..numbers import figure, many, percent
from ..section import Section, section
from ..subject import GIVEN, Subject

_SHOWN, _FOUND = 30, 20  # classes, and findings of a kind


@section("data", 60)
def data(subject: Subject) -> Section:
    parts: list[Node] = [facts(_facts(subject)), *_counts(subject), *_findings(subject)]
    return Section("The images", tuple(parts))


def _facts(subject: Subject) -> list[tuple[Node, Node]]:
    known = subject.told
    remembered = subject.model.validation
    rows: list[tuple[Node, Node]] = []
    if isinstance(known.get("training"), int):
        rows.append(("Trained on", many(known["training"], "image")))
    if len(remembered.fold):
        rows.append(
            (
                "Divided into",
                f"{len(np.unique(remembered.fold))} folds: each image is predicted by a model without its own",
            )
        )
    elif isinstance(known.get("validation"), int) and known["validation"]:
        rows.append(("Validated on", f"{many(known['validation'], 'image')}, kept out of training"))
    if len(remembered.group):
        sizes = np.bincount(remembered.group)
        together = int(sizes[sizes > 1].sum())
        many_groups = many(int((sizes > 1).sum()), "group")
        said = f"{many(together, 'image')}, in {many_groups} (copies, bursts, or as was told): none is on both sides"
        rows.append(("Belong together", said))
    if remembered.resembling.any():
        count = many(int(remembered.resembling.sum()), "image")
        rows.append(("Resemble training", f"{count} for validation: figures on them are too high"))
    if subject.judged_on == GIVEN:
        rows.append(("Judged by", subject.described))
    if subject.images is not None and len(subject.images):
        rows += [("Size", _sizes(subject.images.sizes)), ("Colour", "grey" if subject.images.grey else "colour")]
    if "digest" in known:
        rows.append(("SHA-256 of contents and labels", tag("code", str(known["digest"]))))
    return rows


def _sizes(sizes: Any) -> str:
    sizes = sizes[(sizes > 0).all(axis=1)]
    if not len(sizes):
        return "not known"
    low, middle, high = (np.quantile(sizes, q, axis=0).astype(int) for q in (0, 0.5, 1))
    if (low == high).all():
        return f"{low[1]} \u00d7 {low[0]} pixels"
    return (f"median {middle[1]} \u00d7 {middle[0]} pixels (width \u00d7 height); widths {low[1]} to {high[1]}, "
            f"heights {low[0]} to {high[0]}")  # fmt: skip


def _counts(subject: Subject) -> list[Node]:
    """Of each class; or the range of the numbers."""
    if subject.own is not None and subject.own.y is not None:
        y, of = subject.own.y, "all images at hand"
    elif subject.judged is not None:
        y, of = subject.judged.y, subject.described
    else:
        return [note("How many images each class has is not kept in the model.")]
    counts = subject.task.counts(y)
    if counts is None:
        names = list(subject.task.levels) or ["number"]
        numbers = np.asarray(y, np.float64).reshape(len(y), -1)
        rows: list[list[Node]] = [
            [named(name, 28), *(figure(float(np.quantile(numbers[:, k], q))) for q in (0, 0.25, 0.5, 0.75, 1))]
            for k, name in enumerate(names)
        ]
        heads = ("Number", "Lowest", "Lower quartile", "Median", "Upper quartile", "Highest")
        return [table("The numbers to predict", heads, rows, (1, 2, 3, 4, 5))]
    levels, most = subject.task.shown_levels, int(counts.max(initial=0))
    order = np.argsort(-counts, kind="stable")
    rows = [[named(levels[k], 28), int(counts[k]), percent(counts[k] / max(len(y), 1)), bar(int(counts[k]), most)]
            for k in order]  # fmt: skip
    what = "Class" if subject.task.name == "classification" else "Label"
    caption = f"Images of each {what.lower()}, of {of}"
    columns = (what, "Images", "Share", "From 0")
    if len(rows) <= _SHOWN:
        return [table(caption, columns, rows, (1, 2))]
    words = [f"{len(rows)} {what.lower()}{'es' if what == 'Class' else 's'}: from ", named(levels[order[0]], 28),
             f" with {many(most, 'image')} to ", named(levels[order[-1]], 28), f" with {counts.min():,}."]  # fmt: skip
    return [tag("p", words), folded(f"All {len(rows)}", table(caption, columns, rows, (1, 2)))]


def _findings(subject: Subject) -> list[Node]:
    """What could not be read, and what is odd."""
    images = subject.images
    if images is None:
        return [note("What was left out, and which images are copies, shows where images are given to the report.")]
    parts: list[Node] = []
    if images.bad:
        heads = ("File", "Why")
        rows = [[named(name), named(reason, 200)] for name, reason in images.bad[:_FOUND]]
        parts.append(table(f"Left out: {many(len(images.bad), 'file')} that can't be read", heads, rows))
        parts += _more(images.bad)
    if images.problems:
        parts.append(tag("h3", "Odd"))
        parts.append(tag("ul", [tag("li", named(problem, 300)) for problem in images.problems[:_FOUND]]))
        parts += _more(images.problems)
    if not parts:
        parts.append(note("Nothing odd was found in the images at hand."))
    return parts


def _more(found: Sequence[Any]) -> list[Optional[Node]]:
    return [note(f"And {len(found) - _FOUND} more.")] if len(found) > _FOUND else []
