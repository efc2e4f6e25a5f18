"""What can go wrong, a class for each thing a caller could handle.

R has a condition class of the same name in snake case (``PictureError`` is ``mxtune_picture_error``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional


def _compose(message: str, bullets: Sequence[str], hint: Optional[str]) -> str:
    lines = [message, *(f"x {bullet}" for bullet in bullets)]
    if hint:
        lines.append(f"i {hint}")
    return "\n".join(lines)


class _Told(Exception):  # noqa: N818 - warnings have it too
    """A message in our form: what is wrong, each thing by name, how to fix it."""

    def __init__(self, message: str, bullets: Sequence[str] = (), hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.bullets = tuple(bullets)
        self.hint = hint

    def __str__(self) -> str:
        return _compose(self.message, self.bullets, self.hint)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.bullets, self.hint), self.__dict__


class MxtuneError(_Told):
    """The base of every error of this package."""


class ArgumentError(MxtuneError, ValueError):
    """An argument has a value that can't be used."""


class PictureError(MxtuneError):
    """Images can't be read; ``files`` holds ``(name, reason)`` of each."""

    files: tuple[tuple[str, str], ...] = ()


class LabelError(MxtuneError, ValueError):
    """Labels are missing, unknown, or do not fit the images or the model."""


class NetworkError(MxtuneError):
    """A network is unknown, or an edit of it is impossible."""


class WeightsError(NetworkError):
    """Weights are missing, damaged, or do not fit the network."""


class MissingFileError(WeightsError):
    """There is no file of this name to read a network or weights from."""


class FormatError(WeightsError):
    """A file is of an unknown format."""


class UnsupportedFormatError(FormatError):
    """A file is of a format that is deliberately not read; the hint says what to do instead."""


class HubError(NetworkError):
    """A repository of the Hugging Face hub can't be opened: the name, the network, or a right to it is missing."""


class ModelFileError(MxtuneError):
    """A model file is damaged, hostile, too new, or not a model at all."""


class CheckpointError(MxtuneError):
    """A checkpoint can't be resumed: damaged, or of other data or settings."""


class StoreError(MxtuneError, OSError):
    """A file can't be written: a full disk, a missing folder, no permission."""


class TrainingError(MxtuneError):
    """Training can't start or go on, for example because the loss is not a number.

    ``model`` holds the best model so far, not evaluated; or None, where nothing was learned yet.
    """

    model: Any = None


class EngineError(MxtuneError, RuntimeError):
    """MXNet, or PyTorch in its place, is missing or can't be loaded."""


class DeviceError(EngineError):
    """The device asked for can't be used."""


class MxtuneWarning(_Told, UserWarning):
    """The base of every warning of this package.

    ``model`` is the trained model, in a warning of `mxtrain` that comes when the training has ended: it is not lost
    where warnings are errors.
    """

    model: Any = None


class PictureWarning(MxtuneWarning):
    """Images were left out, or look doubtful; ``files`` holds ``(name, reason)`` of each that can't be read."""

    files: tuple[tuple[str, str], ...] = ()


class LabelWarning(MxtuneWarning):
    """Labels look doubtful: a class with few images, a level without any."""


class TrainingWarning(MxtuneWarning):
    """Training ended early or did less than was asked."""


class RHostError(MxtuneError, RuntimeError):
    """R can't be used in this process, thread or moment; or a value has no place in the other language."""


class RError(MxtuneError):
    """R stopped: ``text`` is R's message, ``call`` where it stopped, ``classes`` those of its condition."""

    text: str = ""
    call: str = ""
    classes: tuple[str, ...] = ()


class RQuitError(RError):
    """R code called ``quit()``, which ends the code and leaves R as it is; ``status`` is what it asked for."""

    status: int = 0


class RWarning(MxtuneWarning):
    """R warned; ``text``, ``call`` and ``classes`` as in `RError`."""

    text: str = ""
    call: str = ""
    classes: tuple[str, ...] = ()
