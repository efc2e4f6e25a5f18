"""How it was made: the plan with its reasons, settings, history, versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...summary import planned
from ..charts import Curve, curves
from ..elements import drawing, facts, folded, table
from ..markup import Node, named, tag
from ..numbers import figure
from ..section import Section, section
from ..subject import Subject
from .figures import spoken

if TYPE_CHECKING:
    import pandas as pd

_APART = ("plan", "pictures", "meta", "seed", "tune", "path", "range")  # told elsewhere, or below
_EPOCHS = 200  # rows


@section("making", 70)
def making(subject: Subject) -> Section:
    model = subject.model
    settings, network = model.settings, model.network
    rows: list[tuple[Node, Node]] = [
        ("Network", named(network.provenance.get("name", "of its own"))),
        ("Parameters", f"{network.n_parameters:,}"),
        ("Input", str(network.preprocess)),
        ("Seed", text_of(settings.get("seed"))),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(_mapping(model.versions).items()))),
    ]
    plan = [[name, named(value, 80), named(why, 200)] for name, value, why in planned(settings.get("plan"))]
    parts: list[Node] = [facts(rows)]
    if plan:
        parts.append(table("What was decided, and why", ("Choice", "Value", "Why"), plan, prose=(2,)))
    parts += _history(model.history)
    others = [[name, tag("code", named(text_of(value), 200))] for name, value in settings.items() if name not in _APART]
    if others:
        parts.append(folded("All other settings", table("Other settings", ("Setting", "Value"), others, shown=False)))
    return Section("How it was made", tuple(parts))


def text_of(value: Any) -> str:
    """A setting as text."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _history(history: pd.DataFrame) -> list[Node]:
    columns = [name for name in history.columns if name not in ("stage", "epoch", "lr")]
    known = {name: history[name].to_numpy(float) for name in columns}
    known = {name: values for name, values in known.items() if np.isfinite(values).any()}
    if not known:
        return []
    rows: list[list[Node]] = [
        [str(stage), int(epoch), *(figure(float(known[name][row])) for name in known)]
        for row, (stage, epoch) in enumerate(zip(history["stage"], history["epoch"]))
    ]
    heads = ("Phase", "Epoch", *(spoken(name) for name in known))
    numbers = tuple(range(1, len(heads)))
    behind = table("History", heads, rows[:_EPOCHS], numbers, False)
    if len(history) < 3:  # nothing to draw
        return [table("History: an epoch a row", heads, rows, numbers)]
    steps = list(range(1, len(history) + 1))
    stages = [str(stage) for stage in history["stage"]]
    starts = [row for row in range(len(stages)) if row == 0 or stages[row] != stages[row - 1]]
    phases = [(stages[start], start + 1, end) for start, end in zip(starts, [*starts[1:], len(stages)])]
    losses = [name for name in ("train_loss", "valid_loss") if name in known]
    plots: list[Node] = []
    for names in filter(None, (losses, [name for name in known if name not in losses][:1])):
        lines = [Curve(spoken(name), steps, known[name].tolist()) for name in names]
        high = float(np.nanmax([np.nanmax(known[name]) for name in names]))
        top = 1.0 if names is not losses and 0.5 < high <= 1 else 1.08 * high if high > 0 else 1.0
        low = min(0.0, float(np.nanmin([np.nanmin(known[name]) for name in names])))
        title = "Loss by epoch" if names is losses else f"{spoken(names[0])} by epoch"
        best = int(np.nanargmin(known["valid_loss"])) if "valid_loss" in known and names is losses else None
        ring = (float(best + 1), float(known["valid_loss"][best])) if best is not None else (np.nan, np.nan)
        axis = "loss" if names is losses else spoken(names[0])
        plots.append(curves(title, lines, ("epoch", axis), (low, top), phases, ring))
    words = "Losses and metric, epoch by epoch. Ringed: the lowest validation loss." if "valid_loss" in known else (
        "Losses, epoch by epoch: there was no validation.")  # fmt: skip
    return [drawing(tag("div", plots, class_="side"), words, behind)]
