"""PyTorch's modes while a network runs: ours, whatever the user has set; and afterwards the user's again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import torch

from ...machine import usable_cpus

KINDS = {"float32": None, "bfloat16": torch.bfloat16}
"""The precisions, and what PyTorch computes large products in, where that is another type."""
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextlib.contextmanager
def own_settings(kind: str, precision: str = "float32", deterministic: bool = False) -> Iterator[None]:
    """Inside, modes of this thread are as networks need them.

    Parameters
    ----------
    kind
        PyTorch's name for the kind of device, such as ``"cuda"``.
    precision
        One of `KINDS`. With float32, convolutions of NVIDIA's GPUs are in float32, too, and not in TF32.
    deterministic
        Whether all that runs gives the same bytes each time, or is an error; this mode is of the process.
    """
    low = KINDS[precision]
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in {"cpu", kind}:
            stack.enter_context(_autocast(device, low if device == kind else None))
        if kind == "cuda":
            stack.enter_context(_convolutions(deterministic))
        if deterministic:
            stack.enter_context(_same_bytes())
        stack.enter_context(_threads())
        yield


def _autocast(device: str, low: Any) -> Any:
    try:
        return torch.autocast(device, low, enabled=low is not None)
    except RuntimeError:  # before PyTorch 2.5 Apple's GPUs had none that a user could have set
        if low is not None:
            raise
        return contextlib.nullcontext()


def _convolutions(deterministic: bool) -> Any:
    """Without TF32, whose products have 10 bits, and with the user's choice of algorithms, unless ours is the same."""
    backend = torch.backends.cudnn
    strict = deterministic or torch.are_deterministic_algorithms_enabled() or backend.deterministic
    timed = backend.benchmark and not deterministic  # the fastest at the moment is another one at another time
    return backend.flags(enabled=True, benchmark=timed, deterministic=strict, allow_tf32=False)


@contextlib.contextmanager
def _same_bytes() -> Iterator[None]:
    """Algorithms that give the same bytes each time, and an error where there is none."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    ours = _WORKSPACE not in os.environ  # PyTorch looks for it at each product on an NVIDIA GPU
    try:
        if ours:
            os.environ[_WORKSPACE] = ":4096:8"
        torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads such memory
        torch.use_deterministic_algorithms(True)
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = filled
        if ours:
            os.environ.pop(_WORKSPACE, None)


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
