"""`Job`: what workers are told once, and what each does with a range of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engines import Executor, Program, choose
from ...graph import from_json, to_json
from ...images import ImageSet
from ...images.loader import Loader
from ...network import Network
from ..computing import outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Job:
    """The body of a network, and images whose features are wanted: plain data, which travels to workers.

    ``engine``, ``device``, ``precision`` and ``deterministic`` are those of the training.
    """

    body: Network
    images: ImageSet
    batch_size: int
    engine: str
    device: str
    precision: str
    deterministic: bool

    def __getstate__(self) -> dict[str, Any]:
        """The graph as its text: its nodes hold rules of operators, which are code."""
        body = self.body
        return {**vars(self), "body": None, "network": (to_json(body.graph), body.params, body.preprocess, body.limit)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        graph, params, preprocess, limit = state.pop("network")
        body = Network(from_json(graph), params, {}, preprocess, classifier="", limit=limit)
        vars(self).update(state, body=body)

    def features(self, piece: tuple[int, int]) -> NDArray[np.float32]:
        """The body's outputs (n, d) for a range of the images that begins with a batch: as one process computes them.

        Raises
        ------
        PictureError
            Some can't be read here; all are named.
        """
        loader = Loader(self.images, self.body.preprocess, repeated=False)
        computed = outputs(self._executor, loader, np.arange(*piece), self.batch_size, self.deterministic)
        return np.concatenate([values for _, values in computed])

    @cached_property
    def _executor(self) -> Executor:
        target = replace(choose(self.device, self.precision, self.engine), deterministic=self.deterministic)
        return target.bind(Program.of(self.body))
