"""The card of a model in a repository: what it is, how good, of what, whose, and how to load it; Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .. import hub
from ..words import counted
from .summary import planned

Model = Any  # a `Model`, which is made of what lies here

_KINDS = {"classification": "image-classification", "multilabel": "image-classification"}
_MOST_LEVELS = 200
_STATED = {
    "intended_use": "Intended use",
    "out_of_scope": "Out of scope",
    "factors": "Factors",
    "data": "Data",
    "ethics": "Ethics",
    "caveats": "Caveats",
}
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")


def card_of(model: Model, repository: str, stated: Mapping[str, str]) -> str:
    """The card.

    Parameters
    ----------
    repository
        ``"hf:owner/name"``, as it is loaded from.
    stated
        What the user says, by the fields of `meta.CARD`.
    """
    name = repository.partition("/")[2].partition("@")[0]
    parts = [
        _head(model, stated.get("licence")),
        hub.WRITTEN_BY_US,
        f"# {_plain(model.meta.get('title', name))}",
        _plain(repr(model)[1:-1]),
        _loading(repository),
        _section("What it predicts", _levels(model)),
        _section("How good it is", _figures(model)),
        _section("How it was made", _made(model)),
        _section("Whose weights it started from", _origin(model)),
        *(_section(title, [_plain(stated[field])]) for field, title in _STATED.items() if field in stated),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _head(model: Model, licence: Any) -> str:
    """What the hub reads; JSON is YAML, too."""
    kind = _KINDS.get(model.task)
    fields = {
        "library_name": "mxtune",
        "license": None if licence is None else re.sub(r"[^\w.+-]+", "-", licence.lower()).strip("-") or "other",
        "pipeline_tag": kind,
        "tags": ["mxtune", "mxnet", *([] if kind else ["image-regression"])],
        "metrics": [name for name in model.metrics if name in ("accuracy", "f1", "precision", "recall", "mae", "rmse")],
    }
    lines = [f"{field}: {json.dumps(value)}" for field, value in fields.items() if value]
    return "\n".join(["---", *lines, "---"])


def _loading(repository: str) -> str:
    return f"""\
```python
import mxtune  # and the package huggingface_hub

model = mxtune.mxload("{repository}")
model.predict("photo.jpg")
```

```r
library(mxtune)
model <- mxload("{repository}")
predict(model, "photo.jpg")
```"""


def _levels(model: Model) -> list[str]:
    if not model.levels:
        return ["A number for each image."]
    what = {"classification": "One of", "multilabel": "Any of"}.get(model.task, "Numbers:")
    more = len(model.levels) - _MOST_LEVELS
    shown = ", ".join(map(_plain, model.levels[:_MOST_LEVELS]))
    return [f"{what} {shown}{f' and {more} more' if more > 0 else ''}."]


def _figures(model: Model) -> list[str]:
    if not model.metrics:
        return ["It was trained without validation."]
    measured = model.evaluate()
    where = "out of fold" if model._by_folds else "on images that it was not trained on"
    within = "; intervals at 95 %" if measured.intervals else ""
    rows = [
        (name, f"{value:.4g}", "{:.4g} to {:.4g}".format(*ends) if (ends := measured.intervals.get(name)) else "")
        for name, value in measured.items()
    ]
    return [f"Measured {where}{within}.", _table(("metric", "value", "interval"), rows)]


def _made(model: Model) -> list[str]:
    pictures = model.settings.get("pictures") or {}
    trained, validated = pictures.get("training"), pictures.get("folds") or pictures.get("validation")
    rows = [
        ("images", counted(trained, "image") if isinstance(trained, int) else "unknown"),
        ("validated", f"{validated} {'folds' if pictures.get('folds') else 'images'}" if validated else "no"),
        ("images become", str(model.preprocess)),
        ("seed", str(model.settings.get("seed", ""))),
        *((name, f"{value}: {reason}") for name, value, reason in planned(model.settings.get("plan"))),
        *((f"version of {name}", version) for name, version in model.versions.items()),
    ]
    return [_table(("", ""), rows)]


def _origin(model: Model) -> list[str]:
    kept = model.provenance
    fields = ("name", "source", "licence", "url", "paper")
    return [_table(("", ""), [(field, kept[field]) for field in fields if kept.get(field)])]


def _section(title: str, paragraphs: Iterable[str]) -> str:
    return "\n\n".join([f"## {title}", *paragraphs])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(map(_plain, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text as it is, in one line: nothing in it is Markdown or HTML."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))
