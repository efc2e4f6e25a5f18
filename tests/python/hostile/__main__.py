"""``python -m hostile 10000 [seed]``: so many damaged files are opened; counts are printed, and whatever went wrong.

``--format ONNX`` takes one format, ``--keep FOLDER`` keeps the files that something is wrong with.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

from .session import lines, run

_MORE = 2 << 30  # bytes of address space for all files together: a bomb ends in a MemoryError, which is a fault

parser = argparse.ArgumentParser("hostile")
parser.add_argument("count", type=int)
parser.add_argument("seed", type=int, nargs="?", default=0)
parser.add_argument("--format", default="")
parser.add_argument("--keep", type=Path)
asked = parser.parse_args()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + _MORE, used + _MORE))
report = run(asked.count, asked.seed, asked.format, asked.keep)
print("\n".join(lines(report)))
sys.exit(bool(report.faults))
