"""``model.r``: the methods of the R package for a model of Python."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from ...errors import ArgumentError

if TYPE_CHECKING:
    from PIL.Image import Image

    from .objects import RObject

_DEVICES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".pdf": "pdf", ".svg": "svg"}


class ModelInR:
    """What the R package can do with a model; each answer comes back to Python.

    Examples
    --------
    >>> list(model.r.predict(photos, type="prob").columns[:2])
    ['.file', '.pred_class']
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def object(self) -> RObject:
        """The R object: an ``mxmodel``."""
        from ...rhost import r

        return r(self._model)

    def call(self, what: str, *arguments: Any, **named: Any) -> Any:
        """What a function of R returns for the model: ``model.r.call("mxconfusion", images)``."""
        from ...rhost import call

        return call(what, self.object, *arguments, **named)

    def predict(self, newdata: Any, **named: Any) -> Any:
        """The data frame of R's ``predict()``: ``.file``, ``.pred_class``, ``.pred_<level>``."""
        return self.call("predict", newdata, **named)

    def augment(self, data: Any, **named: Any) -> Any:
        """``data`` with R's predictions added."""
        return self.call("mxtune::augment", data, **named)

    def tidy(self) -> Any:
        """The history, a row per epoch."""
        return self.call("mxtune::tidy")

    def glance(self) -> Any:
        """One row of metrics."""
        return self.call("mxtune::glance")

    def summary(self) -> Any:
        """R's summary, which prints itself."""
        return self.call("summary")

    def plot(
        self,
        path: Union[str, os.PathLike[str], None] = None,
        kind: Optional[str] = None,
        width: float = 7,
        height: float = 5,
        **named: Any,
    ) -> Optional[Image]:
        """R's plot, written to ``path``; without a path as an image, which a notebook shows.

        Parameters
        ----------
        path
            Ends in .png, .jpg, .tif, .pdf or .svg.
        kind
            As of `mxtune.Model.plot`; of the validation, or of labelled images: ``data``.
        width, height
            Inches, at 144 dots per inch.
        **named
            Further arguments of R's ``plot()``.

        Raises
        ------
        ArgumentError
            The path has another ending.
        RError
            R can't draw it.
        """
        if path is not None:
            self._draw(Path(os.fspath(path)).expanduser(), width, height, kind=kind, **named)
            return None
        from PIL import Image

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "plot.png"
            self._draw(file, width, height, kind=kind, **named)
            with Image.open(file) as picture:
                picture.load()
                return picture

    def _draw(self, path: Path, width: float, height: float, **named: Any) -> None:
        from . import running

        device = _DEVICES.get(path.suffix.lower())
        if device is None:
            raise ArgumentError(f"`path` must end in {', '.join(_DEVICES)}.", [f"it is {path}"])
        running.run("hosted_plot", self.object, str(path), device, [float(width), float(height)], named)
