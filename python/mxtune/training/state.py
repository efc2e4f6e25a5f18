"""A checkpoint: all that an interrupted training run needs to resume as if nothing had happened."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

from .. import store
from ..arguments import user_path
from ..errors import ArgumentError, CheckpointError
from ..formats.safetensors import bytes_of
from ..network.values import faults
from ..words import bullets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

_KEY = "mxtune_checkpoint"
_ANEW = "Remove it, or use another file, to start again."
_VERSION = 2  # of the file; 1 had no number, and other names


@dataclass
class TrainingState:
    """The state of a training run after an epoch of one of its phases.

    Parameters
    ----------
    phase, epoch
        The phase under way, from 0, and how many of its epochs are done.
    history
        A row for each epoch.
    params
        The network's parameters when the phase began, where they differ from those at the start.
    best, best_loss
        Parameters with the lowest validation loss, and that loss.
    epochs_without_improvement
        Epochs since then.
    executor
        What `Executor.state` gave after the last epoch.
    unseen
        What heads that had not seen an image say of it: the arrays of `CrossValidated`.
    memory
        What the model is to remember of its training images: the arrays of `Memory`.
    stopped
        Whether a callback has ended the training.
    """

    phase: int = 0
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best_loss: Optional[float] = None
    epochs_without_improvement: int = 0
    executor: dict[str, NDArray[Any]] = field(default_factory=dict)
    unseen: dict[str, NDArray[Any]] = field(default_factory=dict)
    memory: dict[str, NDArray[Any]] = field(default_factory=dict)
    stopped: bool = False

    def improved(self, row: Mapping[str, Any]) -> bool:
        """Whether an epoch has the lowest validation loss so far; without validation each one is the best yet."""
        loss = row.get("valid_loss")
        return loss is None or self.best_loss is None or loss < self.best_loss


_GROUPS = ("params", "best", "executor", "unseen", "memory")
_KINDS: dict[str, Any] = {
    "phase": int,
    "epoch": int,
    "history": list,
    "best_loss": (float, type(None)),
    "epochs_without_improvement": int,
    "stopped": bool,
}


class Checkpoint:
    """A file with the state of one training run, with these data and settings.

    Parameters
    ----------
    path
        The file; None keeps nothing.
    identity
        What must be the same to resume, by name: the error names what differs.

    Raises
    ------
    ArgumentError
        There is no folder for the file.
    """

    def __init__(self, path: Union[str, os.PathLike[str], None], identity: Mapping[str, str]) -> None:
        self.path = None if path is None else user_path("checkpoint", path).absolute()
        if self.path is not None and (self.path.is_dir() or not self.path.parent.is_dir()):
            raise ArgumentError("`checkpoint` must be a file in a folder that exists.", [f"it is {self.path}"])
        self._identity = dict(identity)

    def write(self, state: TrainingState) -> None:
        """Keep the state; an older one survives any crash.

        Raises
        ------
        StoreError
            The file can't be written.
        """
        if self.path is None:
            return
        facts = {name: getattr(state, name) for name in _KINDS}
        arrays = {f"{group}/{name}": a for group in _GROUPS for name, a in getattr(state, group).items()}
        facts |= {"version": _VERSION, "identity": self._identity}
        facts["sum"] = _checksum(facts, arrays)
        store.write(self.path, [bytes_of(arrays, {_KEY: json.dumps(facts)})], "the checkpoint")

    def read(self) -> Optional[TrainingState]:
        """The state to resume from, or None where there is no checkpoint yet.

        Raises
        ------
        CheckpointError
            The file is not a checkpoint, is damaged, was written by another version, is of other data or settings, or
            has numbers that are not finite.
        """
        if self.path is None or not self.path.exists():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {})[_KEY])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if facts.pop("sum") != _checksum(facts, arrays):
                raise ValueError("something in it has changed")
            version = facts.get("version", 1)
            if version == _VERSION:
                state = _state_of(facts, arrays)
        except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError, RecursionError) as error:
            raise CheckpointError(f"{self.path} is not an mxtune checkpoint, or is damaged.", hint=_ANEW) from error
        if version != _VERSION:
            raise CheckpointError(f"Another mxtune version wrote the checkpoint {self.path.name}.", hint=_ANEW)
        before = facts["identity"] if isinstance(facts.get("identity"), dict) else {}
        differs = [name for name, value in self._identity.items() if before.get(name) != value]
        if differs:
            raise CheckpointError(
                f"The checkpoint {self.path.name} belongs to another training run.",
                [f"different {name}" for name in differs],
                "Use the same images and settings as before, or remove it to start again.",
            )
        if wrong := [line for group in _GROUPS for line in faults(getattr(state, group))]:
            raise CheckpointError(f"The checkpoint {self.path.name} has unusable numbers.", bullets(wrong, 8), _ANEW)
        return state


def _state_of(facts: Mapping[str, Any], arrays: Arrays) -> TrainingState:
    """Raises ValueError, KeyError or AttributeError for what no state has."""
    if not all(isinstance(facts[key], kind) for key, kind in _KINDS.items()):
        raise ValueError("something in it is of another type")
    state = TrainingState(**{key: facts[key] for key in _KINDS})
    for name, array in arrays.items():
        group, _, key = name.partition("/")
        getattr(state, group)[key] = array
    return state


def _checksum(facts: Mapping[str, Any], arrays: Arrays) -> int:
    """Over all of it: safetensors itself has none."""
    checksum = zlib.crc32(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        checksum = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), checksum))
    return checksum
