"""Writes corners/ and corners.csv: images that are not square, and what both languages must say of them.

    PYTHONPATH=python python tests/shared/make_corners.py

Noise of 24 x 40 pixels, with a white square in the upper left or the upper right corner. A network trained on them
must give these probabilities in Python and in R, from files and from arrays. Run it again only when training changes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mxtune import mxtrain

HERE = Path(__file__).parent
TRAINING = {
    "net": "lenet",
    "tune": "all",
    "epochs": 10,
    "batch_size": 4,
    "augment": "none",
    "seed": 1,
    "verbose": 0,
}


def main() -> None:
    rng = np.random.default_rng(0)
    for side in ("left", "right"):
        folder = HERE / "corners" / side
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(8):
            pixels = rng.integers(0, 128, (24, 40), dtype=np.uint8)
            pixels[:10, slice(None, 10) if side == "left" else slice(-10, None)] = 255
            Image.fromarray(pixels).save(folder / f"{number}.png", optimize=True)
    model = mxtrain(str(HERE / "corners"), **TRAINING)
    told = model.predict(str(HERE / "corners"), type="prob")
    told.to_csv(HERE / "corners.csv", index=False, float_format="%.6f")
    print(told, model.metrics)


if __name__ == "__main__":
    main()
