"""``mxtune report``: all that is known of a model, as one page."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from .options import CardFields, LabelColumns, ModelFile, PathColumn, Place, Quiet, Root, Verbose, split_column
from .output import fields, job, say, writable


def report(
    model: ModelFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write: x.html.")],
    data: Annotated[
        Optional[Place],
        typer.Option(
            parser=Place,
            metavar="PHOTOS",
            help="Labelled images, as for train: those it was trained on, to show them, or others, to judge it by.",
            show_default=False,
        ),
    ] = None,
    path: PathColumn = None,
    label: LabelColumns = None,
    root: Root = None,
    split: Annotated[Optional[str], split_column("used")] = None,
    card: CardFields = None,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Write a report on MODEL: how good it is, where it errs, how it was made. One file, which needs no network.

    \b
    Examples:
      mxtune report pets.mxt -o report.html
      mxtune report pets.mxt -o report.html --data photos
    """
    with job(verbose, quiet):
        writable(output, ".html", ".htm")
        stated = fields("--card", card or [])
        from .. import mxload
        from ..model.judging import refuse_unused

        loaded = mxload(model)
        table: dict[str, Any] = {"path": path, "label": label, "root": root, "split": split}
        if data is None:
            refuse_unused(**table)
        images = None if data is None else loaded.labelled_images(data, on_bad="skip", **table)
        loaded.report(output, images, card=stated)
        say(f"Wrote {output}")
