"""What a process of `processes` runs: `main`."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from typing import Any, BinaryIO

from ... import machine
from ...errors import EngineError
from .seat import Seat
from .shared import Shared
from .told import Told, share


def serve(said: BinaryIO, answers: BinaryIO) -> None:
    """What the process does: it is told its place, its CPUs, where batches lie, and the program; and then commands.

    It ends with the process that started it, also where it waits for others.
    """
    place, cpus, file = pickle.load(said)  # noqa: S301 - of the process that started this one
    told: Told = pickle.load(said)  # noqa: S301
    machine.share(cpus)
    commands: queue.Queue[tuple[str, Any, bool, tuple[Any, ...]]] = queue.Queue()

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
        seat, pixels = Seat(told, place), Shared(file)
    except EngineError as error:
        answer(error)
        return
    answer(None)
    while True:
        name, places, all_answer, arguments = commands.get()
        if not (all_answer or place == 0):
            answer(None)
            continue
        batch: tuple[Any, ...] = () if places is None else (pixels.read(places),)
        if batch and all_answer:
            batch = share(batch[0], place, len(told.devices))
        answer(seat.answer(name, *batch, *arguments))


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
