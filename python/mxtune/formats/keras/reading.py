"""From a description and its arrays to our graph: each layer, once for each time that it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...errors import NetworkError
from ...words import counted
from ..onnx.operators import Value
from ..untrusted import AGAIN, FaultError, RefusedError, shown
from .building import READ, Building, One
from .config import Call, Layer, Net, Ref
from .layers import rule_of
from .weights import Arrays, Place

_FAULTS = (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, KeyError, AttributeError, MemoryError,
           NetworkError)  # fmt: skip


def output_of(net: Net, building: Building, arrays: Arrays) -> Value:
    """The first output of a network, for the image.

    Raises
    ------
    FaultError
        It takes other than one image, or a layer is not read or misfits; the layer is named.
    """
    return _network(net, building, arrays, [building.input(net)], Place())[0]


def layout_of(net: Net, place: Place = Place()) -> list[tuple[Place, int]]:  # noqa: B008 - it is frozen
    """The places of a network that have arrays, in order, and how many each has."""
    found: list[tuple[Place, int]] = []
    places = place.within(net)
    for layer in net.layers:
        if layer.net is not None:
            found += layout_of(layer.net, places[layer.name])
        elif layer.kind != "InputLayer" and (slots := rule_of(layer).slots) and (count := len(slots(layer))):
            found.append((places[layer.name], count))
    return found


def _network(net: Net, building: Building, arrays: Arrays, inputs: Sequence[Value], place: Place) -> list[Value]:
    if len(net.inputs) != len(inputs):
        raise RefusedError(f"{shown(net.name)} takes {counted(len(net.inputs), 'input')}, not {len(inputs)}")
    values: dict[Ref, Value] = {Ref(ref.layer): value for ref, value in zip(net.inputs, inputs)}
    places = place.within(net)
    for layer, number, call in _in_order(net, values):
        taken = [_taken(values, net, ref) for ref in call.refs]
        if layer.net is not None:
            results = _network(layer.net, building, arrays, taken, places[layer.name])
        else:
            results = _applied(layer, call, building, arrays, taken, places.get(layer.name, place), values)
        values.update({Ref(layer.name, number, output): value for output, value in enumerate(results)})
    return [_taken(values, net, ref) for ref in net.outputs]


def _applied(
    layer: Layer, call: Call, building: Building, arrays: Arrays, inputs: list[Value], place: Place,
    values: Mapping[Ref, Value],
) -> list[Value]:  # fmt: skip
    label = f"the layer {shown(layer.name)} ({shown(layer.kind)[1:-1]})"
    try:
        rule = rule_of(layer)
        slots = rule.slots(layer) if rule.slots else ()
        own = dict(zip(slots, arrays.of(place, slots))) if slots else {}
        result = rule.function(building, One(layer, call, own, values), inputs)
    except FaultError as fault:
        raise type(fault)(f"{label}: {fault.what}", READ if fault.hint == AGAIN else fault.hint) from None
    except _FAULTS as fault:
        raise FaultError(f"{label}: its arguments do not fit ({str(fault)[:100]})", READ) from None
    return [result] if isinstance(result, Value) else result


def _taken(values: Mapping[Ref, Value], net: Net, ref: Ref) -> Value:
    """An output of a layer; of one that is applied once, whatever number the file gives that call."""
    if ref in values:
        return values[ref]
    calls = next((len(one.calls) for one in net.layers if one.name == ref.layer), 0)
    if calls <= 1 and (one := values.get(Ref(ref.layer, 0, ref.output))) is not None:
        return one
    raise FaultError(f"a layer takes {shown(ref.layer)}, which does not come before it")


def _in_order(net: Net, known: Iterable[Ref]) -> Iterator[tuple[Layer, int, Call]]:
    """Each call of a layer after those whose outputs it takes."""
    counts = {layer.name: len(layer.calls) for layer in net.layers}
    done = {(ref.layer, ref.call) for ref in known}

    def key(ref: Ref) -> tuple[str, int]:
        return ref.layer, ref.call if counts.get(ref.layer, 0) > 1 else 0

    waiting: dict[tuple[str, int], list[int]] = {}
    calls = [
        (layer, number, call) for layer in net.layers for number, call in enumerate(layer.calls)
        if (layer.name, number) not in done and layer.kind != "InputLayer"
    ]  # fmt: skip
    missing = []
    for position, (_, _, call) in enumerate(calls):
        needed = {key(ref) for ref in call.refs} - done
        missing.append(len(needed))
        for one in needed:
            waiting.setdefault(one, []).append(position)
    ready = [position for position, count in enumerate(missing) if not count][::-1]
    while ready:
        layer, number, call = calls[ready.pop()]
        yield layer, number, call
        freed = waiting.pop((layer.name, number), [])
        for position in reversed(freed):
            missing[position] -= 1
            if not missing[position]:
                ready.append(position)
