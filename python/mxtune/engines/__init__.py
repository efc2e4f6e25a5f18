"""Engines: what runs a network. One folder per engine, which registers itself; above it only NumPy and plain data.

``choose`` finds an engine and devices; its ``bind`` makes an `Executor` of a `Program`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from dataclasses import replace
from typing import Optional

from .. import machine
from ..arguments import one_of
from ..calls import value_text
from ..errors import ArgumentError, DeviceError
from .base import (
    INT8,
    ROWS,
    AdamW,
    Engine,
    Executor,
    InputSpec,
    LostProcessError,
    Params,
    Program,
    Ranges,
    Target,
    picture_input,
)
from .devices import CPU, Device, DeviceReport, Request, parse, pick, refused, sentence

__all__ = [
    "INT8",
    "ROWS",
    "AdamW",
    "Device",
    "DeviceReport",
    "Engine",
    "Executor",
    "InputSpec",
    "LostProcessError",
    "Params",
    "Program",
    "Ranges",
    "Request",
    "Target",
    "choose",
    "get",
    "installed",
    "names",
    "picture_input",
    "register",
]

SETTING = "MXTUNE_ENGINE"
_ENGINES: dict[str, Engine] = {}


def register(engine: Engine) -> None:
    """Register an engine; each engine's folder does so when it is imported.

    Raises
    ------
    ValueError
        There is already one of that name.
    """
    if engine.name in _ENGINES:
        raise ValueError(f"There is already an engine {engine.name}.")
    _ENGINES[engine.name] = engine


def names() -> list[str]:
    """The names of all engines, whether their packages are installed or not."""
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_ENGINES)


def get(name: str) -> Engine:
    """The engine of a name.

    Examples
    --------
    >>> get("mxnet").precisions
    ('float32', 'int8')
    """
    if name not in names():
        raise ArgumentError(f"There is no engine {name}.", [f"the engines are {', '.join(names())}"])
    return _ENGINES[name]


def installed() -> list[str]:
    """The names of the engines whose packages are installed."""
    return [name for name in names() if get(name).installed()]


def choose(
    device: Request = "auto", precision: str = "auto", engine: str = "auto", ranges: Optional[Ranges] = None
) -> Target:
    """Where to run: the first installed engine that can use what is asked for.

    Parameters
    ----------
    device : str or list of str
        ``"auto"``: the first GPU that an engine can use, otherwise the CPU. ``"cpu"``. ``"gpu"``: the first such GPU.
        ``"gpu:1"``: that one, counted from 0. A list of GPUs.
    precision : str
        ``"auto"``, the engine's own on these devices, or one that it offers.
    engine : str
        The name of one. ``"auto"``: the one that the environment variable ``MXTUNE_ENGINE`` names; or MXNet, unless it
        is not installed, or can't use a GPU that another one can.
    ranges : dict, optional
        Of the layers: with them ``"auto"`` is int8 on CPUs, where the engine offers it; see `Program`.

    Raises
    ------
    ArgumentError
        ``device`` or ``engine`` is not one of these; or no engine here offers that precision.
    DeviceError
        A GPU is asked for and can't be used; the error gives the reason and what would help.
    EngineError
        The engine that is asked for is not installed.

    Examples
    --------
    >>> choose("cpu").devices
    (Device(kind='cpu', index=0),)
    """
    device = "cpu" if precision == INT8 and device == "auto" else device
    wanted, (named, why) = parse(device), _named(engine)
    here = [get(name) for name in ([named] if named else installed() or names())]
    if named and not here[0].installed():
        here[0].load()  # which says how to install it; otherwise `bind` does
    able = [one for one in here if precision in ("auto", *one.precisions)]
    if not able:
        offers = " or ".join(f"{', '.join(one.precisions)} ({one.name})" for one in here)
        lacks_vnni = precision == INT8 and not machine.has_vnni()
        hint = "In int8 MXNet computes on CPUs with VNNI alone: on others, as this one, sums are cut off."
        text = f'`precision` must be "auto" or {offers}.'
        raise ArgumentError(text, [f"it is {value_text(precision)}"], hint if lacks_vnni else None)
    why = why if able[0] == here[0] else f"it computes in {precision}"
    if wanted == CPU:
        return _target(able[0], CPU, precision, why, ranges or {})
    absent = [] if named else [get(name) for name in names() if get(name) not in here]
    choices = []
    for one in (*able, *absent):
        choice = pick(device, one.devices())
        if choice.reason is None:
            gpu = "" if one == able[0] else f"it can use {choice.devices[0]}"
            return _target(one, choice.devices, precision, gpu or why, ranges or {})
        choices.append(choice)
    refusal = refused(choices, CPU if device == "auto" else ())
    if not refusal.devices:
        raise DeviceError(f"No GPU can be used: {refusal.reason}.", hint=sentence(refusal.remedy or ""))
    return replace(_target(able[0], CPU, precision, why, ranges or {}), unused=refusal)


def _named(engine: str) -> tuple[str, str]:
    """The engine that is asked for, "" if the choice is ours, and why it is taken."""
    one_of("engine", engine, ("auto", *names()))
    if engine != "auto":
        return engine, "`engine` asks for it"
    setting = os.environ.get(SETTING, "auto") or "auto"
    if setting not in ("auto", *names()):
        offers = f"it must be {', '.join(names())} or auto"
        raise ArgumentError(f"The environment variable {SETTING} names no engine.", [f"it is {setting}", offers])
    return ("", "it is installed") if setting == "auto" else (setting, f"{SETTING} asks for it")


def _target(engine: Engine, devices: tuple[Device, ...], precision: str, why: str, ranges: Ranges) -> Target:
    if precision == "auto":
        low = ranges and INT8 in engine.precisions and all(device.kind == "cpu" for device in devices)
        precision = INT8 if low else engine.default_precision(devices)
    return Target(engine, devices, precision, why, ranges=ranges if precision == INT8 else {})
