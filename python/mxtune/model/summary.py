"""The summary of a model: how it was made and how good it is, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

from ..network import Network
from ..tasks.intervals import Measured
from ..words import counted, shape_text
from .quantised import KEY, told

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 12  # of the names on the left
_CLASSES = 30


def summary(
    heading: str,
    network: Network,
    settings: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    metrics: Measured,
    classes: Optional[pd.DataFrame] = None,
    temperature: float = 1.0,
    remembered: int = 0,
) -> str:
    """A heading, then a line each: the network, its images and training, of how many images it remembers the features,
    the plan with its reasons, the metrics, and the classes, worst first."""
    origin, pictures = network.provenance, settings.get("pictures", {})
    weights = f"{origin.get('source', 'unknown')} ({origin.get('licence', 'unknown licence')})"
    trained, folds = pictures.get("training", 0), pictures.get("folds")
    validated_on = f"out of {folds} folds" if folds else f"on {pictures.get('validation', 0)}"
    phases = ", ".join(dict.fromkeys(str(row.get("stage")) for row in history)) or "none"
    fixed = ", deterministic" if settings.get("deterministic") else ""
    meta = settings.get("meta")
    lines = [
        heading,
        *(_line(name, str(text)) for name, text in (meta.items() if isinstance(meta, Mapping) else ())),
        _line("network", f"{network.n_parameters:,} parameters; weights: {weights}"),
        _line("images", str(network.preprocess)),
        _line("trained on", f"{counted(trained, 'image')}, validated {validated_on}"),
        *([_line("remembers", f"features of {counted(remembered, 'training image')}")] if remembered else []),
        *([_line("data", f"sha256 {str(pictures['digest'])[:16]}")] if "digest" in pictures else []),
        _line("phases", f"{phases}; {counted(len(history), 'epoch')}; seed {settings.get('seed')}{fixed}"),
        *_plan(settings.get("plan")),
        *_spent(settings.get("time_budget"), history, next(iter(metrics), "")),
        *([_line("int8", text)] if (text := told(settings.get(KEY))) else []),
        *([] if temperature == 1 else [_line("calibrated", f"outputs divided by a temperature of {temperature:.3g}")]),
        *(f"  {name:<24}{value:.4g}{_within(metrics.intervals.get(name))}" for name, value in metrics.items()),
        *([] if classes is None else _classes(classes)),
    ]
    return "\n".join(lines)


def _within(ends: Optional[tuple[float, float]]) -> str:
    return "" if ends is None else f" ({ends[0]:.4g} to {ends[1]:.4g})"


def _classes(classes: pd.DataFrame) -> list[str]:
    """The recall and precision of each class, the lowest recall first, up to thirty."""
    worst = classes.sort_values("recall", kind="stable").head(_CLASSES).to_dict("records")
    lines = [f"  {row['level']:<24}recall {row['recall']:.3g} of {row['n']}, precision {row['precision']:.3g}"
             for row in worst]  # fmt: skip
    return [*lines, f"  and {len(classes) - _CLASSES} more"] if len(classes) > _CLASSES else lines


def planned(plan: Any) -> list[tuple[str, str, str]]:
    """What was decided, how, and why; nothing for an older model, made before there were plans."""
    why = plan.get("why") if isinstance(plan, Mapping) else None
    if not isinstance(why, Mapping):
        return []
    return [(str(name), _value(plan.get(name)), str(reason)) for name, reason in why.items()]


def _plan(plan: Any) -> list[str]:
    return [_line("plan" if number == 0 else "", f"{name} {value}: {reason}")
            for number, (name, value, reason) in enumerate(planned(plan))]  # fmt: skip


def _spent(budget: Any, history: Sequence[Mapping[str, Any]], metric: str) -> list[str]:
    """What each phase of a training with a budget took, and the best it gave out of sample; nothing without one."""
    spent = budget.get("spent") if isinstance(budget, Mapping) else None
    lines: list[str] = []
    for name, seconds in spent.items() if isinstance(spent, Mapping) else ():
        rows = [row for row in history if row.get("stage") == name and row.get("valid_loss") is not None]
        best = min(rows, key=lambda row: float(row["valid_loss"]), default={})
        gave = f", {metric} {best[f'valid_{metric}']:.4g}" if f"valid_{metric}" in best else ""
        lines.append(_line("" if lines else "took", f"{name} {seconds:.4g} s{gave}"))
    return lines


def _value(value: Any) -> str:
    """A size as height x width, phases by name, and anything else as it is."""
    if not isinstance(value, list):
        return str(value)
    if all(isinstance(item, Mapping) for item in value):
        return ", ".join(str(item.get("name")) for item in value)
    return shape_text(value)


def _line(name: str, text: str) -> str:
    return f"  {name:<{_WIDTH}}{text}"
