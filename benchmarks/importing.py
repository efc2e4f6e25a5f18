"""`import mxtune` in fresh processes: no MXNet, no pandas, nothing heavy is loaded."""

from __future__ import annotations

from .measure import Figure, python, spread

_CODE = "import time; t = time.perf_counter(); import mxtune; print(time.perf_counter() - t)"


def figures() -> list[Figure]:
    """The seconds of the import alone, ten times; the first run, which fills the disk's cache, is left out."""
    seconds = [python("-c", _CODE).said for _ in range(11)][1:]
    return [Figure("import mxtune", spread(seconds, ".3f", "s"), "< 0.3 s", f'python -c "{_CODE}"')]
