"""Tables of a batch, of which each request gets its rows, under the names of its own images."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from ..model.written import as_array, as_csv, json_members

if TYPE_CHECKING:
    import pandas as pd


class Table:
    """What is said of all images of a batch; it is written once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    @functools.cached_property
    def members(self) -> list[str]:
        return json_members(self.frame)


class Rows(NamedTuple):
    """What is said of one image: some rows of a table."""

    table: Table
    which: slice

    @classmethod
    def of_each(cls, frame: pd.DataFrame, names: Sequence[str]) -> list[Rows]:
        """Those of each image, in their order; the names are all different."""
        table, counts = Table(frame.drop(columns="file")), Counter(frame["file"].tolist())
        ends = accumulate(counts[name] for name in names)
        return [cls(table, slice(end - counts[name], end)) for name, end in zip(names, ends)]


Named = Sequence[tuple[str, Optional[Rows]]]  # images without an answer have a row without values


def in_json(images: Named) -> str:
    """One array for all images: ``[{"file": "a.png", "pred_class": "cat"}]``."""
    columns: list[Any] = next((list(rows.table.frame) for _, rows in images if rows is not None), [])
    nothing = [", ".join(f"{json.dumps(str(name), ensure_ascii=False)}: null" for name in columns)]
    return as_array(
        f'{{"file": {json.dumps(name, ensure_ascii=False)}, {members}}}'
        for name, rows in images
        for members in (nothing if rows is None else rows.table.members[rows.which])
    )


def in_csv(images: Named) -> str:
    """One table for all images."""
    import pandas as pd

    parts = [pd.DataFrame(index=[0]) if rows is None else rows.table.frame.iloc[rows.which] for _, rows in images]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "file", [name for (name, _), part in zip(images, parts) for _ in range(len(part))])
    return as_csv(frame)
