"""What PyTorch can do with each GPU here, and why it can't use one. It is loaded only where there may be a GPU."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Callable, Optional

from ...errors import EngineError
from .. import nvidia
from ..devices import Device, DeviceReport
from .load import load, version

_BFLOAT16 = (8, 0)  # NVIDIA's compute capability; AMD's GPUs that PyTorch runs on count themselves as newer
BACKENDS = ("cuda", "mps", "xpu")
"""PyTorch's names for kinds of GPUs: NVIDIA's, and with a build for ROCm AMD's; Apple's; Intel's."""


@dataclass(frozen=True)
class Build:
    """What the installed PyTorch can do.

    Parameters
    ----------
    code
        What it has code for, such as ``"CUDA 13.0"``; empty for a CPU alone.
    backend
        That of `BACKENDS` which finds GPUs; None if none does.
    names
        Those GPUs.
    low
        Whether they compute in bfloat16.
    problem
        Why it can't be loaded, if it can't.
    fault
        Tries the GPU of an index: why PyTorch can't compute on it, or None.
    """

    code: str = ""
    backend: Optional[str] = None
    names: tuple[str, ...] = ()
    low: bool = False
    problem: Optional[str] = None
    fault: Callable[[int], Optional[str]] = lambda _: None


@dataclass(frozen=True)
class Seen:
    """A GPU that the system shows, whether PyTorch has code for it or not, and what PyTorch would need."""

    name: str
    code: str


def reports() -> tuple[DeviceReport, ...]:
    """PyTorch's report on the CPU and each GPU of this machine."""
    seen = seen_here()
    return reports_of(build() if seen and version() else None, seen)


def reports_of(made: Optional[Build], seen: Sequence[Seen]) -> tuple[DeviceReport, ...]:
    """A PyTorch's report on the GPUs that the system shows, and on the CPU; of none what it could use."""
    cpu = DeviceReport(Device("cpu"))
    if not seen:
        return cpu, DeviceReport(Device("gpu"), "", nvidia.NONE, nvidia.REMEDY)
    if made is not None and made.backend is not None:
        found = ((name, *_fault(made, index, name)) for index, name in enumerate(made.names))
    else:
        found = ((gpu.name, *_refusal(made, gpu)) for gpu in seen)
    return cpu, *(DeviceReport(Device("gpu", index), *told) for index, told in enumerate(found))


def _fault(made: Build, index: int, name: str) -> tuple[Optional[str], Optional[str]]:
    fault = made.fault(index)
    if fault is None:
        return None, None
    return f"PyTorch can't compute on {name}: {fault}", "a newer driver, or a newer PyTorch, may help"


def _refusal(made: Optional[Build], gpu: Seen) -> tuple[str, str]:
    """Why PyTorch finds no GPU although there is one, and what would help."""
    if made is None:
        return "PyTorch, which could use it, is not installed", _install(gpu)
    if made.problem:
        return made.problem.rstrip("."), "mxinfo() shows the command that fixes it"
    if gpu.code in made.code:
        return f"PyTorch does not find {gpu.name}", "a newer driver may help"
    return f"PyTorch is installed without {gpu.code}, which {gpu.name} needs", _install(gpu, "--force-reinstall ")


def _install(gpu: Seen, how: str = "") -> str:
    """What installs a PyTorch with code for a GPU."""
    if (gpu.code, sys.platform) in (("CUDA", "linux"), ("MPS", "darwin")):
        return f"run: pip install {how}torch"
    return "pytorch.org shows the command that installs it for this GPU"


def seen_here() -> tuple[Seen, ...]:
    """The GPUs that the system shows, found without PyTorch."""
    shown = tuple(Seen(gpu.name, "CUDA") for gpu in nvidia.gpus())
    if shown:
        return shown
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return (Seen("this Mac's GPU", "MPS"),)
    if Path("/dev/kfd").exists():
        return (Seen("the AMD GPU", "ROCm"),)
    try:
        ctypes.CDLL("ze_loader.dll" if sys.platform == "win32" else "libze_loader.so.1")
    except OSError:
        return ()
    return (Seen("the Intel GPU", "XPU"),)


@lru_cache
def build() -> Build:
    """What the installed PyTorch can do; it is loaded."""
    try:
        torch = load()
    except EngineError as error:
        return Build(problem=error.message)
    kinds = {"CUDA": torch.version.cuda, "ROCm": torch.version.hip}
    code = [f"{name} {version}" for name, version in kinds.items() if version]
    code += ["MPS"] if torch.backends.mps.is_built() else []
    code += ["XPU"] if hasattr(torch, "xpu") and torch.xpu._is_compiled() else []
    backend = next((name for name in BACKENDS if hasattr(torch, name) and getattr(torch, name).is_available()), None)
    names: tuple[str, ...] = ()
    if backend == "mps":
        names = (platform.processor() or "Apple",)
    elif backend is not None:
        module = getattr(torch, backend)
        names = tuple(module.get_device_name(index) for index in range(module.device_count()))
    low = backend == "cuda" and all(torch.cuda.get_device_capability(index) >= _BFLOAT16 for index in range(len(names)))
    return Build(", ".join(code), backend, names, low, fault=fault)


@lru_cache
def fault(index: int) -> Optional[str]:
    """Why PyTorch can't compute on a GPU, in its own words; None if it can."""
    torch, backend = load(), build().backend
    try:
        one = torch.ones((1, 1, 3, 3), device=torch.device(backend, index))
        torch.nn.functional.conv2d(one, one).cpu()  # its memory, and code for it
    except RuntimeError as error:
        return str(error).strip().splitlines()[0]
    return None
