"""`Explanation`: where the evidence for answers lies, as numbers, as a table and as pictures."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from .. import store
from ..arguments import user_path
from ..calls import option
from ..errors import ArgumentError
from ..images import ImageSet
from ..images.positions import positions
from ..images.preprocess import Preprocess
from ..words import bullets, counted, listing, shape_text
from . import overlay
from .landing import Span, blurred, spread

if TYPE_CHECKING:
    import pandas as pd
    import PIL.Image
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

PathLike = Union[str, "os.PathLike[str]"]
_BLUR = 60  # an overlay is this many times as wide as the blur of the evidence on it
_MOST = 12  # pictures of a plot


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Where the evidence for answers lies; `Model.explain` makes one.

    Parameters
    ----------
    images
        That were explained.
    rows
        For each line of `table` the position of its image.
    views
        For each line the evidence in what the network takes in, (H, W) float32; None for an image that can't be read.
    table
        A line for each image and label: ``file, label``; ``logit`` (of numbers their prediction), and for classes
        ``prob``; ``stage_1`` ..., what the places of each stage add to it, the finest stage first; and ``rest``, what
        no place adds: for an exact explanation the same for all images. All but the probability add up to
        the logit.
    layers
        Of the stages.
    exact
        Whether each place's share of the logit is told; otherwise it is Grad-CAM's estimate.
    centred
        Whether places are told as differences from the average training image, for which the answer is the rest.
    against
        The class that the evidence is weighed against, or None.
    baseline
        For each line what an answer is compared with where it is drawn: 0, or of numbers the average of those known.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> photos = mxexample("fashion")
    >>> why = mxtrain(photos, tune="head", verbose=0).explain(photos)
    >>> why.maps[0].shape, list(why.table.columns[:4])
    ((28, 28), ['file', 'label', 'logit', 'prob'])
    """

    images: ImageSet
    rows: Sequence[int]
    views: Sequence[Optional[NDArray[np.float32]]]
    table: pd.DataFrame
    preprocess: Preprocess
    layers: tuple[str, ...]
    exact: bool
    centred: bool
    against: Optional[str]
    baseline: Sequence[float]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def maps(self) -> list[Optional[NDArray[np.float32]]]:
        """For each line of `table` the evidence as (H, W) float32 of the upright image, each pixel's in units of the
        logit; None for an image that can't be read.

        The sum of a map is that of its stages, and 0 where the network does not look: what its `Preprocess` crops.
        Evidence in bars of ``fit="pad"`` is in no pixel. They are made anew at each call.
        """
        return [self.map(line) for line in range(len(self))]

    def map(self, line: int) -> Optional[NDArray[np.float32]]:
        """The evidence of one line of `table`, from 0; see `maps`."""
        view = self.views[line]
        if view is None:
            return None
        height, width = map(int, self.images.sizes[self.rows[line]])
        return spread(view, self._spans((height, width), (height, width)), (height, width))

    def array(self, rows: Optional[Sequence[int]] = None) -> NDArray[np.float32]:
        """The maps of images of one size in one array, (N, H, W); NaN for an image that can't be read.

        Parameters
        ----------
        rows
            Lines of `table`, from 0. If None all.

        Raises
        ------
        ArgumentError
            The images have different sizes.
        """
        chosen = self._chosen(rows, len(self))
        maps = {line: one for line in chosen if (one := self.map(line)) is not None}
        shapes = sorted({one.shape for one in maps.values()})
        if len(shapes) > 1:
            sizes = [f"{shape_text(shape)} pixels" for shape in shapes]
            raise ArgumentError(
                "The images have different sizes.", bullets(sizes, 8), f"Choose some: {option('rows')}."
            )
        unread = np.full(shapes[0] if shapes else (0, 0), np.nan, np.float32)
        return np.stack([maps.get(line, unread) for line in chosen]) if chosen else np.empty((0, 0, 0), np.float32)

    def overlay(self, line: int) -> Optional[PIL.Image.Image]:
        """The image of one line of `table` in grey, with the evidence on it, some 480 pixels large.

        Orange speaks for the answer, blue against it; the strongest evidence of each image has the full colour, and
        what the network does not see is pale. For the eye the evidence is a little blurred. A bias, where places are
        not told as differences from the average training image, is spread evenly.
        """
        view = self.views[line]
        if view is None:
            return None
        picture = self.images.open(self.rows[line])
        width, height = overlay.shown_size(picture)
        down, across = spans = self._spans((int(picture.height), int(picture.width)), (height, width))
        evidence = spread(view, spans, (height, width))
        if self.exact:
            even = np.full(view.shape, self._constant(line) / view.size, np.float32)
            evidence += spread(even, spans, (height, width))
        evidence = blurred(evidence, max(width, height) / _BLUR)
        seen = overlay.Box(across.start, down.start, across.start + across.length, down.start + down.length)
        return overlay.draw(picture, evidence, seen)

    def plot(self, path: Optional[PathLike] = None, rows: Optional[Sequence[int]] = None) -> Figure:
        """A figure of overlays, each under its file and its answer; written to a file if ``path`` is given.

        Parameters
        ----------
        path
            Ends in .png, .pdf or .svg.
        rows
            Lines of `table`, from 0. If None the first 12.
        """
        from . import report

        chosen = [line for line in self._chosen(rows, _MOST) if self.views[line] is not None]
        drawn = [image for line in chosen if (image := self.overlay(line)) is not None]
        figure: Figure = report.gallery(drawn, [self.title(line) for line in chosen])
        if path is not None:
            report.write(figure, user_path("path", path))
        return figure

    def save(self, folder: PathLike, rows: Optional[Sequence[int]] = None) -> list[Path]:
        """Write the overlays to PNG files, and `table` to ``explanation.csv``; their paths come back.

        Parameters
        ----------
        folder
            Made where there is none. Files have the name of their image, and the label where there are several.
        rows
            Lines of `table`, from 0. If None all.
        """
        target = store.make_folder(user_path("folder", folder))
        written: list[Path] = []
        taken: set[str] = {"explanation.csv"}
        for line in self._chosen(rows, len(self)):
            image = self.overlay(line)
            if image is None:
                continue
            content = io.BytesIO()
            image.save(content, "PNG")
            file = target / _fresh(self._name(line), taken)
            store.write(file, [content.getvalue()], "the picture")
            written.append(file)
        text = self.table.to_csv(index=False, na_rep="NA", lineterminator="\n")
        file = target / "explanation.csv"
        store.write(file, [text.encode("utf-8", "surrogateescape")], "the table")
        return [*written, file]

    def title(self, line: int) -> str:
        """The file and the answer of one line, in two lines."""
        row = self.table.iloc[line]
        value = f"{row['prob']:.2f}" if "prob" in self.table else f"{row['logit']:.4g}"
        label = "" if _is_missing(row["label"]) else f"{row['label']} "
        opposed = f" rather than {self.against}" if self.against else ""
        return f"{PurePath(str(row['file'])).name}\n{label}({value}){opposed}"

    def __repr__(self) -> str:
        n_images = len(set(self.rows))
        what = counted(n_images, "image") + ("" if len(self) == n_images else f", {counted(len(self), 'answer')}")
        layers = listing(self.layers)
        if self.exact:
            usual = ", apart from the average training image" if self.centred else ""
            how = f"exact: class activation at {layers}{usual}; all places and the rest add up to the logit"
        else:
            how = f"Grad-CAM at {layers}: an estimate, whose places do not add up to the logit"
        opposed = f"\n  for each label rather than {self.against}" if self.against else ""
        return f"<Explanation of {what}>\n  {how}{opposed}\n  orange speaks for the answer, blue against it"

    # ---- internals

    def _spans(self, size: tuple[int, int], drawn: tuple[int, int]) -> tuple[Span, Span]:
        """Where the network's view lies in an image of this size that is drawn in another."""
        down, across = (
            Span(start * large / side, length * large / side)
            for (start, length), side, large in zip(self.preprocess.view_in(*size), size, drawn)
        )
        return down, across

    def _constant(self, line: int) -> float:
        """What is added to all places alike: the rest, as far as it is not what answers are compared with."""
        return float(self.table["rest"].iloc[line]) - float(self.baseline[line])

    def _chosen(self, rows: Optional[Sequence[int]], most: int) -> list[int]:
        if rows is None:
            return list(range(min(most, len(self))))
        return [int(row) for row in positions([rows] if isinstance(rows, int) else rows, len(self))]

    def _name(self, line: int) -> str:
        """A file's name: that of the image, and the label where the image has several lines."""
        row = self.table.iloc[line]
        stem = PurePath(str(row["file"])).stem
        several = list(self.rows).count(self.rows[line]) > 1 and not _is_missing(row["label"])
        return re.sub(r"[^\w. -]+", "_", f"{stem}-{row['label']}" if several else stem).strip(". ") or "image"


def _fresh(stem: str, taken: set[str]) -> str:
    """A file's name that is new, also where names are the same in small letters."""
    name, number = f"{stem}.png", 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}.png"
    taken.add(name.lower())
    return name


def _is_missing(label: object) -> bool:
    import pandas as pd

    return bool(pd.isna(label))
