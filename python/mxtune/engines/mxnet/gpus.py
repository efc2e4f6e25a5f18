"""What MXNet can do with each GPU here, and why it can't use one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Optional

from ...errors import EngineError
from .. import nvidia
from ..devices import Device, DeviceReport
from ..nvidia import Gpu
from . import cuda
from .load import load, unsaid

_OLDEST = (5, 0)
# by CUDA's major version; today's wheels hold machine code for sm_50, 60, 70, 80, 86, and no PTX for others
_NEWEST = {"11": (8, 9), "10": (7, 5), "9": (7, 5)}


@dataclass(frozen=True)
class Build:
    """What the installed MXNet can do: its CUDA version or None, and why it can't be loaded, if it can't.

    ``fault`` tries the GPU of an index: why MXNet can't compute on it, or None.
    """

    cuda: Optional[str] = None
    problem: Optional[str] = None
    fault: Callable[[int], Optional[str]] = lambda _: None


def reports() -> tuple[DeviceReport, ...]:
    """MXNet's report on the CPU and each GPU of this machine; it is loaded only where there is a GPU."""
    seen = nvidia.gpus()
    return reports_of(_build() if seen else Build(), seen)


def reports_of(build: Build, gpus: Sequence[Gpu]) -> tuple[DeviceReport, ...]:
    """An MXNet's report on these GPUs, and on the CPU."""
    cpu = DeviceReport(Device("cpu"))
    if not gpus:
        return cpu, DeviceReport(Device("gpu"), "", nvidia.NONE, nvidia.REMEDY)
    return cpu, *(DeviceReport(Device("gpu", gpu.index), gpu.name, *_refusal(build, gpu)) for gpu in gpus)


def _refusal(build: Build, gpu: Gpu) -> tuple[Optional[str], Optional[str]]:
    """Why MXNet can't use this GPU, and what would help."""
    newest = _NEWEST.get((build.cuda or "11").partition(".")[0], (8, 9))
    if not _OLDEST <= gpu.capability <= newest:
        remedy = "PyTorch has code for newer GPUs" if gpu.capability > newest else "a GPU of 2014 or later is needed"
        newer = _OLDEST <= gpu.capability <= _NEWEST["11"]
        return (
            f"MXNet 1.9.1 has machine code for compute capability {_dotted(_OLDEST)} to {_dotted(newest)}, "
            f"not for {gpu}",
            f"run: {gpu_command()}" if newer else remedy,
        )
    if build.problem:
        return build.problem.rstrip("."), "mxinfo() shows the command that fixes it"
    if build.cuda is None:
        return f"MXNet is installed without CUDA, which {gpu.name} needs", f"run: {gpu_command()}"
    fault = build.fault(gpu.index)
    if fault:
        remedy = "a newer NVIDIA driver may help: nvidia-smi shows the installed one"
        return f"MXNet can't compute on {gpu.name}: {fault}", remedy
    return None, None


def gpu_command() -> str:
    """The command that installs MXNet for GPUs and NVIDIA's libraries for it."""
    wheels = " ".join(dict.fromkeys(wheel for _, _, wheel in cuda.LIBRARIES))
    return f"pip install {wheels} && pip install --force-reinstall --no-deps mxnet-cu117==1.9.1"


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _build() -> Build:
    try:
        mx = load()
    except EngineError as error:
        return Build(cuda.build(), error.message)
    if not mx.runtime.Features().is_enabled("CUDA"):
        return Build()
    return Build(cuda.build() or "11", fault=fault)


@lru_cache
def fault(index: int) -> Optional[str]:
    """Why MXNet can't compute on a GPU, in its own words; None if it can."""
    mx = load()
    try:
        with unsaid("Please install cuda driver"):
            (mx.nd.ones((2, 2), ctx=mx.gpu(index)) * 2).asnumpy()  # its memory, and code for it
    except mx.base.MXNetError as error:
        return str(error).strip().splitlines()[-1].rpartition(": ")[2]
    return None
