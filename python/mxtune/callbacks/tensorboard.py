"""`TensorBoard`: the figures of each epoch in event files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Union

from ..arguments import user_path
from ..store import make_folder
from ..training import Callback
from .figures import figures, needed


class TensorBoard(Callback):
    """Writes each epoch's figures for TensorBoard (package ``tensorboard``): ``tensorboard --logdir runs``.

    Parameters
    ----------
    writer
        The folder of this run, which is made; or a writer that is open already: an object with ``add_scalar`` and
        ``flush``, such as PyTorch's ``SummaryWriter``.

    Raises
    ------
    MxtuneError
        TensorBoard is not installed.
    ArgumentError
        `writer` is neither.
    StoreError
        The folder can't be made.

    Examples
    --------
    >>> from mxtune import mxtrain
    >>> from mxtune.callbacks import TensorBoard
    >>> model = mxtrain("photos", callbacks=TensorBoard("runs/1"))  # doctest: +SKIP
    """

    def __init__(self, writer: Union[str, os.PathLike[str], Any]) -> None:
        self._writer: Any = writer if hasattr(writer, "add_scalar") and not isinstance(writer, type) else None
        self._folder = None
        if self._writer is None:
            folder = user_path("writer", writer)
            needed("tensorboard.summary", "tensorboard")
            self._folder = make_folder(folder)

    def on_start(self, settings: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Open a writer, where there is none yet; one that is open can't be copied or pickled."""
        if self._folder is not None:
            self._writer = needed("tensorboard.summary", "tensorboard").Writer(str(self._folder))

    def on_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Write the figures, where a viewer sees them at once."""
        for name, value in figures(metrics).items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def on_end(self, history: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002
        """Close the writer, if this opened it."""
        if self._folder is not None and self._writer is not None:
            self._writer.close()
            self._writer = None
