"""Whether more images would help."""

from __future__ import annotations

from typing import Optional

import numpy as np

from ....errors import MxtuneError
from ....images.findings import kept_back
from ...curve import LearningCurve
from ..charts import Curve, curves
from ..elements import drawing, note, table
from ..markup import Node, named, tag
from ..numbers import figure, many, percent, short, within
from ..section import Section, section
from ..subject import GIVEN, Subject
from .figures import spoken

_TITLE = "Would more images help?"
_SHOWN = 20  # classes


@section("curve", 50, slow=True)
def curve(subject: Subject) -> Optional[Section]:
    if subject.judged_on == GIVEN:
        return None
    if subject.own is None:
        said = "This shows where all images that the model was made of are given to the report."
        return Section(_TITLE, (note(said),))
    try:
        with kept_back():  # what it warns of is told below
            found = subject.model.learning_curve(subject.own)
    except MxtuneError as error:
        return Section(_TITLE, (note(f"This can't be told. {str(error).splitlines()[0]}"),))
    is_share = subject.task.has_classes
    parts: list[Node] = [tag("p", _said(found, is_share)), _drawn(found, is_share), *_classes(found)]
    if subject.model.layers_learned:
        parts.insert(1, note("Layers were trained on these images: the curve is too good, and too flat."))
    return Section(_TITLE, tuple(parts))


def _said(found: LearningCurve, is_share: bool) -> str:
    now, twice, gain, ends = found.expected(found.n), found.expected(2 * found.n), found.gain, found.gain_interval
    written = percent if is_share else short
    points = _points(gain, *ends) if is_share else f"{short(gain)} ({within(ends)})"
    return (
        f"Heads on ever more of the images say what to expect: with {many(found.n, 'image')} {spoken(found.metric)} "
        f"{written(now)}, with twice as many {written(twice)}, a change of {points}."
    )


def _points(gain: float, low: float, high: float) -> str:
    return f"{100 * gain:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})".replace("-", "\u2212")


def _drawn(found: LearningCurve, is_share: bool) -> Node:
    measured, line = found.table, found.line
    name = found.metric
    ends = list(zip(measured["lower"].tolist(), measured["upper"].tolist()))
    lines = [
        Curve("measured", measured["images"].tolist(), measured[name].tolist(), ends, joined=False),
        Curve("expected", line["images"].tolist(), line[name].tolist()),
    ]
    values = np.concatenate([measured[[name, "lower", "upper"]].to_numpy(float).ravel(), line[name].to_numpy(float)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.08 * (high - low) or 0.05
    span = max(low - margin, 0.0), min(high + margin, 1.0) if is_share else high + margin
    plot = curves(f"{spoken(name)} by the number of images", lines, ("images", spoken(name)), span, now=found.n)
    heads = ("Images", spoken(name).capitalize() if is_share else spoken(name), "95 % interval", "Expected")
    rows: list[list[Node]] = [
        [f"{one['images']:,.0f}", figure(one[name], is_share), within((one["lower"], one["upper"]), is_share),
         figure(one["fitted"], is_share)]
        for one in measured.to_dict("records")
    ]  # fmt: skip
    words = "Points: models of so many images, tested on others; the line: a power law, to twice as many; dotted: now."
    return drawing(plot, words, table("Learning curve", heads, rows, (0, 1, 2, 3), False))


def _classes(found: LearningCurve) -> list[Node]:
    lacking = found.classes[found.classes["short"]].sort_values("gain", ascending=False, kind="stable")
    if not len(lacking):
        return [note("No class stands out as short of images.")] if len(found.classes) else []
    rows: list[list[Node]] = [
        [
            named(one["level"], 28),
            int(one["n"]),
            figure(one["recall"], True),
            _points(one["gain"], one["lower"], one["upper"]),
        ]
        for one in lacking.head(_SHOWN).to_dict("records")
    ]
    caption = "Short of images: what twice as many would bring"
    return [table(caption, ("Class", "Images", "Recall", "Expected gain"), rows, (1, 2, 3))]
