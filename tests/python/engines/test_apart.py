"""Processes that share no memory learn what one learns: here they are seats of one process; of Ray: `make cluster`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lockstep import BATCH, CROSS, LABELS, equal, lenet, steps, with_moving_statistics
from mxtune import engines
from mxtune.engines import LostProcessError, Program
from mxtune.engines.devices import CPU
from mxtune.engines.parallel.seat import Seat
from mxtune.engines.parallel.told import Told, share
from mxtune.errors import EngineError, MxtuneError
from mxtune.tasks.losses import CrossEntropy

RNG = np.random.default_rng(6)


class Three:
    """Three seats in this process, between which gradients are sent as a cluster does."""

    def __init__(self, engine: str, program: Program, devices: Any, precision: str, passes: bool) -> None:
        told = Told.of(engine, program, (devices[0],) * 3, precision, passes)
        self.seats = [Seat(told, place) for place in range(3)]
        self.gone, self.ended = False, list[EngineError]()

    @property
    def lost(self) -> bool:
        return bool(self.ended)

    def ask(self, name: str, *arguments: Any, batch: Any = None, every: bool = True) -> list[Any]:
        if self.gone:
            self.close(LostProcessError("A process of the training was lost."))
        if self.lost:
            raise self.ended[0]
        answers = []
        for place, seat in enumerate(self.seats if every else self.seats[:1]):
            rows: tuple[Any, ...] = () if batch is None else share(batch, place, 3) if every else (batch,)
            answers.append(seat.answer(name, *rows, *arguments))
        for answer in answers:
            if isinstance(answer, MxtuneError):
                raise answer
        return answers

    def sum(self) -> None:
        sums = [seat.replica.sums for seat in self.seats]
        parts = [[part.copy() for part in one.parts()] for one in sums]
        added = [one.added([row[place] for row in parts]) for place, one in enumerate(sums)]
        for one in sums:
            one.take(added)

    def close(self, error: EngineError) -> None:
        self.ended.append(error)


@pytest.fixture(params=engines.installed())
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    return engines.get(request.param)


def test_three_learn_what_one_learns_and_the_same_bytes_each_time(engine: Any) -> None:
    three, alone = engine.replicate(lenet(), CPU, "float32", True, Three), engine.bind(lenet(), CPU)
    beginning = three.state()
    assert steps(three) == pytest.approx(steps(alone), rel=1e-5)
    equal(three.state(), alone.state())
    assert three.parameters().keys() == lenet().trainable
    for rows in (7, 1):
        np.testing.assert_allclose(three.predict(BATCH[:rows]), alone.predict(BATCH[:rows]), atol=1e-4)
    first = three.state()
    three.restore(beginning)
    steps(three)
    equal(three.state(), first, 0)
    for seat in three._processes.seats:
        equal(seat.replica.state(), first, 0)


def test_there_may_be_fewer_rows_than_processes(engine: Any) -> None:
    three, alone = engine.replicate(lenet(), CPU, "float32", True, Three), engine.bind(lenet(), CPU)
    for rows in (2, 1):
        assert steps(three, rows) == pytest.approx(steps(alone, rows), rel=1e-4)
    equal(three.state(), alone.state(), 2e-4)  # AdamW makes steps of what only rounding gives


def test_a_loss_that_is_no_number_changes_nothing_and_an_error_of_one_ends_all(engine: Any) -> None:
    three = engine.replicate(lenet(), CPU, "float32", True, Three)
    assert np.isnan(three.step(BATCH, LABELS, np.full(7, np.nan), CROSS, 0.1))
    equal(three.parameters(), dict(lenet().params), 0)
    with pytest.raises(EngineError, match="no gradient with respect to images of 8 bits"):
        three.gradient(BATCH, np.ones((7, 5), "float32"))
    assert not three._processes.lost
    assert np.isfinite(steps(three)).all()


def test_statistics_become_the_mean_of_what_each_share_moves_them_to(engine: Any) -> None:
    program = with_moving_statistics(RNG)
    three, parts = engine.replicate(program, CPU, "float32", True, Three), [engine.bind(program, CPU) for _ in "123"]
    batch = RNG.normal(size=(6, 3, 8, 8)).astype("float32")
    three.step(batch, LABELS[:6], np.ones(6), CrossEntropy(5), 1e-3)
    for place, part in enumerate(parts):
        rows = slice(2 * place, 2 * place + 2)
        part.step(batch[rows], LABELS[rows], np.ones(2), CrossEntropy(5), 1e-3)
    for name in program.graph.auxiliary:
        expected = np.mean([part.parameters()[name] for part in parts], axis=0)
        np.testing.assert_allclose(three.parameters()[name], expected, rtol=1e-5, err_msg=name)
        assert not np.allclose(parts[0].parameters()[name], expected)


def test_a_loss_that_is_noticed_only_when_a_state_is_restored_is_none(engine: Any) -> None:
    """A machine that is lost takes the frozen part along, which nobody has asked since."""
    three = engine.replicate(lenet(), CPU, "float32", True, Three)
    steps(three)
    state = three.state()
    three._processes.gone = True
    three.restore(state)
    assert not three._processes.lost
    equal(three.state(), state, 0)
