"""From files to a model: the whole process of `mxtrain(folder, tune="head")`, and of the usual PyTorch and Keras
scripts: EfficientNet-Lite0 with the same weights, its body frozen, a new head trained for 5 epochs at 224 x 224.

300 photographs come from the first folder in MXTUNE_BENCH_PHOTOS; 5,000 files are Fashion-MNIST's images as JPEG of
224 x 224. A fifth is held out, and measured after the clock has stopped. The second run finds the features of
the first in the cache. `make bench-peers` installs PyTorch and Keras.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np

from .data import fashion_labels, fashion_mnist
from .measure import Figure, Process, fresh, python_of, spread
from .rivals import BATCH, export, given, keras_network

_EPOCHS, _SIDE, _LR = 5, 224, 1e-3
_NET = "efficientnet_lite0"
_LIBRARIES = {"mxtune": "mxtune", "again": "mxtune, second run", "torch": "PyTorch script", "keras": "Keras script"}
_SETS = {300: (3, "4 x either; second run 15 x"), 5000: (1, "10 x either; second run 15 x")}  # rounds, and to reach


def figures() -> list[Figure]:
    """Seconds, accuracy and memory of each, for both numbers of images."""
    return [row for count in _SETS for row in rows_for(count)]


def rows_for(count: int) -> list[Figure]:
    """The rows for so many images."""
    photographs = [Path(text) for text in os.environ.get("MXTUNE_BENCH_PHOTOS", "").split(os.pathsep) if text]
    if count <= 300 and not photographs:
        return [Figure(f"{count} photographs", "MXTUNE_BENCH_PHOTOS names no folder")]
    rounds, wanted = _SETS.get(count, (1, ""))
    runs: dict[str, list[Process]] = {name: [] for name in _LIBRARIES}
    with tempfile.TemporaryDirectory() as text:
        place = Path(text)
        export(_NET, place)
        _divide(photographs[0], place) if count <= 300 else _draw(count, place)
        for _ in range(rounds):
            shutil.rmtree(place / "cache", ignore_errors=True)
            for name in _LIBRARIES:
                python = python_of("mxtune" if name == "again" else name)
                if Path(python).exists():
                    runs[name].append(fresh(python, "-W", "ignore", "-m", "benchmarks.whole", name, text, limit=1800))
    rows = []
    for name, found in runs.items():
        seconds = [run.seconds - run.said["measuring"] for run in found]
        measured = "not installed: make bench-peers"
        if found:
            ours = [run.seconds - run.said["measuring"] for run in runs["mxtune"]]
            ratio = float(np.median([theirs / own for theirs, own in zip(seconds, ours)]))
            accuracy = spread([run.said["accuracy"] for run in found])
            memory = spread([run.peak for run in found], ".0f", "MB")
            measured = (
                f"{spread(seconds, '.1f', 's')}, {ratio:.2f} times ours; accuracy {accuracy}; peak memory {memory}"
            )
        rows.append(Figure(f"{count} images: {_LIBRARIES[name]}", measured, wanted if name == "mxtune" else ""))
    return rows


def _divide(folder: Path, place: Path) -> None:
    """Copies of the photographs in train and test, class by class."""
    from mxtune import mximages

    images = mximages(folder)
    for part, name in zip(images.split(0.2, seed=1), ("train", "test")):
        for code, file in zip(part.y, part.files):
            target = place / name / images.levels[code]
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def _draw(count: int, place: Path) -> None:
    """As many files of clothes to train on as four fifths of the images, and a fifth to test."""
    from PIL import Image

    images, codes = fashion_mnist()
    for row, label in enumerate(fashion_labels(codes[:count])):
        target = place / ("test" if row % 5 == 0 else "train") / str(label)
        target.mkdir(parents=True, exist_ok=True)
        enlarged = Image.fromarray(images[row]).convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        enlarged.save(target / f"{row}.jpg", quality=90)


def mxtune(place: Path) -> Callable[[], float]:
    """Ours, with the features in the cache for a second run; returns what measures the accuracy."""
    os.environ.pop("MXTUNE_CACHE_GB", None)  # `make bench` keeps none; here the second run is what is measured
    from mxtune import mxtrain

    model = mxtrain(place / "train", net=_NET, tune="head", cache=place / "cache", verbose=0)
    model.save(place / "ours.mxt")
    return lambda: float(model.evaluate(place / "test")["accuracy"])


def torch(place: Path) -> Callable[[], float]:
    """The usual script: ImageFolder, a DataLoader for the CPUs there are, timm, AdamW; the body in eval mode."""
    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    from torchvision_here import torchvision

    vision, _ = torchvision()
    import timm

    ways = vision.transforms
    least = [ways.Resize(256), ways.CenterCrop(_SIDE), ways.ToTensor(), ways.Normalize([0.5] * 3, [0.5] * 3)]
    varied = [ways.RandomResizedCrop(_SIDE), ways.RandomHorizontalFlip(), *least[2:]]
    workers = len(os.sched_getaffinity(0))

    def loader(part: str, how: list[Any]) -> Any:
        images = vision.datasets.ImageFolder(place / part, ways.Compose(how))
        return torch.utils.data.DataLoader(images, BATCH, shuffle=part == "train", num_workers=workers)

    train = loader("train", varied)
    body = timm.create_model("tf_efficientnet_lite0", checkpoint_path=str(place / f"{_NET}.safetensors"))
    body.reset_classifier(0)
    body = body.to(memory_format=torch.channels_last).eval()
    head = torch.nn.Linear(body.num_features, len(train.dataset.classes))
    optimiser, loss = torch.optim.AdamW(head.parameters(), _LR), torch.nn.CrossEntropyLoss()

    def outputs(x: Any) -> Any:
        with torch.no_grad():
            features = body(x.to(memory_format=torch.channels_last))
        return head(features)

    for _ in range(_EPOCHS):
        for x, y in train:
            optimiser.zero_grad()
            loss(outputs(x), y).backward()
            optimiser.step()
    torch.save(head.state_dict(), place / "theirs.pt")

    def accuracy() -> float:
        right = [(outputs(x).argmax(1) == y).float() for x, y in loader("test", least)]
        return float(torch.cat(right).mean())

    return accuracy


def keras(place: Path) -> Callable[[], float]:
    """The usual script: image_dataset_from_directory with prefetch, random flips, fit; the body frozen."""
    import keras
    import tensorflow

    def dataset(part: str) -> Any:
        read = keras.utils.image_dataset_from_directory
        return read(place / part, image_size=(_SIDE, _SIDE), batch_size=BATCH, shuffle=part == "train", seed=1)

    train = dataset("train")
    body = keras_network(_NET, given(_NET, place)[0], top=False)
    body.trainable = False
    layers = keras.layers
    net = keras.Sequential([
        layers.Input((_SIDE, _SIDE, 3)), layers.RandomFlip("horizontal"), layers.Rescaling(1 / 127.5, -1), body,
        layers.Dense(len(train.class_names)),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.AdamW(_LR), loss, metrics=["accuracy"])
    net.fit(train.prefetch(tensorflow.data.AUTOTUNE), epochs=_EPOCHS, verbose=0)
    net.save(place / "theirs.keras")
    return lambda: float(net.evaluate(dataset("test"), verbose=0, return_dict=True)["accuracy"])


def main(name: str, place: str) -> None:
    """Train, then print the accuracy and the seconds that measuring it took."""
    accuracy = {"mxtune": mxtune, "again": mxtune, "torch": torch, "keras": keras}[name](Path(place))
    start = time.perf_counter()
    right = accuracy()
    print(json.dumps({"accuracy": right, "measuring": time.perf_counter() - start}))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        for row in rows_for(int(sys.argv[1])):
            print(f"{row.what}: {row.measured}")
    else:
        main(*sys.argv[1:])
