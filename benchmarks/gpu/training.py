"""Training as `make gpu-check` tries it: alike on all devices, interrupted, and with too little memory."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from mxtune.errors import TrainingWarning
from mxtune.tasks.losses import CrossEntropy

from ..data import FASHION_FOLDER, fashion_labels, fashion_mnist
from .network import drawn, executor, pictures

_ROWS = 8  # that fit where memory is short


class Trained(NamedTuple):
    """A model's accuracy on images that it has not seen, and what its weights are."""

    accuracy: float
    digest: str


def data(count: int, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST where it is installed; otherwise blurred patterns of ten kinds: (N, 28, 28) uint8, and names."""
    if FASHION_FOLDER.is_dir():
        images, codes = fashion_mnist(part)
        return images[:count], fashion_labels(codes[:count])
    kinds = np.random.default_rng(0).normal(size=(10, 7, 7))
    rng = np.random.default_rng({"train": 1, "test": 2}[part])
    codes = rng.integers(0, 10, count)
    coarse = kinds[codes] + 1.2 * rng.normal(size=(count, 7, 7))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2) + 0.5 * rng.normal(size=(count, 28, 28))
    return np.clip(128 + 40 * fine, 0, 255).astype(np.uint8), np.array([f"kind {code}" for code in codes])


def trained(way: str, device: str, precision: str = "float32", small: bool = False) -> Trained:
    """LeNet's layers for three epochs, or the head of EfficientNet-Lite0, on 2,000 images; 5,000 to test."""
    from mxtune import mxtrain

    (x, y), (unseen, truth) = data(800 if small else 2000, "train"), data(1000 if small else 5000, "test")
    settings: dict[str, Any]
    settings = {"net": "lenet", "epochs": 3} if way == "layers" else {"tune": "head", "image_size": 64}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)  # that LeNet has no weights
        model = mxtrain(x, y, device=device, precision=precision, verbose=0, seed=1, deterministic=True, **settings)
    digest = hashlib.sha256()
    for name in sorted(model.network.params):
        digest.update(model.network.params[name].tobytes())
    return Trained(float(model.evaluate(unseen, truth)["accuracy"]), digest.hexdigest())


_UNTIL_STOPPED = """
from mxtune import mxtrain
from benchmarks.gpu.training import data
def told(epoch, row): print("epoch", flush=True)
x, y = data(1000, "train")
model = mxtrain(x, y, net="lenet", epochs=1000, patience=1000, device={device!r}, verbose=0, callbacks=told)
print("a model of", len(model.history), "epochs", flush=True)
"""


def interrupted(device: str) -> tuple[float, str]:
    """The seconds that a training of 1,000 epochs takes to end after Ctrl-C, and what it leaves."""
    code = _UNTIL_STOPPED.format(device=device)
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            return 0.0, f"it ended before, with {child.wait()}"
        start = time.perf_counter()
        child.send_signal(signal.SIGINT)
        rest = child.communicate(timeout=120)[0].split("\n")
        left = next((said for said in rest if "a model" in said), "nothing")
        return time.perf_counter() - start, left


def out_of_memory(device: str) -> Iterator[tuple[str, str, str, bool]]:
    """A step, and a prediction, in little memory, beside those with enough of it."""
    network = drawn("resnet18")
    images = pictures(network, 32)
    targets = np.arange(32) % 10, np.ones(32), CrossEntropy(10), 1e-3
    roomy, short = (executor(network, device, trainable=True) for _ in range(2))
    expected = [roomy.step(images, *targets) for _ in range(2)], roomy.predict(images)
    with _little_memory(short, device):
        found = [short.step(images, *targets) for _ in range(2)], short.predict(images)
    apart = max(abs(one - other) / abs(other) for one, other in zip(found[0], expected[0]))
    yield "in parts: the losses of two steps", f"{apart:.1e} apart", "<= 1e-3", bool(apart <= 1e-3)
    apart = float(np.abs(found[1] - expected[1]).max() / np.abs(expected[1]).max())
    yield "in parts: a prediction after them", f"{apart:.1e} apart", "<= 1e-2", bool(apart <= 1e-2)
    yield "in parts: how many", str(short._pieces), "> 1", bool(short._pieces > 1)  # type: ignore[attr-defined]


@contextlib.contextmanager
def _little_memory(bound: Any, device: str) -> Iterator[None]:
    """Inside, memory holds a few images alone: a GPU's is filled up; that of a CPU is said to be full."""
    if device != "cpu" and torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 200e6) / total)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return
    forward = bound._forward

    def limited(batch: Any, part: Any, run: Any) -> Any:
        if part.rows.stop - part.rows.start > _ROWS:
            raise torch.cuda.OutOfMemoryError("it is provoked")
        return forward(batch, part, run)

    bound._forward = limited
    try:
        yield
    finally:
        del bound._forward
