"""`MLflow`: settings and the figures of each epoch in a run of MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..training import Callback
from .figures import figures, flat, needed

_LONGEST = 500  # characters of a parameter that every version of MLflow takes


class MLflow(Callback):
    """Logs to the active run of MLflow (package ``mlflow`` or ``mlflow-skinny``), or to one that it starts and ends.

    Where runs are kept is MLflow's matter: ``mlflow.set_tracking_uri()``. The model itself is one file:
    ``mlflow.log_artifact("clothes.mxt")``.

    Raises
    ------
    MxtuneError
        MLflow is not installed.

    Examples
    --------
    >>> from mxtune import mxtrain
    >>> from mxtune.callbacks import MLflow
    >>> model = mxtrain("photos", callbacks=MLflow())  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._started = False
        self._mlflow  # noqa: B018 - which tells where it is missing

    @property
    def _mlflow(self) -> Any:
        return needed("mlflow", "mlflow")  # no attribute: modules can't be copied or pickled

    def on_start(self, settings: Mapping[str, Any]) -> None:
        """Log the settings; those within others by names such as ``plan.size``."""
        if self._mlflow.active_run() is None:
            self._mlflow.start_run()
            self._started = True
        self._mlflow.log_params({name: str(value)[:_LONGEST] for name, value in flat(settings).items()})

    def on_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Log the figures."""
        self._mlflow.log_metrics(figures(metrics), step=epoch)

    def on_end(self, history: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002
        """End the run, if this started it."""
        if self._started:
            self._mlflow.end_run()
            self._started = False
