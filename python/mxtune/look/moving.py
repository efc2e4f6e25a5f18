"""The one thing that touches files, where it is asked for: they go where decisions say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from .. import store
from ..errors import MxtuneError, StoreError
from ..images.decided import DROP, RELABEL
from ..images.sniff import ignored
from ..words import bullets, counted
from .decisions import Decisions


class Move(NamedTuple):
    """An image by position, where its file is, and where it goes."""

    row: int
    source: Path
    target: Path


def moves(decisions: Decisions, folder: Path) -> list[Move]:
    """Where files go: those with another label to the folder of their class, dropped ones to a folder beside,
    ``<folder>-dropped``.

    Raises
    ------
    MxtuneError
        A file is there already, or a class can't be the name of a folder; all are named.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - as the images' files are
    aside = folder.with_name(f"{folder.name}-dropped")
    within = {row: Path(str(file)).relative_to(folder) for row, file in enumerate(decisions.files)}
    home = {str(decisions.was[row]): path.parts[0] for row, path in within.items() if len(path.parts) > 1}
    found, wrong, taken = [], [], set[Path]()
    for row, (decision, label) in enumerate(decisions.now):
        if decision == RELABEL:
            name = home.get(str(label), str(label))
            target = folder / name / within[row].name
            if name in (".", "..") or ignored(name) or {"/", "\\", os.sep} & set(name):
                wrong.append(f"{label}: no name for a folder")
                continue
        elif decision == DROP:
            target = aside / within[row]
        else:
            continue
        if target in taken or os.path.lexists(target):
            wrong.append(f"{within[row]}: {target.relative_to(folder.parent)} is there already")
        taken.add(target)
        found.append(Move(row, folder / within[row], target))
    if wrong:
        hint = "Rename these files, or decide otherwise; the table has all decisions."
        raise MxtuneError("No file was moved.", bullets(wrong), hint)
    return found


def move(decisions: Decisions, folder: Path) -> str:
    """Move the files, and write the table anew with where they are; a sentence on it.

    Raises
    ------
    MxtuneError
        See `moves`; or somebody else has changed the table; or a file can't be moved: those before it are, and the
        table says where.
    """
    decisions.check_alone()
    planned = moves(decisions, folder)
    try:
        for row, source, target in planned:
            store.make_folder(target.parent)
            try:
                shutil.move(source, target)
            except OSError as error:
                raise StoreError(f"Can't move {source}.", [error.strerror or str(error)]) from error
            decisions.moved(row, str(target))
    finally:
        decisions.write()
    return f"Moved {counted(len(planned), 'file')}."
