"""The network of a training run: opened, examined, and prepared according to the plan."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any, Optional, Union

import numpy as np

from .. import calls, progress, zoo
from ..calls import kind_text
from ..engines import Target
from ..errors import ArgumentError, NetworkError, TrainingWarning
from ..images import ImageSet
from ..images.findings import warn
from ..images.preprocess import Preprocess
from ..images.scale import Range, fits
from ..model.load import mxload
from ..model.model import Model
from ..model.validation import count_known
from ..network import Network
from ..network.values import refuse_unusable
from ..words import counted
from ..zoo.opening import network_of
from ..zoo.source import File, Source, open_source
from .backbone import AUTO, Choice, choose
from .distributed import Crew
from .options import EVERY_STAGE, Options
from .plan import Facts, Plan

Net = Union[str, "os.PathLike[str]", Network, Model]
_ENOUGH = 5_000  # images from which on a network learns well from nothing: mxtrain's other "many" begins there, too
_POOLED = ("stage_features", "all_features")  # the input of a head on every stage


def open_network(net: Net, images: ImageSet, options: Options) -> tuple[Network, bool]:
    """The network that ``net`` names, or is; and whether its preprocessing is settled: a model's, or a file's.

    Raises
    ------
    ArgumentError
        ``net`` is none of what it may be.
    NetworkError
        There is no network of that name, or it can't be used.
    """
    settled = False
    if isinstance(net, Model):
        network, settled = net.network, True
    elif isinstance(net, Network):
        network = net
    elif isinstance(net, (str, os.PathLike)):
        source = open_source(net)
        settled = not isinstance(source, zoo.Entry)
        network = network_of(source, seed=options.seed, **_built_for(source, images, options))
    else:
        what = [f"it is {kind_text(net)}"]
        raise ArgumentError("`net` must be a name, a file, a network or a model.", what, "mxzoo() lists the names.")
    refuse_unusable(network)
    return network, settled


def choice_for(net: Net, images: ImageSet, validated: bool, options: Options) -> Optional[Choice]:
    """The network that is chosen for the images, where ``net`` leaves that open."""
    if not isinstance(net, str) or net != AUTO:
        return None
    return choose(len(images), validated, _shorter_side(images), options)


def learned_before(net: Net) -> frozenset[bytes]:
    """The images that layers of a model, or of one in a file, were trained on; none for any other network."""
    if isinstance(net, (str, os.PathLike)) and os.fspath(net).lower().endswith(".mxt"):
        net = mxload(net)
    return net.layers_learned if isinstance(net, Model) else frozenset()


def warn_of_learned(tested: Optional[ImageSet], before: frozenset[bytes]) -> None:
    """Warn if layers were trained on images that are to validate; None validate.

    Warns
    -----
    TrainingWarning
        Some were: their features are too good, whatever is trained on them now.
    """
    if tested is None or not before:
        return
    count = count_known(tested.hashes, before)
    if count:
        text = (
            f"The model that is continued was trained on {count} of the {counted(len(tested), 'image')} that validate."
        )
        lines = ["its layers know them: the metrics will be too optimistic"]
        hint = f"Validate on images that it has not seen ({calls.option('valid')}), or begin with the original network."
        warn(TrainingWarning(text, lines, hint))


def facts_of(network: Network, settled: bool, images: ImageSet, validated: bool, target: Target) -> Facts:
    """What the plan is made from. ``target`` is where the network is trained."""
    default = None if settled else _zoo_preprocess(network)
    spec, chosen = network.preprocess, network.provenance.get("preprocess", "")
    return Facts(
        images=len(images),
        validated=validated,
        shorter_side=_shorter_side(images),
        size=spec.size,
        fit=spec.fit,
        size_is_default=default is not None and spec.size == default.size and "size" not in chosen,
        fit_is_default=default is not None and spec.fit == default.fit and "fit" not in chosen,
        pretrained=bool(network.pretrained),
        pooled=network.body.output in _POOLED,
        macs=network.macs(),
        engine=target.engine.name,
        precision=target.precision,
        why_engine=target.why,
    )


def _shorter_side(images: ImageSet) -> float:
    """The median over the images, pixels."""
    return float(np.median(images.sizes.min(axis=1)))


def check_weights(network: Network, images: ImageSet, crew: Optional[Crew], target: Target, plan: Plan) -> None:
    """Warn of a network without weights where images are few, and say what workers can't do for it, or do otherwise.

    Raises
    ------
    ArgumentError
        Workers can't train this network here.
    """
    if crew is not None and plan.trains_layers:
        _check_layers(network, crew, target, plan)
    warn_of_no_weights(network, len(images))


def _check_layers(network: Network, crew: Crew, target: Target, plan: Plan) -> None:
    """Refuse what workers can't do for layers; and say what they do otherwise, where nobody has fitted a head."""
    cluster, first = crew.address is not None, plan.phases[0]
    if any(device.kind != "cpu" for device in target.devices):
        if cluster:
            text = f"A Ray cluster trains layers on CPUs, and here they are trained on {target.devices[0]}."
            raise ArgumentError(text, hint=f"Use {calls.option('device', 'cpu')}, or leave `workers` out.")
        return  # each GPU has a process anyway
    if not cluster and sys.platform != "linux":
        raise ArgumentError("Several processes train layers on Linux alone.", hint="Leave `workers` out.")
    part = -(-first.batch_size // crew.shares)  # where there is no cluster, that is told here, before the work
    if part < first.batch_size and first.name != "head" and set(network.graph.auxiliary) - network.frozen:
        text = (
            f"BatchNorm's statistics are those of each worker's share of a batch: {part} of {first.batch_size} images."
        )
        progress.current().event("message", text=text)


def warn_of_no_weights(network: Network, pictures: int) -> None:
    """Warn, once, if a network without pretrained weights is to be trained on few images.

    Warns
    -----
    TrainingWarning
        It has no weights, and there are fewer images than `_ENOUGH`.
    """
    if network.pretrained or pictures >= _ENOUGH:
        return
    name = network.provenance.get("name", "The network")
    text = f"{name} has no pretrained weights, and {counted(pictures, 'image is', 'images are')} few to learn from."
    hint = f"Use {calls.option('net', zoo.pretrained())}, which has learned from a million images"
    files = f', or open {name} with a file of weights: mxnetwork("{name}", weights = "...")'
    hint += files if zoo.has(name) and not calls.at_command_line() else ""
    warn(TrainingWarning(text, hint=f"{hint}."))


def prepare(network: Network, plan: Plan, images: ImageSet, outputs: int, seed: int) -> Network:
    """The network with the plan's preprocessing and the range of the images, and a new head for so many outputs."""
    preprocess = replace(network.preprocess, size=plan.size, fit=plan.fit, range=_range(network, images))
    if plan.size != network.preprocess.size:
        network = network.with_image_size(plan.size)  # which resamples embeddings of positions
    if preprocess != network.preprocess:
        network = replace(network, preprocess=preprocess).check()
    return network.replace_head(outputs, seed=seed, stages=plan.head == EVERY_STAGE)


def _range(network: Network, images: ImageSet) -> Optional[Range]:
    """That of the images; the network's own if it has one, no other is asked for, and the images fit it."""
    own_range = network.preprocess.range
    if own_range is None or images.range_is_given:
        return images.range
    return own_range if all(fits(own_range, span) for _, span in images.spans() if span) else images.range


def _built_for(source: Source, images: ImageSet, options: Options) -> dict[str, Any]:
    """Arguments for a network that has no weights yet: it is built for the images. And the size that the user chose."""
    if isinstance(source, File) and source.config is not None:
        return {"image_size": options.image_size}
    if not isinstance(source, zoo.Entry) or source.weights is not None:
        return {}
    channels = 1 if images.grey and source.preprocess.channels == 1 else 3
    return {"image_size": options.image_size, "channels": channels}


def _zoo_preprocess(network: Network) -> Optional[Preprocess]:
    """The zoo's preprocessing for its network of this name; None for a network from elsewhere."""
    try:
        entry = zoo.entry(network.provenance.get("name", ""))
    except NetworkError:
        return None
    return entry.preprocess if network.pretrained and entry.weights is not None else None
