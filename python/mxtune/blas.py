"""Products of matrices with NumPy's BLAS, by threads that sleep when they wait; the same bits on any number of CPUs.

The threads of OpenBLAS poll for one another: beside other busy programs two of them took twice as long as one, and how
they divide a sum depends on their number. So BLAS gets one thread, and the CPUs share slices that depend on shapes
alone.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import NDArray

from .machine import usable_cpus

Result = TypeVar("Result")

_SETTINGS = (
    *("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS"),
)  # a user's own
_SLICES = 16
_SMALL = 2_000_000  # multiplications that take less time than handing them over would


_lock = threading.RLock()  # what one thread sets, another can't take back
_pool: Optional[ThreadPoolExecutor] = None


def _after_fork() -> None:
    global _lock, _pool
    _lock, _pool = threading.RLock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, BLAS computes in the thread that calls it.

    BLAS is the whole process's: threads that ask for this wait for one another.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.blas import one_thread
    >>> with one_thread():
    ...     np.eye(2) @ np.ones(2)
    array([1., 1.])
    """
    from threadpoolctl import threadpool_limits

    with _lock, threadpool_limits(1, "blas"):
        yield


def product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """``left @ right``, (M, K) by (K, N), in slices of rows or columns that the CPUs share.

    As many threads as a user has set for BLAS, such as by ``OPENBLAS_NUM_THREADS``; otherwise one for each CPU.
    Call it inside `one_thread`.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.blas import product
    >>> product(np.eye(2), np.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    (rows, inner), columns = left.shape, right.shape[1]
    if rows * inner * columns <= _SMALL:
        return np.asarray(left @ right)
    out = np.empty((rows, columns), np.result_type(left, right))
    by_rows = rows >= columns

    def fill(part: slice) -> None:
        if by_rows:
            np.matmul(left[part], right, out=out[part])
        else:
            np.matmul(left, right[:, part], out=out[:, part])

    for _ in shared(fill, slices(max(rows, columns))):
        pass
    return out


def shared(work: Callable[[slice], Result], parts: list[slice]) -> Iterator[Result]:
    """``work(part)`` of each part, in their order; the CPUs share them. It may not call `product` itself.

    Examples
    --------
    >>> from mxtune.blas import shared, slices
    >>> list(shared(lambda part: part.stop - part.start, slices(100)))
    [64, 36]
    """
    return map(work, parts) if len(parts) == 1 else _threads().map(work, parts)


def slices(side: int, most: int = _SLICES) -> list[slice]:
    """Parts of a side of a matrix, which depend on nothing but its length: equal bits on any number of CPUs."""
    size = -(-side // most)
    size = -(-size // 64) * 64
    return [slice(start, min(start + size, side)) for start in range(0, side, size)]


def _threads() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603 - idle threads cost nothing, new ones for each product would
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_number_of_threads(), "mxtune-product")
        return _pool


def _number_of_threads() -> int:
    chosen = [os.environ[name] for name in _SETTINGS if os.environ.get(name, "").isdigit()]
    return max(1, int(chosen[0])) if chosen else usable_cpus()
