"""Keras' own networks, for files of weights alone: what Keras says of each, in `known/`.

scripts/keras_descriptions.py writes them. A file fits one that has as many arrays in each layer, whatever their sizes:
so narrower networks, such as MobileNet with a width of 0.5, need no description of their own.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Optional

from .config import Net, net_of
from .reading import layout_of
from .weights import Arrays, Place

FOLDER = "known"
_TOPS = 4  # fewer layers may be missing at the end: VGG's top has three
_PASSING = ("Flatten", "Dropout")


def known(arrays: Arrays) -> Optional[tuple[Net, Arrays]]:
    """The network that these weights fit, without its top if they lack that; None if there is none.

    Of several, such as EfficientNetB1 and B2, the one with as many filters in most layers.
    """
    nets = [
        _without_top(_net(name), missing)
        for name in _names()
        for missing in range(_TOPS)
        if arrays.fits(_layout(name)[: len(_layout(name)) - missing])
    ]
    fitting = [(net, arrays.fitted(layout_of(net))) for net in nets]
    return max(fitting, key=lambda pair: _alike(*pair), default=None)


def _alike(net: Net, arrays: Arrays) -> int:
    """How many layers have as many filters or units in the file as in the description."""
    widths = {layer.name: layer.config.get("filters") or layer.config.get("units") for layer in net.layers}
    return sum(arrays.width(place) == widths[place.names[0]] for place, _ in layout_of(net))


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(file.name for file in (Path(__file__).parent / FOLDER).glob("*.json.gz")))


@cache
def _net(name: str) -> Net:
    return net_of(json.loads(gzip.decompress((Path(__file__).parent / FOLDER / name).read_bytes())))


@cache
def _layout(name: str) -> tuple[tuple[Place, int], ...]:
    return tuple(layout_of(_net(name)))


def _without_top(net: Net, count: int) -> Net:
    """The network without this many of its last layers that have weights, and what lies behind them."""
    if not count:
        return net
    layers = {layer.name: layer for layer in net.layers}
    first = layout_of(net)[-count][0].names[0]
    end = layers[first].calls[0].refs[0]
    while layers[end.layer].kind in _PASSING:
        end = layers[end.layer].calls[0].refs[0]
    needed, waiting = set(), [end.layer]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [ref.layer for call in layers[name].calls for ref in call.refs]
    return replace(net, layers=tuple(one for one in net.layers if one.name in needed), outputs=(end,))
