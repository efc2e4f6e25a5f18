"""Layers that a Ray cluster trains (extra ``ray``): an actor on each machine has its share of every batch."""

from __future__ import annotations

import contextlib
import os
import pickle
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np

from ... import interrupts, machine
from ...engines import Device, LostProcessError, Program
from ...engines.apart import LOST, NOT_STARTED, Seat, Told, refuse_forked, share
from ...errors import EngineError, MxtuneError
from . import on_ray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_START = 300.0  # seconds, in which all must have started
_PAUSE = 2.0  # seconds, before machines are looked for again


class Machine(NamedTuple):
    """One of a cluster; sorted they have an order that stays."""

    address: str
    cpus: int
    node: str


def machines(ray: Any) -> list[Machine]:
    """Those of the cluster that have CPUs.

    Raises
    ------
    EngineError
        There are none.
    """
    found = [
        Machine(node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0)), node["NodeID"])
        for node in ray.nodes()
        if node["Alive"]
    ]
    able = sorted(one for one in found if one.cpus)
    if not able:
        raise EngineError("No machine of the Ray cluster has CPUs.", hint="Run `ray status`, which lists them.")
    return able


class RayTeam:
    """See `mxtune.engines.parallel.team.Team`: an actor on each machine, which reserves all of its CPUs.

    What is only predicted reserves none: it is computed while the trained part waits. What is sent is pickled, as
    Ray's own arrays can't be written to; but for gradients, which go from actor to actor, and not through this process.

    Parameters
    ----------
    address
        Of the cluster.
    engine, program, precision, passes
        What each computes; see `Replicas`.
    devices
        Where each computes: its CPU.

    Raises
    ------
    EngineError
        They can't be started: CPUs are not free, for example.
    """

    def __init__(
        self, address: str, engine: str, program: Program, devices: Sequence[Device], precision: str, passes: bool
    ) -> None:
        self._ray, self._owner = on_ray.connected(address), os.getpid()
        self._names: list[str] = []
        self._actors: list[Any] = []
        self._lost: Optional[EngineError] = None
        self._end = weakref.finalize(self, _end, self._ray, self._actors, self._owner)
        deadline = time.monotonic() + _START
        try:
            while True:
                there = machines(self._ray)
                told = Told.of(engine, program, (devices[0],) * len(there), precision, passes)
                try:
                    self._hire(there, told, bool(program.trainable), max(1.0, deadline - time.monotonic()))
                except LostProcessError:  # of a machine that is gone the cluster learns a while later
                    _end(self._ray, self._actors, self._owner)
                    if time.monotonic() > deadline - _PAUSE:
                        raise
                    time.sleep(_PAUSE)
                else:
                    return
        except BaseException:
            self._end()
            raise

    @property
    def lost(self) -> bool:
        """Whether they have ended."""
        return self._lost is not None

    def ask(
        self, name: str, *arguments: Any, batch: Optional[Mapping[str, Array]] = None, every: bool = True
    ) -> list[Any]:
        """What each, or the first one alone, answers to a command; see `Team.ask`."""
        self._refuse()
        actors, many = self._actors if every else self._actors[:1], len(self._actors)

        def tell() -> list[Any]:
            told = self._ray.put(_pickled((name, arguments)))
            refs = []
            for place, actor in enumerate(actors):
                rows: tuple[Any, ...] = () if batch is None else share(batch, place, many) if every else (batch,)
                refs.append(actor.answer.remote(told, _pickled(rows)))
            return refs

        return self._answers(tell)

    def sum(self) -> None:
        """Add what each has given, each some columns, which the others send it; see `Team.sum`."""
        self._refuse()
        actors = self._actors

        def tell() -> list[Any]:
            parts = [actor.parts.options(num_returns=len(actors)).remote() for actor in actors]
            rows = parts if len(actors) > 1 else [[one] for one in parts]
            sums = [actor.added.remote(*(row[place] for row in rows)) for place, actor in enumerate(actors)]
            return [actor.take.remote(*sums) for actor in actors]

        self._answers(tell)

    def close(self, error: EngineError) -> None:
        """End them; this is the error of every later call."""
        self._lost = error
        self._end()

    def _hire(self, there: Sequence[Machine], told: Told, reserves: bool, seconds: float) -> None:
        """Start an actor on each machine, with the program."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._names = [f"worker {place + 1} on {one.address}" for place, one in enumerate(there)]

        def tell() -> list[Any]:
            kind, everything = self._ray.remote(Seated), self._ray.put(_pickled(told))
            for one in there:
                here = NodeAffinitySchedulingStrategy(one.node, soft=False)
                reserved = one.cpus if reserves else 0
                options = {"num_cpus": reserved, "max_restarts": 0, "scheduling_strategy": here}
                self._actors.append(kind.options(**options).remote())
            each = enumerate(zip(self._actors, there))
            return [actor.start.remote(everything, place, one.cpus) for place, (actor, one) in each]

        self._answers(tell, seconds)

    def _refuse(self) -> None:
        refuse_forked(self._owner)
        if self._lost is not None:
            raise self._lost

    def _answers(self, tell: Callable[[], list[Any]], seconds: Optional[float] = None) -> list[Any]:
        """What they answer, which ``tell`` gives references to; of errors the first one is raised."""
        errors, refs = self._ray.exceptions, list[Any]()
        try:
            with interrupts.held():  # all hear it, or none
                refs = tell()
            said = self._ray.get(refs, timeout=seconds)
        except errors.GetTimeoutError:
            ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
            late = [name for name, ref in zip(self._names, refs) if ref not in ready]
            hint = "They need all CPUs of their machines: `ray status` tells what has them."
            missing = [f"{name}: no answer within {_START:.0f} s" for name in late]
            raise EngineError(NOT_STARTED, missing, hint) from None
        except (errors.RayError, ConnectionError) as error:
            ended = self._ended(refs, error)
            if seconds is None:
                self.close(ended)
            raise ended from error
        answers = [pickle.loads(one) for one in said]  # noqa: S301 - of our actors
        for name, answer in zip(self._names, answers):
            if isinstance(answer, MxtuneError):
                raise EngineError(answer.message, [f"{name}: {text}" for text in answer.bullets], answer.hint)
        return answers

    def _ended(self, refs: Sequence[Any], first: Exception) -> EngineError:
        """What ended one of them, which is named: one that is gone before those that waited for something of its."""
        errors, found = self._ray.exceptions, list[tuple[str, Exception]]()
        for name, ref in zip(self._names, refs):
            try:
                if self._ray.wait([ref], timeout=0)[0]:
                    self._ray.get(ref)
            except (errors.RayError, ConnectionError) as caught:
                found.append((name, caught))
        found.sort(key=lambda one: isinstance(one[1], errors.RayTaskError))
        name, error = found[0] if found else ("the cluster", first)
        waited = isinstance(error, errors.RayTaskError)
        while isinstance(error, errors.RayTaskError) and isinstance(error.cause, Exception):
            error = error.cause
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        if getattr(error, "actor_init_failed", False):
            return EngineError(NOT_STARTED, [f"{name}: {lines[-1]}"])
        if waited and not isinstance(error, errors.RayError):
            return EngineError("A process of the training has failed.", [f"{name}: {type(error).__name__}: {lines[0]}"])
        return LostProcessError(LOST, [f"{name}: {lines[0].rstrip('.')}"])


class Seated:
    """What runs in the actor."""

    def start(self, told: bytes, place: int, cpus: int) -> bytes:
        """Make the network ready, on so many CPUs: nothing, or the error that says why it can't be."""
        machine.share(cpus)
        os.environ["OMP_NUM_THREADS"] = str(machine.usable_cpus())  # Ray's is 1 where no CPU is reserved
        try:
            self._seat = Seat(pickle.loads(told), place)  # noqa: S301 - of the process that started this one
        except EngineError as error:
            return _pickled(error)
        return _pickled(None)

    def answer(self, told: bytes, rows: bytes) -> bytes:
        """What a command gives."""
        name, arguments = pickle.loads(told)  # noqa: S301
        return _pickled(self._seat.answer(name, *pickle.loads(rows), *arguments))  # noqa: S301

    def parts(self) -> Any:
        """What this process has given to its sums, a part for each process; of one alone the only part."""
        parts = self._seat.replica.sums.parts()
        return parts if len(parts) > 1 else parts[0]

    def added(self, *parts: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum of what all have given for this process."""
        sums: NDArray[np.float32] = self._seat.replica.sums.added(parts)
        return sums

    def take(self, *sums: NDArray[np.float32]) -> bytes:
        """Take the sums of all."""
        self._seat.replica.sums.take(sums)
        return _pickled(None)


def _pickled(what: Any) -> bytes:
    return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)


def _end(ray: Any, actors: list[Any], owner: int) -> None:
    """End all at once, in the process that started them."""
    if os.getpid() != owner:
        return
    while actors:
        actor = actors.pop()
        with contextlib.suppress(Exception):  # the cluster may be gone
            if ray.is_initialized():
                ray.kill(actor)
