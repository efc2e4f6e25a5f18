"""`Predictor`: images through a network, a batch at a time; those that can't be read are left out and named."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Optional

import numpy as np

from .. import progress
from ..engines import Executor, Program, Target, choose
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
        Its first output are the logits.
    target
        Where it runs; chosen at first use if None.
    """

    def __init__(self, network: Network, target: Optional[Target] = None) -> None:
        self._network, self.target = network, target
        self._executors: dict[str, Executor] = {}
        self._lock, self._process = threading.Lock(), os.getpid()

    def outputs(
        self, loader: Loader, what: str = "logit", batch_size: int = BATCH, title: str = "Predicting"
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What the network computes, (N, K), NaN for bad images; and which are good, (N,).

        Parameters
        ----------
        what
            ``"logit"``; ``"features"``, which the logits are made of; or another output of the network.

        Warns
        -----
        PictureWarning
            Images can't be read; all are named.
        """
        executor, count = self._executor(what), len(loader)
        out = np.full((count, self._width(what)), np.nan, np.float32)
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
        warn_unread(loader, "its prediction is NA", "their predictions are NA")
        return out, good

    def _network_of(self, what: str) -> Network:
        """The network that ends in it."""
        if what == "logit":
            return self._network.main
        return self._network.body if what == "features" else self._network.averaged(what)

    def _width(self, what: str) -> int:
        network = self._network_of(what)
        return network.shapes[network.output][0][1]

    def _executor(self, what: str) -> Executor:
        if self._process != os.getpid():  # forked: a thread that held the lock stayed in the parent
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            if what not in self._executors:
                self._executors[what] = (self.target or choose()).bind(Program.of(self._network_of(what)))
            return self._executors[what]


def warn_unread(loader: Loader, one: str, many: str) -> None:
    """Warn of images that could not be read, all named: what they lose, of one and of several."""
    if loader.bad:
        lost = one if len(loader.bad) == 1 else many
        text = f"Can't read {len(loader.bad)} of {counted(len(loader), 'image')}: {lost}."
        warn(PictureWarning(text, bullets(named(loader.bad))))
