"""Can a model be trusted? Fashion-MNIST, 2,000 images to train the head, 10,000 to test, five seeds.

The expected calibration error has 15 bins. CPU seconds are those of a whole training in a process of its own, with the
folds, and with a fifth held out instead and nothing remembered, in turn.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from .data import fashion_labels, fashion_mnist, mnist_digits
from .measure import Figure, python, spread

if TYPE_CHECKING:
    import pandas as pd

    from mxtune import Model

_SEEDS = range(5)
_SIZES = (250, 500, 1000)  # of which twice as many are tried


def figures() -> list[Figure]:
    """What was said of the model out of fold, and what came true on the test."""
    command = "python -m benchmarks trust"
    runs = [python("-m", "benchmarks.trust", seed, "folds").said for seed in _SEEDS]
    held = [python("-m", "benchmarks.trust", seed, "held").said for seed in _SEEDS]

    def values(name: str) -> list[float]:
        return [run[name] for run in runs]

    apart = [100 * (run["out_of_fold"] - run["accuracy"]) for run in runs]
    within = sum(run["lower"] <= run["accuracy"] <= run["upper"] for run in runs)
    ratios = [run["cpu"] / other["cpu"] for run, other in zip(runs, held)]
    return [
        Figure("out of fold: accuracy", spread(values("out_of_fold"), ".4f"), "", command),
        Figure("test: accuracy", spread(values("accuracy"), ".4f"), "", command),
        Figure("out of fold less test", spread(apart, ".2f", "points"), "within 1.5", command),
        Figure("test accuracy in its 95 % interval", f"{within} of {len(runs)}", "", command),
        Figure("a fifth held out: test accuracy", spread([run["accuracy"] for run in held], ".4f"), "", command),
        Figure("90 % sets: coverage", spread(values("covered_90"), ".4f"), ".885 to .915", command),
        Figure("90 % sets: classes", spread(values("size_90"), ".3f"), "<= 1.1", command),
        Figure("95 % sets: coverage", spread(values("covered_95"), ".4f"), ".935 to .965", command),
        Figure("95 % sets: classes", spread(values("size_95"), ".3f"), "<= 1.4", command),
        Figure("expected calibration error", spread(values("error"), ".4f"), "<= .02", command),
        Figure("temperature", spread(values("temperature"), ".3f"), "", command),
        *_planted_figures(command),
        *_curve_figures(command, python("-m", "benchmarks.trust", 0, "curve").said),
        *_novelty_figures(command),
        Figure("training: CPU seconds", spread(values("cpu"), ".1f"), "", command),
        Figure("of those with a fifth held out", spread(ratios, ".2f"), "<= 1.25", command),
    ]


def _novelty(seed: int) -> None:
    """Digits and photographs among garments, and garments among digits: which are novel?

    The method was chosen on other images: garments that were turned, mixed, inverted or cut up, and drawn shapes.
    """
    from mxtune import mxtrain
    from mxtune.tasks.metrics.roc_auc import roc_auc

    pictures, codes = fashion_mnist("train")
    rows = np.random.default_rng(seed).permutation(len(pictures))[:2000]
    digits, names = mnist_digits()
    garments, said = fashion_mnist("test")[0], {}
    others = {
        "clothes": (
            pictures[rows],
            fashion_labels(codes[rows]),
            garments,
            {"digits": digits[:1000], "photos": _crops()},
        ),
        "digits": (digits[:2000], names[:2000], digits[3000:], {"clothes": garments[:1000]}),
    }
    for known, (images, labels, like, unlike) in others.items():
        model = mxtrain(images, labels, tune="head", seed=seed, verbose=0)
        own = model.predict(like, novelty=True)
        said[f"{known} kept"] = 1 - float(own["is_novel"].mean())
        said[f"MB of {known}"] = sum(array.nbytes for array in model.memory.arrays().values()) / 1e6
        for what, images_of in unlike.items():
            other = model.predict(images_of, novelty=True)
            score = np.concatenate([own["novelty"], other["novelty"]])
            truth = np.repeat([0, 1], [len(own), len(other)])
            said[f"{what} among {known}"] = roc_auc(truth, np.column_stack([-score, score]))
            said[f"{what} found among {known}"] = float(other["is_novel"].mean())
    print(json.dumps(said))


def _novelty_figures(command: str) -> list[Figure]:
    runs = [python("-m", "benchmarks.trust", seed, "novelty").said for seed in _SEEDS]

    def figure(title: str, name: str, goal: str, form: str = ".4f", unit: str = "") -> Figure:
        return Figure(title, spread([run[name] for run in runs], form, unit), goal, command)

    return [
        figure("digits among clothes: AUROC", "digits among clothes", ">= .98"),
        figure("photographs among clothes: AUROC", "photos among clothes", ">= .98"),
        figure("clothes among digits: AUROC", "clothes among digits", ""),
        figure("clothes kept", "clothes kept", ".95"),
        figure("digits kept", "digits kept", ".95"),
        figure("digits found among clothes", "digits found among clothes", ""),
        figure("photographs found among clothes", "photos found among clothes", ""),
        figure("clothes found among digits", "clothes found among digits", ""),
        figure("what is remembered of 2,000 images", "MB of clothes", "", ".2f", "MB"),
    ]


def _crops() -> np.ndarray:
    """Squares (N, 28, 28) uint8 of scikit-image's photographs, in grey."""
    from PIL import Image
    from skimage import data

    rng, crops = np.random.default_rng(0), []
    for name in ("astronaut", "camera", "cat", "chelsea", "coffee", "coins", "moon", "page", "rocket", "text"):
        picture = Image.fromarray(getattr(data, name)()).convert("L")
        for _ in range(20):
            side = int(min(picture.size) * rng.uniform(0.3, 1))
            left, top = (int(rng.integers(0, room - side + 1)) for room in picture.size)
            crops.append(np.asarray(picture.crop((left, top, left + side, top + side)).resize((28, 28))))
    return np.stack(crops)


def _planted(seed: int) -> None:
    """A tenth of the labels is one of the nine wrong ones: which images come first?"""
    from mxtune import mxtrain
    from mxtune.tasks.metrics.roc_auc import roc_auc

    pictures, codes = fashion_mnist("train")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(pictures))[:2000]
    truth = codes[rows].astype(int)
    given, wrong = truth.copy(), rng.choice(len(rows), len(rows) // 10, replace=False)
    given[wrong] = (given[wrong] + rng.integers(1, 10, len(wrong))) % 10
    model = mxtrain(pictures[rows], fashion_labels(given), tune="head", seed=seed, verbose=0)
    table = model.suspects().table
    is_wrong = np.isin(table["file"], [f"[{place}]" for place in wrong])
    score = np.column_stack([-table["score"], table["score"]])
    said = {
        "auroc": roc_auc(is_wrong.astype(int), score),
        "precision": float(is_wrong[: len(wrong)].mean()),
        "suspect": float(table["suspect"].sum()),
        "among": float(is_wrong[table["suspect"]].mean()),
    }
    print(json.dumps(said))


def _planted_figures(command: str) -> list[Figure]:
    runs = [python("-m", "benchmarks.trust", seed, "planted").said for seed in _SEEDS]
    return [
        Figure("10 % planted wrong labels: AUROC", spread([run["auroc"] for run in runs], ".4f"), ">= .98", command),
        Figure("wrong among the first 10 %", spread([run["precision"] for run in runs], ".3f"), ">= .85", command),
        Figure("suspect: images of 2,000", spread([run["suspect"] for run in runs], ".0f"), "", command),
        Figure("wrong among the suspect", spread([run["among"] for run in runs], ".3f"), "", command),
    ]


def _curve() -> None:
    """What twice as many images are expected to bring, and what they bring: the same images and as many more."""
    from mxtune import mxtrain

    pictures, codes = fashion_mnist("train")
    labels = fashion_labels(codes)
    tested, truth = fashion_mnist("test")
    features = None  # of the frozen network, which is the same for all
    runs = []
    for seed in _SEEDS:
        rows = np.random.default_rng(seed).permutation(len(pictures))
        right: dict[int, float] = {}
        said: dict[str, float] = {}
        for n in (*_SIZES, 2 * _SIZES[-1]):
            own = rows[:n]
            model = mxtrain(pictures[own], labels[own], tune="head", seed=seed, verbose=0)
            if features is None:
                features = model.predict(tested, type="features").iloc[:, 1:].to_numpy(np.float32)
            weight, bias = (model.network.params[f"{model.network.classifier}_{part}"] for part in ("weight", "bias"))
            answers = np.asarray(model.levels)[(features @ weight.T + bias).argmax(axis=1)]
            right[n] = float((answers == fashion_labels(truth)).mean())
            if n in _SIZES:
                start = time.process_time()
                curve = model.learning_curve()
                low, high = curve.gain_interval
                said |= {f"cpu_{n}": time.process_time() - start}
                said |= {f"gain_{n}": curve.gain, f"low_{n}": low, f"high_{n}": high}
        runs.append(said | {f"seen_{n}": right[2 * n] - right[n] for n in _SIZES})
        print(json.dumps(runs), flush=True)  # the last line counts


def _curve_figures(command: str, runs: list[dict[str, float]]) -> list[Figure]:
    found, within = [], 0
    for n in _SIZES:
        apart = [100 * (run[f"gain_{n}"] - run[f"seen_{n}"]) for run in runs]
        within += sum(run[f"low_{n}"] <= run[f"seen_{n}"] <= run[f"high_{n}"] for run in runs)
        for name in ("gain", "seen"):
            what = "expected of twice as many" if name == "gain" else "seen"
            values = [100 * run[f"{name}_{n}"] for run in runs]
            found.append(Figure(f"{n} images, gain {what}", spread(values, ".2f", "points"), "", command))
        mean = f"{np.mean(apart):+.2f} points"
        found.append(Figure(f"{n} images, expected less seen: mean", mean, "within 1", command))
        found.append(Figure(f"{n} images, expected less seen", spread(apart, ".2f", "points"), "", command))
    found.append(Figure("gain seen within its 95 % interval", f"{within} of {len(runs) * len(_SIZES)}", "", command))
    seconds = [run[f"cpu_{_SIZES[-1]}"] for run in runs]
    found.append(Figure(f"curve of {_SIZES[-1]}: CPU seconds", spread(seconds, ".1f"), "", command))
    return found


def _child(seed: str, way: str) -> None:
    if way == "curve":
        _curve()
        return
    if way in ("planted", "novelty"):
        {"planted": _planted, "novelty": _novelty}[way](int(seed))
        return
    from mxtune import mxtrain
    from mxtune.training.run import Run

    pictures, codes = fashion_mnist("train")
    rows = np.random.default_rng(int(seed)).permutation(len(pictures))[:2000]
    pictures, labels = pictures[rows], fashion_labels(codes[rows])
    mxtrain(pictures[:40], labels[:40], tune="head", verbose=0)  # what is loaded and bound is not measured
    chosen = {} if way == "folds" else {"valid": 0.2}
    Run.remembers = way == "folds"  # the other way is without all of it
    start = time.process_time()
    model = mxtrain(pictures, labels, tune="head", seed=int(seed), verbose=0, **chosen)
    said = {"cpu": time.process_time() - start, "temperature": model.validation.temperature}
    pictures, codes = fashion_mnist("test")
    truth = fashion_labels(codes)
    probabilities = model.predict(pictures, type="prob")
    said["accuracy"] = float((probabilities["pred_class"] == truth).mean())
    if way == "folds":
        said["out_of_fold"] = model.metrics["accuracy"]
        said["lower"], said["upper"] = model.interval
        said |= _sets(model, probabilities, truth)
    print(json.dumps(said))


def _sets(model: Model, probabilities: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    from mxtune import tasks
    from mxtune.model.conformal import limits_for
    from mxtune.tasks.metrics import calibration

    task = tasks.named(model.task, model.levels)
    answers = probabilities.iloc[:, 2:].to_numpy(np.float64)
    codes = np.searchsorted(model.levels, truth)
    right = answers.argmax(axis=1) == codes
    said = {"error": float(calibration(answers.max(axis=1), right)["error"].sum())}
    for level in (0.9, 0.95):
        limits = limits_for(task, model.validation, level)
        sets = task.sets(np.log(answers), limits, np.ones(len(truth), bool))["pred_set"]
        said[f"covered_{100 * level:.0f}"] = float(np.mean([own in one for own, one in zip(truth, sets)]))
        said[f"size_{100 * level:.0f}"] = float(np.mean([len(one) for one in sets]))
    return said


if __name__ == "__main__":
    _child(*sys.argv[1:])
