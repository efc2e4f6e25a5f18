"""How many threads NumPy's BLAS computes with."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_SETTINGS = (
    *("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS"),
)  # a user's own
# Up to this many multiplications a product, a second thread of OpenBLAS gains nothing on 2 quiet CPUs and takes twice
# as long on busy ones, since the threads poll for each other: 60,000 rows of 1,500 features and 10 classes took 2.8 s
# of one CPU, or 3.5 to 4.6 s of two. With 2.4e9 (4,000 rows, 400 classes) it was 23 s of one, or 27 s of two.
_LARGE = 1_000_000_000


_lock = threading.RLock()  # what one thread sets, another can't take back


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - who held it stayed in the parent
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def threads_for(multiplications: int) -> Iterator[None]:
    """Inside, products of this many multiplications are computed in the calling thread, unless they are very large.

    The result then has the same bits on any number of CPUs. A user's own setting, such as ``OPENBLAS_NUM_THREADS``,
    holds. BLAS is the whole process's: threads that ask for this wait for one another.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.blas import threads_for
    >>> with threads_for(4):
    ...     np.eye(2) @ np.ones(2)
    array([1., 1.])
    """
    if multiplications > _LARGE or any(os.environ.get(name) for name in _SETTINGS):
        yield
        return
    from threadpoolctl import threadpool_limits

    with _lock, threadpool_limits(1, "blas"):
        yield
