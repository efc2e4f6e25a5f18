"""Whether probabilities can be taken at their word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

BINS = 15


def calibration(probabilities: ArrayLike, outcomes: ArrayLike) -> pd.DataFrame:
    """A row for each of 15 bins of equal width (Guo, Pleiss, Sun and Weinberger, 2017).

    ================ ============================================================================
    ``lower, upper`` the bin: probabilities above ``lower``, up to ``upper``
    ``n``            how many images have one
    ``predicted``    the mean of their probabilities; NaN where there are none
    ``observed``     the share of them for which it came true; NaN where there are none
    ``error``        the bin's part in the expected calibration error, which is the column's sum
    ================ ============================================================================

    Parameters
    ----------
    probabilities
        (N,) from 0 to 1: of the predicted class, or of one label.
    outcomes
        (N,) bool: whether the class was right, or the image has the label.

    Examples
    --------
    >>> from mxtune.tasks.metrics import calibration
    >>> table = calibration([0.95, 0.95, 0.95, 0.95, 0.55], [True, True, True, False, True])
    >>> round(float(table["error"].sum()), 3)
    0.25
    """
    import pandas as pd

    predicted, came_true = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    edges = np.linspace(0, 1, BINS + 1)
    place = np.digitize(predicted, edges[1:-1], right=True)
    n = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, minlength=BINS) / n for values in (predicted, came_true)]
    error = n / max(len(predicted), 1) * np.nan_to_num(np.abs(means[0] - means[1]))
    columns = {"lower": edges[:-1], "upper": edges[1:], "n": n, "predicted": means[0], "observed": means[1]}
    return pd.DataFrame({**columns, "error": error})
