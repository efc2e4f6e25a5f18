"""The network of a training: opened, looked at, and prepared as the plan says."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Optional, Union

import numpy as np

from .. import zoo
from ..errors import ArgumentError, NetworkError
from ..images import ImageSet
from ..images.preprocess import Preprocess
from ..model.model import Model
from ..network import Network
from ..network.values import refuse_unusable
from ..zoo.opening import mxnetwork
from .options import Options
from .plan import EVERY_STAGE, Facts, Plan

Net = Union[str, "os.PathLike[str]", Network, Model]
_FILES = (".mxt", ".json")
_POOLED = ("stage_features", "all_features")  # what a head on every stage stands on


def open_network(net: Net, images: ImageSet, options: Options) -> Network:
    """The network that ``net`` names, or is, with its own preprocessing.

    Raises
    ------
    ArgumentError
        ``net`` is none of what it may be.
    NetworkError
        There is no network of that name, or it can't be used.
    """
    if isinstance(net, Model):
        network = net.network
    elif isinstance(net, Network):
        network = net
    elif isinstance(net, (str, os.PathLike)):
        network = _named(os.fspath(net), images, options)
    else:
        what = [f"it is a {type(net).__name__}"]
        raise ArgumentError("`net` must be a name, a file, a Network or a Model.", what, "mxzoo() lists names.")
    refuse_unusable(network)
    return network


def facts(net: Net, network: Network, images: ImageSet, validated: bool) -> Facts:
    """What the plan is made from. ``net`` is what the user gave for the network."""
    settled = isinstance(net, Model) or (isinstance(net, (str, os.PathLike)) and _is_file(net))
    default = None if settled else _zoo_preprocess(network)
    spec = network.preprocess
    chosen = network.provenance.get("preprocess", "")
    return Facts(
        pictures=len(images),
        validated=validated,
        shorter_side=shorter_side(images),
        size=spec.size,
        fit=spec.fit,
        size_is_default=default is not None and spec.size == default.size and "size" not in chosen,
        fit_is_default=default is not None and spec.fit == default.fit and "fit" not in chosen,
        pretrained=bool(network.pretrained),
        pooled=network.body.output in _POOLED,
        macs=network.macs(),
    )


def prepare(network: Network, plan: Plan, outputs: int, seed: int) -> Network:
    """The network with the plan's preprocessing, and a new head for so many outputs."""
    preprocess = replace(network.preprocess, size=plan.size, fit=plan.fit)
    if preprocess != network.preprocess:
        network = replace(network, preprocess=preprocess).check()
    return network.replace_head(outputs, seed=seed, stages=plan.head == EVERY_STAGE)


def shorter_side(images: ImageSet) -> float:
    """The median of the pictures' shorter sides, pixels."""
    return float(np.median(images.sizes.min(axis=1)))


def _named(name: str, images: ImageSet, options: Options) -> Network:
    """A network from a file, as it is; or one of the zoo, where one without weights is built for these pictures."""
    if _is_file(name):
        return mxnetwork(name, seed=options.seed)
    entry = zoo.entry(name)
    if entry.weights is not None:
        return mxnetwork(name, seed=options.seed)
    channels = 1 if images.grey and entry.preprocess.channels == 1 else 3
    return mxnetwork(name, image_size=options.image_size, channels=channels, seed=options.seed)


def _is_file(net: Union[str, os.PathLike[str]]) -> bool:
    return os.fspath(net).lower().endswith(_FILES)


def _zoo_preprocess(network: Network) -> Optional[Preprocess]:
    """How the zoo has pictures seen by its network of this name; None for a network that is not from there."""
    try:
        entry = zoo.entry(network.provenance.get("name", ""))
    except NetworkError:
        return None
    return entry.preprocess if network.pretrained and entry.weights is not None else None
