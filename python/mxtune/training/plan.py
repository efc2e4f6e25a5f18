"""The plan of a training run: everything is decided once, from facts and options, with a reason for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .options import EVERY_STAGE, LAST_FEATURES, Options
from .phase import Phase

_LIGHT = 10_000_000  # multiply-accumulates per image: LeNet has 2 million, EfficientNet-Lite0 at 64 pixels 32


@dataclass(frozen=True)
class Facts:
    """What a plan is made from.

    Parameters
    ----------
    images
        How many train.
    validated
        Whether there are images for validation.
    shorter_side
        Of the images, the median, pixels.
    size, fit
        How the network sees images, as given: see `Preprocess`.
    size_is_default, fit_is_default
        Whether it is the zoo's default for that network, and not the user's choice.
    pretrained
        Whether the network has learned anything before.
    pooled
        Whether its head takes every stage already.
    macs
        Multiply-accumulates per image, at `size`.
    engine, precision
        What computes, and in which arithmetic.
    why_engine
        Why this engine.
    folds
        Into how many folds the images are divided, for as many heads; 0 for none.
    """

    images: int
    validated: bool
    shorter_side: float = 224.0
    size: tuple[int, int] = (224, 224)
    fit: str = "crop"
    size_is_default: bool = False
    fit_is_default: bool = False
    pretrained: bool = True
    pooled: bool = False
    macs: int = 400_000_000
    engine: str = "mxnet"
    precision: str = "float32"
    why_engine: str = "it is installed"
    folds: int = 0


@dataclass(frozen=True)
class Plan:
    """What a training run does.

    Parameters
    ----------
    size, fit
        How the network sees images.
    head
        What the new head takes: ``"every stage"``, its averages and maxima, or ``"last features"``.
    phases
        What is trained, in order.
    engine, precision
        What computes, and in which arithmetic.
    folds
        How many; 0 for none.
    why
        The reason for each of these, by name, a few words.
    net
        The network, if it was chosen for the images; empty if the user named one.
    time_budget
        The seconds that it is cut to; 0 for none.
    """

    size: tuple[int, int]
    fit: str
    head: str
    phases: tuple[Phase, ...]
    engine: str = "mxnet"
    precision: str = "float32"
    folds: int = 0
    why: Mapping[str, str] = field(default_factory=dict)
    net: str = ""
    time_budget: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON values."""
        return {
            **({"net": self.net} if self.net else {}),
            "size": list(self.size),
            "fit": self.fit,
            "head": self.head,
            "phases": [phase.to_dict() for phase in self.phases],
            "engine": self.engine,
            "precision": self.precision,
            **({"folds": self.folds} if self.folds else {}),
            **({"time_budget": self.time_budget} if self.time_budget else {}),
            "why": dict(self.why),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote."""
        phases = tuple(Phase.from_dict(phase) for phase in values["phases"])
        return cls(**{**values, "size": tuple(values["size"]), "phases": phases})

    @property
    def trains_layers(self) -> bool:
        """Whether more than the head is trained."""
        return any(phase.name != "head" for phase in self.phases)


def decide(facts: Facts, options: Options) -> Plan:
    """The plan for these images and this network, with the user's options.

    Examples
    --------
    >>> plan = decide(Facts(images=300, validated=True), Options(tune="head"))
    >>> plan.head, plan.why["phases"]
    ('every stage', 'tune = "head": only the head')
    """
    size, why_size = _size(facts, options)
    fit, why_fit = _fit(facts)
    light = facts.macs * size[0] * size[1] < _LIGHT * facts.size[0] * facts.size[1]
    head, why_head = _head(facts, options, light)
    phases, why_phases = _phases(facts, options, light)
    why = {
        "size": why_size,
        "fit": why_fit,
        "head": why_head,
        "phases": why_phases,
        "engine": facts.why_engine,
        "precision": "the engine's own" if options.precision == "auto" else "`precision` asks for it",
    }
    if facts.folds:
        by_itself = "they cost little beside the features" if options.folds == "auto" else "`folds` asks for it"
        why["folds"] = f"each image is predicted by a head that has not seen it; {by_itself}"
    return Plan(size, fit, head, phases, facts.engine, facts.precision, facts.folds, why)


def guesses(plan: Plan, facts: Facts, options: Options) -> list[str]:
    """What was decided without being asked for, and how to change it, if the plan departs from the network."""
    size = f"{plan.size[0]} x {plan.size[1]}"
    texts = []
    if options.image_size is None and plan.size != facts.size:
        texts.append(f"Your images are small, so they are resized to {size}. Set `image_size` to change this.")
    if plan.fit != facts.fit:
        texts.append(
            f"Images are stretched to {size}, nothing is cut off. Set `preprocess` in mxnetwork() to change this."
        )
    return texts


def _size(facts: Facts, options: Options) -> tuple[tuple[int, int], str]:
    """The network's own size, less for small images: about three times theirs.

    Where all layers are trained they adapt to two thirds of that, which cost less than half.
    """
    if options.image_size is not None:
        return options.image_size, "`image_size` asks for it"
    if not facts.size_is_default:
        return facts.size, "the network's own"
    times, least = (2.2, 64) if options.tune == "all" else (3.2, 96)
    side = max(least, 16 * round(times * facts.shorter_side / 16))
    size = (min(facts.size[0], side), min(facts.size[1], side))
    if size == facts.size:
        return size, "the network's own"
    return size, f"enough for images of about {facts.shorter_side:.0f} pixels, and faster than {facts.size[0]}"


def _fit(facts: Facts) -> tuple[str, str]:
    if facts.fit_is_default:
        return "stretch", "the whole image is used, since what matters may be at its edge"
    return facts.fit, "the network's own"


def _head(facts: Facts, options: Options, light: bool) -> tuple[str, str]:
    if not facts.pretrained:
        return LAST_FEATURES, "the network has no pretrained weights"
    if facts.pooled:
        return LAST_FEATURES, "they already contain every stage"
    if options.head != "auto":
        return options.head, "`head` asks for it"
    if options.tune == "all" and light:
        return LAST_FEATURES, "every stage would cost more than training all layers of such a light network"
    return EVERY_STAGE, "what early layers detect may be what distinguishes your images"


def _phases(facts: Facts, options: Options, light: bool) -> tuple[tuple[Phase, ...], str]:
    """A pretrained network gets its head first. One without weights has nothing worth freezing, and is trained whole.

    A light one can afford more epochs: LeNet learns digits after clothes to .983 in 60, to .971 in 15.
    """
    images, validated = facts.images, facts.validated
    many = images >= 5000
    batch = min(options.batch_size or (64 if many else 32), images)
    patience = options.patience if options.patience is not None else 3
    common = Phase(
        "all",
        batch_size=batch,
        schedule=options.schedule,
        patience=patience if validated else 0,
        smoothing=0.02,
    )
    if not facts.pretrained:
        epochs = options.epochs or _clipped(600_000 / images, 15, 60)
        patience = options.patience if options.patience is not None else max(3, epochs // 4)
        scratch = replace(
            common, epochs=epochs, lr=options.lr or 1e-3, patience=patience if validated else 0, smoothing=0.0
        )
        return (scratch,), "a network without weights is trained whole"
    head = Phase("head", batch_size=min(batch, 32))  # no faster above, and larger buffers
    if options.tune == "head":
        return (head,), 'tune = "head": only the head'
    if facts.folds:
        return (head,), f"folds = {facts.folds}: a head for each fold, and one for all images"
    if options.tune == "auto" and not validated:
        return (head,), "without validation there is no sign of when to stop training layers"
    if options.tune == "all":
        affordable = _clipped(200_000 / images, 15, 60) if light else _clipped(25_000 / images, 8, 15)
        epochs = options.epochs or affordable
        if options.patience is None and validated:  # the loss rises at first: it falls with the learning rate
            common = replace(common, patience=max(3, epochs * 5 // 6))
        lr = 2e-3 if light else 5e-4 if many else 3e-4
        every = replace(common, epochs=epochs, lr=options.lr or lr, head_lr_multiplier=1.0 if light else None)
        return (head, every), 'tune = "all": the head, then every layer that is not frozen'
    epochs = _clipped(2_000 / images, 2, 8)
    why = 'tune = "tail": the head, then the layers of the last resolution'
    if options.tune == "auto":  # on some hundred photographs a second epoch gained nothing, on three sets
        epochs = 1 if images < 1000 else 2
        common = replace(common, patience=min(common.patience, 1 if options.patience is None else patience))
        why = "the head, then the layers of the last resolution while validation improves"
    tail = replace(common, name="tail", epochs=options.epochs or epochs, lr=options.lr or 5e-5)
    return (head, tail), why


def _clipped(value: float, low: int, high: int) -> int:
    return max(low, min(high, round(value)))
