"""How many images of each class were predicted as each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


def confusion(y: ArrayLike, predicted: ArrayLike, levels: Sequence[str]) -> pd.DataFrame:
    """A data frame of counts, (K, K): a row for each true level, a column for each predicted one.

    Parameters
    ----------
    y, predicted
        (N,) whole numbers from 0 to K - 1.
    levels
        The names of the K classes.

    Examples
    --------
    >>> from mxtune.tasks.metrics import confusion
    >>> table = confusion([0, 1, 1], [0, 1, 0], ["cat", "dog"])
    >>> int(table.loc["dog", "cat"])
    1
    """
    import pandas as pd

    counts = pair_counts(np.asarray(y, np.int64), np.asarray(predicted, np.int64), len(levels))
    names = list(levels)
    return pd.DataFrame(counts, index=pd.Index(names, name="truth"), columns=pd.Index(names, name="predicted"))


def pair_counts(true: NDArray[Any], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """(K, K): how many images of each class were predicted as each class."""
    pairs = np.bincount(true * classes + predicted, minlength=classes**2)
    return pairs.reshape(classes, classes).astype(np.int64, copy=False)
