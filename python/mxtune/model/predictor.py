"""`Predictor`: images through a network, a batch at a time; those that can't be read are left out and named."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import progress
from ..engines import INT8, ROWS, Executor, Program, Target, choose
from ..errors import PictureWarning
from ..graph import Graph
from ..images.decode import named
from ..images.findings import warn
from ..images.loader import Loader
from ..network import Network
from ..words import bullets, counted
from .quantised import Quantised

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = ROWS


_BOTH, _WHOLE = "logit and features", "the whole of "


class _Made:
    """What is made of the outputs for a batch."""

    def __init__(self, what: str, of_features: Optional[Callable[[Any], Any]], restored: Callable[[Any], Any]) -> None:
        self.what = _BOTH if of_features is not None and what == "logit" else what
        self._of_features, self._restored = of_features, restored

    def __call__(self, values: list[Any]) -> Any:
        if self._of_features is None:
            return self._restored(values[0]) if self.what == "features" else values[0]
        return np.concatenate([*values[:-1], self._of_features(self._restored(values[-1]))], axis=1)


class Predictor:
    """A network ready to predict: it is bound to an engine at first use. Several threads may use it at once.

    Parameters
    ----------
    network
        Its first output are the logits.
    target
        Where it runs; chosen at first use if None.
    quantised
        What int8 needs, where the target computes in it; without a target, where it is to run in it if that can be had.
    """

    def __init__(
        self, network: Network, target: Optional[Target] = None, quantised: Optional[Quantised] = None
    ) -> None:
        self._network, self.target, self.quantised = network, target, quantised
        self._executors: dict[str, Executor] = {}
        self._lock, self._process = threading.Lock(), os.getpid()

    def outputs(
        self,
        loader: Loader,
        what: str = "logit",
        batch_size: int = BATCH,
        title: str = "Predicting",
        of_features: Optional[Callable[[Any], Any]] = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What the network computes, (N, K), NaN for bad images; and which are good, (N,).

        Parameters
        ----------
        what
            ``"logit"``; ``"features"``, which the logits are made of; or another output of the network.
        of_features
            What is made of the features (n, d) of some images, (n, m): for logits m more columns, of the same pass
            through the network; for features all columns.

        Warns
        -----
        PictureWarning
            Images can't be read; all are named.
        """
        made = _Made(what, of_features, self._restoring())
        executor, count = self._executor(made.what), len(loader)
        nothing = [np.zeros((0, *shape[1:]), np.float32) for shape in self._shapes(made.what)]
        out = np.full((count, made(nothing).shape[1]), np.nan, np.float32)
        good = np.zeros(count, dtype=bool)

        def take(rows: Any, values: Any) -> None:
            out[rows] = made(values if isinstance(values, list) else [values])
            good[rows] = True

        _run(executor, loader, batch_size, title, take)
        warn_unread(loader, "its prediction is NA", "their predictions are NA")
        return out, good

    def layer(self, loader: Loader, layer: Optional[str], batch_size: int = BATCH) -> NDArray[np.float32]:
        """What a layer gives for each image, (N, ...), NaN for bad ones; the features without a layer."""
        what = "features" if layer is None else _WHOLE + layer
        executor, count = self._executor(what), len(loader)
        restored = self._restoring() if layer is None else np.asarray
        out = np.full((count, *self._shapes(what)[0][1:]), np.nan, np.float32)

        def take(rows: Any, values: Any) -> None:
            out[rows] = restored(values)

        _run(executor, loader, batch_size, "Computing features", take)
        warn_unread(loader, "it has no features", "they have no features")
        return out

    def low(self, batch: Any) -> Optional[NDArray[np.float32]]:
        """The logits for a batch (N, H, W, C) where they are computed in int8; None elsewhere."""
        return None if self._in_int8 is None else np.asarray(self._executor("logit").predict(batch))

    def _network_of(self, what: str) -> Network:
        """The network that ends in it."""
        if what == "logit":
            return self._network.main
        if what == _BOTH:
            main, features = self._network.main, self._network.features
            return replace(main, graph=Graph(main.graph.nodes, (*main.graph.heads, (features, 0))))
        if what.startswith(_WHOLE):
            return self._network.cut(what[len(_WHOLE) :])
        return self._network.body if what == "features" else self._network.averaged(what)

    def _shapes(self, what: str) -> list[tuple[int, ...]]:
        network = self._network_of(what)
        return [network.shapes[name][index] for name, index in network.graph.heads]

    def _executor(self, what: str) -> Executor:
        if self._process != os.getpid():  # forked: a thread that held the lock stayed in the parent
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            if what not in self._executors:
                program, low = Program.of(self._network_of(what)), self._in_int8
                if low is not None:
                    names = (f"{self._network.classifier}_{part}" for part in ("weight", "bias"))
                    own = {name: array for name, array in zip(names, (low.weight, low.bias)) if name in program.params}
                    program = replace(program, params={**program.params, **own})
                self._executors[what] = self._place.bind(program)
            return self._executors[what]

    @property
    def _place(self) -> Target:
        """Where it runs."""
        return self.target or choose(ranges=None if self.quantised is None else self.quantised.ranges)

    @property
    def _in_int8(self) -> Optional[Quantised]:
        return self.quantised if self.quantised is not None and self._place.precision == INT8 else None

    def _restoring(self) -> Callable[[Any], Any]:
        """What makes features those that memory and users know: in float32 they are."""
        return np.asarray if self._in_int8 is None else self._in_int8.restored


def _run(executor: Executor, loader: Loader, batch_size: int, title: str, take: Callable[[Any, Any], None]) -> None:
    """Give ``take`` the rows of each batch, without those that can't be read, and what is computed for them."""
    count, reporter, seen = len(loader), progress.current(), 0
    executor.expect(count)
    reporter.event("start", title=title, total=count, unit="images")
    try:
        for rows, batch in loader.eval_batches(partial(executor.rows, batch_size), skip_bad=True):
            if len(rows):
                take(rows, executor.predict(batch))
                reporter.event("advance", n=int(rows[-1]) + 1 - seen)
                seen = int(rows[-1]) + 1
        if seen < count:  # the last ones are bad
            reporter.event("advance", n=count - seen)
    finally:
        reporter.event("end")


def warn_unread(loader: Loader, one: str, many: str) -> None:
    """Warn of images that could not be read, all named: what they lose, of one and of several."""
    if loader.bad:
        lost = one if len(loader.bad) == 1 else many
        text = f"Can't read {len(loader.bad)} of {counted(len(loader), 'image')}: {lost}."
        warning = PictureWarning(text, bullets(named(loader.bad)))
        warning.files = tuple(loader.bad)
        warn(warning)
