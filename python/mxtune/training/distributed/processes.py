"""Workers that are processes of this machine: each its own Python, told by a pipe what to do.

They are neither forked, which would break MXNet's threads, nor `multiprocessing`'s, which run the user's script again.
"""

from __future__ import annotations

import contextlib
import pickle
import subprocess
from typing import Any

from ... import children
from .dealing import LostError, Piece


class Process:
    """A worker in a process of its own.

    Parameters
    ----------
    job
        Pickled.
    cpus
        How many of them it uses.
    """

    def __init__(self, job: bytes, cpus: int) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - this Python, and this package
            children.command(f"{__package__}.serving.main"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=children.environment(OMP_NUM_THREADS=str(cpus)),
        )
        self._say(cpus)
        self._write(job)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    def compute(self, piece: Piece) -> Any:
        """The features of a range of images.

        Raises
        ------
        LostError
            The process has ended.
        """
        self._say(piece)
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        try:
            outcome = pickle.load(self._child.stdout)  # noqa: S301 - of our own process
        except (EOFError, OSError, pickle.UnpicklingError, ValueError) as error:
            raise self._lost() from error
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def end(self) -> None:
        """End it at once."""
        self._child.kill()
        with contextlib.suppress(OSError), self._child:  # closes its pipes; of what was not sent it tells
            pass

    def _say(self, what: Any) -> None:
        self._write(pickle.dumps(what, pickle.HIGHEST_PROTOCOL))

    def _write(self, content: bytes) -> None:
        assert self._child.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._child.stdin.write(content)
            self._child.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def _lost(self) -> LostError:
        self._child.kill()
        status = self._child.wait()
        return LostError(f"a process ended with {f'signal {-status}' if status < 0 else f'exit code {status}'}")
