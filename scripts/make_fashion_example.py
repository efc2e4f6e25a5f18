"""Makes ``inst/extdata/fashion``, a folder of class folders: 40 images of each Fashion-MNIST class.

Reads Debian's package ``dataset-fashion-mnist``; one version of Pillow writes the same bytes each time.

    .venv/bin/python scripts/make_fashion_example.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.data import FASHION_CLASSES, fashion_mnist  # noqa: E402 - the path above first

EACH = 40


def main() -> None:
    """Writes the folders and says how many images they hold."""
    pictures, labels = fashion_mnist("train")
    target = ROOT / "inst" / "extdata" / "fashion"
    for code, name in enumerate(FASHION_CLASSES):
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        for index in np.flatnonzero(labels == code)[:EACH]:
            # the number is the image's place in the training set, so that it can be found there again
            Image.fromarray(pictures[index]).save(folder / f"{index:05d}.png", optimize=True)
    print(f"{EACH * len(FASHION_CLASSES)} images in {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
