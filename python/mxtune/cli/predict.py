"""``mxtune predict``: a table of predictions."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from .options import (
    Devices,
    EngineName,
    Kind,
    Output,
    PathColumn,
    Place,
    Precision,
    Quiet,
    Root,
    Verbose,
    given,
    share,
    whole_number,
)
from .output import BAD_PICTURES, as_table, job, writable, write


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .mxt file, or a network's name.", show_default=False)
    ],
    pictures: Annotated[
        list[Place],
        typer.Argument(parser=Place, metavar="IMAGES...", help="Files, a folder, or a table.", show_default=False),
    ],
    type: Annotated[Kind, typer.Option(help="Kind of output.")] = "class",  # noqa: A002 - the word in R
    level: Annotated[
        Optional[float],
        typer.Option(
            parser=share, metavar="SHARE", help="Of sets: how often the truth is to be in them.", show_default="0.9"
        ),
    ] = None,
    abstain: Annotated[
        Optional[float],
        typer.Option(parser=share, metavar="PROBABILITY", help="Below it no class is predicted, with the reason."),
    ] = None,
    format: Annotated[Literal["csv", "json"], typer.Option(help="Output format.")] = "csv",  # noqa: A002
    output: Output = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Include subfolders.")] = False,
    path: PathColumn = None,
    root: Root = None,
    batch_size: Annotated[
        Optional[int], typer.Option(parser=whole_number(1), metavar="N", help="Images per step.")
    ] = None,
    top: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(1), metavar="N", help="The N likeliest classes of each image, a line each."),
    ] = None,
    device: Devices = None,
    engine: EngineName = None,
    precision: Precision = None,
    novelty: Annotated[
        bool,
        typer.Option("--novelty", help="Add how far each image is from all that was trained on; above 1 it is novel."),
    ] = False,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Predict IMAGES with MODEL: one row per image, in the order given.

    \b
    Examples:
      mxtune predict pets.mxt new/*.jpg
      mxtune predict pets.mxt new --type prob --format json -o answers.json
      mxtune predict pets.mxt new --type set --level 0.95
      mxtune predict pets.mxt new --abstain 0.9
      mxtune predict pets.mxt new --novelty      (is it none of what the model knows?)
      mxtune predict pets.mxt new --type features -o features.csv
      mxtune predict efficientnet_lite0 coffee.png --top 3      (a network as it is: ImageNet's classes)

    Images that can't be read get NA (null in JSON) and are named on stderr; the exit code is then 3.
    """
    with job(verbose, quiet):
        if output is not None:
            writable(output)
        from .. import Model, mximages, mxload, mxnetwork, zoo
        from ..images.findings import kept_back, warn

        place = given(device=device, engine=engine, precision=precision)
        if zoo.has(str(model)) and not model.exists():
            loaded = Model.of_network(mxnetwork(model)).on(**place) if place else mxnetwork(model)
        else:
            loaded = mxload(model, **place)
        source: Any = pictures[0] if len(pictures) == 1 else pictures
        column = path or getattr(loaded, "path_column", None)
        images = mximages(source, on_bad="keep", recursive=recursive, path=column, root=root)
        asked = {"batch_size": batch_size, "level": level, "abstain": abstain, "top": top, "novelty": novelty or None}
        settings: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        with kept_back() as found:
            frame = loaded.predict(images, type=type, **settings)
        for warning in found:
            warn(warning)
        write(as_table(frame, format), output)
        if any(getattr(warning, "files", ()) for warning in found):
            raise typer.Exit(BAD_PICTURES)
