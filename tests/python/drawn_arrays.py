"""Numbers for a network's arrays by name and shape: in a comparison PyTorch's side draws the same."""

from __future__ import annotations

import math
import zlib

import numpy as np


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array that keeps outputs of one size, whatever lies between: float32, no two names alike."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return (1 + 0.3 * rng.random(shape)).astype(np.float32)
    values = rng.standard_normal(shape, np.float32)
    if math.prod(shape) == max([1, *shape]):
        return (0.1 * values + (not name.endswith(("bias", "running_mean")))).astype(np.float32)
    return (values / np.float32(math.sqrt(math.prod(shape[1:])))).astype(np.float32)


def images(size: int, count: int = 2) -> np.ndarray:
    """Images that are prepared already, (N, 3, size, size)."""
    return np.random.default_rng(size).standard_normal((count, 3, size, size), np.float32)
