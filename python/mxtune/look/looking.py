"""`mxlook`: the page, from its images to its table."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from .. import progress
from ..arguments import user_path, whole, yes_or_no
from ..calls import at_command_line, interface, option, written
from ..errors import ArgumentError
from ..images import ImageSet, mximages
from ..model import Model
from ..model.load import model_of
from ..words import counted
from .decisions import Decisions
from .labelling import OneClass
from .moving import move as move_files
from .server import Server
from .subject import Subject

if TYPE_CHECKING:
    import pandas as pd

PathLike = Union[str, "os.PathLike[str]"]
_ENDING = "-decisions"


def mxlook(
    x: Any,
    model: Union[Model, PathLike, None] = None,
    decisions: Optional[PathLike] = None,
    move: bool = False,
    port: int = 0,
    show: Union[bool, Callable[[str], Any], None] = None,
) -> pd.DataFrame:
    """Look through images on a page of this machine; a data frame of what was decided.

    The page shows how many images each class has, which files can't be read, copies and near-copies, and, with a model,
    labels that are probably wrong, the most suspect first. A key keeps an image as it is, gives it another class, drops
    it, or takes that back; where images have several labels, a key sets or clears one. It ends by its button, or by
    Ctrl-C; nothing is lost by either.

    Each decision is written at once to a table, ``file, label, decision, was``, which `mximages` and `mxtrain` take:
    labels as they are now, without the images that were dropped. Several labels have a column with TRUE and FALSE each,
    which `mximages` takes by ``label=["cat", "dog"]``. Files stay as they are, unless ``move`` is set. Called again, it
    goes on where it was left; what the table says of other images stays.

    Parameters
    ----------
    x
        A folder, a table, or what else `mximages` takes, with one class for each image, with several labels, or without
        any; or an `ImageSet`, whose groups and parts are kept in the table. Images that can't be read are shown by
        name.
    model
        A model or its file; see `Model.suspects`.
    decisions
        The table, a .csv file. If None it is ``photos-decisions.csv`` for a folder ``photos``, in the current folder.
    move
        True: when the page is left by its button, files of a folder of class folders are moved as was decided: to the
        folder of their class, or to ``photos-dropped`` beside it. None is deleted, and none replaces another.
    port
        Of the page; 0 is any free one. Nobody but this machine can reach it, and there only who has its address.
    show
        Whether to open the page in a browser; if None where somebody sits at it. A function is called with the address.

    Returns
    -------
    pandas.DataFrame
        ``file`` (the path), ``label`` (or a column of true and false for each of several), ``decision`` (keep, relabel,
        drop, or empty) and ``was``, the label before a change; ``group`` and ``split`` where the images have them.

    Raises
    ------
    ArgumentError
        Labels are numbers; ``decisions`` is another file; ``move`` without a folder of class folders; the port is
        taken.
    """
    move, port = yes_or_no("move", move), whole("port", port, 0, 65535)
    show = show if show is None or callable(show) else yes_or_no("show", show)
    table = _table_of(x, decisions)
    model = None if model is None else model_of(model)
    images = x if model is None and isinstance(x, ImageSet) else _read(x, model)
    subject = Subject.of(_title_of(x), images, model, move)
    folder = _folder_of(x, images) if move else None
    found = Decisions(images, table, subject.suggested)
    if found.elsewhere:
        others = counted(found.elsewhere, "image that is", "images that are")
        text = f"{table.name} also has {others} not looked at here: what it says of them stays."
        progress.default().event("message", text=text)
    server = Server(subject, found, port)
    try:
        text = f"Look through {counted(len(images), 'image')} at {server.address} (it ends by its button, or Ctrl-C)."
        progress.default().event("message", text=text)
        _show(server.address, show)
        server.wait()
    except KeyboardInterrupt:  # what was decided is on disk
        pass
    finally:
        server.close()
    moved = move_files(found, folder) if folder is not None and server.ended_by_page else ""
    progress.default().event("message", text=" ".join([_told(found), moved]).rstrip())
    return found.frame()


def _read(x: Any, model: Optional[Model]) -> ImageSet:
    return mximages(x, on_bad="skip") if model is None else model.labelled_images(x, on_bad="skip")


def _table_of(x: Any, decisions: Optional[PathLike]) -> Path:
    """The table of decisions."""
    if decisions is None:
        if not isinstance(x, (str, os.PathLike)):
            return Path(f"images{_ENDING}.csv")
        place = user_path("x", x)
        stem = place.stem if place.suffix.lower() == ".csv" else place.resolve().name
        return place if stem.endswith(_ENDING) and place.is_file() else Path(f"{stem}{_ENDING}.csv")
    table = user_path("decisions", decisions)
    if table.suffix.lower() != ".csv":
        raise ArgumentError("Decisions are written as .csv.", [f"it is {table.name}"], f"Use {table.stem}.csv.")
    if not table.absolute().parent.is_dir():
        raise ArgumentError(f"Can't write {table}.", [f"there is no folder {table.parent}"], "Create it first.")
    return table


def _title_of(x: Any) -> str:
    return user_path("x", x).resolve().name if isinstance(x, (str, os.PathLike)) else "images"


def _folder_of(x: Any, images: ImageSet) -> Path:
    """The folder of class folders whose files may be moved."""
    if isinstance(x, (str, os.PathLike)) and user_path("x", x).is_dir() and images.y is not None:
        return user_path("x", x)
    raise ArgumentError(
        "Only files in a folder of class folders can be moved.", hint=f"Leave {option('move', True)} out."
    )


def _show(address: str, show: Union[bool, Callable[[str], Any], None]) -> None:
    if callable(show):
        show(address)
    elif show or (show is None and _sits_somebody()):
        webbrowser.open(address)


def _sits_somebody() -> bool:
    """Whether there is a terminal or a notebook, and a screen: else a browser in text would take the terminal."""
    has_screen = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return has_screen and (sys.stderr.isatty() or hasattr(sys, "ps1"))


def _told(found: Decisions) -> str:
    if not found.table.exists():
        return "Nothing was decided, and nothing written."
    told = f"Decided on {len(found)} of {counted(len(found.now), 'image')}; the table is {found.table}."
    labelling = found.labelling
    if isinstance(labelling, OneClass):
        is_alike = labelling.task is None or labelling.task.label_type.kind in ("text", "boolean")
        if is_alike or not labelling.are_numbers(found.levels):
            return told
        return f"{told} To train on it: {written('train', str(found.table), task='classification')}."
    with interface("python") if at_command_line() else nullcontext():  # whose option takes a single column
        columns = labelling.columns(found.levels)
        return f"{told} To train on it: {written('train', str(found.table), label=columns)}."
