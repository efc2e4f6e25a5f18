"""The devices to compute on: what is asked for, what an engine can use, and why it can't use the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Optional, Union

from ..calls import value_text
from ..errors import ArgumentError


@dataclass(frozen=True)
class Device:
    """A device to compute on; ``str()`` gives ``"cpu"`` or ``"gpu:0"``."""

    kind: Literal["cpu", "gpu"]
    index: int = 0

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"gpu:{self.index}"


CPU = (Device("cpu"),)
Request = Union[str, Device, Sequence[Union[str, Device]]]


@dataclass(frozen=True)
class DeviceReport:
    """What an engine reports about a device.

    Parameters
    ----------
    name
        What the GPU is called; empty for one that only might be there.
    reason, remedy
        Why the engine can't use it, and what would help; None where it can.
    """

    device: Device
    name: str = ""
    reason: Optional[str] = None
    remedy: Optional[str] = None

    @property
    def present(self) -> bool:
        """Whether there is such a device."""
        return bool(self.name)

    def __str__(self) -> str:
        return f"{self.device} {self.name}".strip()


@dataclass(frozen=True)
class Choice:
    """The devices to use; if no GPU is among them, ``reason`` is why, and ``remedy`` what would help.

    ``present`` is whether this machine has a GPU at all.
    """

    devices: tuple[Device, ...]
    reason: Optional[str] = None
    remedy: Optional[str] = None
    present: bool = False

    def __str__(self) -> str:
        return f"No GPU is used: {self.reason}. {sentence(self.remedy or '')}".strip()


def parse(request: Request) -> Optional[tuple[Device, ...]]:
    """The devices that a request names; None for "auto" and "gpu", which leave the choice of GPU to us.

    Raises
    ------
    ArgumentError
        It names none, the same one twice, or the CPU and GPUs at once.
    """
    if isinstance(request, str) and request in ("auto", "gpu"):
        return None
    items = [request] if isinstance(request, (str, Device)) else request
    if not isinstance(items, Sequence) or not items:
        raise _no_device(request)
    devices = tuple(item if isinstance(item, Device) else _named(item, request) for item in items)
    if len(set(devices)) < len(devices):
        raise ArgumentError(f"`device` names the same one twice: {value_text(request)}.")
    if len(devices) > 1 and Device("cpu") in devices:
        raise ArgumentError(f"`device` can't be the CPU and GPUs at once: {value_text(request)}.")
    return devices


def _named(item: object, request: Request) -> Device:
    if item == "cpu":
        return Device("cpu")
    match = re.fullmatch(r"gpu:([0-9]{1,3})", item) if isinstance(item, str) else None
    if item == "gpu" or match:
        return Device("gpu", int(match[1]) if match else 0)
    raise _no_device(request)


def _no_device(request: object) -> ArgumentError:
    several = value_text(["gpu:0", "gpu:1"])
    text = f'`device` must be "auto", "cpu", "gpu", "gpu:1" or several, as {several}.'
    return ArgumentError(text, [f"it is {value_text(request)}"])


def pick(request: Request, reports: Sequence[DeviceReport]) -> Choice:
    """The devices for a request, given an engine's report on each; looks at nothing else.

    Examples
    --------
    >>> reports = [DeviceReport(Device("cpu")), DeviceReport(Device("gpu"), reason="there is none")]
    >>> pick("auto", reports)
    Choice(devices=(Device(kind='cpu', index=0),), reason='there is none', remedy=None, present=False)
    >>> pick("gpu", reports).devices
    ()
    """
    wanted = parse(request)
    if wanted == CPU:
        return Choice(CPU)
    gpus = [report for report in reports if report.device.kind == "gpu"]
    if wanted is None:
        usable = [report.device for report in gpus if report.reason is None]
        if usable:
            return Choice((usable[0],))
        return refused(gpus, CPU if request == "auto" else ())
    named = [report for report in gpus if report.name]
    for device in wanted:
        reports_of_it = [report for report in gpus if report.device == device]
        if named and not reports_of_it:
            return Choice((), f"there is no {device}", f"this machine has {', '.join(map(str, named))}", True)
        if not named or reports_of_it[0].reason is not None:
            return refused(reports_of_it or gpus)
    return Choice(wanted)


def refused(parts: Sequence[Union[DeviceReport, Choice]], instead: tuple[Device, ...] = ()) -> Choice:
    """All reasons, of GPUs that are there if there are any; and of the remedies the first command, or the last one."""
    present = any(part.present for part in parts)
    about = [part for part in parts if part.reason and part.present == present]
    remedies = [part.remedy for part in about if part.remedy]
    remedy = next((text for text in remedies if text.startswith("run:")), remedies[-1] if remedies else None)
    return Choice(instead, "; ".join(dict.fromkeys(part.reason or "" for part in about)) or None, remedy, present)


def sentence(remedy: str) -> str:
    """A remedy on a line of its own; a command at its end stays as it must be typed."""
    return remedy[:1].upper() + remedy[1:] + ("" if not remedy or remedy.startswith("run: ") else ".")
