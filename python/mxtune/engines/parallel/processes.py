"""The processes of a training, as the process sees them that started them."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

from ... import children, interrupts, machine
from ...errors import EngineError, MxtuneError
from ..base import LostProcessError, Program
from ..devices import Device
from .shared import Shared
from .team import LOST, NOT_STARTED, refuse_forked
from .told import AloneError, Told

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_START = 300.0  # seconds, in which all must have started
_GRACE = 10.0  # for those that others can't reach


class Processes:
    """See `Team`: they take the same commands at the same time, and end with this object, whatever happens.

    They are neither forked, which would break threads, nor `multiprocessing`'s, which run the user's script again.

    Raises
    ------
    EngineError
        They can't be started; or later, one has ended: then all have.
    """

    def __init__(self, engine: str, program: Program, devices: Sequence[Device], precision: str, passes: bool) -> None:
        self._owner, self._devices = os.getpid(), tuple(devices)
        self._names = [str(one) if one.kind == "gpu" else f"worker {place + 1}" for place, one in enumerate(devices)]
        self._asked, self._answers = 0, _Answers(len(devices))
        self._lost: Optional[EngineError] = None
        self._pixels, store = Shared(), os.memfd_create("mxtune")
        cpus = max(1, machine.usable_cpus() // len(devices))
        told = Told.of(engine, program, self._devices, precision, passes, store)
        self._children: list[subprocess.Popen[bytes]] = []
        self._end = weakref.finalize(self, _end, self._children, self._pixels, self._owner)
        try:
            for place in range(len(devices)):
                self._start(place, cpus, (store, self._pixels.file))
            first = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
            self._say([pickle.dumps((place, cpus, self._pixels.file)) + first for place in range(len(devices))])
            self._gather(_START)
        except BaseException as error:
            self._end()
            if isinstance(error, OSError):  # of the system, which starts none
                raise EngineError(NOT_STARTED, [str(error)]) from error
            raise
        finally:
            os.close(store)

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [child.pid for child in self._children]

    @property
    def lost(self) -> bool:
        """Whether they have ended."""
        return self._lost is not None

    def ask(
        self, name: str, *arguments: Any, batch: Optional[Mapping[str, Array]] = None, every: bool = True
    ) -> list[Any]:
        """What each, or the first one alone, answers to a command; see `Team.ask`."""
        refuse_forked(self._owner)
        self._wait(self._settled)  # after an interrupted call they may still read the arrays
        if self._lost is not None:
            raise self._lost
        places = None if batch is None else self._pixels.write(batch)
        message = pickle.dumps((name, places, every, arguments), pickle.HIGHEST_PROTOCOL)
        with interrupts.held():  # all hear it, or none, as they wait for one another
            self._say([message] * len(self._children))
        return self._gather()

    def sum(self) -> None:
        """Add what each has given; see `Team.sum`."""
        self.ask("sums.add")

    def close(self, error: EngineError) -> None:
        """End them; this is the error of every later call."""
        self._lost = error
        self._end()

    def _start(self, place: int, cpus: int, files: tuple[int, ...]) -> None:
        settings = children.environment(OMP_NUM_THREADS=str(cpus))
        for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):  # nothing leaves this machine
            settings.setdefault(name, "lo")
        child = subprocess.Popen(  # noqa: S603 - this Python, and this package
            children.command(f"{__package__}.serving.main"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=settings,
            pass_fds=files,
        )
        self._children.append(child)
        threading.Thread(target=_listen, args=(place, child, self._answers), daemon=True).start()

    def _say(self, messages: Sequence[bytes]) -> None:
        """Send each its message; one that is gone is noticed by who listens to it."""
        self._asked += 1
        for child, message in zip(self._children, messages):
            assert child.stdin is not None  # noqa: S101 - it is a pipe
            with contextlib.suppress(OSError):
                child.stdin.write(message)
                child.stdin.flush()

    def _gather(self, seconds: Optional[float] = None) -> list[Any]:
        """The answers to the last command; not all of them where one is an error."""
        self._wait(lambda: self._settled() or bool(self._errors()), seconds)
        if any(isinstance(error, AloneError) for error in self._errors()):
            self._wait(lambda: self._settled() or not isinstance(self._errors()[0], AloneError), _GRACE)
        for error in self._errors():
            raise EngineError(error.message, error.bullets, error.hint)
        return [*self._answers.last]

    def _wait(self, done: Callable[[], bool], seconds: Optional[float] = None) -> None:
        """Wait for answers. Ctrl-C in the middle loses none, as threads of their own take them."""
        answers = self._answers
        with answers.changed:
            if self._lost is None and not answers.changed.wait_for(lambda: answers.gone or done(), seconds):
                late = [one for one, count in zip(self._names, answers.count) if count < self._asked]
                self.close(LostProcessError(LOST, [f"{', '.join(late)}: no answer within {seconds:.0f} s"]))
        if self._lost is None and answers.gone:
            self.close(LostProcessError(LOST, [self._how_ended(answers.gone[0])]))
        if self._lost is not None:
            raise self._lost

    def _settled(self) -> bool:
        """Whether nothing is waited for."""
        return all(count == self._asked for count in self._answers.count)

    def _errors(self) -> list[MxtuneError]:
        """What went wrong with the last command, causes first, and with whom."""
        found: list[MxtuneError] = []
        for name, count, said in zip(self._names, self._answers.count, self._answers.last):
            if count == self._asked and isinstance(said, MxtuneError):
                found.append(type(said)(said.message, [f"{name}: {text}" for text in said.bullets], said.hint))
        return sorted(found, key=lambda error: isinstance(error, AloneError))

    def _how_ended(self, place: int) -> str:
        child = self._children[place]
        try:
            status = child.wait(5)
        except subprocess.TimeoutExpired:  # it closed its pipe, and goes on
            status = 0
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        return f"{self._names[place]}: its process ended with {how}"


class _Answers:
    """What the processes have said: how often, and at last; and which of them are gone."""

    def __init__(self, many: int) -> None:
        self.changed = threading.Condition()
        self.count, self.last = [0] * many, [None] * many
        self.gone: list[int] = []


def _listen(place: int, child: subprocess.Popen[bytes], answers: _Answers) -> None:
    """What a thread for each process does: that of the caller could be interrupted in the middle of an answer."""
    assert child.stdout is not None  # noqa: S101 - it is a pipe
    while True:
        try:
            said = pickle.load(child.stdout)  # noqa: S301 - of our own process
        except Exception:  # noqa: BLE001 - an end in the middle of an answer can raise many
            with answers.changed:
                answers.gone.append(place)
                answers.changed.notify_all()
            child.stdout.close()
            return
        else:
            with answers.changed:
                answers.count[place] += 1
                answers.last[place] = said
                answers.changed.notify_all()


def _end(children: Sequence[subprocess.Popen[bytes]], pixels: Shared, owner: int) -> None:
    """End all at once, in the process that started them: one that was forked from it may end before."""
    if os.getpid() != owner:
        return
    for child in children:
        child.kill()
    for child in children:
        child.wait()
        with contextlib.suppress(OSError):  # what was not sent any more
            child.stdin.close()  # type: ignore[union-attr]
    pixels.close()
