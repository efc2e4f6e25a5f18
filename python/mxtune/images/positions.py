"""Positions in a set of images, as numbers or as a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..words import listing

if TYPE_CHECKING:
    from numpy.typing import NDArray


def positions(indices: Any, count: int) -> NDArray[np.int64]:
    """Positions among ``count`` items, (n,), counted from 0: what ``indices``, numbers or a mask, selects.

    Raises
    ------
    ArgumentError
        It is neither, has a position out of range, or is a mask of another length.

    Examples
    --------
    >>> positions([True, False, True], 3).tolist(), positions([-1, 0], 3).tolist()
    ([0, 2], [2, 0])
    """
    try:
        chosen = np.atleast_1d(np.asarray(indices if hasattr(indices, "__array__") else list(_as_iterable(indices))))
    except (TypeError, ValueError):
        chosen = np.empty((0, 0))
    if chosen.ndim == 1 and chosen.dtype.kind == "b":
        if len(chosen) != count:
            raise ArgumentError(f"A mask must have {count} entries, one for each image.", [f"it has {len(chosen)}"])
        return np.flatnonzero(chosen).astype(np.int64)
    if chosen.ndim != 1 or (len(chosen) and (chosen.dtype.kind not in "iuf" or (chosen != np.floor(chosen)).any())):
        raise ArgumentError("Positions must be whole numbers, or true and false.", [f"they are {indices!r:.80}"])
    out_of_range = [f"{place:g}" for place in chosen.tolist() if not -count <= place < count]
    if out_of_range:
        text = f"There is no image at {listing(out_of_range)}."
        raise ArgumentError(text, hint=f"The set has {count}: positions go from 0 to {count - 1}.")
    places: NDArray[np.int64] = chosen.astype(np.int64) % max(count, 1)
    return places


def _as_iterable(values: Any) -> Any:
    return values if hasattr(values, "__iter__") else [values]
