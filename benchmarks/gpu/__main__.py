"""Whether PyTorch's engine does on this machine's GPU what it must; `make gpu-check` runs it.

    PYTHONPATH=python python3 -m benchmarks.gpu FOLDER [--device cpu] [--only PART ...]

Needs PyTorch, the packages of mxtune and this repository, neither R nor a network. Prints a table and writes it to
FOLDER/gpu-check.md: to be copied to benchmarks/RESULTS.md. With --device cpu the same is tried without a GPU, with less
to compute; what only a GPU can do is then provoked (its memory runs out), or compared with the CPU itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mxtune import engines

from .network import NETWORKS, drawn, executor, moments, pictures

HEAD = "| check | found | wanted | |\n| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    check: str
    found: str
    wanted: str = ""
    passed: bool = True

    def __str__(self) -> str:
        verdict = "" if not self.wanted else "yes" if self.passed else "**no**"
        return f"| {self.check} | {self.found} | {self.wanted} | {verdict} |"


def bounded(check: str, value: float, most: float) -> Row:
    """A number that must not be larger than another."""
    return Row(check, f"{value:.2g}", f"<= {most:g}", bool(value <= most))


def parity(device: str) -> Iterator[Row]:
    """Outputs and gradients of a network of each family, beside the CPU's."""
    for name in NETWORKS:
        network = drawn(name)
        images = pictures(network, 4)
        expected, found = (executor(network, where).predict(images) for where in ("cpu", device))
        yield bounded(f"outputs of {name}", np.abs(found - expected).max() / np.abs(expected).max(), 1e-4)
        one, other = (moments(network, where, images) for where in ("cpu", device))
        apart = [np.linalg.norm(other[key] - one[key]) / max(np.linalg.norm(one[key]), 1e-6) for key in one]
        yield bounded(f"gradients of {name}, the worst of {len(apart)}", max(apart), 1e-3)
        low = executor(network, device, "bfloat16").predict(images)
        apart16 = np.linalg.norm(low - expected) / np.linalg.norm(expected)
        yield bounded(f"outputs of {name} in bfloat16", apart16, 0.1)


def alike(device: str) -> Iterator[Row]:
    """Three epochs from the same weights on the same batches; the same seed again; half the bits."""
    from . import training  # late, here and below: a package that is missing stops one part alone

    for way in ("layers", "head"):
        runs = (("cpu", "float32"), (device, "float32"), (device, "float32"), (device, "bfloat16"))
        expected, found, again, low = (training.trained(way, *run, small=device == "cpu") for run in runs)
        apart = abs(found.accuracy - expected.accuracy)
        yield bounded(f"{way}: accuracy beside the CPU's {expected.accuracy:.4f}", apart, 0.005)
        same = again.digest == found.digest
        yield Row(
            f"{way}: the same seed again, deterministic",
            f"{'the same' if same else 'other'} bytes",
            "the same bytes",
            same,
        )
        yield bounded(f"{way}: accuracy in bfloat16", abs(low.accuracy - found.accuracy), 0.005)


def interrupt(device: str) -> Iterator[Row]:
    """Ctrl-C during training brings the model home."""
    from . import training

    seconds, said = training.interrupted(device)
    yield Row("Ctrl-C in the second epoch", f"{said}, {seconds:.1f} s later", "a model", "a model" in said)


def memory(device: str) -> Iterator[Row]:
    """A batch that does not fit is computed in parts, and learns the same."""
    from . import training

    yield from (Row(*row) for row in training.out_of_memory(device))


def fast(device: str) -> Iterator[Row]:
    """Images per second, and beside other ways in the same run."""
    from . import speed

    yield from (Row(*row) for row in speed.rows(device))


def compiled(device: str) -> Iterator[Row]:
    """What PyTorch's compiler takes to start, and what it gains; forced, however little is to come."""
    from . import compiler

    yield from (Row(*row) for row in compiler.rows(device))


def together(device: str) -> Iterator[Row]:
    """All GPUs of the machine, each with a process of its own: the same gradients, sooner."""
    from . import several

    yield from (Row(*row) for row in several.rows(device))


PARTS: dict[str, Callable[[str], Iterator[Row]]] = {
    "parity": parity, "training": alike, "interrupt": interrupt, "memory": memory, "speed": fast,
    "compiler": compiled, "several": together,
}  # fmt: skip


def machine(device: str) -> str:
    """Where this ran."""
    reports = {str(report.device): report for report in engines.get("torch").devices()}
    where = "the CPU" if device == "cpu" else reports.get(device if ":" in device else f"{device}:0", "no GPU")
    build = torch.version.cuda or torch.version.hip or "no GPU code"
    return f"{where}; PyTorch {torch.__version__} ({build}), Python {platform.python_version()}, {os.cpu_count()} CPUs"


def told(part: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a part, and its failure as a row."""
    try:
        for row in rows:
            print(row, flush=True)
            yield row
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts run
        traceback.print_exc()
        yield Row(part, f"{type(error).__name__}: {error}".splitlines()[0], "runs", passed=False)


def main() -> int:
    """Run the parts, and write their table; 1 if something is not as wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="gpu")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    if asked.device != "cpu":
        engines.choose(asked.device, engine="torch")  # or an error that says why not
    os.environ["MXTUNE_ENGINE"] = "torch"  # also in processes that are started
    head = f"## gpu-check, {time.strftime('%Y-%m-%d')}\n\n{machine(asked.device)}\n\n{HEAD}"
    print(head)
    rows = [row for part in asked.only for row in told(part, PARTS[part](asked.device))]
    asked.folder.mkdir(parents=True, exist_ok=True)
    table = asked.folder / "gpu-check.md"
    table.write_text("\n".join([head, *map(str, rows)]) + "\n", encoding="utf-8")
    failed = sum(not row.passed for row in rows)
    print(f"\n{len(rows)} rows, {failed} not as wanted; written to {table}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
