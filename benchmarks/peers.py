"""A step of LeNet on 256 digits of 28 x 28, as each library takes it: `python -m benchmarks.peers NAME SECONDS`.

Each runs in an environment of its own, as they want other versions of NumPy; `make bench-peers` installs the others.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from typing import Callable

import numpy as np

BATCH = 256
_PACKAGES = {
    "mxtune": ("mxnet", "mxtune on MXNet"),
    "torch": ("torch", "PyTorch"),
    "keras": ("tensorflow-cpu", "Keras on TensorFlow"),
}
Step = Callable[[], object]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 28, 28, 1) uint8 and codes (N,)."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (BATCH, 28, 28, 1), np.uint8), np.arange(BATCH) % 10


def mxtune() -> Step:
    """Ours: the program that `mxtrain` runs for LeNet."""
    from mxtune import mxnetwork
    from mxtune.engines import Program, choose
    from mxtune.tasks.losses import CrossEntropy

    net, (pictures, codes) = mxnetwork("lenet", classes=10), digits()
    executor = choose("cpu").bind(Program.of(net, frozenset(net.params)))
    return lambda: executor.step(pictures, codes, np.ones(BATCH), CrossEntropy(10), 1e-4)


def torch() -> Step:
    """PyTorch, with images as float32 from the start."""
    import torch
    from torch import nn

    pictures, codes = digits()
    x, y = torch.from_numpy(pictures.transpose(0, 3, 1, 2) / np.float32(255)), torch.from_numpy(codes)
    net = nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.Tanh(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.Tanh(), nn.Linear(500, 10),
    )  # fmt: skip
    optimiser, loss = torch.optim.AdamW(net.parameters(), 1e-4), nn.CrossEntropyLoss()

    def step() -> float:
        optimiser.zero_grad()
        value = loss(net(x), y)
        value.backward()
        optimiser.step()
        return float(value)

    return step


def keras() -> Step:
    """Keras on TensorFlow."""
    import keras

    pictures, codes = digits()
    x = pictures / np.float32(255)
    layers = keras.layers
    net = keras.Sequential([
        layers.Input((28, 28, 1)), layers.Conv2D(20, 5, activation="tanh"), layers.MaxPool2D(),
        layers.Conv2D(50, 5, activation="tanh"), layers.MaxPool2D(), layers.Flatten(),
        layers.Dense(500, activation="tanh"), layers.Dense(10),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.AdamW(1e-4), loss)
    return lambda: net.train_on_batch(x, codes)


def main(name: str, seconds: float) -> None:
    """Print the images a second, those of a second of CPU, and which library it was."""
    step = {"mxtune": mxtune, "torch": torch, "keras": keras}[name]()
    for _ in range(3):
        step()
    start, cpu, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    package, shown = _PACKAGES[name]
    print(
        json.dumps(
            {
                "rate": BATCH * steps / seconds,
                "of_cpu": BATCH * steps / cpu,
                "library": f"{shown} {version(package)}",
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
