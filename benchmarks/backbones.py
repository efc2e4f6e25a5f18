"""Which backbone is worth it when: how fast each is beside PyTorch, and what its features are good for.

Images a second: what a head takes (the features of every stage, from uint8 to float32), in batches of 32 at the
network's own size, beside PyTorch's forward pass of the same network in timm or torchvision, channels last, in
inference mode, from normalised float32. The two take turns, each in a fresh process; weights are random, as speed
does not depend on them. `make bench-peers` installs PyTorch.

Accuracy: `mxtrain(tune="head")` with real weights, seconds from the images to the model. Networks with weights of
your own are added by MXTUNE_BENCH_NETWORKS, photographs by MXTUNE_BENCH_PHOTOS, files and folders joined by colons.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Callable

import numpy as np

from .data import fashion_labels, fashion_mnist, mnist_digits
from .measure import PEERS, ROOT, Figure, fresh, python, spread

BATCH, SECONDS, ROUNDS = 32, 4, 3
TORCH = PEERS / "torch" / "bin" / "python"
# Our names, and theirs
NETWORKS = {
    "efficientnet_lite0": "timm/tf_efficientnet_lite0",
    "mobilenetv2_100": "timm/mobilenetv2_100",
    "mobilenetv3_large_100": "timm/mobilenetv3_large_100",
    "efficientnet_b0": "torchvision/efficientnet_b0",
    "regnety_008": "timm/regnety_008",
    "resnet18": "torchvision/resnet18",
    "resnet50": "torchvision/resnet50",
    "densenet121.torchvision": "torchvision/densenet121",
    "convnext_atto": "timm/convnext_atto",
    "vit_tiny_patch16_224": "timm/vit_tiny_patch16_224",
}
EMBEDDED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def figures() -> list[Figure]:
    """Speed of ten networks, then accuracy on three sets of images."""
    return [*speeds(), *accuracies()]


def speeds() -> list[Figure]:
    """Images a second of each network here and in PyTorch, in turn."""
    rows = []
    for ours, theirs in NETWORKS.items():
        here, there = [], []
        for _ in range(ROUNDS):
            here.append(python("-m", "benchmarks.backbones", "mxtune", ours).said)
            if TORCH.exists():
                there.append(fresh(str(TORCH), "-m", "benchmarks.backbones", "torch", theirs).said)
        measured = f"{spread(here, ',.1f')} images/s"
        if there:
            ratio = statistics.median(a / b for a, b in zip(here, there))
            measured += f"; PyTorch {spread(there, ',.1f')}; ratio {ratio:.2f}"
        rows.append(Figure(ours, measured, "", f"python -m benchmarks.backbones mxtune {ours}"))
    return rows


def accuracies() -> list[Figure]:
    """Accuracy held out and seconds of a head on each network that has weights, for each set of images."""
    rows = []
    sets = ["fashion", "digits", *filter(None, os.environ.get("MXTUNE_BENCH_PHOTOS", "").split(os.pathsep))]
    networks = [*EMBEDDED, *filter(None, os.environ.get("MXTUNE_BENCH_NETWORKS", "").split(os.pathsep))]
    for images in sets:
        for network in networks:
            runs = [python("-m", "benchmarks.backbones", "head", network, images, seed).said for seed in range(ROUNDS)]
            accuracy, seconds = zip(*runs)
            what = f"{Path(network).stem} on {Path(images).name}"
            rows.append(Figure(what, f"accuracy {spread(accuracy)}; {spread(seconds, '.1f', 's')}"))
    return rows


def mxtune_rate(name: str) -> float:
    """Images a second that our engine computes features of."""
    from mxtune import mxnetwork
    from mxtune.engines import Program, choose

    net = mxnetwork(name, weights="random")
    executor = choose("cpu").bind(Program.of(net.pooled()))
    batch = np.random.default_rng(0).integers(0, 256, (BATCH, *net.preprocess.size, 3), np.uint8)
    return rate(lambda: executor.predict(batch))


def torch_rate(name: str) -> float:
    """The same of PyTorch."""
    import torch

    sys.path.insert(0, str(ROOT / "scripts"))
    from torchvision_here import torchvision

    vision, _ = torchvision()
    library, _, network = name.partition("/")
    if library == "timm":
        import timm

        model = timm.create_model(network, num_classes=0)
    else:
        model = getattr(vision.models, network)()
    model = model.eval().to(memory_format=torch.channels_last)
    batch = torch.randn(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        return rate(lambda: model(batch))


def rate(step: Callable[[], object]) -> float:
    """Images a second, after two steps that count for nothing."""
    for _ in range(2):
        step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        step()
        steps += 1
    return BATCH * steps / (time.perf_counter() - start)


def head(network: str, images: str, seed: int) -> tuple[float, float]:
    """Accuracy on images that were held out, and the seconds that the training took."""
    from mxtune import mximages, mxtrain

    if images in ("fashion", "digits"):
        pictures, labels = mnist_digits()
        if images == "fashion":
            pictures, codes = fashion_mnist()
            labels = fashion_labels(codes)
        order = np.random.default_rng(seed).permutation(len(pictures))[:4000]
        source, held_out = mximages(pictures[order[:2000]], labels[order[:2000]]), order[2000:]
        rest = mximages(pictures[held_out], labels[held_out])
    else:
        source, rest = mximages(images).split(0.3, seed=seed)
    start = time.perf_counter()
    model = mxtrain(source, net=network, tune="head", seed=seed, verbose=0)
    seconds = time.perf_counter() - start
    return float(model.evaluate(rest)["accuracy"]), seconds


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "head":
        print(json.dumps(head(rest[0], rest[1], int(rest[2]))))
    else:
        print(json.dumps({"mxtune": mxtune_rate, "torch": torch_rate}[kind](*rest)))
