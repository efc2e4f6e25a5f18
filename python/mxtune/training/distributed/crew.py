"""`Crew`: the workers that a user asked for."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from ... import machine
from ...arguments import is_number
from ...calls import value_text
from ...engines import Target
from ...engines.apart import Start
from ...errors import ArgumentError
from ...images.loader import Loader
from ...network import Network
from . import on_ray
from .dealing import Dealing, Worker
from .job import Job
from .layers_on_ray import RayTeam, machines
from .processes import Process

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_PIECES = 8  # for each worker: few enough that they are large, so many that a slow one does not hold up the others
_MOST = 512  # images of a piece
_ADDRESS = re.compile(r"auto|\w+://.+|[^\s:/]+:\d+")


@dataclass(frozen=True)
class Crew:
    """So many processes of this machine; or the workers of a Ray cluster at an address."""

    count: int = 0
    address: Optional[str] = None

    @classmethod
    def of(cls, workers: Union[int, str, None]) -> Optional[Crew]:
        """What ``workers`` of `mxtrain` asks for; None for this process alone.

        Raises
        ------
        ArgumentError
            It is neither a number nor the address of a cluster.
        """
        if isinstance(workers, str) and _ADDRESS.fullmatch(workers):
            return cls(address=workers)
        if workers is None:
            return None
        if isinstance(workers, str) or not is_number(workers) or not 1 <= workers < math.inf or workers % 1:
            text = '`workers` must be a number of processes, or the address of a Ray cluster: "ray://..." or "auto".'
            raise ArgumentError(text, [f"it is {value_text(workers)}"])
        return None if workers == 1 else cls(int(workers))

    @property
    def cpus(self) -> int:
        """What each process of this machine uses."""
        return max(1, machine.usable_cpus() // max(1, self.count))

    @property
    def start(self) -> Optional[Start]:
        """What starts those that train layers on the machines of a cluster; None for processes of this machine."""
        return None if self.address is None else partial(RayTeam, self.address)

    @property
    def shares(self) -> int:
        """Into how many parts they divide the batches of layers.

        Raises
        ------
        MxtuneError
            There is no cluster.
        """
        return self.count if self.address is None else len(machines(on_ray.connected(self.address)))

    def outputs(
        self, body: Network, loader: Loader, rows: Rows, target: Target, batch_size: int
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Rows of images and what the body gives for them, (n, d), in the order in which they are done.

        Raises
        ------
        PictureError
            Images can no longer be read, or not where a worker is; all of a batch are named.
        MxtuneError
            Workers are lost one after another, or there is no cluster.
        """
        device = "gpu" if {device.kind for device in target.devices} - {"cpu"} else "cpu"
        engine, precision = target.engine.name, target.precision
        job = Job(body, loader.images.take(rows), batch_size, engine, device, precision, target.deterministic)
        hire, count = self._hiring(job, device)
        batches = max(1, min(_MOST, len(rows) // (_PIECES * count)) // batch_size)
        size = batches * batch_size
        pieces = [(start, min(start + size, len(rows))) for start in range(0, len(rows), size)]
        for (start, stop), values in Dealing(pieces, hire, count).results():
            yield rows[start:stop], values

    def _hiring(self, job: Job, device: str) -> tuple[Callable[[], Worker], int]:
        """What starts a worker, and how many there are to be."""
        if self.address is None:
            told, cpus = pickle.dumps(job, pickle.HIGHEST_PROTOCOL), self.cpus
            return lambda: Process(told, cpus), self.count
        ray = on_ray.connected(self.address)
        shared, gpus = ray.put(job), int(device == "gpu")
        there = ray.cluster_resources().get("GPU" if gpus else "CPU", 1)
        return lambda: on_ray.Actor(ray, shared, gpus), max(1, int(there))
