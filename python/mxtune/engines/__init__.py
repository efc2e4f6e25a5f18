"""Engines: what runs a network. One folder per engine, which registers itself; above it only NumPy and plain data.

``choose`` finds an engine and devices; its ``bind`` makes an `Executor` of a `Program`.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..calls import value_text
from ..errors import ArgumentError, DeviceError
from .base import AdamW, Engine, Executor, InputSpec, Params, Program, Target, picture_input
from .devices import CPU, Choice, Device, DeviceReport, Request, parse, pick

__all__ = [
    "AdamW",
    "Device",
    "DeviceReport",
    "Engine",
    "Executor",
    "InputSpec",
    "Params",
    "Program",
    "Request",
    "Target",
    "choose",
    "get",
    "installed",
    "names",
    "picture_input",
    "register",
]

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
    ('float32',)
    """
    if name not in names():
        raise ArgumentError(f"There is no engine {name}.", [f"the engines are {', '.join(names())}"])
    return _ENGINES[name]


def installed() -> list[str]:
    """The names of the engines whose packages are installed."""
    return [name for name in names() if get(name).installed()]


def choose(device: Request = "auto", precision: str = "auto") -> Target:
    """Where to run: the first installed engine that can use what is asked for.

    Parameters
    ----------
    device : str or list of str
        ``"auto"``: the first GPU that an engine can use, otherwise the CPU. ``"cpu"``. ``"gpu"``: the first such GPU.
        ``"gpu:1"``: that one, counted from 0. A list of GPUs.
    precision : str
        ``"auto"``, the engine's default, or one that it offers.

    Raises
    ------
    ArgumentError
        ``device`` is not one of these; or no engine here offers that precision.
    DeviceError
        A GPU is asked for and can't be used; the error gives the reason and what would help.

    Examples
    --------
    >>> print(choose("cpu"))
    mxnet, cpu, float32
    """
    wanted = parse(device)
    candidates = [get(name) for name in installed() or names()]  # if none is installed, bind() raises
    engines = [engine for engine in candidates if precision in ("auto", *engine.precisions)]
    if not engines:
        offers = " or ".join(f"{', '.join(engine.precisions)} ({engine.name})" for engine in candidates)
        raise ArgumentError(f'`precision` must be "auto" or {offers}.', [f"it is {value_text(precision)}"])
    choices = [(engine, Choice(CPU) if wanted == CPU else pick(device, engine.devices())) for engine in engines]
    engine, choice = next((pair for pair in choices if pair[1].reason is None), choices[0])
    if not choice.devices:
        raise DeviceError(f"No GPU can be used: {choice.reason}.", hint=_sentence(choice.remedy or ""))
    return Target(engine, choice.devices, engine.precisions[0] if precision == "auto" else precision)


def _sentence(text: str) -> str:
    """A remedy on a line of its own; a command at its end stays as it must be typed."""
    return text[:1].upper() + text[1:] + ("" if text.startswith("run: ") else ".")
