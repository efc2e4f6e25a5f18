"""The devices to compute on: what is asked for, what there is, and why a GPU can't be used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Literal, Optional, Union

from ...errors import ArgumentError, DeviceError, EngineError
from . import cuda, load, unsaid

_OLDEST = (5, 0)
# by CUDA's major version; today's wheels hold machine code for sm_50, 60, 70, 80, 86, and no PTX for others
_NEWEST = {"11": (8, 9), "10": (7, 5), "9": (7, 5)}
_FORMS = '"auto", "cpu", "gpu", "gpu:1" or a list such as ["gpu:0", "gpu:1"]'


@dataclass(frozen=True)
class Device:
    """A device to compute on; ``str()`` gives ``"cpu"`` or ``"gpu:0"``."""

    kind: Literal["cpu", "gpu"]
    index: int = 0

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"gpu:{self.index}"


@dataclass(frozen=True)
class Build:
    """What the installed MXNet can do: its CUDA version or None, and why it can't be loaded, if it can't.

    ``fault`` tries the GPU of an index: why MXNet can't compute on it, or None.
    """

    cuda: Optional[str] = None
    problem: Optional[str] = None
    fault: Callable[[int], Optional[str]] = lambda _: None


@dataclass(frozen=True)
class Choice:
    """The devices to use; where no GPU is among them ``reason`` says why, and ``remedy`` what would help."""

    devices: tuple[Device, ...]
    reason: Optional[str] = None
    remedy: Optional[str] = None


Request = Union[str, Device, Sequence[Union[str, Device]]]
_CPU = (Device("cpu"),)


def resolve(device: Request = "auto") -> tuple[Device, ...]:
    """The devices to compute on, one or more GPUs or the CPU.

    Parameters
    ----------
    device : str or list of str
        ``"auto"``: the first GPU that this MXNet has machine code for, otherwise the CPU. ``"cpu"``.
        ``"gpu"``: the first such GPU. ``"gpu:1"``: that one, counted from 0. A list of GPUs.

    Raises
    ------
    ArgumentError
        ``device`` is none of these.
    DeviceError
        A GPU is asked for and can't be used; the error says why and what would help.
    EngineError
        A GPU would do, but MXNet is missing or can't be loaded.

    Examples
    --------
    >>> from mxtune.engines.mxnet.devices import resolve
    >>> resolve("cpu")
    (Device(kind='cpu', index=0),)
    """
    wanted = _parse(device)
    if wanted == _CPU:
        return _CPU
    seen = cuda.gpus()
    build = _build() if seen else Build()
    choice = choose(device, build, seen)
    if not choice.devices:
        if build.problem and seen:
            load()  # says it best
        raise DeviceError(f"No GPU can be used: {choice.reason}.", hint=_sentence(choice.remedy or ""))
    return choice.devices


def explain_gpu() -> str:
    """One sentence: why no GPU is used and what would help; or which one is."""
    seen = cuda.gpus()
    choice = choose("auto", _build(), seen)
    if choice.reason is None:
        return f"{choice.devices[0]} is used, {seen[choice.devices[0].index]}."
    return f"No GPU is used: {choice.reason}; {choice.remedy}."


def usable_gpus() -> tuple[Device, ...]:
    """All GPUs that can be computed on."""
    seen = cuda.gpus()
    build = _build() if seen else Build()
    return tuple(device for gpu in seen for device in choose(f"gpu:{gpu.index}", build, seen).devices)


def choose(request: Request, build: Build, gpus: Sequence[cuda.Gpu]) -> Choice:
    """The devices for a request, given what MXNet can do and which GPUs there are; looks at nothing else."""
    wanted = _parse(request)
    if wanted == _CPU:
        return Choice(_CPU)
    if wanted is None:
        usable = next((gpu for gpu in gpus if _refusal(build, [gpu]) is None), None)
        if usable:
            return Choice((Device("gpu", usable.index),))
        refusal = _refusal(build, gpus)
        return Choice(_CPU if request == "auto" else (), *(refusal or ()))
    for device in wanted:
        there = [gpu for gpu in gpus if gpu.index == device.index]
        if gpus and not there:
            names = ", ".join(f"gpu:{gpu.index} {gpu.name}" for gpu in gpus)
            return Choice((), f"there is no {device}", f"this machine has {names}")
        refusal = _refusal(build, there)
        if refusal:
            return Choice((), *refusal)
    return Choice(wanted)


def _parse(request: Request) -> Optional[tuple[Device, ...]]:
    """The devices named in a request; None where the GPU is left to us."""
    if isinstance(request, str) and request in ("auto", "gpu"):
        return None
    items = [request] if isinstance(request, (str, Device)) else request
    if not isinstance(items, Sequence) or not items:
        raise ArgumentError(f"device must be {_FORMS}, not {request!r}.")
    devices = tuple(item if isinstance(item, Device) else _named(item, request) for item in items)
    if len(set(devices)) < len(devices):
        raise ArgumentError(f"device names the same one twice: {request!r}.")
    if len(devices) > 1 and Device("cpu") in devices:
        raise ArgumentError(f"device can't be the CPU and GPUs at once: {request!r}.")
    return devices


def _named(item: object, request: Request) -> Device:
    if item == "cpu":
        return Device("cpu")
    match = re.fullmatch(r"gpu:([0-9]{1,3})", item) if isinstance(item, str) else None
    if item == "gpu" or match:
        return Device("gpu", int(match[1]) if match else 0)
    raise ArgumentError(f"device must be {_FORMS}, not {request!r}.")


def _refusal(build: Build, gpus: Sequence[cuda.Gpu]) -> Optional[tuple[str, str]]:
    """Why none of these GPUs can be used, and what would help; None if one can."""
    if not gpus:
        return (
            "the NVIDIA driver shows no GPU here",
            "where there is one, nvidia-smi must list it and CUDA_VISIBLE_DEVICES must not hide it",
        )
    newest = _NEWEST.get((build.cuda or "11").partition(".")[0], (8, 9))
    fitting = [gpu for gpu in gpus if _OLDEST <= gpu.capability <= newest]
    if not fitting:
        newer = any(_OLDEST <= gpu.capability <= _NEWEST["11"] for gpu in gpus)
        return (
            f"MXNet 1.9.1 has machine code for compute capability {_dotted(_OLDEST)} to {_dotted(newest)}, "
            f"not for {' and '.join(map(str, gpus))}",
            f"run: {gpu_command()}" if newer else "a GPU of the generations Maxwell to Ada (2014 to 2022) would do",
        )
    if build.problem:
        return build.problem.rstrip("."), "mxinfo() shows the command that mends it"
    if build.cuda is None:
        return f"MXNet is installed without CUDA, which {fitting[0].name} needs", f"run: {gpu_command()}"
    faults = {gpu: build.fault(gpu.index) for gpu in fitting}
    if all(faults.values()):
        return (
            "; ".join(f"MXNet can't compute on {gpu.name}: {fault}" for gpu, fault in faults.items()),
            "a newer NVIDIA driver may help: nvidia-smi shows which there is",
        )
    return None


def gpu_command() -> str:
    """The command that installs MXNet for GPUs and NVIDIA's libraries for it."""
    wheels = " ".join(dict.fromkeys(wheel for _, _, wheel in cuda.LIBRARIES))
    return f"pip install {wheels} && pip install --force-reinstall --no-deps mxnet-cu117==1.9.1"


def _sentence(text: str) -> str:
    """A remedy on a line of its own; a command at its end stays as it must be typed."""
    return text[:1].upper() + text[1:] + ("" if text.startswith("run: ") else ".")


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
