"""`mxtune serve` with EfficientNet-Lite0 at 224 x 224 pixels, asked over loopback by clients in one other process.

Each client sends an image of the example as a form, waits for its answer, and sends the next; beside it `predict()` on
the same files, in batches, in a process of its own, before and after. Pairs of both are compared, as the machine may be
busy with other things. Where a batch takes no less time an image than one alone, as on few CPUs, 32 clients wait for
32 images: the least that their answers can take is 32 / (images a second), which is what the 99th percentile
is compared with, besides the time of one client alone. Errors, lost answers, hangs and leaks are failures.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from ..measure import Figure, python, spread
from .hostile import ANSWERS
from .hostile import requests as hostile_ones
from .service import FORM, Service, form, post, written

_REQUESTS = int(os.environ.get("MXTUNE_BENCH_REQUESTS", "20000"))
_ROUNDS = 4
_CLIENTS, _FEW, _HOSTILE = 32, 8, 2000
_LEAK = 100  # MB
_COMMAND = "python -m benchmarks serving"


def figures() -> list[Figure]:
    """Throughput and latency beside `predict()`, what SIGTERM loses, and what hostile requests do."""
    from mxtune import mxexample, mxtrain

    photos = sorted(Path(mxexample("fashion")).rglob("*.png"))
    with tempfile.TemporaryDirectory() as place:
        model = Path(place, "fashion.mxt")
        mxtrain(mxexample("fashion"), net="efficientnet_lite0", image_size=224, tune="head", verbose=0).save(model)
        asked = written(Path(place, "asked"), (post(form(f.name, f.read_bytes()), FORM, "?type=prob") for f in photos))
        hostile = written(Path(place, "hostile"), hostile_ones(photos, _HOSTILE))
        with Service(model) as service:
            rows = _speed(service, model, asked)
            rows += _leaks(service, asked, hostile)
        return rows + _ending(model, asked)


def _speed(service: Service, model: Path, asked: Path) -> list[Figure]:
    first = service.load(asked, 1, 1)["each"][0]
    batches: list[float] = []
    alone: list[float] = []
    rates: list[float] = []
    late: dict[int, list[float]] = {_CLIENTS: [], _FEW: []}
    for _ in range(_ROUNDS):
        before = python("-m", "benchmarks.serving.batches", model).said
        alone.append(statistics.median(_answered(service.load(asked, 1, 100))["each"]))
        late[_FEW].append(_last(_answered(service.load(asked, _FEW, 400))["each"]))
        many = _answered(service.load(asked, _CLIENTS, _REQUESTS // _ROUNDS))
        late[_CLIENTS].append(_last(many["each"]))
        rates.append(_REQUESTS // _ROUNDS / many["seconds"])
        batches.append(statistics.mean([before, python("-m", "benchmarks.serving.batches", model).said]))
    share = [rate / batch for rate, batch in zip(rates, batches)]
    rows = [
        Figure(f"{_CLIENTS} clients, {_REQUESTS} requests: images a second", spread(rates, ".0f"), "", _COMMAND),
        Figure("`predict()` in batches, the same files: images a second", spread(batches, ".0f")),
        Figure("of that, the service", spread(share, ".2f"), ">= .8"),
        Figure("the first request of all", f"{first * 1e3:.0f} ms"),
        Figure("1 client: median of an answer", spread([1e3 * one for one in alone], ".1f", "ms")),
    ]
    for clients, last in late.items():
        rows += [
            Figure(f"{clients} clients: 99th percentile", spread([1e3 * one for one in last], ".0f", "ms")),
            Figure("as a multiple of 1 client", spread([far / near for far, near in zip(last, alone)], ".1f"), "<= 4"),
            Figure(
                f"as a multiple of {clients} images at the rate of `predict()`",
                spread([far * batch / clients for far, batch in zip(last, batches)], ".2f"),
            ),
        ]
    return rows


def _leaks(service: Service, asked: Path, hostile: Path) -> list[Figure]:
    before = service.memory()
    answers = service.load(hostile, 8, _HOSTILE)
    after = service.memory()
    said = ", ".join(f"{times} x {status}" for status, times in sorted(answers["statuses"].items()))
    _must(
        not answers["lost"] and set(answers["statuses"]) <= ANSWERS, f"hostile requests: {said}, {answers['lost']} lost"
    )
    _must(service.health() == "ok", "the service is not well after hostile requests")
    _must(after - before <= _LEAK, f"hostile requests left {after - before:.0f} MB")
    _answered(service.load(asked, _CLIENTS, 320))
    return [
        Figure(f"{_HOSTILE} hostile requests", said, "no 500, none lost"),
        Figure("more memory than before these", f"{after - before:.0f} MB", f"<= {_LEAK} MB"),
    ]


def _ending(model: Path, asked: Path) -> list[Figure]:
    """SIGTERM with all clients waiting, in one process and in two."""
    rows = []
    for workers in (1, 2):
        with Service(model, "--workers", str(workers)) as service:
            answers = service.load(asked, _CLIENTS, 2000, "--end", service.process.pid)
        told = f"{answers['lost']} lost of {answers['statuses']['200']} before SIGTERM"
        _must(
            not answers["lost"] and set(answers["statuses"]) == {"200"}, f"{told}, in {workers}: {answers['statuses']}"
        )
        rows.append(Figure(f"SIGTERM, {workers} process{'es' * (workers > 1)}", told, "0 lost"))
    return rows


def _answered(answers: dict[str, Any]) -> dict[str, Any]:
    _must(not answers["lost"] and set(answers["statuses"]) == {"200"}, f"{answers['statuses']}, {answers['lost']} lost")
    return answers


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuntimeError(otherwise)


def _last(each: list[float]) -> float:
    return statistics.quantiles(each, n=100)[-1]
