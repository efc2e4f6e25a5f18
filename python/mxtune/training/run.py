"""`Run`: one training run through its phases, whatever ends it."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import numpy as np

from .. import calls, interrupts, progress
from ..engines import LostProcessError
from ..errors import MxtuneError, TrainingError, TrainingWarning
from ..images.findings import kept_back, warn
from ..model.memory import Memory
from ..model.model import Model
from ..model.saving import versions
from ..network import Network
from .budget import Budget, OutOfTimeError, Watching
from .callbacks import AnyCallback, notify, told
from .features import Cache
from .phase import Phase
from .phases import LayerTraining, train_head
from .problem import Problem
from .remember import after_layers
from .state import Checkpoint, TrainingState

_AGAIN = 3  # times an epoch may begin anew


def interruption(watch: interrupts.Watch, early: bool = False) -> Optional[TrainingWarning]:
    """What is said, once, of signals that ended the training early, or came later; None where there were none."""
    if not early and len(watch.received) == watch.told:
        return None
    watch.told = len(watch.received)
    by = " by SIGTERM" if signal.SIGTERM in watch.received else ""
    if early:
        return TrainingWarning(f"The training was interrupted{by}: this is the best model so far.")
    return TrainingWarning(f"The training was interrupted{by} when its last epoch was over: this is the whole model.")


def _repeated(training: LayerTraining, epoch: int, before: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an epoch, which begins anew where a process was lost: it depends on nothing but the state before."""
    for _ in range(_AGAIN):
        try:
            return training.epoch(epoch)
        except LostProcessError as lost:
            text = f"{lost.message[:-1]} ({'; '.join(lost.bullets)}): others take over, and the epoch begins anew."
            progress.current().event("message", text=text)
            training.restore(before)
    return training.epoch(epoch)


class Run:
    """One training run through its phases."""

    remembers = True  # whether the model is to remember its training images: those of folds need not

    def __init__(
        self,
        network: Network,
        problem: Problem,
        phases: Sequence[Phase],
        settings: dict[str, Any],
        checkpoint: Checkpoint,
        callbacks: list[AnyCallback],
        cache: Cache = None,
        budget: Optional[Budget] = None,
    ) -> None:
        self._network, self._problem, self._phases = network, problem, phases
        self._settings, self._checkpoint, self._callbacks = settings, checkpoint, callbacks
        self._cache, self._resembling, self._budget = cache, problem.resembling, budget
        self._state = TrainingState()
        self._trained = self.was_interrupted = False

    def resume(self) -> None:
        """Go on from the checkpoint, where there is one."""
        self._state = self._checkpoint.read() or TrainingState()
        self._set(self._state.params)
        self._trained = bool(self._state.history)

    def through(self) -> Model:
        """All phases, then the model. Whatever ends the training early, what was learned is not lost.

        Warnings come last; they, and whatever else comes after the training, carry the model.
        """
        with interrupts.watching() as watch, progress.using(interrupts.Checking(progress.current(), watch)):
            interrupted = self.was_interrupted = self._learn(watch)
            with watch.finishing():
                return self._finished(interrupted, watch)

    def _learn(self, watch: interrupts.Watch) -> bool:
        """All phases; whether they were interrupted."""
        try:
            if self._trained:
                watch.at_stake()
            with told(self._callbacks, self._settings, self._state.history):
                while self._state.phase < len(self._phases) and not self._state.stopped:
                    if not self._timed(self._state.phase):
                        break
        except KeyboardInterrupt as stop:
            if not self._trained:
                raise
            if len(watch.received) > 1:
                stop.model = self._model()  # type: ignore[attr-defined]
                raise
            return True
        except MxtuneError as error:
            if not self._trained:
                raise
            if isinstance(error, TrainingError):
                self._attach_model(error)
                raise
            ended = TrainingError(f"Training could not continue. {error.message}", error.bullets, error.hint)
            self._attach_model(ended)
            raise ended from error
        return False

    def _timed(self, number: int) -> bool:
        """Run a phase, within the budget where there is one; False if that is over."""
        budget, phase = self._budget, self._phases[number]
        if budget is None:
            self._run(number, self._cache)
            return True
        start = time.monotonic()
        watched = Watching(progress.current(), budget, lambda: self._trained)
        try:
            with progress.using(watched):
                self._run(number, self._cache)
        except OutOfTimeError:
            text = f"`time_budget` is over: the phase {phase.name} ended early, with the best model so far."
            progress.current().event("message", text=text)
            return False
        finally:
            budget.spent[phase.name] = time.monotonic() - start
            self._settings["time_budget"] = budget.to_dict()
        return True

    def _finished(self, interrupted: bool, watch: interrupts.Watch) -> Model:
        """The model, measured."""
        model = self._model()
        try:
            with kept_back() as found:
                try:
                    images = self._problem.train.images
                    unseen = self._state.unseen
                    if unseen:
                        parts = {part: unseen[part] for part in ("outputs", "fold", "group")}
                        model = model.cross_validated(images, float(unseen["temperature"][0]), **parts)
                    else:
                        model = model.measured(images, self._problem.validation, self._resembling)
                    model.validation = replace(model.validation, before=self._problem.before)
                    self._remember(model)
                except MxtuneError as error:
                    warn(TrainingWarning(f"The model can't be measured. {error.message}", error.bullets, error.hint))
            said = interruption(watch, early=interrupted)
            if said is not None:
                found.insert(0, said)
            for warning in found:
                warning.model = model
                warn(warning)
        except BaseException as error:  # a second Ctrl-C, or a warning that is an error
            error.model = model  # type: ignore[attr-defined]
            raise
        return model

    def _remember(self, model: Model) -> None:
        """What the model is to remember of its training images: kept by the head, or computed by trained layers."""
        problem, kept = self._problem, self._state.memory
        if kept:
            features = model.network.body.shapes[model.network.body.output][0][1]
            model.memory = Memory.from_arrays(kept, problem.task.name, problem.task.outputs, features)
        elif self.remembers and (
            len(self._state.history) > 1 or self._phases[0].name != "head" or not self.was_interrupted
        ):
            unseen = np.arange(0 if problem.validation is None else len(problem.validation))
            unseen = unseen if self._resembling is None else unseen[~self._resembling]
            after_layers(model, problem.train, problem.validation, unseen, len(self._state.history), problem.seed)

    def _attach_model(self, error: TrainingError) -> None:
        """The best model so far, to whoever catches the error."""
        error.model = self._model()
        if not calls.at_command_line():
            error.hint = " ".join(filter(None, [error.hint, "This error's `model` is the best model so far."]))

    def _run(self, number: int, cache: Cache) -> None:
        state, phase = self._state, self._phases[number]
        if phase.name == "head":
            alone = self.remembers and len(self._phases) == 1
            self._network, row, interrupted, state.unseen, state.memory = train_head(
                self._network, self._problem, phase, cache, remembers=alone
            )
            self._trained = True
            self._record(phase, row)
            if interrupted:
                raise KeyboardInterrupt
            state.best_loss = row.get("valid_loss")
        else:
            self._layers(number, phase)
        state.params = {name: array for name, array in self._network.params.items() if name in self._changed(number)}
        state.phase, state.epoch, state.executor, state.epochs_without_improvement = number + 1, 0, {}, 0
        state.best = {}
        self._checkpoint.write(state)

    def _layers(self, number: int, phase: Phase) -> None:
        interrupts.at_stake()
        state = self._state
        training = LayerTraining(self._network, self._problem, phase, number)
        if state.executor:
            training.restore(state.executor)
        before = state.executor or training.state()
        try:
            while state.epoch < phase.epochs and not self._ended(phase):
                row = _repeated(training, state.epoch, before)
                if state.improved(row):
                    state.best, state.best_loss = training.parameters(), row.get("valid_loss")
                    state.epochs_without_improvement = 0
                else:
                    state.epochs_without_improvement += 1
                self._trained = True
                state.epoch, state.executor = state.epoch + 1, training.state()
                before = state.executor
                self._record(phase, row)
                self._checkpoint.write(state)
        except KeyboardInterrupt:
            if not self._trained:  # nothing was measured yet: the present network is the best
                state.best, self._trained = training.parameters(), True
            raise
        finally:
            with interrupts.held():
                self._keep(training)
        if number and self._settings["restore_best"]:
            self._tell_what_is_kept(phase)

    def _tell_what_is_kept(self, phase: Phase) -> None:
        """What a phase gave, compared with the one before; the lower validation loss decides, as for epochs."""
        rows = [row for row in self._state.history if row.get("valid_loss") is not None]
        mine = [row for row in rows if row["stage"] == phase.name]
        others = [row for row in rows if row["stage"] != phase.name]
        if not mine or not others:
            return
        before, after = (min(part, key=lambda row: row["valid_loss"]) for part in (others, mine))
        name = self._problem.task.primary_metric
        figures = "validation loss {:.3g} -> {:.3g}, {} {:.3g} -> {:.3g}".format(
            before["valid_loss"], after["valid_loss"], name, before[f"valid_{name}"], after[f"valid_{name}"]
        )
        tried = "all layers" if phase.name == "all" else "the last layers"
        verdict = f"Kept the model with {tried} trained" if self._state.best else f"Kept the {before['stage']}'s model"
        text = f"Also tried training {tried}: {figures}. {verdict}: the lower validation loss decides."
        progress.current().event("message", text=text)

    def _ended(self, phase: Phase) -> bool:
        state = self._state
        return state.stopped or bool(phase.patience and state.epochs_without_improvement >= phase.patience)

    def _keep(self, training: LayerTraining) -> None:
        """Take the weights of the best epoch, or of the last complete one if that is asked for."""
        state = self._state
        last = state.executor and not self._settings["restore_best"]
        self._set(training.parameters(state.executor) if last else state.best)

    def _set(self, params: Mapping[str, Any]) -> None:
        if params:
            self._network = replace(self._network, params={**self._network.params, **params})

    def _changed(self, number: int) -> set[str]:
        """The parameters that phases up to this one may have changed."""
        head = {f"{self._network.classifier}_weight", f"{self._network.classifier}_bias"}
        return head if self._phases[number].name == "head" else set(self._network.params)

    def _record(self, phase: Phase, row: dict[str, Any]) -> None:
        self._state.history.append(row)
        figures = {name: value for name, value in row.items() if isinstance(value, float) and name != "lr"}
        progress.current().event("epoch", stage=phase.name, epoch=row["epoch"], epochs=phase.epochs, metrics=figures)
        self._state.stopped = not notify(self._callbacks, "on_epoch", row["epoch"], dict(row))

    def _model(self) -> Model:
        """The network as it is now, not measured."""
        task, provenance, int8 = self._problem.task, dict(self._network.provenance), self._problem.int8
        if int8 is not None:
            layer = (self._network.params[f"{self._network.classifier}_{part}"] for part in ("weight", "bias"))
            int8 = int8.under(*layer)
        if not self._network.pretrained:
            provenance["source"] = f"mxtune, from {provenance.get('source', 'initial values')}"
        return Model(
            network=replace(
                self._network, provenance=provenance, levels=task.levels or None, frozen=frozenset(), pretrained=True
            ),
            task=task.name,
            levels=task.levels,
            history=self._state.history,
            settings=self._settings,
            label_type=task.label_type,
            versions=versions(self._problem.target.engine),
            quantised=int8,
        ).bound_to(self._problem.target)
