"""Speed as `make gpu-check` measures it: images per second of ours, and of plain loops of PyTorch in the same run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from mxtune import engines
from mxtune.engines import Program
from mxtune.tasks.losses import CrossEntropy
from mxtune.zoo.opening import mxnetwork

from .network import pictures

Step = Callable[[], Any]
Line = tuple[str, str, str, bool]


def fastest(steps: dict[str, Step], seconds: float) -> dict[str, float]:
    """The seconds of each step at its best, taken in turns."""
    best: dict[str, float] = {}
    for _ in range(2):  # the first binds, compiles, asks for memory
        for step in steps.values():
            step()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not best:
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
    return best


def ours(name: str, device: str, precision: str, batch: int, learns: bool) -> Step:
    """A step, or a prediction, of a network that gets images of 224 pixels."""
    network = mxnetwork(name, weights=None, classes=1000)
    images = pictures(network, batch)
    learned = frozenset(network.params) if learns else frozenset[str]()
    bound = engines.choose(device, precision, "torch").bind(Program.of(network, learned))
    if not learns:
        return lambda: bound.predict(images)
    codes, counts, loss = np.arange(batch), np.ones(batch), CrossEntropy(1000)
    return lambda: bound.step(images, codes, counts, loss, 1e-4)


def timm_loop(name: str, device: str, batch: int, learns: bool) -> Optional[Step]:
    """The same with timm, channels last, bf16 on a GPU; None where timm is not installed."""
    try:
        import timm
    except (ImportError, RuntimeError):
        return None
    where = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    network = timm.create_model(name, pretrained=False).to(where, memory_format=torch.channels_last).train(learns)
    images = torch.randint(0, 256, (batch, 224, 224, 3), dtype=torch.uint8)
    codes = torch.arange(batch, device=where)
    low = torch.autocast(where, torch.bfloat16, enabled=where == "cuda")

    def run() -> Any:
        return network(images.to(where).permute(0, 3, 1, 2).float().sub_(127.0).mul_(1 / 128))

    def predict() -> Any:
        with torch.inference_mode(), low:
            return run().float().cpu().numpy()

    if not learns:
        return predict
    if where == "cuda":
        network = torch.compile(network)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        with low:
            loss = torch.nn.functional.cross_entropy(run(), codes)
        loss.backward()
        optimiser.step()
        return float(loss)

    return step


RACES = (  # what, our network, timm's, learns, ratio wanted on a GPU and on a CPU
    ("features of EfficientNet-Lite0", "efficientnet_lite0", "tf_efficientnet_lite0", False, 1.5, 0.95),
    ("ResNet-50, prediction", "resnet50", "resnet50", False, 1.2, 0.95),
    ("ResNet-50, training", "resnet50", "resnet50", True, 1.0, 0.95),
)


def rate(images: float) -> str:
    """Images per second, in two digits at least."""
    return f"{images:,.0f}" if images >= 10 else f"{images:.2g}"


def rows(device: str) -> Iterator[Line]:
    """Check, what was found, what is wanted, whether it is so."""
    on_cpu = device == "cpu"
    precisions = ("float32",) if on_cpu else ("float32", "bfloat16")
    for what, name, theirs, learns, on_gpu, without in RACES:
        batch, wanted = (16, without) if on_cpu else (256, on_gpu)
        steps = {precision: ours(name, device, precision, batch, learns) for precision in precisions}
        rival = timm_loop(theirs, device, batch, learns)
        best = fastest(steps | ({"timm": rival} if rival else {}), 10)
        for precision in steps:
            yield f"{what}, {precision}, batches of {batch}", f"{rate(batch / best[precision])} images/s", "", True
        if rival:
            ratio = best["timm"] / best[precisions[-1]]
            yield f"{what}, beside timm", f"{ratio:.2f} x {rate(batch / best['timm'])}", f">= {wanted}", ratio >= wanted
    yield from decoding(device, 200 if on_cpu else 5000)


def decoding(device: str, count: int) -> Iterator[Line]:
    """Training on JPEGs of 500 x 375, beside decoding them alone."""
    from PIL import Image

    from mxtune import mximages, mxtrain
    from mxtune.images.loader import Loader

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"kind {number % 5}" / f"{number}.jpg"
            path.parent.mkdir(exist_ok=True)
            coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
            coarse.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)
        images = mximages(folder)
        network = mxnetwork("efficientnet_lite0", weights=None)
        start = time.perf_counter()
        for _ in Loader(images, network.preprocess, repeated=False).eval_batches(32):
            pass
        alone = time.perf_counter() - start
        start = time.perf_counter()
        mxtrain(images, net=network, tune="head", device=device, verbose=0)
        whole = time.perf_counter() - start
        yield f"decoding {count} JPEGs", f"{rate(count / alone)} images/s", "", True
        wanted, enough = ("", True) if device == "cpu" else (">= .9", alone / whole >= 0.9)
        yield "training a head on them, beside decoding", f"{alone / whole:.2f}", wanted, enough
