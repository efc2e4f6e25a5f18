"""A network in int8: MXNet's own quantisation of what its fusion leaves, with ranges that were measured before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...calls import option, written
from ...errors import EngineError
from ..base import Program, Ranges
from ..devices import Device
from .load import load, unsaid

_BACKEND = "MKLDNN_QUANTIZE"
_IN_FLOAT32 = ["FullyConnected", "_sg_mkldnn_fully_connected", "Flatten", "Concat", "elemwise_add", "elemwise_mul",
               "Activation", "BatchNorm", "Embedding"]  # fmt: skip # heads, and what costs little
_NARROWEST = 1e-3


def refuse_int8(program: Program, devices: Sequence[Device]) -> None:
    """Raises EngineError where MXNet can't compute the program in int8."""
    if any(device.kind != "cpu" for device in devices):
        raise EngineError("MXNet computes in int8 on CPUs only.", hint=f"Use {option('device', 'cpu')}.")
    if not program.ranges and not program.trainable:
        raise EngineError(
            "The ranges of the layers, which int8 needs, are not known.",
            hint=f"They are measured on images: {written('quantize', 'photos')}.",
        )


def quantised_symbol(symbol: Any, arrays: dict[str, Any], ranges: Ranges) -> tuple[Any, dict[str, Any]]:
    """The fused network in int8, and its arrays. What can't be quantised stays in float32, and so does what has no
    range: MXNet would find one anew in each batch, and an image's outputs would depend on the others.

    Parameters
    ----------
    symbol, arrays
        In float32; arguments and moving statistics on the first CPU.
    ranges
        By layer of the graph.
    """
    mx, quantization = load(), load("mxnet.contrib.quantization")
    fused = symbol.get_backend_symbol(_BACKEND)
    arguments = {name: arrays[name] for name in fused.list_arguments() if name in arrays}
    nodes = json.loads(fused.tojson())["nodes"]
    ends = _last_layers(nodes)
    known = {name: ranges[end] for name, end in ends.items() if end in ranges and _is_wide(*ranges[end])}
    # averages would be rounded to 8 bits
    left = {node["name"] for node in nodes if "avg" in node.get("attrs", {}).get("pool_type", "")}
    while True:
        with unsaid("src/operator/quantization/"):  # which layers it leaves in float32
            quantised, layers = quantization._quantize_symbol(
                fused,
                mx.cpu(),
                excluded_symbols=sorted(left),
                excluded_operators=_IN_FLOAT32,
                offline_params=list(arguments),
                quantized_dtype="auto",
                quantize_mode="full",  # maxima, too, which are exact
                quantize_granularity="channel-wise",
            )
        needed = {layer: _node_of(layer) for layer in layers}
        unknown = {name for name in needed.values() if name not in known}
        more = unknown | {node["name"] for node in nodes if any(nodes[i[0]]["name"] in unknown for i in node["inputs"])}
        if more <= left:
            break
        left |= more
    found = {layer: known[name] for layer, name in needed.items() if name in known}
    quantised = quantization._calibrate_quantized_sym(quantised, found)
    low = quantization._quantize_params(quantised, arguments, found)
    return quantised.get_backend_symbol(_BACKEND), {**arrays, **low}


def _last_layers(nodes: Sequence[Any]) -> dict[str, str]:
    """By MXNet's name of what it fused, or left alone, the layer of the graph that gives its output."""
    last = {}
    for node in nodes:
        last[node["name"]] = node["name"]
        for inner in node.get("subgraphs", ()):
            last[node["name"]] = inner["nodes"][inner["heads"][0][0]]["name"]
    return last


def _node_of(layer: str) -> str:
    """MXNet's name of an output, without what it appends."""
    return layer[: -len("_output")] if layer.endswith("_output") else layer


def _is_wide(low: float, high: float) -> bool:
    """Whether 8 bits can divide it: MXNet writes its ends with 6 digits after the point."""
    return high - low > _NARROWEST
