"""Training by several processes, whose gradients PyTorch sums while the backward pass runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ...base import Program
from ...devices import Device
from .. import gpus
from ..load import load


def pays(program: Program, devices: Sequence[Device]) -> bool:
    """Whether each device had best have a process of its own, where nobody asks for it.

    So have several GPUs of NVIDIA's or AMD's that train, on Linux: PyTorch has NCCL there alone. Where each run must
    give the same bytes one process sums, in an order that nothing else decides.
    """
    if len(devices) < 2 or not program.trainable or program.deterministic or sys.platform != "linux":
        return False
    if any(device.kind == "cpu" for device in devices) or gpus.build().backend != "cuda":
        return False
    distributed = load().distributed
    return bool(distributed.is_available() and distributed.is_nccl_available())
