"""Weights that a user holds as arrays: by name, as a state dict, or in order, as Lasagne gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ..calls import kind_text
from ..errors import ArgumentError

Arrays = Union[Mapping[str, Any], Sequence[Any]]


def arrays_given(weights: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays by name; those of a list by number, as a NumPy archive has them: ``arr_0``, ``arr_1``, ...

    Parameters
    ----------
    weights
        Arrays of NumPy, or what NumPy makes arrays of: tensors of PyTorch, arrays of MXNet.

    Raises
    ------
    ArgumentError
        A part is no array of numbers; it is named.

    Examples
    --------
    >>> list(arrays_given([np.ones((2, 3)), np.zeros(2)]))
    ['arr_0', 'arr_1']
    """
    by_name = weights if isinstance(weights, Mapping) else {f"arr_{n}": one for n, one in enumerate(weights)}
    return {str(name): _array(str(name), one) for name, one in by_name.items()}


def _array(name: str, value: Any) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.atleast_1d(np.asarray(value))
    except (TypeError, ValueError, RuntimeError):  # lists of uneven lengths; a tensor on a GPU
        array = np.empty(0, object)
    if array.dtype.kind not in "fiub":
        raise ArgumentError("`weights` must hold arrays of numbers.", [f"{name} is {kind_text(value)}"])
    return array
