"""`Options`: what the user asked of a training run, validated once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Optional, Union

from ..arguments import height_and_width, is_number, one_of, whole, yes_or_no
from ..calls import option, value_text
from ..errors import ArgumentError
from .distributed import Crew

EVERY_STAGE, LAST_FEATURES = "every stage", "last features"
TUNES = ("auto", "head", "tail", "all")
HEADS = ("auto", EVERY_STAGE, LAST_FEATURES)
SCHEDULES = ("cosine", "constant")
FEWEST_FOLDS, MOST_FOLDS, USUAL_FOLDS = 3, 20, 5


@dataclass(frozen=True)
class Options:
    """What the user asked for, as `mxtrain` describes it; None where the plan decides.

    Raises
    ------
    ArgumentError
        A value can't be used; it is named.
    """

    tune: str = "auto"
    epochs: Optional[int] = None
    image_size: Any = None  # height and width, once it is validated
    batch_size: Optional[int] = None
    lr: Optional[float] = None
    schedule: str = "cosine"
    patience: Optional[int] = None
    restore_best: bool = True
    precision: str = "auto"
    seed: int = 0
    head: str = "auto"
    folds: Union[str, int, None] = "auto"
    deterministic: bool = False
    time_budget: Any = None  # seconds, once it is validated
    workers: Any = None  # a `Crew` or None, once it is validated

    def __post_init__(self) -> None:
        one_of("tune", self.tune, TUNES)
        one_of("head", self.head, HEADS)
        one_of("schedule", self.schedule, SCHEDULES)
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0)):
            value = getattr(self, name)
            self._set(name, None if value is None else whole(name, value, least))
        if self.image_size is not None:
            self._set("image_size", height_and_width("image_size", self.image_size))
        if self.lr is not None:
            if not is_number(self.lr) or not 0 < self.lr < math.inf:
                raise ArgumentError("`lr` must be a number above 0.", [f"it is {value_text(self.lr)}"])
            self._set("lr", float(self.lr))
        if isinstance(self.time_budget, timedelta):
            self._set("time_budget", self.time_budget.total_seconds())
        if self.time_budget is not None:
            if not is_number(self.time_budget) or not 0 < self.time_budget < math.inf:
                raise ArgumentError(
                    "`time_budget` must be a number of seconds above 0.", [f"it is {value_text(self.time_budget)}"]
                )
            if self.folds == "full":
                text = f"`time_budget` is for one training, and {option('folds', 'full')} makes six."
                raise ArgumentError(text, hint="Leave one of them out.")
            self._set("time_budget", float(self.time_budget))
        self._set("workers", Crew.of(self.workers))
        if self.workers is not None:
            self._share()
        self._set("restore_best", yes_or_no("restore_best", self.restore_best))
        self._set("deterministic", yes_or_no("deterministic", self.deterministic))
        self._set("seed", whole("seed", self.seed))
        self._set("folds", self._number_of_folds())

    def _share(self) -> None:
        """What workers do not do; those of a cluster train layers only where that is asked for."""
        if self.precision == "int8":
            text = f"`workers` do not compute in int8, which {option('precision', 'int8')} asks for."
            raise ArgumentError(text, hint="Leave one of them out.")
        if self.workers.address is not None and self.tune == "auto":
            self._set("tune", "head")

    def _number_of_folds(self) -> Union[str, int]:
        if self.folds is None or self.folds is False or self.folds in ("auto", "full"):
            return self.folds or 0
        if not is_number(self.folds) or self.folds not in (0, *range(FEWEST_FOLDS, MOST_FOLDS + 1)):
            text = (
                f'`folds` must be "auto", "full", {value_text(None)} or a number from {FEWEST_FOLDS} to {MOST_FOLDS}.'
            )
            raise ArgumentError(text, [f"it is {value_text(self.folds)}"])
        if self.folds and self.tune in ("tail", "all"):
            text = f"`folds = {self.folds:.0f}` is for the head, and {option('tune', self.tune)} trains layers."
            raise ArgumentError(text, hint=f"Use {option('folds', 'full')}: each fold is then a training of its own.")
        return int(self.folds)

    @property
    def divides_for_heads(self) -> bool:
        """Whether the images may be divided into folds for heads, each of which is cheap."""
        return (self.tune == "head" and self.folds != 0) or self.folds not in (0, "auto", "full")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def for_layers(self) -> list[str]:
        """The names of those that were given and apply only to training layers, not to the head."""
        names = ("epochs", "lr", "schedule", "patience")
        return [name for name in names if getattr(self, name) != getattr(Options, name)]
