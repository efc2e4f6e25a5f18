"""What somebody has decided on images, as `mxlook` writes it into a table: those that are dropped are left out."""

from __future__ import annotations

from typing import Any, Optional

from ..words import counted
from .labels import is_missing

COLUMN = "decision"
KEEP, RELABEL, DROP = WORDS = ("keep", "relabel", "drop")


def without_dropped(frame: Any) -> tuple[Any, Optional[str]]:
    """A data frame without its rows of dropped images and without the column that says so, and a sentence on them;
    the frame itself where it has no such column, or one that says something else.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"file": ["a.png", "b.png"], "decision": ["keep", "drop"]})
    >>> without_dropped(table)[0]["file"].tolist(), without_dropped(table)[1]
    (['a.png'], 'Left out 1 image that was dropped.')
    """
    if COLUMN not in list(frame.columns):
        return frame, None
    said = [None if is_missing(cell) else cell for cell in frame[COLUMN].tolist()]
    if not all(word is None or word in WORDS for word in said):
        return frame, None
    kept = frame.loc[[word != DROP for word in said]].drop(columns=[COLUMN])
    dropped = len(frame) - len(kept)
    what = counted(dropped, "image that was", "images that were")
    return kept, f"Left out {what} dropped." if dropped else None
