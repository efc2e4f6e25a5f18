"""Models in int8 beside themselves in float32, on MXNet: images a second, and what becomes of accuracy and log-loss.

Speed is that of batches of 32 images of 224 x 224, pixels to logits, in one process by turns; the weights of
MobileNetV2 and ResNet-50 are random. Accuracy is of Fashion-MNIST: a head trained on 2,000 images with all settings as
they are, quantised on 1,000 others, and judged on the 10,000 for test.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import numpy as np

from .data import fashion_labels, fashion_mnist
from .measure import Figure, python, spread

BATCH, ROUNDS = 32, 9
_WANTED = {"efficientnet_lite0": "2.5 x float32", "resnet50": "", "mobilenetv2_100": ""}


def figures() -> list[Figure]:
    """A row for the speed of each network, then what int8 costs a model."""
    rows = []
    for name, wanted in _WANTED.items():
        said = python("-m", "benchmarks.quantised", "speed", name).said
        rates = [spread(said[precision], ",.1f") for precision in ("float32", "int8")]
        ratios = [low / plain for plain, low in zip(said["float32"], said["int8"])]
        measured = f"{rates[0]} and {rates[1]} images/s: {spread(ratios, '.2f')} times as fast"
        rows.append(Figure(f"{name}: float32 and int8", measured, wanted, "python -m benchmarks quantised"))
    said = python("-m", "benchmarks.quantised", "accuracy").said
    for name, wanted in (("accuracy", "half a point less at most"), ("log_loss", "2 % more at most")):
        before, after = said["test"][name]
        expected = " to ".join(f"{value:.4f}" for value in said["expected"][name])
        told = f"{before:.4f} to {after:.4f}; on the 1,000 others {expected}"
        rows.append(Figure(f"Fashion-MNIST, 2,000: {name}, float32 to int8", told, wanted))
    rows.append(
        Figure("Fashion-MNIST, 2,000: quantize()", f"{said['seconds']:.1f} s; training {said['training']:.1f} s")
    )
    return rows


def _speed(name: str) -> dict[str, list[float]]:
    from mxtune import mxnetwork
    from mxtune.engines import Program, choose
    from mxtune.engines.ranges import measured
    from mxtune.zoo import entry

    program = Program.of(mxnetwork(name, weights=None if entry(name).installed() else "random"))
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 224, 224, 3), np.uint8)
    plain = choose("cpu", "float32", "mxnet")
    low = replace(plain, precision="int8", ranges=measured(program, [images], plain.bind))
    executors = {target.precision: target.bind(program) for target in (plain, low)}
    for executor in executors.values():
        executor.predict(images)
    rates: dict[str, list[float]] = {precision: [] for precision in executors}
    for _ in range(ROUNDS):
        for precision, executor in executors.items():
            start = time.perf_counter()
            executor.predict(images)
            executor.predict(images)
            rates[precision].append(2 * BATCH / (time.perf_counter() - start))
    return rates


def _accuracy() -> dict[str, object]:
    from mxtune import mxtrain

    (pictures, codes), (tested, truth) = fashion_mnist("train"), fashion_mnist("test")
    labels = fashion_labels(codes[:3000])
    start = time.perf_counter()
    model = mxtrain(pictures[:2000], labels[:2000], tune="head", engine="mxnet", verbose=0, cache=False)
    trained = time.perf_counter()
    quick = model.quantize(pictures[2000:3000], labels[2000:])
    ended = time.perf_counter()
    found = [quick.on("cpu", "mxnet", one).evaluate(tested, fashion_labels(truth)) for one in ("float32", "int8")]
    return {
        "test": {name: [one[name] for one in found] for name in ("accuracy", "log_loss")},
        "expected": quick.settings["int8"]["metrics"],
        "seconds": ended - trained,
        "training": trained - start,
    }


if __name__ == "__main__":
    print(json.dumps(_speed(sys.argv[2]) if sys.argv[1] == "speed" else _accuracy()))
