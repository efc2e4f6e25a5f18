"""What a process of `processes` runs: `main`."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
import torch.distributed as dist

from .... import machine
from ....errors import EngineError, MxtuneError
from .replica import Replica
from .shared import Shared, Where
from .told import Told

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_PATIENCE = timedelta(minutes=10)  # for the others, in a step


class _Serving:
    """The commands that a process takes, by their names."""

    def __init__(self, told: Told, place: int) -> None:
        device = told.devices[place]
        cuda = device.kind == "gpu"
        if cuda:
            torch.cuda.set_device(device.index)
        store = dist.FileStore(f"/proc/self/fd/{told.store}", len(told.devices))
        dist.init_process_group(
            "nccl" if cuda else "gloo", store=store, rank=place, world_size=len(told.devices), timeout=_PATIENCE
        )
        self._pixels, self._place = Shared(told.pixels), place
        self._executor = Replica(told, place)
        greeting = torch.ones(1, device=torch.device("cuda", device.index) if cuda else torch.device("cpu"))
        dist.all_reduce(greeting)  # connections are made here, and their memory taken
        greeting.item()

    def step(self, places: Mapping[str, Where], *others: Any) -> Any:
        return self._executor.step_together(self._pixels.read(places), *others)

    def predict(self, places: Mapping[str, Where]) -> Any:
        mine = self._executor.share(self._pixels.read(places))
        return None if mine is None else self._executor.predict(mine)

    def gradient(self, places: Mapping[str, Where], weights: Array) -> Any:
        return None if self._place else self._executor.gradient(self._pixels.read(places), weights)

    def parameters(self) -> Any:
        return None if self._place else self._executor.parameters()

    def state(self) -> Any:
        return None if self._place else self._executor.state()

    def restore(self, state: Mapping[str, Array]) -> None:
        self._executor.restore(state)


def serve(said: BinaryIO, answers: BinaryIO) -> None:
    """What the process does: it is told its place and the program, and then one command after another.

    It ends with the process that started it, also where it waits for others.
    """
    place, told = pickle.load(said), pickle.load(said)  # noqa: S301 - of the process that started this one
    machine.share(told.cpus)
    commands: queue.Queue[tuple[Any, ...]] = queue.Queue()

    def listen() -> None:
        try:
            while True:
                commands.put(pickle.load(said))  # noqa: S301
        finally:
            os._exit(1)

    threading.Thread(target=listen, daemon=True).start()

    def answer(outcome: Any) -> None:
        pickle.dump(outcome, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()

    try:
        serving = _Serving(told, place)
    except (EngineError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        answer(EngineError("PyTorch can't start a process for each device.", [first]))
        return
    answer(None)
    while True:
        name, *arguments = commands.get()
        try:
            outcome = getattr(serving, name)(*arguments)
        except MxtuneError as error:
            outcome = error
        answer(outcome)


def main() -> None:
    """The process: its input says what to do, and its output is for answers alone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the process that started this one
        signal.signal(number, signal.SIG_IGN)
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not get in between
    try:
        serve(sys.stdin.buffer, own)
    except Exception:  # noqa: BLE001 - a fault of ours
        traceback.print_exc()
    finally:  # at once: Python would wait for the thread that listens
        os._exit(1)
