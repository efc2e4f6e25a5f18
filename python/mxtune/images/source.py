"""What a user has, as one list of pictures: a folder, files, a data frame, an array, pictures in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union, cast

import numpy as np

from ..arguments import in_order, user_path
from ..calls import of_images
from ..errors import ArgumentError, LabelError, PictureError
from ..words import bullets, file_name, listing, near
from .arrays import numbered, pictures_of
from .columns import label_column, path_column, require
from .folder import look_into
from .groups import Groups, groups_of
from .named import matched


@dataclass(frozen=True, eq=False)
class Source:
    """Items (a path, bytes, a Pillow image or an (H, W, C) array each), their names, files and labels.

    ``levels`` are all class names where folders tell them; ``index`` is that of a data frame or a series;
    ``guesses`` say what was inferred.
    """

    items: Sequence[Any]
    names: list[str]
    files: list[Optional[str]]
    y: Any = None
    levels: Optional[list[str]] = None
    groups: Optional[list[str]] = None
    index: Any = None
    guesses: tuple[str, ...] = ()


def gather(
    x: Any,
    y: Any = None,
    *,
    layout: str = "NHWC",
    recursive: bool = False,
    path: Optional[str] = None,
    label: Union[str, Sequence[str], None] = None,
    labelled: bool = True,
    groups: Groups = None,
) -> Source:
    """The pictures that ``x`` stands for; see `mximages` for what it may be. Labels with names go by them.

    ``labelled`` is whether the names of folders matter.

    Raises
    ------
    PictureError
        There is no such file or folder, or it holds no pictures.
    LabelError
        Labels are given twice.
    ArgumentError
        ``x`` is nothing that holds pictures.
    """
    in_order("x", x)
    in_order("y", y)
    if y is None and _are_labelled_files(x):
        x, y = list(x), list(x.values())
    if isinstance(groups, str) and hasattr(x, "columns") and hasattr(x, "iloc"):
        require(x, [groups])
        source = gather(x.drop(columns=[groups]), y, path=path, label=label, labelled=labelled)
        return replace(source, groups=groups_of(x[groups], source.names))
    if groups is not None:
        source = gather(x, y, layout=layout, recursive=recursive, path=path, label=label, labelled=labelled)
        return replace(source, groups=groups_of(groups, source.names))
    source = _source(x, y, layout, recursive, path, label, labelled)
    labels, guess = matched(source.y, source.names, source.files, source.index)
    return replace(source, y=labels, guesses=(*source.guesses, guess) if guess else source.guesses)


def _source(
    x: Any,
    y: Any,
    layout: str,
    recursive: bool,
    path: Optional[str],
    label: Union[str, Sequence[str], None],
    labelled: bool,
) -> Source:
    if hasattr(x, "columns") and hasattr(x, "iloc"):
        return _frame(x, y, path, label)
    if isinstance(x, str) and x.startswith(("http:", "https:", "ftp:")):
        raise PictureError(f"{x} is an address, not a file or folder.", hint="Download it first.")
    if isinstance(x, (str, os.PathLike)):
        return _path(user_path("x", x), y, recursive, labelled)
    if isinstance(x, np.ndarray) and x.dtype.kind in "uifb":
        pixels, guess = pictures_of(x, layout, _length(y))
        names = [numbered(row) for row in range(len(pixels))]
        return Source(cast("Sequence[Any]", pixels), names, [None] * len(names), y, guesses=(guess,) if guess else ())
    if isinstance(x, (bytes, bytearray)) or _is_pillow(x):
        return _listed([x], y, layout)
    if hasattr(x, "iloc"):
        return replace(_listed(x.tolist(), y, layout), index=x.index)
    if hasattr(x, "__iter__") and not isinstance(x, Mapping):
        return _listed(x.tolist() if isinstance(x, np.ndarray) else list(x), y, layout)
    raise ArgumentError(
        "`x` must be a folder, files, a dict of files and labels, a data frame, an array, or Pillow images.",
        [f"it is a {type(x).__name__}"],
    )


def _path(where: Path, y: Any, recursive: bool, labelled: bool) -> Source:
    if where.is_file():
        return _listed([where], y, "NHWC")
    if not where.exists():
        siblings = [entry.name for entry in where.parent.iterdir()] if where.parent.is_dir() else []
        hint = near(where.name, siblings, most=1, before=f"{where.parent}{os.sep}")
        raise PictureError(f"There is no file or folder {file_name(str(where))}.", hint=hint)
    try:
        folder = look_into(where, recursive)
    except PermissionError as error:
        raise PictureError(f"The folder {file_name(str(error.filename or where))} may not be read.") from error
    if not folder.names:
        raise PictureError(f"There are no pictures in {file_name(str(where))}.", bullets(folder.passed_over, 5))
    files: list[Optional[str]] = [os.path.abspath(name) for name in folder.items]  # noqa: PTH100 - as it is
    said = _passed_over(folder.passed_over)
    if folder.labels is None:
        return Source(folder.items, folder.names, files, y, guesses=said)
    if folder.refusal is not None and labelled:
        raise folder.refusal
    if y is not None:
        raise LabelError(
            "The labels are given twice: by class folders and by `y`.",
            hint=f"Leave `y` out, or use {of_images('recursive', True)} to take the pictures without classes.",
        )
    said += (folder.remark,) if folder.remark and labelled else ()
    return Source(folder.items, folder.names, files, folder.labels, list(folder.levels), guesses=said)


def _passed_over(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    what = "1 file that is not a picture" if len(names) == 1 else f"{len(names)} files that are not pictures"
    return (f"Passed over {what}: {listing(names, 5)}.",)


def _frame(frame: Any, y: Any, path: Optional[str], label: Union[str, Sequence[str], None]) -> Source:
    if isinstance(y, str) and label is None:
        y, label = None, y
    if y is not None and label is not None:
        raise LabelError("The labels are given twice: by `y` and by `label`.", hint="Leave one out.")
    require(frame, [*([] if path is None else [path]), *([label] if isinstance(label, str) else label or [])])
    path = path_column(frame, label) if path is None else path
    guess = None
    if y is None and label is None:
        label, guess = label_column(frame, path)
    labels = y if label is None else frame[label if isinstance(label, str) else list(label)]
    listed = _listed(frame[path].tolist(), labels, "NHWC")
    return replace(listed, index=frame.index, guesses=(guess,) if guess else ())


def _listed(x: list[Any], y: Any, layout: str) -> Source:
    if not x:
        raise PictureError("There are no pictures: the list is empty.")
    items: list[Any] = []
    names: list[str] = []
    files: list[Optional[str]] = []
    wrong = []
    for row, item in enumerate(x):
        name, file = numbered(row), None
        if isinstance(item, (str, os.PathLike)):
            name = file_name(os.fspath(item))
            item = os.path.expanduser(os.fspath(item))  # noqa: PLW2901, PTH111
            file = os.path.abspath(item)  # noqa: PTH100 - links stay
        elif isinstance(item, np.ndarray):
            item = pictures_of(item, layout, 1)[0][0]  # noqa: PLW2901
        elif item is not None and not isinstance(item, (bytes, bytearray)) and not _is_pillow(item):
            if item == item:  # noqa: PLR0124 - a missing path (NaN) is a bad picture, not a wrong argument
                wrong.append(f"{name}: a {type(item).__name__}")
            item = None  # noqa: PLW2901
        items.append(item)
        names.append(name)
        files.append(file)
    if wrong:
        raise ArgumentError("Pictures in a list must be paths, arrays or Pillow images.", bullets(wrong))
    return Source(items, names, files, y)


def _are_labelled_files(x: Any) -> bool:
    """Whether it is a dict of files and their labels."""
    if not isinstance(x, Mapping) or not all(isinstance(key, (str, os.PathLike)) for key in x):
        return False
    return not any(_is_pillow(value) or isinstance(value, (np.ndarray, Mapping)) for value in x.values())


def _length(y: Any) -> Optional[int]:
    return None if y is None or isinstance(y, (str, bytes)) or not hasattr(y, "__len__") else len(y)


def _is_pillow(value: object) -> bool:
    import PIL.Image

    return isinstance(value, PIL.Image.Image)
