"""`WandB`: settings and the figures of each epoch in a run of Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..training import Callback
from .figures import figures, flat, needed


class WandB(Callback):
    """Logs to the current run of Weights & Biases (package ``wandb``), or to one that it starts and finishes.

    Parameters
    ----------
    settings
        For ``wandb.init()``, where no run is open: ``project="clothes"``, or ``mode="offline"`` to keep all here.

    Raises
    ------
    MxtuneError
        wandb is not installed.

    Examples
    --------
    >>> from mxtune import mxtrain
    >>> from mxtune.callbacks import WandB
    >>> model = mxtrain("photos", callbacks=WandB(project="clothes"))  # doctest: +SKIP
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._started = False
        self._wandb  # noqa: B018 - which tells where it is missing

    @property
    def _wandb(self) -> Any:
        return needed("wandb", "wandb")  # no attribute: modules can't be copied or pickled

    def on_start(self, settings: Mapping[str, Any]) -> None:
        """Keep the settings in the run's configuration."""
        if self._wandb.run is None:
            self._wandb.init(**self._settings)
            self._started = True
        self._wandb.config.update(flat(settings), allow_val_change=True)

    def on_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Log the figures, and the epoch among them."""
        self._wandb.log({**figures(metrics), f"{metrics['stage']}/epoch": epoch})

    def on_end(self, history: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002
        """Finish the run, if this started it."""
        if self._started:
            self._wandb.finish()
            self._started = False
