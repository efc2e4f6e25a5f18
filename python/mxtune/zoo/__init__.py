"""Networks by name; one file per family, each registers its own.

To add a family: a module in this folder that calls `register` with an `Entry` for each network.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Optional

from ..calls import in_r
from ..errors import NetworkError
from ..formats import Weights
from ..formats.names import NameTable
from ..graph import Graph
from ..images.preprocess import Preprocess
from ..words import matches

Build = Callable[[int, tuple[int, int], int], Graph]
_ENTRIES: dict[str, Entry] = {}


@dataclass(frozen=True)
class Entry:
    """One network of the zoo.

    Parameters
    ----------
    name
        What users call it.
    build
        ``build(classes, (height, width), channels)`` gives its graph.
    preprocess
        How images become its input.
    parameters, macs
        Counts for `classes` outputs and images of the size of `preprocess`; a test computes them again.
    licence, url, paper
        Of the weights where there are any, otherwise of the architecture.
    source
        Where the weights come from; ``"none"`` without.
    weights
        Gives the arrays of the weights file, under its names, and the file's sha256; None without.
    installed
        True if these weights are available without a download.
    names
        Gives the tables of what other frameworks' files call its parameters.
    signature
        Of the names of its parameters, where they are those of the files that it is made for; see `matching`.
    ignored
        How the names of arrays begin that such files have for training alone.
    shapes
        Of the arrays in such files, where they differ from those of the graph: a factor for each channel, (C,).
    levels
        Gives what the outputs of a network with `weights` mean; nothing where that is not known.
    """

    name: str
    build: Build
    preprocess: Preprocess
    parameters: int
    macs: int
    licence: str
    url: str
    paper: str
    classes: int = 1000
    source: str = "none"
    weights: Optional[Callable[[], tuple[Weights, str]]] = None
    installed: Callable[[], bool] = lambda: False
    names: Callable[[], tuple[NameTable, ...]] = tuple
    signature: str = ""
    ignored: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    levels: Callable[[], tuple[str, ...]] = tuple

    @property
    def available(self) -> str:
        """How its weights are had: ``"installed"`` with mxtune, or from a ``"file of weights"``."""
        return "installed" if self.weights is not None and self.installed() else "file of weights"

    def provenance(self) -> dict[str, str]:
        """Where it came from, as a Network keeps it."""
        return {
            "name": self.name,
            "source": self.source,
            "licence": self.licence,
            "url": self.url,
            "paper": self.paper,
        }

    def preprocess_for(self, size: Optional[tuple[int, int]], channels: Optional[int]) -> Preprocess:
        """`preprocess` for images of another size or number of channels."""
        preprocess = self.preprocess if size is None else replace(self.preprocess, size=size)
        if channels is None or channels == preprocess.channels:
            return preprocess
        if self.weights is not None:
            verb = "mxwith_channels(net, {})" if in_r() else "net.with_channels({})"
            hint = f"Open it without `channels`; {verb.format(channels)} then keeps its weights."
            raise NetworkError(
                f"{self.name} takes images of {preprocess.channels} channels, not {channels}.", hint=hint
            )
        mean, std = (sum(values) / len(values) for values in (preprocess.mean, preprocess.std))
        return replace(preprocess, channels=channels, mean=(mean,) * channels, std=(std,) * channels)


def imagenet(size: tuple[int, int] = (224, 224), channels: int = 3) -> Preprocess:
    """The preprocessing that most networks for ImageNet were trained with."""
    mean: tuple[float, ...] = (123.675, 116.28, 103.53)
    std: tuple[float, ...] = (58.395, 57.12, 57.375)
    if channels == 1:
        mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    elif channels == 4:  # as `Network.with_channels` has it
        mean, std = (*mean, mean[0]), (*std, std[0])
    return Preprocess(size=size, channels=channels, mean=mean, std=std, interpolation="bilinear")


def register(entry: Entry) -> None:
    """Add a network to the zoo.

    Raises
    ------
    ValueError
        There is one of this name.
    """
    if normalised(entry.name) in _ENTRIES:
        raise ValueError(f"the zoo has a network {entry.name} already")
    _ENTRIES[normalised(entry.name)] = entry


@cache
def entries() -> tuple[Entry, ...]:
    """Every network, those with weights first, then by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(_ENTRIES.values(), key=lambda entry: (entry.weights is None, entry.name)))


def entry(name: str) -> Entry:
    """The network of this name; case, dots, dashes and underscores don't matter.

    Raises
    ------
    NetworkError
        There is none; near matches are named.

    Examples
    --------
    >>> entry("EfficientNet-Lite0").name
    'efficientnet_lite0'
    """
    entries()
    match = _ENTRIES.get(normalised(name))
    if match is None:
        raise NetworkError(f"There is no network {name[:100]}.", hint=_meant(name))
    return match


def pretrained() -> str:
    """The name of the first network that comes with weights.

    Examples
    --------
    >>> pretrained()
    'efficientnet_lite0'
    """
    return entries()[0].name


def _meant(name: str) -> str:
    """A hint to near matches, those with weights first: few who mistype a name want to start from scratch."""
    has_weights = {one.name: one.weights is not None for one in entries()}
    close = sorted(matches(name.lower(), has_weights, 20), key=lambda one: not has_weights[one])[:3]
    if not close:
        return f"mxzoo() lists all networks; {pretrained()} comes with weights."
    hint = f"Did you mean {', '.join(close)}?"
    if has_weights[close[0]]:
        return hint
    return f"{hint} {'It has' if len(close) == 1 else 'They have'} no pretrained weights; {pretrained()} has."


def has(name: str) -> bool:
    """Whether there is a network of this name, however it is spelled."""
    entries()
    return normalised(name) in _ENTRIES


def normalised(name: str) -> str:
    """A name as names are compared: "EfficientNet-Lite0" is efficientnet_lite0."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
