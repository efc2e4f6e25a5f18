"""A GPU's memory: how many rows it would hold at once, judged by those that it held."""

from __future__ import annotations

from typing import NamedTuple, Optional

import torch

MOST = 256
"""Rows beyond which a GPU gains little, and Ctrl-C would wait long."""
_SHARE = 0.7  # of what is free: memory comes in blocks, and others take some


class Figures(NamedTuple):
    """Bytes of a GPU's memory: that can be had, that are in use, and the most that ever were."""

    free: int
    used: int
    peak: int


def figures(device: torch.device) -> Optional[Figures]:
    """Those of a GPU of NVIDIA's or AMD's; None of others, whose memory PyTorch does not show so."""
    if device.type != "cuda":
        return None
    used = torch.cuda.memory_allocated(device)
    held = torch.cuda.memory_reserved(device) - used  # by PyTorch, free for what comes next
    return Figures(torch.cuda.mem_get_info(device)[0] + held, used, torch.cuda.max_memory_allocated(device))


def rows_that_fit(rows: int, before: Figures, after: Figures) -> int:
    """A power of two of rows for a GPU that has computed this many.

    What else the process has computed counts to their memory where it took more, since the record of the most that was
    ever in use is the user's, and is not reset.

    Examples
    --------
    >>> rows_that_fit(32, Figures(24_000, 500, 500), Figures(24_000, 500, 2_500))
    256
    >>> rows_that_fit(32, Figures(6_000, 500, 500), Figures(3_000, 500, 2_500))
    32
    """
    each = max(after.peak - before.used, 1) / rows
    fitting = int(_SHARE * after.free / each)
    return min(1 << max(fitting.bit_length() - 1, 0), MOST)
