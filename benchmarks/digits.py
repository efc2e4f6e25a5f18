"""One network, two unrelated domains: a LeNet learns Fashion-MNIST, then 4,000 MNIST digits; 1,000 more test it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from .data import fashion_labels, fashion_mnist, mnist_digits
from .measure import Figure, python, spread

_SEEDS = (0, 1, 2)


def figures() -> list[Figure]:
    """Accuracy on the 1,000 digits, with what clothes taught and from scratch."""
    command = "python -m benchmarks digits"
    with tempfile.TemporaryDirectory() as place:
        clothes = Path(place, "clothes.mxt")
        python("-m", "benchmarks.digits", clothes)
        runs = [python("-m", "benchmarks.digits", clothes, seed).said for seed in _SEEDS]
    after, scratch = [run["after"] for run in runs], [run["scratch"] for run in runs]
    gain = [100 * (a - s) for a, s in zip(after, scratch)]
    return [
        Figure("digits after clothes: accuracy", spread(after), ">= .98", command),
        Figure("digits from scratch: accuracy", spread(scratch), "", command),
        Figure("gain", spread(gain, ".1f", "points"), "", command),
    ]


def _child(clothes: str, *seed: str) -> None:
    from mxtune import mxload, mxtrain

    if not seed:
        pictures, codes = fashion_mnist("train")
        mxtrain(pictures, fashion_labels(codes), net="lenet", verbose=0).save(clothes)
        return
    pictures, labels = mnist_digits()
    test = np.arange(len(pictures)) >= 4000
    said = {}
    for name, net in (("after", mxload(clothes)), ("scratch", "lenet")):
        model = mxtrain(pictures[~test], labels[~test], net=net, tune="all", seed=int(seed[0]), verbose=0)
        said[name] = model.evaluate(pictures[test], labels[test])["accuracy"]
    print(json.dumps(said))


if __name__ == "__main__":
    _child(*sys.argv[1:])
