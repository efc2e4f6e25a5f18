"""The plan of a training: which stages, how long, how fast. Plain data that is kept in the model."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Optional

from ..arguments import is_number, one_of, whole
from ..errors import ArgumentError

TUNES = ("auto", "head", "tail", "all")
SCHEDULES = ("cosine", "constant")
_WARM_UP = 0.1  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Parameters
    ----------
    name
        ``"head"`` (on frozen features, to convergence), ``"tail"`` (the last layers), ``"all"``.
    epochs
        At most so many.
    lr
        Learning rate at its highest; the head has none.
    patience
        Epochs without a lower validation loss after which it ends; 0 for never.
    decay
        Weight decay of weights, none of biases and BatchNorm.
    smoothing
        Label smoothing.
    head_rate
        A factor on the learning rate of a head that is trained already; by the number of its features if None.
    """

    name: str
    epochs: int = 1
    lr: float = 0.0
    batch_size: int = 32
    schedule: str = "cosine"
    patience: int = 0
    decay: float = 0.01
    smoothing: float = 0.0
    head_rate: Optional[float] = None

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0: a rise in the first tenth, then down a cosine.

        Loshchilov & Hutter, 2017 (cosine); Goyal et al., 2017 (warm-up).
        """
        rise = max(1, round(_WARM_UP * steps))
        if step < rise:
            return self.lr * (step + 1) / rise
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

    def to_dict(self) -> dict[str, Any]:
        """The stage as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Wishes:
    """What the user asked for; None where the plan decides."""

    tune: str = "auto"
    epochs: Optional[int] = None
    batch_size: Optional[int] = None
    lr: Optional[float] = None
    schedule: str = "cosine"
    patience: Optional[int] = None

    def __post_init__(self) -> None:
        one_of("tune", self.tune, TUNES)
        one_of("schedule", self.schedule, SCHEDULES)
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0)):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else whole(name, value, least))
        if self.lr is not None:
            if not is_number(self.lr) or not 0 < self.lr < math.inf:
                raise ArgumentError("`lr` must be a number above 0.", [f"it is {self.lr!r}"])
            object.__setattr__(self, "lr", float(self.lr))


def make(wishes: Wishes, pictures: int, pretrained: bool, validated: bool, light: bool = False) -> tuple[Stage, ...]:
    """The stages for so many training pictures.

    A pretrained network gets its head first. One without weights has nothing worth freezing: all of it is trained. A
    light one can afford more epochs: LeNet learns digits after clothes to .983 in 60, to .971 in 15.
    """
    many = pictures >= 5000
    batch = min(wishes.batch_size or (64 if many else 32), pictures)
    patience = wishes.patience if wishes.patience is not None else 3
    common = Stage(
        "all",
        batch_size=batch,
        schedule=wishes.schedule,
        patience=patience if validated else 0,
        smoothing=0.02,
    )
    if not pretrained:
        epochs = wishes.epochs or _clipped(600_000 / pictures, 15, 60)
        patience = wishes.patience if wishes.patience is not None else max(3, epochs // 4)
        scratch = replace(
            common, epochs=epochs, lr=wishes.lr or 1e-3, patience=patience if validated else 0, smoothing=0.0
        )
        return (scratch,)
    head = Stage("head", batch_size=min(batch, 32))  # no faster above, and larger buffers
    if wishes.tune == "head" or (wishes.tune == "auto" and not validated):
        return (head,)
    if wishes.tune == "all":
        affordable = _clipped(200_000 / pictures, 15, 60) if light else _clipped(25_000 / pictures, 8, 15)
        epochs = wishes.epochs or affordable
        if wishes.patience is None and validated:  # the loss rises at first: it falls with the learning rate
            common = replace(common, patience=max(3, epochs * 5 // 6))
        lr = 2e-3 if light else 5e-4 if many else 3e-4
        return head, replace(common, epochs=epochs, lr=wishes.lr or lr, head_rate=1.0 if light else None)
    epochs = _clipped(2_000 / pictures, 2, 8)
    if wishes.tune == "auto":  # on some hundred photographs a second epoch gained nothing, on three sets
        epochs = 1 if pictures < 1000 else 2
        common = replace(common, patience=min(common.patience, 1 if wishes.patience is None else patience))
    tail = replace(common, name="tail", epochs=wishes.epochs or epochs, lr=wishes.lr or 5e-5)
    return head, tail


def _clipped(value: float, low: int, high: int) -> int:
    return max(low, min(high, round(value)))
