"""``mxtune explain``: where in images the evidence for answers lies."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from ..errors import ArgumentError
from .options import PathColumn, Place, Quiet, Root, Verbose, whole_number
from .output import BAD_PICTURES, job, say


def explain(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .mxt file, or a network's name.", show_default=False)
    ],
    pictures: Annotated[
        list[Place],
        typer.Argument(parser=Place, metavar="IMAGES...", help="Files, a folder, or a table.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="Where pictures and explanation.csv go; made where there is none."
        ),
    ],
    label: Annotated[
        Optional[list[str]],
        typer.Option(metavar="LABEL", help="What is explained, several times for several; else the predicted class."),
    ] = None,
    against: Annotated[
        Optional[str], typer.Option(metavar="CLASS", help="The evidence is for the label rather than for this class.")
    ] = None,
    method: Annotated[
        Literal["auto", "cam", "gradcam"],
        typer.Option(help="Exact where that is possible, or not at all, or Grad-CAM."),
    ] = "auto",
    layer: Annotated[Optional[str], typer.Option(metavar="LAYER", help="Of Grad-CAM: a layer with maps.")] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Include subfolders.")] = False,
    path: PathColumn = None,
    root: Root = None,
    batch_size: Annotated[
        Optional[int], typer.Option(parser=whole_number(1), metavar="N", help="Images per step.")
    ] = None,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Show where in IMAGES the MODEL sees what speaks for its answers (orange), and what against them (blue).

    \b
    Examples:
      mxtune explain pets.mxt new/*.jpg --out why
      mxtune explain pets.mxt new --label cat --against dog --out why
      mxtune explain efficientnet_lite0 coffee.png --out why      (a network as it is: ImageNet's classes)

    Images that can't be read have NA in the table and are named on stderr; the exit code is then 3.
    """
    with job(verbose, quiet):
        if out.exists() and not out.is_dir():
            raise ArgumentError(f"Can't write to {out}.", ["it is a file"], "Name a folder.")
        from .. import Model, mximages, mxload, mxnetwork, zoo

        is_name = zoo.has(str(model)) and not model.exists()
        loaded = Model.of_network(mxnetwork(model)) if is_name else mxload(model)
        source: Any = pictures[0] if len(pictures) == 1 else pictures
        images = mximages(source, on_bad="keep", recursive=recursive, path=path or loaded.path_column, root=root)
        asked = {"batch_size": batch_size, "label": label, "against": against, "layer": layer}
        settings: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        found = loaded.explain(images, method=method, **settings)
        written = found.save(out)
        typer.echo(str(found))
        say(f"Wrote {len(written) - 1} pictures and explanation.csv to {out}")
        if found.table["logit"].isna().any():
            raise typer.Exit(BAD_PICTURES)
