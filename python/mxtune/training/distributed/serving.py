"""What a process of `processes` runs: `main`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import Any, BinaryIO

from ... import machine
from ...errors import MxtuneError
from .job import Job


def serve(told: BinaryIO, answers: BinaryIO) -> None:
    """What the process does: it is told its CPUs and the job, and then one piece after another."""
    machine.share(pickle.load(told))  # noqa: S301 - of the process that started this one
    job: Job = pickle.load(told)  # noqa: S301
    while True:
        try:
            piece = pickle.load(told)  # noqa: S301
        except EOFError:
            return
        outcome: Any
        try:
            outcome = job.features(piece)
        except MxtuneError as error:
            outcome = error
        pickle.dump(outcome, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def main() -> None:
    """The process: its input says what to do, and its output is for answers alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not get in between
    try:
        serve(sys.stdin.buffer, own)
    except BrokenPipeError:  # who asked is gone, and nobody reads what Python would say of it
        os._exit(1)
