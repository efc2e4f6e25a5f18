"""`time_budget`: a plan cut to the seconds there are, from what a batch was measured to take here, and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from .. import progress
from ..calls import option
from ..engines import Program, Target
from ..errors import ArgumentError, TrainingWarning
from ..images import ImageSet
from ..images.findings import warn
from ..images.imageset import SHARE
from ..images.loader import Loader
from ..network import Network
from .network import prepare
from .options import Options
from .phase import Phase
from .plan import Plan

_STEP = 3  # predictions that a step of training costs: forward, and twice as much backward
_LEAST_SIDE = 64
_SHARES = (1.0, 0.75, 0.5)  # of the planned size that are tried
_SOLVING = 0.003  # seconds per image that a head takes beside its features, on 2 CPUs
_RESERVE = 0.85  # of the budget is planned: measuring the model and what it remembers come after
_TIMED = 2  # batches, after one that binds


class OutOfTimeError(KeyboardInterrupt):
    """The budget is over: the training ends as by Ctrl-C, with the best model so far."""


@dataclass
class Budget:
    """The seconds there are, from the moment it was made, and what they were spent on.

    Parameters
    ----------
    seconds
        From the first look at the images to the model.
    rate
        Images a second that the network was measured to predict, at the planned size.
    spent
        Seconds by phase.
    """

    seconds: float
    rate: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    start: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, options: Options, resume: bool) -> Optional[Budget]:
        """The budget that the user gave, from now on; None for none.

        Raises
        ------
        ArgumentError
            A training that has begun is to go on.
        """
        if options.time_budget is None:
            return None
        if resume:
            text = "`resume` goes on with the plan of the run before, and `time_budget` makes another."
            raise ArgumentError(text, hint="Give the arguments that the first run chose, and no `time_budget`.")
        return cls(options.time_budget)

    @property
    def left(self) -> float:
        """Seconds until it is over; negative afterwards."""
        return self.start + self.seconds - time.monotonic()

    def to_dict(self) -> dict[str, Any]:
        """What a model keeps of it."""
        spent = {name: round(seconds, 2) for name, seconds in self.spent.items()}
        return {"seconds": self.seconds, "images_per_second": round(self.rate, 1), "spent": spent}


class Watching:
    """A reporter that ends the training when the budget is over and there is a model, where work is about to go on."""

    def __init__(self, reporter: progress.Reporter, budget: Budget, is_learned: Callable[[], bool]) -> None:
        self._reporter, self._budget, self._is_learned = reporter, budget, is_learned

    def event(self, kind: str, **info: Any) -> None:
        self._reporter.event(kind, **info)
        is_over = self._budget.left < (1 - _RESERVE) * self._budget.seconds
        if kind in ("start", "advance") and is_over and self._is_learned():
            raise OutOfTimeError


def cut(
    budget: Optional[Budget],
    plan: Plan,
    network: Network,
    images: ImageSet,
    validation: Optional[ImageSet],
    outputs: int,
    target: Target,
    size_is_free: bool,
    seed: int,
) -> tuple[Plan, Network]:
    """The plan within the budget, and the network prepared for it."""
    prepared = prepare(network, plan, images, outputs, seed)
    if budget is None:
        return plan, prepared
    budget.rate = rate_of(prepared, images, target)
    validated = 0 if validation is None else len(validation)
    affordable = within(plan, len(images), validated, budget, size_is_free)
    progress.current().event("message", text=f"Within {affordable.why['time_budget']}.")
    if affordable.size != plan.size:
        prepared = prepare(network, affordable, images, outputs, seed)
    return affordable, prepared


def rate_of(network: Network, images: ImageSet, target: Target, batch_size: int = 32) -> float:
    """Images a second from file to features, measured on the first of them."""
    count = min(len(images), (1 + _TIMED) * batch_size)
    batches = Loader(images.take(range(count)), network.preprocess).eval_batches(batch_size)
    executor = target.bind(Program.of(network.body))
    start, seen = 0.0, 0
    for number, (rows, batch) in enumerate(batches):
        executor.predict(batch)
        if number == 0:  # it binds
            start = time.monotonic()
            if count > batch_size:
                continue
            executor.predict(batch)
        seen += len(rows)
    return seen / max(time.monotonic() - start, 1e-6)


def within(plan: Plan, images: int, validated: int, budget: Budget, size_is_free: bool) -> Plan:
    """The plan, with a smaller size, fewer epochs and fewer phases where the seconds don't suffice; never with more.

    Parameters
    ----------
    images, validated
        How many train, and how many validate.
    budget
        Its rate is that of the plan's size; it becomes that of the chosen one.
    size_is_free
        Whether the user left the size open, and the network is one of the zoo's, at its usual size.

    Warns
    -----
    TrainingWarning
        Even the least takes longer; it is told how long.
    """
    everything = images + validated
    left = budget.left - (1 - _RESERVE) * budget.seconds
    tried = []
    for share in _SHARES if size_is_free else _SHARES[:1]:
        height, width = (min(side, max(_LEAST_SIDE, 16 * round(share * side / 16))) for side in plan.size)
        rate = budget.rate * plan.size[0] * plan.size[1] / (height * width)
        epoch = (_STEP * images + validated) / rate
        least = everything * (1 / rate + _SOLVING) if plan.phases[0].name == "head" else epoch
        tried.append(((height, width), rate, epoch, least))
    size, rate, epoch, least = next((one for one in tried if one[3] <= left), tried[-1])
    if least > left:
        text = f"`time_budget` is too small for {everything} images: the least there is takes about {least:.0f} s more."
        warn(TrainingWarning(text, [f"{max(budget.left, 0):.1f} of {budget.seconds:g} s are left"]))
    phases: list[Phase] = []
    for phase in plan.phases:
        if phase.name == "head":
            phases.append(phase)
            left -= least
            continue
        epochs = min(phase.epochs, max(int(left / epoch), 0 if phases else 1))
        if epochs:
            phases.append(replace(phase, epochs=epochs))
            left -= epochs * epoch
    budget.rate = rate
    told = f"{budget.seconds:g} s at {rate:.0f} images/s"
    again = [option("image_size", size[0] if size[0] == size[1] else size)]
    layers = [phase for phase in phases if phase.name != "head"]
    again.append(option("epochs", layers[0].epochs) if layers else option("tune", "head"))
    if layers and layers[0].patience and layers[0] not in plan.phases:  # which may depend on the epochs
        again.append(option("patience", layers[0].patience))
    if not layers and validated and len(plan.phases) > 1:  # a head alone would have folds
        again.append(option("valid", SHARE))
    why = {**plan.why, "time_budget": f"{told}; without it: {', '.join(again)}"}
    if size != plan.size:
        why["size"] = "`time_budget` allows no larger one"
    if [*phases] != [*plan.phases]:
        names = ", ".join(f"{phase.name} ({phase.epochs})" for phase in phases)
        why["phases"] = f"`time_budget` allows {names}"
    return replace(plan, size=size, phases=tuple(phases), why=why, time_budget=budget.seconds)
