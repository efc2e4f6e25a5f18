"""`mximages`: reads every image once and names each that has a problem."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Optional, Union

import numpy as np

from .. import progress
from ..arguments import in_order, one_of, yes_or_no
from ..calls import kind_text, of_images
from ..errors import ArgumentError, PictureWarning
from ..words import bullets
from . import scale
from .decode import in_threads, unreadable
from .findings import (
    report_near_copies,
    report_parts,
    scales,
    warn,
    warn_of_copies,
    warn_of_misleading_names,
    warn_of_shared_pictures,
    warn_of_similar_names,
    warn_of_single_groups,
    warn_of_single_pictures,
    without_empty,
)
from .groups import Groups, groups_of
from .imageset import BadPicture, ImageSet
from .labels import Labels, understand
from .looks import Looks
from .named import Kind, matched
from .picture import BUDGET
from .pixels import Look, Pixels
from .roles import Split, parts_of
from .source import Source, gather, refuse_unused

WantedRange = Union[scale.Range, scale.Percentiles, None]


def mximages(
    x: Any,
    y: Any = None,
    levels: Optional[Sequence[str]] = None,
    on_bad: str = "error",
    layout: str = "NHWC",
    recursive: bool = False,
    task: Optional[str] = None,
    validation: Optional[ImageSet] = None,
    path: Optional[str] = None,
    label: Union[str, Sequence[str], None] = None,
    groups: Groups = None,
    range: Union[str, Sequence[float], None] = None,  # noqa: A002 - what is asked for
    root: Union[str, os.PathLike[str], None] = None,
    split: Split = None,
) -> ImageSet:
    """An `ImageSet`: the images, their labels, and what is wrong with them by name.

    Every file is read and decoded once. JPEG, PNG, WebP, BMP, TIFF, GIF and PNM of any kind become upright
    8-bit colour or grey; transparent ones lie over white (a network of four channels takes their transparency, too); of
    several frames the first counts. Hidden and system files are skipped. A file with a misleading extension is read as
    what it is.

    Parameters
    ----------
    x
        A folder of class folders, a folder of images, a file; a zip archive, or what is in it, as
        ``"photos.zip/train"``; a list of files, file objects, Pillow images or arrays (also those of other libraries);
        a data frame with a column of paths, or a file with one (.csv, .tsv, .txt, .xlsx, .parquet), where a column
        ``decision``, as `mxlook` writes it, leaves out what it says to drop; a table of Arrow
        (pyarrow, polars) or a Hugging Face `datasets.Dataset`, whose images are read where they are; an array of
        images (uint8, or numbers of any range) of 2 (one grey image), 3 or 4 axes; or an `ImageSet` to label again.
        Folders, files, tables and zip archives may be behind an address that fsspec opens, as ``"s3://bucket/photos"``
        (extra ``remote``), a folder in an archive, too: ``"s3://bucket/photos.zip/train"``; addresses in a table are
        only followed into the folder that `root` names.
    y
        The labels, one per image. Strings, booleans or a categorical: classification (strings sort bytewise,
        a categorical keeps its order). Numbers: regression. A 0/1 or logical matrix, or a list of label sets:
        multilabel. A dict of labels by file name and a series with files as its index go by name; a series goes by
        the index of the data frame in `x`. Classes come back as they are given: booleans, numbers, texts.
    levels
        The classes, in order, if they are known in advance; any other label is then an error.
    on_bad
        ``"error"``: all bad images are named in one error. ``"skip"``: in a warning, and left out.
        ``"keep"``: nothing is read before it is needed, and labels that come with
        the images are ignored (for prediction).
    layout
        The order of an array's axes: ``"NHWC"``, ``"HWCN"``, ``"NCHW"``.
    recursive
        Take the images of a folder at any depth, without classes.
    task
        ``"classification"``, ``"regression"`` or ``"multilabel"``, if the labels suggest another task.
    validation
        A held-out set: images that are in both sets are reported.
    path, label
        The columns of a table, if their names don't make it clear.
    groups
        What no split may separate: images of one patient, animal, burst or site. A column of a table, one
        value per image, a mapping from names, or a regular expression whose first group matches it in the name (as
        ``"^([^_]+)_"``).
    range
        The pixel values of black and white in images of more than 8 bits (16-bit files, floats): two numbers,
        ``(0, 4095)`` or ``"0..4095"``, or percentiles of all values, ``"1%..99%"``. If None it is decided from all
        images together: 0 to 1, to 255, to the largest number of 10, 12, 14 or 16 bits, or what they span. A range
        within 0 to 255 stretches 8-bit images, too.
    root
        The folder that the paths in a table or a list are relative to. If None, the table's folder or the current one.
    split
        What each image is for: train, valid or test (also training, val, dev, holdout ...). The column of a table,
        one text per image, or a mapping from names. `ImageSet.part` gives the images of each part; `mxtrain` trains
        on the first and validates on the second.

    Raises
    ------
    PictureError
        There are no images, or some are bad; ``files`` holds each ``(name, reason)``.
    LabelError
        Labels are missing, unknown, or not as many as images.
    ArgumentError
        An argument has a value that can't be used.

    Warns
    -----
    PictureWarning
        Bad images left out, misleading file names, mixed scales of values, exact copies (also across training and
        validation).
    LabelWarning
        Classes with no image or only one, copies with different labels.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.images import mximages
    >>> pictures = np.stack([np.full((28, 28), shade, np.uint8) for shade in range(4)])
    >>> mximages(pictures, ["one", "two", "two", "one"])
    ImageSet: 4 grey images of 2 classes, 28 x 28
      one  2
      two  2
    """
    one_of("on_bad", on_bad, ("error", "skip", "keep"))
    wanted_range = scale.parse(range)
    if isinstance(x, ImageSet):
        refuse_unused(path=path, label=label, root=root)
        return _regrouped(_ranged(_relabelled(x, y, levels, task), wanted_range), groups, split)
    yes_or_no("recursive", recursive)
    if validation is not None and not isinstance(validation, ImageSet):
        text = "`validation` must be an image set made by mximages()."
        raise ArgumentError(text, [f"it is {kind_text(validation)}"])
    source = gather(
        x,
        y,
        layout=layout,
        recursive=recursive,
        path=path,
        label=label,
        root=root,
        levels=levels,
        labelled=on_bad != "keep",
        groups=groups,
        split=split,
    )
    unlabelled = source.y is None or (on_bad == "keep" and y is None)
    labels = Labels() if unlabelled else _folder_labels(source, levels, task)
    _report_guesses(*source.guesses, labels.guess)
    pixels = Pixels(source.items, source.names)
    if on_bad == "keep":
        rows = np.arange(len(source.names), dtype=np.int64)
        images = ImageSet(
            pixels,
            rows,
            source.names,
            source.files,
            labels,
            groups=source.groups,
            parts=source.parts,
            index=source.index,
            column=source.column,
        )
        return _ranged(images, wanted_range)
    return _audited(source, pixels, labels, on_bad, levels is None, validation, wanted_range)


def require_readable(images: ImageSet, hint: Optional[str] = None) -> None:
    """Require that every image can be read, where a set was made without reading any.

    Raises
    ------
    PictureError
        Some can't be read; all are named.
    """
    looks = _look(images._pixels, images._rows.tolist())
    bad = [(name, look.reason) for name, look in zip(images.names, looks) if look.reason is not None]
    if bad:
        raise unreadable(bad, len(looks), hint)


def _report_guesses(*sentences: Optional[str]) -> None:
    """Report what was inferred."""
    for sentence in filter(None, sentences):
        progress.default().event("message", text=sentence)


def _audited(
    source: Source,
    pixels: Pixels,
    labels: Labels,
    on_bad: str,
    tidy: bool,
    validation: Optional[ImageSet],
    wanted_range: WantedRange,
) -> ImageSet:
    sampled = _values_per_picture(len(source.names)) if isinstance(wanted_range, scale.Percentiles) else 0
    looks = _look(pixels, np.arange(len(source.names)).tolist(), sampled)
    bad = [BadPicture(name, look.reason) for name, look in zip(source.names, looks) if look.reason is not None]
    if bad and (on_bad == "error" or len(bad) == len(looks)):
        hint = f"Use {of_images('on_bad', 'skip')} to go on without them." if len(bad) < len(looks) else None
        raise unreadable(bad, len(looks), hint)
    good_rows = np.flatnonzero([look.reason is None for look in looks]).astype(np.int64)
    good_looks = [looks[row] for row in good_rows]
    names = [source.names[row] for row in good_rows]
    if bad:
        lines = [f"{picture.name}: {picture.reason}" for picture in bad]
        warn(PictureWarning(f"Left out {len(bad)} of {len(looks)} images.", bullets(lines, 100)))
    labels = labels.take(good_rows)
    if tidy:
        labels = without_empty(labels, hasattr(getattr(source.y, "dtype", None), "categories"))
    images = ImageSet(
        pixels,
        good_rows,
        names,
        [source.files[row] for row in good_rows],
        labels,
        sizes=np.asarray([(look.height, look.width) for look in good_looks], dtype=np.int32).reshape(-1, 2),
        hashes=[look.hash for look in good_looks],
        grey=all(look.grey for look in good_looks),
        bad=bad,
        groups=None if source.groups is None else [source.groups[row] for row in good_rows],
        parts=None if source.parts is None else [source.parts[row] for row in good_rows],
        index=None if source.index is None else source.index[good_rows],
        column=source.column,
    )
    images = _with_range(images, good_looks, wanted_range)
    warn_of_misleading_names(images, good_looks)
    if wanted_range is None:
        scales(images)
    warn_of_copies(images)
    report_near_copies(images)
    report_parts(images)
    if tidy:
        warn_of_single_pictures(images)
        warn_of_similar_names(images)
        warn_of_single_groups(images)
    if validation is not None:
        warn_of_shared_pictures(images, validation)
    return images


def _with_range(images: ImageSet, looks: list[Look], wanted: WantedRange) -> ImageSet:
    """The set with the range that was asked for or that its values suggest; the latter is reported.

    Images for validation and test have no say in it.
    """
    if wanted is None:
        training = images.part("training") if "training" in (images.parts or ()) else images
        decided_range = scale.decide(span for _, span in training.spans()) if images.has_numbers else None
        if decided_range is not None:
            progress.default().event("message", text=f"{scale.taken_as(decided_range)} Set `range` to change this.")
        return images.ranged(decided_range)
    if isinstance(wanted, scale.Percentiles):
        training_looks = [look for look, part in zip_longest(looks, images.parts or ()) if part in (None, "training")]
        wanted = scale.percentiles([look.sample for look in training_looks or looks if look.sample is not None], wanted)
        progress.default().event("message", text=scale.taken_as(wanted))
    return images.ranged(wanted, given=True)


def _ranged(images: ImageSet, wanted: WantedRange) -> ImageSet:
    """An existing set, with the range that was asked for."""
    if not isinstance(wanted, scale.Percentiles):
        return images if wanted is None else images.ranged(wanted, given=True)
    looks = _look(images._pixels, images._rows.tolist(), _values_per_picture(len(images)))
    bad = [(name, look.reason) for name, look in zip(images.names, looks) if look.reason is not None]
    if len(bad) == len(looks):
        raise unreadable(bad, len(looks))
    return _with_range(images, looks, wanted)


def _values_per_picture(count: int) -> int:
    """How many values of each image percentiles are taken of: enough, and a few megabytes in total."""
    return max(16, min(1000, 4_000_000 // max(1, count)))


def _look(pixels: Pixels, rows: Sequence[int], sampled: int = 0) -> list[Look]:
    reporter = progress.current()
    reporter.event("start", title="Checking the images", total=len(rows), unit="images")

    seen = Looks()

    def look(row: int) -> Look:
        with BUDGET.share():
            return pixels.look(row, sampled, seen)

    looks = in_threads(look, rows, advance=lambda n: reporter.event("advance", n=n))
    seen.keep()
    reporter.event("end")
    return looks


def _folder_labels(source: Source, levels: Optional[Sequence[str]], task: Optional[str]) -> Labels:
    """The labels; images outside all class folders count as bad images, not as missing labels."""
    if source.levels is None:
        return understand(source.y, source.names, levels, task)
    outside = [(name, "is outside the class folders") for name, label in zip(source.names, source.y) if label is None]
    if outside:
        raise unreadable(
            outside,
            len(source.names),
            f"Move them into class folders, or use {of_images('recursive', True)} for no classes.",
        )
    classes = source.levels if levels is None else levels  # a folder without images too: `without_empty` names it
    return understand(source.y, source.names, classes, task)


def _regrouped(images: ImageSet, groups: Groups, split: Split) -> ImageSet:
    """A set that is there already, with other groups and parts where they are given."""
    in_order("groups", groups)
    in_order("split", split)
    keys = (images.names, images._files, images.index)
    if groups is not None:
        groups, guess = matched(groups, *keys, Kind.of("groups"))
        _report_guesses(guess)
        images = images.grouped(groups_of(groups, images.names))
    if split is not None:
        split, guess = matched(split, *keys, Kind.of("split"))
        _report_guesses(guess)
        images = images.parted(parts_of(split, images.names))
        report_parts(images)
    return images


def _relabelled(images: ImageSet, y: Any, levels: Optional[Sequence[str]], task: Optional[str]) -> ImageSet:
    if y is None and (levels is None or images.y is None) and task in (None, images.task):
        return images
    if y is None:
        labels = understand(images.labels.user_labels(), images.names, levels, task or images.task)
    else:
        y, guess = matched(y, images.names, images._files, images.index)
        labels = understand(y, images.names, levels, task)
        _report_guesses(guess, labels.guess)
    return images.labelled(labels)
