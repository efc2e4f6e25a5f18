"""`mxzoo`: the networks by name as a table, those that can be had here and now first."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from .. import hub, late, progress
from ..arguments import yes_or_no
from ..errors import HubError
from . import Entry, entries, entry

if TYPE_CHECKING:
    import pandas as pd

HEADINGS = {  # of the kinds of `available`, in the order of the table
    "installed": "Here and now, with weights",
    "cached": "Downloaded before, by the name in the column source",
    "hub": "On the Hugging Face hub, by the name in the column source",
    "file of weights": "With a file of weights",
}
COLUMNS = (
    "name", "available", "top1", "parameters", "macs", "input_size", "seconds", "licence", "source", "top1_source",
)  # fmt: skip


def mxzoo(measure: Union[bool, str, Sequence[str]] = False) -> pd.DataFrame:
    """A data frame of the networks that `mxnetwork` and `mxtrain` know by name, those with weights here first.

    ============== ==========================================================================================
    ``available``  ``"installed"``: with its weights, here and now; ``"cached"``: downloaded before; ``"hub"``:
                   downloaded by the name in ``source``; ``"file of weights"``: with a file of yours
    ``top1``       accuracy on ImageNet, in percent, that ``top1_source`` states; NaN where none is known
    ``parameters`` for the network's own number of classes, 1000, or 10 for LeNet
    ``macs``       multiply-accumulates for one image
    ``input_size`` height and width of its images, pixels
    ``seconds``    to predict 1,000 images on this machine, once that was measured; NaN before
    ``licence``    of the weights where they are known, otherwise of the architecture
    ``source``     where weights come from: ``mxnetwork("hf:timm/resnet18d.ra2_in1k")`` opens those of the hub
    ============== ==========================================================================================

    Parameters
    ----------
    measure
        True: measure the networks with weights here, a few seconds each; or the names of networks to measure. It is
        kept in the cache, for this machine and version of the engine.

    Raises
    ------
    NetworkError
        There is no network of a name; near matches are named.

    Examples
    --------
    >>> from mxtune import mxzoo
    >>> zoo = mxzoo()
    >>> zoo[zoo["available"] == "installed"]["name"].tolist()
    ['efficientnet_lite0', 'efficientnet_lite1', 'efficientnet_lite2']
    """
    if isinstance(measure, (list, tuple, str)):
        chosen = [entry(name) for name in ([measure] if isinstance(measure, str) else measure)]
    else:
        chosen = [one for one in entries() if one.available == "installed"] if yes_or_no("measure", measure) else []
    if chosen:
        with progress.using(progress.default()):
            late.load("measure_speed")(chosen)
    seconds = late.load("recorded_speed")()
    rows = sorted((_row(one, seconds) for one in entries()), key=lambda row: tuple(HEADINGS).index(row[1]))
    frame: pd.DataFrame = _frame()(rows, columns=list(COLUMNS))
    return frame


def _row(one: Entry, seconds: Mapping[str, float]) -> tuple[Any, ...]:
    stated = published().get(one.name, {})
    is_installed = one.available == "installed"
    repository = None if is_installed else stated.get("repository")
    top1 = stated.get("top1")
    return (
        one.name,
        one.available if repository is None else "cached" if _is_cached(repository) else "hub",
        math.nan if top1 is None else top1,
        one.parameters,
        one.macs,
        one.preprocess.size[0],
        seconds.get(one.name, math.nan),
        (None if is_installed else stated.get("licence")) or one.licence,
        one.source if repository is None else repository,
        "" if top1 is None else f"{stated['source']}: {stated['weights']}",
    )


@cache
def published() -> dict[str, dict[str, Any]]:
    """What libraries state of their weights, by network.

    ``source``: who states it. ``weights``: of which. ``top1``: in percent, or None. For those on the hub ``repository``
    and ``licence``.
    """
    stated = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    return {name: {**one, "source": stated["sources"][one["source"]]} for name, one in stated["networks"].items()}


def _is_cached(repository: str) -> bool:
    try:
        return hub.cached(hub.Reference.of(repository), hub.WEIGHTS) is not None
    except HubError:  # its package is not installed
        return False


@cache
def _frame() -> type[pd.DataFrame]:
    """The class of the table: a data frame that prints as `text`. Parts of it are plain data frames."""
    import pandas as pd

    class Zoo(pd.DataFrame):  # type: ignore[misc] # pandas has no types here
        def __repr__(self) -> str:
            return text(self)

    return Zoo


def text(table: pd.DataFrame) -> str:
    """A table of `mxzoo`, or rows of it, within 80 columns: those of each kind of ``available`` below its name."""
    lines: list[str] = []
    for available, rows in table.groupby("available", sort=False):
        lines += [] if not lines else [""]
        lines += [f"{HEADINGS.get(available, available)}:", *_lines(rows)]
    return "\n".join(lines)


def _lines(rows: pd.DataFrame) -> list[str]:
    header = ("network", "top-1", "params", "MACs", "pixels", "s/1000", "licence")
    cells = [
        (row.name, _figure(row.top1, ".1f"), _short(row.parameters), _short(row.macs), str(row.input_size),
         _figure(row.seconds, ".3g"), row.licence)
        for row in rows.itertuples(index=False, name="Row")
    ]  # fmt: skip
    widths = [max(len(line[place]) for line in (header, *cells)) for place in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if place in (0, len(header) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in (header, *cells)
    ]


def _figure(value: float, how: str) -> str:
    return "" if math.isnan(value) else format(value, how)


def _short(count: float) -> str:
    """A count to three digits: ``4.65M``."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{letter}" if count < 100 * unit else f"{count / unit:.0f}{letter}"
    return f"{count:.0f}"
