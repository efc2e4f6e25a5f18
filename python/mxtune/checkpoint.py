"""A checkpoint: all that a broken training needs to go on as if nothing had happened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from .errors import CheckpointError

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
    """

    stage: int = 0
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    best_score: Optional[float] = None
    stale: int = 0
    state: dict[str, NDArray[Any]] = field(default_factory=dict)


_GROUPS = ("params", "best", "state")


class Checkpoint:
    """A file that holds the standing of one training, of these data and settings.

    Parameters
    ----------
    path
        The file; None keeps nothing.
    identity
        What must be the same to go on: by name, for an error that tells what differs.
    """

    def __init__(self, path: Union[str, os.PathLike[str], None], identity: Mapping[str, str]) -> None:
        self.path = None if path is None else Path(os.fspath(path)).expanduser().absolute()
        self._identity = dict(identity)

    def write(self, standing: Standing) -> None:
        """Keep the standing: to a temporary name, then renamed, so that an older one survives any crash."""
        if self.path is None:
            return
        from safetensors.numpy import save

        told = {name: getattr(standing, name) for name in ("stage", "epoch", "history", "best_score", "stale")}
        arrays = {f"{group}/{name}": a for group in _GROUPS for name, a in getattr(standing, group).items()}
        content = save(arrays, metadata={_KEY: json.dumps({"identity": self._identity, **told})})
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(self.path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CheckpointError(f"The checkpoint {self.path} can't be written.", [str(error)]) from error

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
            standing = Standing(**{key: value for key, value in told.items() if key != "identity"})
            for name, array in arrays.items():
                group, _, key = name.partition("/")
                getattr(standing, group)[key] = array
        except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError) as error:
            raise CheckpointError(
                f"{self.path} is no checkpoint of mxtune, or it is damaged.",
                hint="Remove it, or name another file, to start anew.",
            ) from error
        differs = [name for name, value in self._identity.items() if told.get("identity", {}).get(name) != value]
        if differs:
            raise CheckpointError(
                f"The checkpoint {self.path.name} belongs to another training.",
                [f"other {name}" for name in differs],
                "Give the same pictures and settings as before, or remove it to start anew.",
            )
        return standing
