"""What a user has, as one list of images: a folder, files, a data frame, an array, images in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, Union, cast

import numpy as np

from ..arguments import in_order, is_number, user_path
from ..calls import in_r, kind_text, of_images
from ..errors import ArgumentError, LabelError, PictureError
from ..words import bullets, file_name, listing, near
from .address import RemoteFile, file_at, remote_at
from .archive import Archive, archive_at, look_into_archive, member_at
from .arrays import as_array, numbered, picture_of, pictures_of
from .arrow import plain
from .columns import Remembered, label_column, other_paths, path_column, refuse_unusable, require, unused_parts
from .decided import COLUMN as DECISION
from .decided import without_dropped
from .decode import named
from .fileobject import content_of, is_file_object, name_of
from .folder import Folder, look_into, of_archive, of_members
from .groups import Groups, groups_of
from .labels import is_missing
from .named import Kind, matched
from .paths import Place, is_there, locate, shortened, whole_path, why_not_a_path
from .roles import Split, parts_of
from .stored import Stored, is_address
from .table import AnyFile, is_table_name, read_table, refuse_unread, typed

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True, eq=False)
class Source:
    """Items (a path, bytes, a Pillow image or an (H, W, C) array each), their names, files and labels.

    ``levels`` are all class names where folders give them; ``index`` is that of a data frame or a series; ``column``
    held the paths of a table, ``columns`` those that tell groups and parts; ``guesses`` are sentences on what was
    inferred.
    """

    items: Sequence[Any]
    names: list[str]
    files: list[Optional[str]]
    y: Any = None
    levels: Optional[list[str]] = None
    groups: Optional[list[str]] = None
    parts: Optional[list[str]] = None
    index: Any = None
    column: Optional[str] = None
    columns: Mapping[str, list[Any]] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()


Columns = Union[str, Sequence[str], None]


def gather(
    x: Any,
    y: Any = None,
    *,
    layout: str = "NHWC",
    recursive: bool = False,
    path: Optional[str] = None,
    label: Columns = None,
    root: Optional[PathLike] = None,
    levels: Optional[Sequence[str]] = None,
    labelled: bool = True,
    groups: Groups = None,
    split: Split = None,
) -> Source:
    """The images that ``x`` stands for; see `mximages` for what it may be. Labels with names are matched by name.

    ``labelled`` is whether labels matter.

    Raises
    ------
    PictureError
        There is no such file or folder, or it holds no images.
    LabelError
        Labels are given twice.
    ArgumentError
        ``x`` holds no images.
    """
    for name, value in (("x", x), ("y", y), ("groups", groups), ("split", split)):
        in_order(name, value)
    x, y = as_array(plain(x)), plain(y)
    if not labelled and y is None and _is_empty(x):
        return Source([], [], [], index=getattr(x, "index", None) if hasattr(x, "iloc") else None)
    if y is None and _are_labelled_files(x):
        x, y = list(x), list(x.values())
    table_options: dict[str, Any] = {"path": path, "label": label, "root": root, "levels": levels, "labelled": labelled}
    beside = {"groups": groups, "split": split}
    columns = {name: given for name, given in beside.items() if isinstance(given, str) and is_table(x)}
    source = _from_anything(x, y, layout, recursive, beside=columns, **table_options)
    groups, parts = (source.columns.get(name, given) for name, given in beside.items())
    keys = (source.names, source.files, source.index)
    labels, by_label = matched(source.y, *keys)
    groups, by_group = matched(groups, *keys, Kind.of("groups"))
    parts, by_part = matched(parts, *keys, Kind.of("split"))
    return replace(
        source,
        y=labels,
        groups=None if groups is None else groups_of(groups, source.names),
        parts=None if parts is None else parts_of(parts, source.names),
        guesses=(*source.guesses, *filter(None, (by_label, by_group, by_part))),
    )


def _from_anything(
    x: Any,
    y: Any,
    layout: str,
    recursive: bool,
    path: Optional[str],
    label: Columns,
    root: Optional[PathLike],
    levels: Optional[Sequence[str]],
    labelled: bool,
    beside: Mapping[str, str],
) -> Source:
    start = None if root is None else _folder(root)
    if is_table(x):
        return _from_table(x, y, path, label, beside, start, levels, labelled)
    refuse_unused(path=path, label=label)
    if isinstance(x, (str, os.PathLike)):
        refuse_unused(root=root)
        return _from_path(x, y, recursive, labelled)
    if isinstance(x, np.ndarray) and (x.ndim > 1 or x.dtype.kind in "uifb"):
        refuse_unused(root=root)
        pixels, guess = pictures_of(x, layout, _length(y))
        names = [numbered(row) for row in range(len(pixels))]
        return Source(cast("Sequence[Any]", pixels), names, [None] * len(names), y, guesses=(guess,) if guess else ())
    if isinstance(x, (bytes, bytearray, memoryview)) or is_file_object(x) or _is_pillow(x):
        return _from_list([x], y, layout)
    if hasattr(x, "__iter__") and not isinstance(x, Mapping):
        items = x.tolist() if isinstance(x, np.ndarray) or hasattr(x, "iloc") else list(x)
        archives: dict[str, bool] = {}
        items = [file_at(item, archives) if is_address(item) else item for item in items]
        source = _from_list(items, y, layout, [Path() if start is None else start], labelled and len(items) > 1)
        return replace(source, index=x.index) if hasattr(x, "iloc") else source
    others = "an array, or a list of images" if in_r() else "a dict of files and labels, an array, or Pillow images"
    raise ArgumentError(
        f"`x` must be a folder, files, a data frame, {others}.",
        [f"it is {kind_text(x)}"],
        "Give the images alone: list(x.values())." if isinstance(x, Mapping) else None,
    )


def is_table(x: Any) -> bool:
    """Whether ``x`` has columns: a data frame, or a file that holds a table."""
    if isinstance(x, (str, os.PathLike)):
        name = os.path.expanduser(os.fspath(x))  # noqa: PTH111
        return is_table_name(name) and (is_address(x) or os.path.isfile(name) or member_at(name) is not None)  # noqa: PTH113
    return hasattr(x, "columns") and hasattr(x, "iloc")


def _folder(root: PathLike) -> Place:
    if is_address(root):
        return remote_at(os.fspath(root))
    start = user_path("root", root)
    archive = archive_at(start)
    if archive is not None:
        return archive
    if not start.is_dir():
        raise PictureError(f"There is no folder {file_name(str(start))}.", hint="`root` is where the paths start.")
    return start


def refuse_unused(**given: Any) -> None:
    """Require that these arguments are None: they are for other kinds of images.

    Raises
    ------
    ArgumentError
        One is given.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, Remembered):
            what = "tables and lists of paths" if name == "root" else "tables"
            raise ArgumentError(f"`{name}` applies to {what}, not to these images.")


def _from_address(x: str, y: Any, recursive: bool, labelled: bool) -> Source:
    """The images of a folder behind an address, or the one that it names."""
    remote = remote_at(x)
    file = remote.file()
    if file is None:
        look = of_archive if remote.is_archive else of_members
        return _from_folder(look(str(remote), remote.members(), recursive), str(remote), y, labelled)
    refuse_unread(file)
    return _from_list([file], y, "NHWC")


def _from_path(x: PathLike, y: Any, recursive: bool, labelled: bool) -> Source:
    if is_address(x):
        return _from_address(os.fspath(x), y, recursive, labelled)
    reason = why_not_a_path(os.fspath(x))
    if reason is not None and not os.path.exists(x):  # noqa: PTH110
        raise PictureError(f"`x` is {reason}.", [shortened(os.fspath(x))])
    location = user_path("x", x)
    archive = archive_at(location)
    file = location if archive is None and location.is_file() else member_at(str(location))
    if file is not None:
        refuse_unread(file)
        return _from_list([location], y, "NHWC")
    if archive is None and not location.exists():
        siblings = [entry.name for entry in location.parent.iterdir()] if location.parent.is_dir() else []
        hint = near(location.name, siblings, most=1, before=f"{location.parent}{os.sep}")
        raise PictureError(f"There is no file or folder {file_name(str(location))}.", hint=hint)
    if archive is None and not location.is_dir():
        raise PictureError(f"{file_name(str(location))} is neither a file nor a folder.")
    try:
        folder = look_into(location, recursive) if archive is None else look_into_archive(archive, recursive)
    except PermissionError as error:
        raise PictureError(
            f"The folder {file_name(str(error.filename or location))} can't be read (no permission)."
        ) from error
    return _from_folder(folder, str(location), y, labelled)


def _from_folder(folder: Folder, name: str, y: Any, labelled: bool) -> Source:
    if not folder.names:
        raise PictureError(f"There are no images in {file_name(name)}.", bullets(folder.passed_over, 5))
    files: list[Optional[str]] = [whole_path(item) for item in folder.items]
    remarks = _passed_over(folder.passed_over)
    if folder.labels is None:
        return Source(folder.items, folder.names, files, y, guesses=remarks)
    if folder.refusal is not None and labelled:
        raise folder.refusal
    if y is not None:
        raise LabelError(
            "The labels are given twice: by class folders and by `y`.",
            hint=f"Leave `y` out, or use {of_images('recursive', True)} to take the images without classes.",
        )
    remarks += (folder.remark,) if folder.remark and labelled else ()
    return Source(folder.items, folder.names, files, folder.labels, list(folder.levels), guesses=remarks)


def _passed_over(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    subject = "1 file that is not an image" if len(names) == 1 else f"{len(names)} files that are not images"
    return (f"Skipped {subject}: {listing(names, 5)}.",)


def _from_table(
    x: Any,
    y: Any,
    path: Optional[str],
    label: Columns,
    beside: Mapping[str, str],
    root: Optional[Place],
    levels: Optional[Sequence[str]],
    labelled: bool,
) -> Source:
    """The images and labels of a data frame, or of a table in a file, whose paths may be relative to it."""
    starts: list[Place] = [Path() if root is None else root]
    remarks: tuple[str, ...] = ()
    frame, from_file, has_types = x, isinstance(x, (str, os.PathLike)), True
    if from_file:
        file, beside_it = _table_at(x)
        frame, remarks, has_types = read_table(file)
        starts = beside_it if root is None else [root]
    if frame.columns.nlevels > 1:
        name = str(tuple(frame.columns[0]))
        raise ArgumentError("The columns of `x` must have one name each.", [f"the first is {name}"])
    copies = frame.columns.duplicated()
    ambiguous, whole = set(frame.columns[copies]), frame.loc[:, ~copies]
    require(whole, beside.values())
    if label is None and _names_column(y, whole):
        y, label = None, y if isinstance(y, str) else y[0]
    label_names = _names_of(label)
    if labelled and y is None and DECISION not in (path, *label_names, *beside.values()):
        whole, left_out = without_dropped(whole)
        remarks += (left_out,) if left_out else ()
    for name, own in beside.items():
        if own in (path, *label_names):
            raise ArgumentError(f'The column "{own}" is used twice: by `{name}`, and for paths or labels.')
    frame = whole.drop(columns=[*beside.values()])
    if y is not None and label is not None:
        raise LabelError("The labels are given twice: by `y` and by `label`.", hint="Remove one of them.")
    path = None if isinstance(path, Remembered) and path not in list(frame.columns) else path
    require(frame, [*([] if path is None else [path]), *label_names])
    path_is_given = path is not None and not isinstance(path, Remembered)
    column = path_column(frame, label, lambda text: is_there(text, starts)) if path is None else path
    others = [] if path_is_given else other_paths(frame, column)
    others_text = f", not {listing(others)}" if others else ""
    column_phrases = [] if path_is_given else [f'Paths are taken from column "{column}"{others_text}']
    guess = None
    if labelled and y is None and label is None:
        label, guess = label_column(frame, column)
        label_names = _names_of(label)
        column_phrases += [
            f'{"labels" if column_phrases else "Labels are taken"} from column "{name}"' for name in label_names
        ]
    used = [column, *label_names, *beside.values()]
    for name in used:
        refuse_unusable(whole[name])
        if name in ambiguous:
            raise ArgumentError(f'Several columns are called "{name}".', hint="Rename all but one.")
    labels = y
    if label is not None:
        labels = frame[label_names[0] if len(label_names) == 1 else label_names]
        labels = labels if has_types else _typed(labels, levels)
    source = _from_list([_cell(cell) for cell in frame[column].tolist()], labels, "NHWC", starts, from_file or labelled)
    unused = unused_parts(frame, used) if labelled and "split" not in beside else None
    column_remark = (", ".join(column_phrases) + ".",) if column_phrases and (labelled or others) else ()
    return replace(
        source,
        index=None if from_file else frame.index,
        guesses=(*remarks, *column_remark, *source.guesses, *filter(None, (guess, unused))),
        column=str(column),
        columns={name: whole[column].tolist() for name, column in beside.items()},
    )


def _table_at(x: PathLike) -> tuple[AnyFile, list[Place]]:
    """The file of a table, and where its paths may start; what is in an archive, or behind an address, names no file of
    this disk."""
    if not is_address(x):
        location = user_path("x", x)
        member = None if location.is_file() else member_at(str(location))
        if member is None:
            return location, [location.parent, Path()]
        return member, [member.beside(), Archive(member.archive.path)]
    remote = remote_at(os.fspath(x))
    file = remote.file()
    if file is None:
        raise PictureError(f"{file_name(str(remote))} is a folder, and has the name of a table.")
    return file, [remote.beside()]


def _names_of(label: Any) -> list[Any]:
    """The columns of labels: none, one or several."""
    if label is None:
        return []
    names = [label] if isinstance(label, str) or not hasattr(label, "__iter__") else list(label)
    if not names:
        raise ArgumentError("`label` must name a column.", ["it is empty"])
    return names


def _names_column(y: Any, frame: Any) -> bool:
    """Whether ``y`` is the name of a column, rather than labels; R has no single texts."""
    if isinstance(y, list) and len(y) == 1 and len(frame) != 1:
        return isinstance(y[0], str) and y[0] in list(frame.columns)
    return isinstance(y, str)


def _typed(labels: Any, levels: Optional[Sequence[str]]) -> Any:
    import pandas as pd

    class_names = [] if levels is None else [str(level) for level in levels]
    if labels.ndim == 1:
        return pd.Series(typed(labels.tolist(), class_names), dtype=object, name=labels.name)
    return pd.DataFrame({name: typed(labels[name].tolist(), class_names) for name in labels.columns})


def _cell(cell: Any) -> Any:
    """A cell of the paths: numbers are names, as in ``7.png``; those of Hugging Face hold ``bytes`` and ``path``."""
    if isinstance(cell, Mapping) and {"bytes", "path"} & set(cell):
        return cell.get("bytes") or cell.get("path")
    return str(int(cell)) if is_number(cell) and cell == cell and float(cell).is_integer() else cell  # noqa: PLR0124


def _from_list(x: list[Any], y: Any, layout: str, starts: Sequence[Place] = (Path(),), strict: bool = False) -> Source:
    """Images in a list. Paths start in one of the folders; ``strict`` is whether one of several must be there."""
    if not x:
        raise PictureError("There are no images: `x` is empty.")
    path_rows = [
        row for row, item in enumerate(x) if isinstance(item, (str, os.PathLike)) and not isinstance(item, Stored)
    ]
    paths = [os.path.expanduser(os.fspath(x[row])) for row in path_rows]  # noqa: PTH111
    located = locate(paths, starts, strict and len(paths) == len(x))
    files: list[Optional[str]] = [None] * len(x)
    for row, file in zip(path_rows, located.files):
        files[row] = whole_path(file)
    items: list[Any] = []
    names: list[str] = []
    unusable = []
    file_of_row = dict(zip(path_rows, located.files))
    for row, item in enumerate(x):
        name, item = numbered(row), as_array(item)  # noqa: PLW2901
        if row in file_of_row:
            name, item = shortened(file_name(os.fspath(item))), file_of_row[row]  # noqa: PLW2901
        elif isinstance(item, Stored):
            name = shortened(file_name(os.fspath(item))) or name
            files[row] = item.address if isinstance(item, RemoteFile) else None
        elif is_file_object(item):
            name, item = name_of(item) or name, content_of(item)  # noqa: PLW2901
        elif isinstance(item, memoryview):
            item = bytes(item)  # noqa: PLW2901
        elif isinstance(item, np.ndarray):
            item = picture_of(item, layout, name)  # noqa: PLW2901
        elif item is not None and not isinstance(item, (bytes, bytearray)) and not _is_pillow(item):
            if not is_missing(item):  # a missing path is a bad image, not a wrong argument
                unusable.append((name, kind_text(item)))
            item = None  # noqa: PLW2901
        items.append(item)
        names.append(name)
    if unusable:
        library = "magick" if in_r() else "Pillow"
        raise ArgumentError(f"Images in a list must be paths, arrays or {library} images.", bullets(named(unusable)))
    return Source(items, names, files, y, guesses=located.remarks)


def _are_labelled_files(x: Any) -> bool:
    """Whether it is a dict of files and their labels."""
    if not isinstance(x, Mapping) or not all(isinstance(key, (str, os.PathLike)) for key in x):
        return False
    return not any(
        _is_pillow(value) or is_file_object(value) or isinstance(value, (np.ndarray, Mapping)) for value in x.values()
    )


def _is_empty(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, (str, bytes, bytearray)) and len(x) == 0


def _length(y: Any) -> Optional[int]:
    return None if y is None or isinstance(y, (str, bytes)) or not hasattr(y, "__len__") else len(y)


def _is_pillow(value: object) -> bool:
    import PIL.Image

    return isinstance(value, PIL.Image.Image)
