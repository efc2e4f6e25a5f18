"""Fashion-MNIST: 60,000 images of 28 x 28 to train on, 10,000 to test, three ways; and the memory that takes.

Memory is the peak of the whole process beyond that of a process that has only loaded MXNet.
"""

from __future__ import annotations

import json
import sys
import time

from .data import fashion_labels, fashion_mnist
from .measure import Figure, python

_WAYS = (("head", ">= .92"), ("all", ">= .94"), ("lenet", ">= .91"))


def figures() -> list[Figure]:
    """Accuracy, seconds and memory of each way, each in a process of its own."""
    bare = python("-m", "benchmarks.fashion", "bare").peak
    rows = []
    for way, wanted in _WAYS:
        run = python("-m", "benchmarks.fashion", way)
        command = f"python -m benchmarks.fashion {way}"
        rows += [
            Figure(f"{way}: test accuracy", f"{run.said['accuracy']:.4f}", wanted, command),
            Figure(f"{way}: training", f"{run.said['seconds']:.0f} s, {run.said['cpu']:.0f} s of CPU", "", command),
            Figure(f"{way}: memory above bare", f"{run.peak - bare:.0f} MB", "<= 1500 MB", command),
        ]
    return rows


def _child(way: str) -> None:
    if way == "bare":
        from mxtune.engines import mxnet as engine

        engine.load()
        return
    from mxtune import mxtrain

    pictures, codes = fashion_mnist("train")
    start = time.perf_counter()
    if way == "lenet":
        model = mxtrain(pictures, fashion_labels(codes), net="lenet", verbose=0)
    else:
        model = mxtrain(pictures, fashion_labels(codes), tune=way, verbose=0)
    seconds, cpu = time.perf_counter() - start, time.process_time()
    print(model.history.to_string(), file=sys.stderr)
    pictures, codes = fashion_mnist("test")
    accuracy = model.evaluate(pictures, fashion_labels(codes))["accuracy"]
    print(json.dumps({"accuracy": accuracy, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    _child(sys.argv[1])
