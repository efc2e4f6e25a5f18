"""The registry of Keras' layers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ....words import near
from ...onnx.operators import Value
from ...untrusted import RefusedError, shown
from ..building import Building, One, Results
from ..config import Layer

Function = Callable[[Building, One, list[Value]], Results]
Slots = Callable[[Layer], tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """What a layer becomes, and which arrays it has, in the order in which Keras keeps them."""

    function: Function
    slots: Optional[Slots] = None


_RULES: dict[str, Rule] = {}
_OPERATIONS: dict[str, Rule] = {}
_REFUSED: dict[str, str] = {}
_CUSTOM = "Its code is not in the file. Replace it by layers of Keras, and save the network again."
_LAMBDA = (
    "It holds Python code, none of which was run. Replace it by layers of Keras, such as Rescaling, and save the "
    "network again."
)
_OTHERS = ("Lambda",)


def register(*kinds: str, slots: Optional[Slots] = None) -> Callable[[Function], Function]:
    """Say what layers of these classes become.

    Raises
    ------
    ValueError
        One has been told already.
    """

    def add(function: Function) -> Function:
        if taken := set(kinds) & set(_RULES):
            raise ValueError(f"{', '.join(sorted(taken))} is known already")
        _RULES.update(dict.fromkeys(kinds, Rule(function, slots)))
        return function

    return add


def register_operation(*kinds: str) -> Callable[[Function], Function]:
    """Say what functions of these names become, which Keras writes as layers: ``x + y`` is one of them."""

    def add(function: Function) -> Function:
        if taken := set(kinds) & set(_OPERATIONS):
            raise ValueError(f"{', '.join(sorted(taken))} is known already")
        _OPERATIONS.update(dict.fromkeys(kinds, Rule(function)))
        return function

    return add


def refuse(why: str, *kinds: str) -> None:
    """Say why layers of these classes are not read."""
    _REFUSED.update(dict.fromkeys(kinds, why))


def names() -> tuple[str, ...]:
    """The classes of layers that are read."""
    return tuple(sorted(_RULES))


def rule_of(layer: Layer) -> Rule:
    """What a layer becomes.

    Raises
    ------
    RefusedError
        It is of a class that is not read, or not of Keras.
    """
    if layer.kind in _OTHERS:
        raise RefusedError("a Lambda can't be read", _LAMBDA)
    plain = layer.kind.split(">")[-1]  # of what an application registers: "Keras>LayerScale"
    if layer.module and not re.match(r"(tf_)?keras\b|tensorflow\.(python\.)?keras\b", layer.module, re.IGNORECASE):
        raise RefusedError(f"the class {shown(plain)[1:-1]} is not one of Keras'", _CUSTOM)
    if layer.is_operation or layer.kind in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        name = operation_name(layer)
        if name not in _OPERATIONS:
            raise RefusedError(f"the function {shown(name)[1:-1]} is not read", _CUSTOM)
        return _OPERATIONS[name]
    if plain in _REFUSED:
        raise RefusedError(_REFUSED[plain])
    if plain not in _RULES:
        hint = near(plain, names())
        raise RefusedError(f"the class {shown(plain)[1:-1]} is not read", hint or _CUSTOM)
    return _RULES[plain]


def operation_name(layer: Layer) -> str:
    """The name of a function without its module, in small letters: ``TrueDivide`` and ``math.truediv`` are one."""
    if layer.kind == "TensorFlowOpLayer":
        node = layer.config.get("node_def")
        found = re.search(r'"op"\s*:\s*"(\w+)"|op:\s*"(\w+)"', node if isinstance(node, str) else "")
        raw = str(node.get("op")) if isinstance(node, dict) else (found[1] or found[2]) if found else ""
    elif layer.kind in ("TFOpLambda", "SlicingOpLambda"):
        raw = str(layer.config.get("function") or layer.name).split(".")[-1]
    else:
        raw = layer.kind
    return re.sub(r"(v2)?$", "", raw.replace("_", "").lower(), count=1)
