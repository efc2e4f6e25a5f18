"""``mxtune look``: images on a page of this machine, and a table of what is decided on them."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import Place, whole_number
from .output import job


def look(
    photos: Annotated[
        Place, typer.Argument(parser=Place, metavar="PHOTOS", help="A folder, or a table.", show_default=False)
    ],
    model: Annotated[
        Optional[Path],
        typer.Option("--model", "-m", metavar="MODEL", help="A .mxt file, to show labels that are probably wrong."),
    ] = None,
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", metavar="FILE", help="The table of decisions (default: PHOTOS-decisions.csv)."),
    ] = None,
    move: Annotated[
        bool, typer.Option("--move", help="In the end move files: to their class, dropped ones to PHOTOS-dropped.")
    ] = False,
    port: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(0, 65535), metavar="PORT", help="Of the page.", show_default="any free one"),
    ] = None,
    browser: Annotated[
        Optional[bool], typer.Option("--browser/--no-browser", help="Open a browser.", show_default="in a terminal")
    ] = None,
) -> None:
    """Look through images: counts, files that can't be read, copies, suspect labels; mend labels by a key.

    \b
    Examples:
      mxtune look photos
      mxtune look photos --model pets.mxt
      mxtune train photos-decisions.csv -o better.mxt

    The page is for this machine alone. Each decision is written at once to a table that train takes; images stay as
    they are. Ctrl-C, or the page's button, ends it; the same command goes on where it was left.
    """
    with job(None, False):
        from .. import mxlook

        mxlook(photos, model, output, move, port or 0, browser)
