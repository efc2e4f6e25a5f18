"""A checkpoint: all that a broken training needs to go on as if nothing had happened."""

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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

_KEY = "mxtune_checkpoint"


@dataclass
class Standing:
    """Where a training stands: after which epoch of which stage, with what.

    Parameters
    ----------
    stage, epoch
        The stage under way, from 0, and how many of its epochs are done.
    history
        A row for each epoch.
    params
        What the network had when the stage began, where that differs from the network at the start.
    best, best_score
        Parameters with the lowest validation loss, and that loss.
    stale
        Epochs since then.
    state
        What the executor needs.
    over
        Whether a callback has ended the training.
    """

    stage: int = 0
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best_score: Optional[float] = None
    stale: int = 0
    state: dict[str, NDArray[Any]] = field(default_factory=dict)
    over: bool = False


_GROUPS = ("params", "best", "state")
_KINDS: dict[str, Any] = {
    "stage": int,
    "epoch": int,
    "history": list,
    "best_score": (float, type(None)),
    "stale": int,
    "over": bool,
}


class Checkpoint:
    """A file that holds the standing of one training, of these data and settings.

    Parameters
    ----------
    path
        The file; None keeps nothing.
    identity
        What must be the same to go on: by name, for an error that tells what differs.

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

    def write(self, standing: Standing) -> None:
        """Keep the standing; an older one survives any crash.

        Raises
        ------
        StoreError
            The file can't be written.
        """
        if self.path is None:
            return
        from safetensors.numpy import save

        told = {name: getattr(standing, name) for name in _KINDS}
        arrays = {f"{group}/{name}": a for group in _GROUPS for name, a in getattr(standing, group).items()}
        told["identity"] = self._identity
        told["sum"] = _sum(told, arrays)
        store.write(self.path, [save(arrays, metadata={_KEY: json.dumps(told)})], "the checkpoint")

    def read(self) -> Optional[Standing]:
        """The standing to go on from, or None where there is no checkpoint yet.

        Raises
        ------
        CheckpointError
            The file is no checkpoint, is damaged, or is one of other data or settings.
        """
        if self.path is None or not self.path.exists():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="numpy") as file:
                told = json.loads((file.metadata() or {})[_KEY])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            typed = all(isinstance(told[key], kind) for key, kind in _KINDS.items())
            if told.pop("sum") != _sum(told, arrays) or not typed:
                raise ValueError("something in it has changed")
            standing = Standing(**{key: told[key] for key in _KINDS})
            for name, array in arrays.items():
                group, _, key = name.partition("/")
                getattr(standing, group)[key] = array
        except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError) as error:
            raise CheckpointError(
                f"{self.path} is no checkpoint of mxtune, or it is damaged.",
                hint="Remove it, or name another file, to start anew.",
            ) from error
        before = told["identity"] if isinstance(told.get("identity"), dict) else {}
        differs = [name for name, value in self._identity.items() if before.get(name) != value]
        if differs:
            raise CheckpointError(
                f"The checkpoint {self.path.name} belongs to another training.",
                [f"other {name}" for name in differs],
                "Give the same pictures and settings as before, or remove it to start anew.",
            )
        return standing


def _sum(told: Mapping[str, Any], arrays: Arrays) -> int:
    """A checksum over all of it: safetensors itself has none."""
    found = zlib.crc32(json.dumps(told, sort_keys=True).encode())
    for name in sorted(arrays):
        found = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), found))
    return found
