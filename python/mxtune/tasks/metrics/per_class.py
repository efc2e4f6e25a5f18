"""Precision and recall of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def per_class(truth: NDArray[Any], predicted: NDArray[Any], levels: Sequence[str]) -> pd.DataFrame:
    """One row per class: ``level``, ``n`` images of it, ``precision``, ``recall``, ``f1``; NaN if nothing is counted.

    Parameters
    ----------
    truth, predicted
        (N, K) bool: which classes an image has, and which it is predicted to have.

    Examples
    --------
    >>> import numpy as np
    >>> one_hot = np.eye(2, dtype=bool)
    >>> per_class(one_hot[[0, 0, 1]], one_hot[[0, 1, 1]], ["cat", "dog"])["recall"].tolist()
    [0.5, 1.0]
    """
    import pandas as pd

    right, n, predicted_n = (truth & predicted).sum(axis=0), truth.sum(axis=0), predicted.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {"precision": right / predicted_n, "recall": right / n, "f1": 2 * right / (n + predicted_n)}
    return pd.DataFrame({"level": list(levels), "n": n, **shares})
