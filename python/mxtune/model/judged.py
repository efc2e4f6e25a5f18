"""`Judged`: labelled images and a network's outputs for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..tasks import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Judged:
    """Images by name, their labels, the network's outputs for them, the index of the data frame they were in, their
    groups, and how novel they are."""

    names: Sequence[str]
    y: Array
    outputs: Array
    index: Optional[pd.Index]
    group: Optional[Array] = None
    novelty: Optional[Array] = None

    def worst(self, task: Task, n: int) -> pd.DataFrame:
        """The ``n`` images with the largest losses, the largest first; see `Model.top_losses`."""
        import pandas as pd

        losses = task.losses(self.y, self.outputs)
        worst = np.argsort(-losses, kind="stable")[:n]
        columns: dict[str, Any] = {"file": [self.names[row] for row in worst]}
        columns |= task.mistakes(self.y[worst], self.outputs[worst])
        index = None if self.index is None else self.index[worst]
        return pd.DataFrame({**columns, "loss": losses[worst]}, index=index)
