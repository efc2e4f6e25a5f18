"""A network's description, as Keras 2 and 3 write it in JSON: its layers, and what each takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional, Union

from ..untrusted import FaultError, shown

NETWORKS = ("Functional", "Model", "Sequential")
_DEEPEST = 8
_OF_APPLICATIONS = ("Custom>CustomScaleLayer",)  # what Keras 2 registered for its InceptionResNetV2
_KERAS_1 = "Open the file with Keras 2 (2.0 to 2.3 read those of Keras 1), and save the network again."


class Ref(NamedTuple):
    """An output of a layer: the layer, which of its calls, which output of that."""

    layer: str
    call: int = 0
    output: int = 0


Argument = Any
"""A `Ref`, a constant, or a list or dict of these."""


@dataclass(frozen=True)
class Call:
    """A layer applied once: to these arguments."""

    arguments: tuple[Argument, ...]
    named: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The outputs that it takes, in order."""
        return tuple(_refs([*self.arguments, *self.named.values()]))


@dataclass(frozen=True)
class Layer:
    """A layer.

    Parameters
    ----------
    name, kind
        What it is called, and its class.
    module
        Where the class is defined, as far as the file says; for one that a program has registered, its own name for it:
        ``"Custom>Dense"``.
    config
        Its arguments.
    calls
        What it is applied to.
    net
        The network that it is, for one inside another.
    is_operation
        Whether it is a function of Keras 3, such as the sum in ``x + y``, and so none of the network's layers.
    """

    name: str
    kind: str
    module: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...]
    net: Optional[Net] = None
    is_operation: bool = False


@dataclass(frozen=True)
class Net:
    """A network, or one inside another."""

    name: str
    kind: str
    layers: tuple[Layer, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]


def net_of(described: Any, depth: int = 0) -> Net:
    """The network that a description says.

    Raises
    ------
    FaultError
        It is none, is of Keras 1, or of a class of its own.
    """
    if depth > _DEEPEST:
        raise FaultError(f"networks lie in it deeper than {_DEEPEST}")
    if not isinstance(described, dict) or "class_name" not in described:
        raise FaultError("it describes no network")
    kind, config = str(described["class_name"]), described.get("config")
    if kind not in NETWORKS:
        raise FaultError(
            f"the network is of the class {shown(kind)[1:-1]}, whose code is not in the file",
            "Build it of layers (keras.Model(inputs, outputs) or Sequential), and save that.",
        )
    if isinstance(config, list):  # Keras 2.0 to 2.2 has no name for these
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise FaultError("it describes no layers")
    sequential = kind == "Sequential"
    ends: list[tuple[Ref, ...]]
    layers = [_layer(one, depth) for one in config["layers"]]
    if sequential:
        layers = _in_a_row(layers, config)
    if len({one.name for one in layers}) < len(layers):
        raise FaultError("two of its layers have one name")
    if sequential:
        ends = [(Ref(layers[0].name),), (Ref(layers[-1].name),)]
    else:
        ends = [_ends(config.get(name)) for name in ("input_layers", "output_layers")]
    return Net(str(config.get("name") or "network"), kind, tuple(layers), *ends)


def _layer(raw: Any, depth: int) -> Layer:
    if not isinstance(raw, dict) or not isinstance(raw.get("config"), (dict, list)):
        raise FaultError("one of its layers has no description")
    kind, config = str(raw.get("class_name")), raw["config"]
    inner = net_of(raw, depth + 1) if kind in NETWORKS else None
    if isinstance(config, list):
        config = {}
    name = str(raw.get("name") or config.get("name") or (inner.name if inner else kind))
    if "nb_filter" in config or "output_dim" in config:
        raise FaultError("it is of Keras 1", _KERAS_1)
    nodes = raw.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise FaultError(f"{shown(name)} takes what is no list")
    registered = next((one for one in (raw.get("registered_name"), kind) if ">" in str(one)), None)
    module = str(raw.get("module") or ("" if registered in _OF_APPLICATIONS else registered) or "")
    return Layer(name, kind, module, config, tuple(map(_call, nodes)), inner, _is_operation(module, config, nodes))


def _is_operation(module: str, config: Mapping[str, Any], nodes: list[Any]) -> bool:
    """In an ``.h5`` file an operation has no module; but then it lacks what Keras 3 tells every layer, too."""
    if module:
        return ".ops." in f"{module}."
    return bool(nodes) and isinstance(nodes[0], dict) and config.keys().isdisjoint(("trainable", "dtype"))


def _in_a_row(layers: list[Layer], config: Mapping[str, Any]) -> list[Layer]:
    """The layers of a Sequential, each applied to the one before; with a first one that says the images' shape."""
    if not layers:
        raise FaultError("it has no layers")
    if layers[0].kind != "InputLayer":
        first = layers[0].config
        shape = first.get("batch_input_shape") or first.get("batch_shape") or config.get("build_input_shape")
        name = "input"
        while any(one.name == name for one in layers):
            name += "_"
        layers.insert(0, Layer(name, "InputLayer", "", {"batch_shape": shape}, ()))
    before = [None, *layers[:-1]]
    return [
        Layer(one.name, one.kind, one.module, one.config, (Call((Ref(last.name),)),) if last else (), one.net)
        for one, last in zip(layers, before)
    ]


def _call(raw: Any) -> Call:
    """One application: a dict in Keras 3; in Keras 2 a list of outputs, the first with the named arguments."""
    if isinstance(raw, dict):
        arguments, named = raw.get("args", []), raw.get("kwargs") or {}
        if not isinstance(arguments, list) or not isinstance(named, dict):
            raise FaultError("a layer takes what is no list")
        return Call(tuple(map(_argument, arguments)), {str(key): _argument(one) for key, one in named.items()})
    if not isinstance(raw, list):
        raise FaultError("a layer takes what is no list")
    sources = [raw] if raw and isinstance(raw[0], str) else raw
    taken: list[Argument] = []
    named = {}
    for one in sources:
        if not isinstance(one, list) or len(one) < 3:
            raise FaultError("a layer takes what no other gives")
        taken.append(one[2] if one[0] == "_CONSTANT_VALUE" else _ref(one))
        if len(one) > 3 and isinstance(one[3], dict):
            named.update({key: _ref(value) if _looks_like_ref(value) else value for key, value in one[3].items()})
    return Call((taken[0],) if len(taken) == 1 else (taken,), named)


def _looks_like_ref(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and type(value[1]) is int


def _argument(raw: Any, depth: int = 0) -> Argument:
    if depth > _DEEPEST:
        raise FaultError("a layer's arguments are nested too deep")
    if isinstance(raw, dict) and raw.get("class_name") == "__keras_tensor__":
        config = raw.get("config")
        return _ref(config.get("keras_history") if isinstance(config, dict) else None)
    if isinstance(raw, (list, tuple)):
        return [_argument(one, depth + 1) for one in raw]
    if isinstance(raw, dict) and raw.get("class_name") in ("__numpy__", "__tensor__"):
        config = raw.get("config")
        return config.get("value") if isinstance(config, dict) else None
    return raw


def _ref(raw: Any) -> Ref:
    if not isinstance(raw, (list, tuple)) or len(raw) < 3 or not isinstance(raw[0], str):
        raise FaultError("a layer takes what no other gives")
    if not all(type(one) is int and 0 <= one < 10_000 for one in raw[1:3]):
        raise FaultError("a layer takes what no other gives")
    return Ref(raw[0], raw[1], raw[2])


def _ends(raw: Any) -> tuple[Ref, ...]:
    """The inputs or outputs of a network: one, a list of them, or a dict by name."""
    values: Union[list[Any], Any] = list(raw.values()) if isinstance(raw, dict) else raw
    if not isinstance(values, list) or not values:
        raise FaultError("it has no inputs or outputs")
    return (_ref(values),) if isinstance(values[0], str) else tuple(map(_ref, values))


def _refs(arguments: Any) -> list[Ref]:
    if isinstance(arguments, Ref):
        return [arguments]
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if isinstance(arguments, list):
        return [ref for one in arguments for ref in _refs(one)]
    return []
