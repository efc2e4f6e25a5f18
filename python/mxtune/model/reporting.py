"""`Reporting`: a model as one page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

from .. import store
from ..arguments import user_path
from ..errors import ArgumentError
from .judging import refuse_unused
from .meta import CARD, checked
from .reported import Reported

PathLike = Union[str, "os.PathLike[str]"]


class Reporting(Reported):
    """What reports on a model; `Model` adds the rest."""

    def report(self, path: PathLike, x: Any = None, y: Any = None, card: Optional[Mapping[str, Any]] = None) -> Path:
        """Write a report to one HTML file; its path.

        It says in plain words how good the model is and what not to trust it for, and shows the figures behind that:
        metrics with their intervals, what is confused with what, how sure it is, the images it is most wrong about,
        how it was made, and a model card (Mitchell et al., 2019). The file needs no network and no other file, and has
        no script. The same model and images give the same bytes.

        Parameters
        ----------
        path
            Ends in ``.html`` or ``.htm``.
        x, y
            Labelled images: anything that `mximages` takes. Where the model was trained on most of them, they are
            shown beside what it remembers; others judge it, as in `evaluate`. Without any, the images of the session
            that trained are shown.
        card
            What the model card says that no file can tell: a dict with any of ``intended_use``, ``out_of_scope``,
            ``factors``, ``data``, ``ethics``, ``caveats``, ``licence``. What is not given is "not stated".

        Raises
        ------
        ArgumentError
            There are labels, but no images; ``card`` has fields that are not known; or the file has another suffix.
        LabelError
            The images have no labels, or labels that the model does not know.
        StoreError
            The file can't be written.

        Examples
        --------
        >>> import tempfile
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
        >>> model.report(f"{tempfile.mkdtemp()}/report.html").name
        'report.html'
        """
        from .page import page, subject

        file, stated = user_path("path", path), checked(card, CARD, "card")
        if file.suffix.lower() not in (".html", ".htm"):
            raise ArgumentError("The report is written as .html.", [f"it is {file.name}"], f"Use {file.stem}.html.")
        if x is None:
            refuse_unused(y=y)
        images = None if x is None else self.labelled_images(x, y, on_bad="skip")
        store.write(file, [page(subject(self, images, stated))], "the report")
        return file
