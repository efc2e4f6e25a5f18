"""How good predictions are: numbers from arrays, each computed as scikit-learn computes it by default.

What can't be told (a share of nothing, a curve of one class) is NaN, and nobody is warned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[Any]

    Measured = dict[str, Union[float, int]]

_THRESHOLD = 0.5  # from here on a label counts as predicted


def classification(y: ArrayLike, probabilities: ArrayLike) -> Measured:
    """Returns what is usual for one class of K, as a dict.

    ``accuracy``; ``balanced_accuracy``: the mean recall of the classes that occur in `y` (Brodersen et al.,
    2010); ``log_loss``: the mean of -log of the true class's probability; ``top5_accuracy`` where K > 5;
    ``macro_f1``: the mean F1 of the classes that occur in `y` or are predicted; ``roc_auc`` where K is 2, of the
    second class, ties counting half (Hanley and McNeil, 1982); ``n``: the number of pictures.

    Parameters
    ----------
    y
        (N,) whole numbers from 0 to K - 1: the true classes.
    probabilities
        (N, K), each row of sum 1. The highest is the prediction, of equals the first.

    Examples
    --------
    >>> from mxtune import metrics
    >>> metrics.classification([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])["accuracy"]
    0.6666666666666666
    """
    true, shares = np.asarray(y, np.int64), np.asarray(probabilities)
    rows, classes = np.arange(len(true)), shares.shape[1]
    predicted = shares.argmax(axis=1)
    table = _table(true, predicted, classes)
    hits, occurs, said = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    own = np.clip(shares[rows, true], _smallest(shares), 1).astype(float)
    found: Measured = {
        "accuracy": _mean(predicted == true),
        "balanced_accuracy": _mean(hits[occurs > 0] / occurs[occurs > 0]),
        "log_loss": -_mean(np.log(own)),
    }
    if classes > 5:
        best = np.argsort(-shares, axis=1, kind="stable")[:, :5]
        found["top5_accuracy"] = _mean((best == true[:, None]).any(axis=1))
    found["macro_f1"] = _mean(_f1(hits, occurs, said))
    if classes == 2:
        found["roc_auc"] = _roc_auc(true == 1, shares[:, 1])
    return {**found, "n": len(true)}


def multilabel(y: ArrayLike, probabilities: ArrayLike) -> Measured:
    """Returns what is usual for any number of K labels a picture, as a dict.

    ``f1``: the mean F1 of the labels that occur in `y` or are predicted (from a probability of .5 on);
    ``mean_average_precision``: the mean over the labels that occur of the area under the steps of precision by
    recall; ``exact_match``: the share of pictures with every label right; ``log_loss``: the mean binary
    cross-entropy of pictures and labels; ``n``.

    Parameters
    ----------
    y
        (N, K) of 0 and 1, or bool.
    probabilities
        (N, K), each from 0 to 1.

    Examples
    --------
    >>> from mxtune import metrics
    >>> metrics.multilabel([[1, 0], [1, 1]], [[0.9, 0.2], [0.7, 0.4]])["exact_match"]
    0.5
    """
    true, shares = np.asarray(y) > 0, np.asarray(probabilities)
    predicted = shares >= _THRESHOLD
    occurs = true.sum(axis=0)
    least = _smallest(shares)
    right = np.clip(np.where(true, shares, 1 - shares), least, 1).astype(float)
    precision = [_average_precision(true[:, k], shares[:, k]) for k in np.flatnonzero(occurs)]
    return {
        "f1": _mean(_f1((true & predicted).sum(axis=0), occurs, predicted.sum(axis=0))),
        "mean_average_precision": _mean(np.asarray(precision)),
        "exact_match": _mean((true == predicted).all(axis=1)),
        "log_loss": -_mean(np.log(right)),
        "n": len(true),
    }


def regression(y: ArrayLike, predicted: ArrayLike) -> Measured:
    """Returns what is usual for numbers, as a dict: ``rmse``, ``mae``, ``r2`` and ``n``.

    Of several targets each is measured by itself, in its own unit, and the mean is told. ``r2`` leaves out the
    targets that do not vary in `y`.

    Parameters
    ----------
    y
        (N,) or (N, K), any unit.
    predicted
        The same shape.

    Examples
    --------
    >>> from mxtune import metrics
    >>> metrics.regression([1, 2, 3], [1, 2, 5])
    {'rmse': 1.1547005383792515, 'mae': 0.6666666666666666, 'r2': -1.0, 'n': 3}
    """
    true, said = np.asarray(y, float), np.asarray(predicted, float)
    if not len(true):
        return {"rmse": np.nan, "mae": np.nan, "r2": np.nan, "n": 0}
    true, said = true.reshape(len(true), -1), said.reshape(len(true), -1)
    squares = ((true - said) ** 2).sum(axis=0)
    spread = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    varies = (true != true[0]).any(axis=0)  # not the spread: a mean of equal numbers is rounded
    return {
        "rmse": _mean(np.sqrt(squares / len(true))),
        "mae": _mean(np.abs(true - said)),
        "r2": _mean(1 - squares[varies] / spread[varies]),
        "n": len(true),
    }


def confusion(y: ArrayLike, predicted: ArrayLike, levels: Sequence[str]) -> pd.DataFrame:
    """Returns a DataFrame of counts, K x K: a row for each true level, a column for each predicted one.

    Parameters
    ----------
    y, predicted
        (N,) whole numbers from 0 to K - 1.
    levels
        The names of the K classes.

    Examples
    --------
    >>> from mxtune import metrics
    >>> table = metrics.confusion([0, 1, 1], [0, 1, 0], ["cat", "dog"])
    >>> int(table.loc["dog", "cat"])
    1
    """
    import pandas as pd

    table = _table(np.asarray(y, np.int64), np.asarray(predicted, np.int64), len(levels))
    names = list(levels)
    return pd.DataFrame(table, index=pd.Index(names, name="truth"), columns=pd.Index(names, name="predicted"))


def _table(true: Array, predicted: Array, classes: int) -> Array:
    return np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes)


def _mean(values: Array) -> float:
    return float(np.mean(values)) if values.size else float("nan")


def _smallest(shares: Array) -> float:
    """A probability of 0 counts as this much: one that is wrong and sure costs much, and not infinity."""
    return float(np.finfo(shares.dtype if shares.dtype.kind == "f" else float).eps)


def _f1(hits: Array, occurs: Array, said: Array) -> Array:
    """F1 (van Rijsbergen, 1979) of each class that occurs or is predicted."""
    any_ = occurs + said > 0
    return np.asarray(2 * hits[any_] / (occurs + said)[any_])


def _roc_auc(positive: Array, score: Array) -> float:
    """The chance that a positive scores above a negative, by mean ranks."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, others = int(positive.sum()), int((~positive).sum())
    if not n or not others:
        return float("nan")
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * others))


def _average_precision(positive: Array, score: Array) -> float:
    """The sum over thresholds of precision times the step in recall, equal scores as one threshold."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    steps = np.diff(hits[ends], prepend=0)
    return float((hits[ends] / (ends + 1) * steps).sum() / hits[-1])
