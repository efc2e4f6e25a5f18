"""``mxtune quantize``: what int8 costs and brings a model."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import (
    BadPictures,
    LabelColumns,
    ModelFile,
    PathColumn,
    Place,
    Quiet,
    Root,
    Verbose,
    labelled,
    split_column,
)
from .output import job, say, writable


def quantize(
    model: ModelFile,
    photos: Annotated[
        Optional[Place],
        typer.Argument(
            parser=Place,
            metavar="[PHOTOS]",
            help="Labelled images, as for train, better ones it was not trained on; without any, its validation's.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", metavar="FILE", help="The model that knows int8: x.mxt (default: MODEL)."),
    ] = None,
    path: PathColumn = None,
    label: LabelColumns = None,
    root: Root = None,
    split: Annotated[Optional[str], split_column("measured on")] = None,
    on_bad: BadPictures = "error",
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Measure what int8 costs and brings MODEL on this machine, and keep in it what int8 needs.

    \b
    Examples:
      mxtune quantize pets.mxt more-photos
      mxtune quantize pets.mxt more-photos -o quick.mxt
      mxtune predict pets.mxt new --precision int8

    It then predicts in int8 by itself if that is faster, the accuracy at most half a point lower and the log-loss at
    most 2 % higher, on at least 200 images that it was not trained on. --precision overrides that.
    """
    with job(verbose, quiet):
        file = output or model
        writable(file, ".mxt")
        from .. import mxload
        from ..model.quantised import KEY, told

        loaded = mxload(model)
        found = loaded.quantize(**labelled(loaded, photos, on_bad, path=path, label=label, root=root, split=split))
        typer.echo(f"int8 {told(found.settings[KEY])}")
        found.save(file)
        say(f"Wrote {file}")
