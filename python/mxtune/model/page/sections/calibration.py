"""Whether its word can be taken: probabilities, sets, and numbers beside what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

import numpy as np

from ... import conformal
from ..charts import agreement, reliability
from ..elements import drawing, note, side, table
from ..markup import Node, named, tag
from ..numbers import figure, percent, share, short, thousandth
from ..section import Section, section
from ..subject import Subject

if TYPE_CHECKING:
    import pandas as pd

_LEVELS = (0.8, 0.9, 0.95, 0.99)
_TARGETS = 6  # numbers of which each has a plot


@section("calibration", 30)
def calibration(subject: Subject) -> Optional[Section]:
    if subject.judged is None:
        return None
    frame = subject.task.calibration(subject.judged.y, subject.judged.outputs)
    title = "How sure it is" if "lower" in frame else "Predicted and observed"
    parts = _of_probabilities(frame) if "lower" in frame else _of_numbers(subject, frame)
    first, *rest = parts
    return Section(title, (side(first, _sets(subject)), *rest, *_temperature(subject)))


def _of_probabilities(frame: pd.DataFrame) -> list[Node]:
    by_label = "level" in frame
    bins = pooled(frame) if by_label else frame
    names = ("probability", "share that has the label") if by_label else ("confidence", "share that is right")
    filled = bins[bins["n"] > 0]
    rows: list[list[Node]] = [
        [
            f"{short(one['lower'])} to {short(one['upper'])}",
            int(one["n"]),
            share(one["predicted"]),
            share(one["observed"]),
        ]
        for one in filled.to_dict("records")
    ]
    behind = table("Calibration in bins", ("Probability", "Images", "Promised", "Observed"), rows, (1, 2, 3), False)
    error = float(bins["error"].sum())
    said = f"Bars: the {names[1]}; strokes: the mean {names[0]}; above: images. "
    words = [said, "Expected calibration error ", thousandth(error), " (Guo et al., 2017): the mean gap between them."]
    parts: list[Node] = [drawing(reliability(bins, names), words, behind)]
    if by_label:
        errors = frame.groupby("level", sort=False)["error"].sum().sort_values(ascending=False, kind="stable")
        rows = [[named(level, 28), figure(float(one))] for level, one in errors.head(20).items()]
        parts.append(table("Calibration error of each label, the largest first", ("Label", "Error"), rows, (1,)))
    return parts


def pooled(frame: pd.DataFrame) -> pd.DataFrame:
    """The bins of all labels in one."""
    import pandas as pd

    hits = frame.assign(**{name: (frame[name] * frame["n"]).fillna(0) for name in ("predicted", "observed")})
    bins = hits.groupby("lower", as_index=False).agg(
        {"upper": "first", "n": "sum", "predicted": "sum", "observed": "sum"}
    )
    with np.errstate(invalid="ignore"):
        means = {name: bins[name].to_numpy() / bins["n"].to_numpy() for name in ("predicted", "observed")}
    gap = np.nan_to_num(np.abs(means["predicted"] - means["observed"]))
    return pd.DataFrame({**bins, **means, "error": bins["n"] / max(int(bins["n"].sum()), 1) * gap})


def _of_numbers(subject: Subject, frame: pd.DataFrame) -> list[Node]:
    levels = list(subject.task.levels) or [""]
    rows: list[list[Node]] = []
    plots: list[Node] = []
    for level in levels:
        one = frame[frame["level"] == level] if level else frame
        predicted, observed = (one[name].to_numpy(float) for name in ("predicted", "observed"))
        gap = predicted - observed
        told = observed.mean(), np.abs(gap).mean(), np.sqrt((gap**2).mean()), gap.mean(), np.abs(gap).max()
        rows.append([named(level or "number", 28), *(figure(float(value)) for value in told)])
        if len(plots) < _TARGETS:
            words = [named(level, 28), ": " if level else None, "Each point is an image; on the line both are equal."]
            plots.append(drawing(agreement(predicted, observed, level), words))
    heads = ("Number", "Mean observed", "Mean error (MAE)", "RMSE", "Bias", "Largest error")
    parts: list[Node] = [plots, table("How far it is off", heads, rows, (1, 2, 3, 4, 5))]
    if len(levels) > _TARGETS:
        parts.insert(1, note(f"The first {_TARGETS} of {len(levels)} numbers are drawn."))
    return parts


def _sets(subject: Subject) -> list[Node]:
    """How large sets are that hold the truth as often as is asked."""
    remembered = subject.model.validation
    if not len(remembered):
        return []
    rows: list[list[Node]] = []
    for level in _LEVELS:
        limits = conformal.limits_for(subject.task, remembered, level)
        if np.isfinite(limits).all():
            rows.append(
                [percent(level, 0), subject.task.size_of_sets(remembered.outputs, limits).replace("+-", "\u00b1")]
            )
    if not rows:
        return []
    caption = "Sets that hold the truth"
    said = 'Split-conformal (Vovk et al., 2005): predict with type = "set".'
    return [tag("div", table(caption, ("Share of images", "Mean size"), rows), note(said))]


def _temperature(subject: Subject) -> list[Node]:
    temperature = subject.model.validation.temperature
    if temperature == 1:
        return []
    return [note("Its outputs were divided by a temperature of ", figure(temperature), ", chosen out of fold.")]
