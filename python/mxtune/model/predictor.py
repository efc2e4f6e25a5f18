"""`Predictor`: images through a network, a batch at a time; those that can't be read are left out and named."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import numpy as np

from .. import progress
from ..engines import Executor, Program, choose
from ..errors import PictureWarning
from ..images.decode import named
from ..images.findings import warn
from ..images.loader import Loader
from ..network import Network
from ..words import bullets, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 32


class Predictor:
    """A network ready to predict: it is bound to an engine at first use. Several threads may use it at once.

    Parameters
    ----------
    network
        Its heads are the logits.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._executors: dict[bool, Executor] = {}
        self._lock, self._process = threading.Lock(), os.getpid()

    def outputs(
        self, loader: Loader, features: bool = False, batch_size: int = BATCH, title: str = "Predicting"
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Logits, or the features before them, (N, K), NaN for bad images; and which are good, (N,).

        Warns
        -----
        PictureWarning
            Images can't be read; all are named.
        """
        executor, count = self._executor(features), len(loader)
        out = np.full((count, self._width(features)), np.nan, np.float32)
        good = np.zeros(count, dtype=bool)
        reporter = progress.current()
        reporter.event("start", title=title, total=count, unit="images")
        try:
            for number, (rows, batch) in enumerate(loader.eval_batches(batch_size, skip_bad=True)):
                if len(rows):
                    out[rows] = executor.predict(batch)
                    good[rows] = True
                reporter.event("advance", n=min(batch_size, count - number * batch_size))
        finally:
            reporter.event("end")
        if loader.bad:
            lines = named(loader.bad)
            lost = "its prediction is NA" if len(loader.bad) == 1 else "their predictions are NA"
            text = f"Can't read {len(loader.bad)} of {counted(count, 'image')}: {lost}."
            warn(PictureWarning(text, bullets(lines)))
        return out, good

    def _width(self, features: bool) -> int:
        head = self._network.params[f"{self._network.classifier}_weight"]
        return int(head.shape[1] if features else head.shape[0])

    def _executor(self, features: bool) -> Executor:
        if self._process != os.getpid():  # forked: a thread that held the lock stayed in the parent
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            if features not in self._executors:
                network = self._network.body if features else self._network
                self._executors[features] = choose().bind(Program.of(network))
            return self._executors[features]
