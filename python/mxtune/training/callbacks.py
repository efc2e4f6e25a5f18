"""Callbacks: they can observe a training run, and end it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Union, cast

from ..calls import in_r, value_text
from ..errors import ArgumentError, TrainingError


class Callback:
    """Observes a training run; override the methods you need.

    Examples
    --------
    >>> class StopAtOne(Callback):
    ...     def on_epoch(self, epoch, metrics):
    ...         return metrics["train_loss"] > 1  # False ends the training
    >>> StopAtOne().on_epoch(1, {"train_loss": 0.5})
    False
    """

    def on_start(self, settings: Mapping[str, Any]) -> Any:
        """Before the first phase; ``settings`` are those that the model keeps."""

    def on_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> Any:
        """After an epoch, counted from 1 in each phase; ``metrics`` is its row of the history.

        Returning False ends the training with the best model so far.
        """

    def on_end(self, history: Sequence[Mapping[str, Any]]) -> Any:
        """When the training is over, whatever ended it: also an error or Ctrl-C, after which errors of its own pass."""


AnyCallback = Union[Callback, Callable[[int, Mapping[str, Any]], Any]]


def as_list(callbacks: Union[AnyCallback, Sequence[AnyCallback], None]) -> list[AnyCallback]:
    """One callback or several as a list.

    Raises
    ------
    ArgumentError
        Something in it is neither a Callback nor a function of epoch and metrics.
    """
    if callbacks is None:
        return []
    listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    wrong = [
        f"{one.__name__} is a class: {one.__name__}(...) is a callback"
        if isinstance(one, type)
        else f"{value_text(one)} is neither"
        for one in listed
        if isinstance(one, type) or (not callable(one) and not hasattr(one, "on_epoch"))
    ]
    if wrong:
        objects = "" if in_r() else "Callback objects, or "
        raise ArgumentError(f"`callbacks` must be {objects}functions of epoch and metrics.", wrong)
    return cast("list[AnyCallback]", listed)


@contextlib.contextmanager
def told(
    callbacks: Sequence[AnyCallback], settings: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> Iterator[None]:
    """Inside a training runs: callbacks are told of its start, and of its end, so that what they open is closed.

    Raises
    ------
    TrainingError
        A callback failed; its own error is the cause.
    """
    try:
        notify(callbacks, "on_start", settings)
        yield
    except BaseException:  # which is what is to be told
        for callback in callbacks:
            with contextlib.suppress(TrainingError):
                notify([callback], "on_end", history)
        raise
    notify(callbacks, "on_end", history)


def notify(callbacks: Sequence[AnyCallback], station: str, *arguments: Any) -> bool:
    """Call each callback's ``station``; False if one of them asked for the end.

    Raises
    ------
    TrainingError
        A callback failed; its own error is the cause.
    """
    go_on = True
    for callback in callbacks:
        function = getattr(callback, station, None)
        if function is None and station == "on_epoch":
            function = callback
        if function is None:
            continue
        try:
            answer = function(*arguments)
        except Exception as error:
            name = getattr(callback, "__name__", type(callback).__name__)
            raise TrainingError(
                f"The callback {name} failed in {station}.", [f"{type(error).__name__}: {error}"]
            ) from error
        go_on = go_on and not (answer is False or (hasattr(answer, "item") and answer.item() is False))
    return go_on
