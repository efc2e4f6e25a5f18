"""`python -m benchmarks [NAME ...]`: measure, and write RESULTS.md; what was not asked for keeps its text there."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import re
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .measure import Figure

# Quick ones first. Each is a file with a docstring and figures().
BENCHMARKS = (
    "importing",
    "near",
    "photos",
    "busy",
    "inference",
    "operators",
    "quantised",
    "training",
    "steps",
    "whole",
    "digits",
    "backbones",
    "bench_r",
    "bench_rhost",
    "trust",
    "scaling",
    "fashion",
    "cluster",
    "serving",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
_PACKAGES = ("mxnet", "numpy", "scipy", "pillow", "pandas")


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all; the exit code says how many failed."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    failures = 0
    for name in names or BENCHMARKS:
        print(f"{name} ...", flush=True)
        module = importlib.import_module(f"{__package__}.{name}")
        try:
            figures = module.figures()
        except Exception:  # noqa: BLE001 - the other benchmarks still run
            traceback.print_exc()
            failures += 1
            continue
        section = _section(name, str(module.__doc__), figures)
        print(section, flush=True)
        _write(name, section)
    return min(failures, 1)


def _section(name: str, told: str, figures: list[Figure]) -> str:
    lines = [f"## {name}", "", told.strip(), "", _circumstances(), ""]
    if figures:
        lines += ["| what | measured | to reach | command |", "| --- | --- | --- | --- |"]
        lines += [f"| {f.what} | {f.measured} | {f.wanted} | {f.command and f'`{f.command}`'} |" for f in figures]
    else:
        lines += ["Not measured here."]
    drawing = RESULTS.with_name(f"{name}.svg")
    if drawing.exists():
        lines += ["", f"![{name}: medians]({drawing.name})"]
    return "\n".join(lines) + "\n"


def _circumstances() -> str:
    """When, on which machine, with which versions, and how busy the machine was."""
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    return (
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {_processor()}, "
        f"{len(os.sched_getaffinity(0))} CPUs, {platform.system()}, Python {platform.python_version()}, {packages}. "
        f"Load of the machine at the end: {load:.1f}."
    )


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1].strip() if found else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _write(name: str, section: str) -> None:
    """Put the section in its place among the others."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    kept = {part.split("\n", 1)[0]: f"## {part}" for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}
    kept[name] = section
    head = "# Measured by `make bench`\n\nMedian (least to most, number of runs). Ratios are from one run.\n"
    RESULTS.write_text("\n".join([head, *(kept[n].rstrip() + "\n" for n in BENCHMARKS if n in kept)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
