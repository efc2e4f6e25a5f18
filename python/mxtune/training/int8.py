"""Training in int8: the features of the head, once the ranges of the network's layers are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from ..calls import option, written
from ..engines import INT8, Target
from ..errors import ArgumentError
from ..images import ImageSet
from ..model.quantised import KEY, Quantised
from ..model.quantising import calibrated
from ..network import Network
from .plan import Plan


def refuse_layers(plan: Plan) -> None:
    """Raises ArgumentError where layers are to be trained in int8, which has no gradients."""
    if plan.precision == INT8 and plan.trains_layers:
        text = "In int8 only the head is trained, and here layers are, too."
        hint = f"Use {option('tune', 'head')}; or train in float32, and then {written('quantize', 'photos')}."
        raise ArgumentError(text, [plan.why["phases"]], hint)


def in_int8(target: Target, network: Network, images: ImageSet) -> tuple[Target, Optional[Quantised], dict[str, Any]]:
    """The target with the ranges of the layers on some of these images, what features in int8 need, and what the
    settings say of it; for other precisions the target, and nothing."""
    if target.precision != INT8:
        return target, None, {}
    found, sample = calibrated(network, images, target.engine.name)
    return replace(target, ranges=found.ranges), found, {KEY: {"chosen": True, "sample": sample}}
