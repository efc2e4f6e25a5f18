"""Arrays of pictures: a view of R's memory with the axes where they belong, read in the order of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def pictures(view: npt.NDArray[Any], layout: str, kind: str) -> npt.NDArray[Any]:
    """``(N, H, W, C)`` pictures, mostly without a copy: what is not uint8 will be copied by whoever reads it.

    ``view`` is column-major: ``(N, H, W[, C])`` for ``layout="NHWC"``, ``(H, W[, C], N)`` for ``"HWCN"``,
    ``(H, W[, C])`` for ``"HWC"``, one picture in a list, which comes back as ``(H, W, C)``. ``kind`` is R's
    type.
    """
    if kind == "logical":
        view = view.astype(bool)
    elif kind == "raw":
        view = view.copy(order="K")  # the one type that could be kept as it is, and R's memory is only lent
    if layout == "HWC":
        return view if view.ndim == 3 else view[..., np.newaxis]
    if layout == "HWCN":
        view = np.moveaxis(view, -1, 0)
    return view if view.ndim == 4 else view[..., np.newaxis]
