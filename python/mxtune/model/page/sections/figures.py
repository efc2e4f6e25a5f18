"""How good it is: every metric, with its interval."""

from __future__ import annotations

from ....tasks import metrics
from ..charts import strip
from ..elements import note, table
from ..markup import Node, tag
from ..numbers import figure, within
from ..section import Section, section
from ..subject import Subject

_ALOUD = {"f1": "F1", "rmse": "RMSE", "mae": "MAE", "r2": "R\u00b2", "roc": "ROC", "auc": "AUC", "top5": "top-5"}


def spoken(name: str) -> str:
    """The name of a metric, as people write it."""
    return " ".join(_ALOUD.get(word, word) for word in name.split("_"))


@section("figures", 10)
def figures(subject: Subject) -> Section:
    title = "How good it is"
    if not subject.figures:
        said = "Not known: the model was trained without validation. Give the report labelled images that it was not "
        return Section(title, (tag("p", said, "trained on; or train it with folds."),))
    measured = subject.figures
    rows: list[list[Node]] = []
    for metric in metrics.metrics_of(subject.task.name):
        if metric.name not in measured:
            continue
        value, ends = float(measured[metric.name]), measured.intervals.get(metric.name)
        is_share = subject.task.has_classes and metric.greater_is_better
        rows.append([
            spoken(metric.name), figure(value, is_share), within(ends, is_share),
            strip(value, ends) if metric.greater_is_better else None, _meaning(metric),
        ])  # fmt: skip
    heads = ("Metric", "Estimate", "95 % interval", "From 0 to 1", "What it is")
    parts: list[Node] = [table(f"Metrics on {subject.described}", heads, rows, numbers=(1, 2), prose=(4,))]
    if measured.intervals:
        drawn = "groups" if subject.judged is not None and subject.judged.group is not None and len(
            subject.judged.group) else "images"  # fmt: skip
        parts.append(note(
            f"Intervals: a bootstrap over {drawn}. They tell of chance in which images were at hand, and not of ",
            "images of another kind than these.",
        ))  # fmt: skip
    return Section(title, tuple(parts))


def _meaning(metric: metrics.Metric) -> str:
    words = (metric.function.__doc__ or "").strip().split("\n")[0]
    return words + ("" if metric.greater_is_better or not words else " The lower, the better.")
