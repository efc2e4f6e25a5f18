"""``mxtune suspects``: labels that are probably wrong."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

import io
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from .options import (
    BadPictures,
    LabelColumns,
    LabelledPhotos,
    ModelFile,
    PathColumn,
    Quiet,
    Root,
    Verbose,
    labelled,
    split_column,
)
from .output import as_table, job, say, writable


def suspects(
    model: ModelFile,
    photos: LabelledPhotos = None,
    format: Annotated[Literal["text", "csv", "json"], typer.Option(help="Output format.")] = "text",  # noqa: A002
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", metavar="FILE", help="A table to mend, for train: x.csv.")
    ] = None,
    sheet: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="A contact sheet of the suspect images: x.png.")
    ] = None,
    path: PathColumn = None,
    label: LabelColumns = None,
    root: Root = None,
    split: Annotated[Optional[str], split_column("judged")] = None,
    on_bad: BadPictures = "error",
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Find labels that are probably wrong, copies with different labels, and classes that may be one.

    \b
    Examples:
      mxtune suspects pets.mxt photos
      mxtune suspects pets.mxt photos --sheet suspects.png
      mxtune suspects pets.mxt photos -o suspects.csv      (change labels, delete rows; then:)
      mxtune train suspects.csv -o better.mxt

    They are judged by what models that had not seen them predicted; train makes such models by itself, or with
    --folds 5.
    """
    with job(verbose, quiet):
        for file, suffixes in ((output, [".csv"]), (sheet, [".png"])):
            if file is not None:
                writable(file, *suffixes)
        from .. import mxload, store

        loaded = mxload(model)
        found = loaded.suspects(**labelled(loaded, photos, on_bad, path=path, label=label, root=root, split=split))
        if format == "text":
            typer.echo(str(found))
        else:
            typer.echo(as_table(found.table, format), nl=False)
        if output is not None:
            found.save(output)
            say(f"Wrote {output}")
        if sheet is not None:
            picture = io.BytesIO()
            found.sheet().save(picture, "PNG")
            store.write(sheet, [picture.getvalue()], "the contact sheet")
            say(f"Wrote {sheet}")
