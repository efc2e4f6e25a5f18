"""`TensorBoard`: the figures of each epoch in event files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union

from ..arguments import user_path
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

    Examples
    --------
    >>> from mxtune import mxtrain
    >>> from mxtune.callbacks import TensorBoard
    >>> model = mxtrain("photos", callbacks=TensorBoard("runs/1"))  # doctest: +SKIP
    """

    def __init__(self, writer: Union[str, os.PathLike[str], Any]) -> None:
        if not hasattr(writer, "add_scalar"):
            folder = user_path("writer", writer)
            writer = needed("tensorboard.summary", "tensorboard").Writer(str(folder))
        self._writer: Any = writer

    def on_epoch(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Write the figures, where a viewer sees them at once."""
        for name, value in figures(metrics).items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()
