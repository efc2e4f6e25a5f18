"""The main job on real images, in one minute: ``python -m mxtune.demo`` (or ``make demo``).

Fine-tunes a pretrained network on four fifths of the example images, measures it on the last fifth, which
training never sees, and writes the model and a plot.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from . import mxexample, mximages, mxtrain
from .store import make_folder


def main(folder: str = "demo-output") -> None:
    """Prints the accuracy on held-out images and writes ``model.mxt`` and ``history.png`` to ``folder``."""
    images = mximages(mxexample("fashion"))
    training, held_out = images.split(0.2, seed=1)
    print(f"{len(images)} images of {len(images.levels)} classes; {len(held_out)} of them are held out.")

    started = time.monotonic()
    model = mxtrain(training, seed=1)
    seconds = time.monotonic() - started

    measured = model.evaluate(held_out)
    print(f"Trained in {seconds:.1f} s. Accuracy on the held-out images: {measured['accuracy']:.2f}")
    print(model.predict(held_out.take(range(3))).to_string(index=False))

    target = make_folder(Path(folder).absolute())
    model.save(target / "model.mxt")
    model.plot(target / "history.png", "history")
    print(f"Model: {target / 'model.mxt'}\nPlot:  {target / 'history.png'}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
