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
from ...errors import EngineError, MxtuneError
from .. import get
from .shared import Shared
from .told import Told


def serve(said: BinaryIO, answers: BinaryIO) -> None:
    """What the process does: it is told its place and the program, and then one command after another.

    It ends with the process that started it, also where it waits for others.
    """
    place, told = pickle.load(said), pickle.load(said)  # noqa: S301 - of the process that started this one
    machine.share(told.cpus)
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
        replica, pixels = _replica(told, place), Shared(told.pixels)
    except (EngineError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        answer(EngineError("Processes for the training can't be started.", [first]))
        return
    answer(None)
    while True:
        name, places, all_answer, arguments = commands.get()
        outcome: Any = None
        try:
            if all_answer or place == 0:
                batch = () if places is None else (pixels.read(places),)
                outcome = getattr(replica, name)(*batch, *arguments)
        except MxtuneError as error:
            outcome = error
        answer(outcome)


def _replica(told: Told, place: int) -> Any:
    return get(told.engine).replica(told, place)


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
