"""PyTorch's modes while a network runs: ours, whatever the user has set; and afterwards the user's again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from ...machine import usable_cpus

KINDS = {"float32": None, "bfloat16": torch.bfloat16}
"""The precisions, and what PyTorch computes large products in, where that is another type."""


@contextlib.contextmanager
def own_settings(kind: str, precision: str = "float32") -> Iterator[None]:
    """Inside, modes of this thread are as networks need them.

    Parameters
    ----------
    kind
        PyTorch's name for the kind of device, such as ``"cuda"``.
    precision
        One of `KINDS`. With float32, convolutions of NVIDIA's GPUs are in float32, too, and not in TF32.
    """
    low = KINDS[precision]
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in {"cpu", kind}:
            stack.enter_context(_autocast(device, low if device == kind else None))
        if kind == "cuda":
            stack.enter_context(_convolutions())
        stack.enter_context(_threads())
        yield


def _autocast(device: str, low: Any) -> Any:
    try:
        return torch.autocast(device, low, enabled=low is not None)
    except RuntimeError:  # before PyTorch 2.5 Apple's GPUs had none that a user could have set
        if low is not None:
            raise
        return contextlib.nullcontext()


def _convolutions() -> Any:
    """Without TF32, whose products have 10 bits, and with the user's choice of algorithms."""
    backend = torch.backends.cudnn
    strict = torch.are_deterministic_algorithms_enabled() or backend.deterministic
    return backend.flags(enabled=True, benchmark=backend.benchmark, deterministic=strict, allow_tf32=False)


@contextlib.contextmanager
def _threads() -> Iterator[None]:
    """No more threads than CPUs that this process may use: PyTorch does not see the limits of a container."""
    before = torch.get_num_threads()
    if before <= usable_cpus():
        yield
        return
    torch.set_num_threads(usable_cpus())
    try:
        yield
    finally:
        torch.set_num_threads(before)
