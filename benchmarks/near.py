"""Near-copies that are found among images in which some were planted, and how many others are taken for one.

Copies are planted one kind at a time; recall is how many of them are found. Where none is planted hardly an image
should be taken for a copy, though Fashion-MNIST has some: two photographs of one product.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
from PIL.Image import Image, Resampling, Transpose

from mxtune.images.near import near_copies, signature

from .data import fashion_mnist, mnist_digits
from .measure import Figure

_PLANTED = 300


def figures() -> list[Figure]:
    """Recall of each kind of copy, what else is taken for one, and CPU milliseconds for 1,000 images."""
    command = "python -m benchmarks near"
    sets = {
        "photographs of scikit-image": _photographs(),
        "MNIST, 5,000": [*map(PIL.Image.fromarray, mnist_digits()[0])],
        "Fashion-MNIST, 6,000": [*map(PIL.Image.fromarray, fashion_mnist("test")[0][:6000])],
    }
    rows = [row for name, images in sets.items() for row in _of(name, images, command)]
    everything = [*map(PIL.Image.fromarray, fashion_mnist("train")[0])]
    found, seconds = _found([signature(image) for image in everything])
    return [
        *rows,
        Figure("Fashion-MNIST, 60,000: taken for a copy", f"{len(found)} images", "", command),
        Figure("Fashion-MNIST, 60,000: comparing 1,000", f"{1000 * seconds / 60:.0f} ms of CPU", "", command),
    ]


def _of(name: str, images: list[Image], command: str) -> list[Figure]:
    start = time.process_time()
    signatures = [signature(image) for image in images]
    looking = time.process_time() - start
    alone, seconds = _found(signatures)
    per_thousand = 1e6 / len(images)
    places = np.random.default_rng(0).permutation(len(images))[:_PLANTED].tolist()
    told = []
    for kind, change in CHANGES.items():
        groups = near_copies([*signatures, *(signature(change(images[place])) for place in places)])
        hits = sum(groups[len(images) + n] == groups[place] for n, place in enumerate(places))
        told.append(f"{kind} {hits / len(places):.3f}")
    return [
        Figure(f"{name}: recall", ", ".join(told), "re-encoded, resized: 1", command),
        Figure(f"{name}: taken for a copy where none is planted", f"{len(alone)} images", "next to none", command),
        Figure(f"{name}: signatures of 1,000", f"{looking * per_thousand:.0f} ms of CPU", "", command),
        Figure(f"{name}: comparing 1,000", f"{seconds * per_thousand:.0f} ms of CPU", "", command),
    ]


def _found(signatures: list[np.ndarray]) -> tuple[list[int], float]:
    """The places of all that are near another, and the CPU seconds that took."""
    start = time.process_time()
    groups = near_copies(signatures)
    seconds = time.process_time() - start
    sizes = np.bincount(groups)
    return [place for place, group in enumerate(groups) if sizes[group] > 1], seconds


def _photographs() -> list[Image]:
    import skimage

    data = Path(skimage.__file__).parent / "data"
    drawn = {"chessboard_GRAY.png", "chessboard_RGB.png", "color.png", "horse.png", "logo.png", "phantom.png"}
    files = [file for file in sorted(data.glob("*.*g")) if file.name not in drawn]
    return [PIL.Image.open(file).convert("RGB") for file in files]


def _saved(image: Image) -> Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=50)
    return PIL.Image.open(stream)


def _cropped(image: Image) -> Image:
    across, down = max(1, image.width // 50), max(1, image.height // 50)
    return image.crop((across, down, image.width - across, image.height - down))


CHANGES: dict[str, Callable[[Image], Image]] = {
    "JPEG of quality 50": _saved,
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2), Resampling.LANCZOS),
    "twice the size": lambda image: image.resize((2 * image.width, 2 * image.height), Resampling.BICUBIC),
    "brighter by a fifth": lambda image: image.point(lambda value: min(255, int(1.2 * value))),
    "darker by a fifth": lambda image: image.point(lambda value: int(0.8 * value)),
    "2 % off each edge": _cropped,
    "mirrored": lambda image: image.transpose(Transpose.FLIP_LEFT_RIGHT),
}


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what}: {figure.measured}")
