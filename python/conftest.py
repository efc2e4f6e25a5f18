"""Which examples run: those of PyTorch's engine only where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["mxtune/engines/torch/*"]
