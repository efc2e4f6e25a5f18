"""``mxtune evaluate``: metrics and plots on labelled photos."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ..errors import ArgumentError
from .options import (
    BadPictures,
    Devices,
    EngineName,
    Figure,
    LabelColumns,
    LabelledPhotos,
    ModelFile,
    Output,
    PathColumn,
    Precision,
    Quiet,
    Root,
    Verbose,
    given,
    labelled,
    split_column,
)
from .output import as_json_text, as_lines, as_table, job, say, writable, write


def evaluate(
    model: ModelFile,
    photos: LabelledPhotos = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="Output format.")] = "text",  # noqa: A002
    output: Output = None,
    plot: Annotated[Optional[Path], typer.Option(metavar="FILE", help="A figure: x.png, .pdf or .svg.")] = None,
    kind: Annotated[Optional[Figure], typer.Option(help="What to plot.", show_default="the most informative")] = None,
    out_of_fold: Annotated[
        Optional[Path],
        typer.Option(
            metavar="FILE", help="Write what was predicted of each training image by a model without it: x.csv."
        ),
    ] = None,
    path: PathColumn = None,
    label: LabelColumns = None,
    root: Root = None,
    split: Annotated[Optional[str], split_column("evaluated")] = None,
    on_bad: BadPictures = "error",
    device: Devices = None,
    engine: EngineName = None,
    precision: Precision = None,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Evaluate MODEL on labelled PHOTOS, which should not have been used for training, or on its validation.

    \b
    Examples:
      mxtune evaluate pets.mxt more-photos
      mxtune evaluate pets.mxt more-photos --format json --plot confusion.png
      mxtune evaluate pets.mxt --plot calibration.png --kind calibration
      mxtune evaluate pets.mxt --out-of-fold predictions.csv
    """
    with job(verbose, quiet):
        if output is not None:
            writable(output)
        if plot is not None:
            writable(plot, ".png", ".pdf", ".svg")
        elif kind is not None:
            raise ArgumentError("--kind needs --plot.", hint="Add --plot x.png.")
        if out_of_fold is not None:
            writable(out_of_fold, ".csv")
        from .. import mxload

        loaded = mxload(model, **given(device=device, engine=engine, precision=precision))
        asked = labelled(loaded, photos, on_bad, path=path, label=label, root=root, split=split)
        figures = loaded.evaluate(**asked)
        if out_of_fold is not None:
            write(as_table(loaded.out_of_fold, "csv"), out_of_fold)
        write(
            as_json_text(figures.figures | {"intervals": figures.intervals}) if format == "json" else as_lines(figures),
            output,
        )
        if plot is not None:
            loaded.plot(plot, kind=kind, x=asked.get("x"))
            say(f"Wrote {plot}")
