"""Options and arguments that several commands have: their types, parsers and help."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

# A copy of the library's choices: asking it would load NumPy before any help. A test compares them.
Tune = Literal["auto", "head", "tail", "all"]
Schedule = Literal["cosine", "constant"]
Task = Literal["classification", "multilabel", "regression"]
Kind = Literal["class", "prob", "logit", "set", "features"]
Figure = Literal["confusion", "per_class", "calibration", "history", "top_losses", "learning_curve", "map"]


def share(text: str) -> float:
    """A number between 0 and 1; a parser."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise typer.BadParameter(f"must be above 0 and below 1, not {text}.")
    return value


def whole_number(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """A parser; typer's own ranges put ``INTEGER RANGE`` and ``[x>=8]`` into the help."""

    def parse(text: str) -> int:
        if not text.lstrip("-").isdecimal() or int(text) < least or (most is not None and int(text) > most):
            limits = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise typer.BadParameter(f"must be a whole number {limits}, not {text}.")
        return int(text)

    return parse


def one_or_several(text: str) -> Any:
    """Names with commas between them as a list; a parser."""
    return text.split(",") if "," in text else text


class Place(str):
    """A path as given; pathlib would change an address, which an error must name."""

    __slots__ = ()


Place.__name__ = "path"  # which help shows
Verbose = Annotated[
    Optional[int],
    typer.Option(
        "--verbose",
        "-v",
        parser=whole_number(0, 2),
        metavar="0|1|2",
        help="Silent, a line per epoch, or a progress bar.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress output, as --verbose 0.")]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A .mxt file, or hf:owner/name.", show_default=False)]
Output = Annotated[
    Optional[Path], typer.Option("--output", "-o", metavar="FILE", help="Output file (default: stdout).")
]
PathColumn = Annotated[
    Optional[str],
    typer.Option("--path", metavar="COLUMN", help="For a table: the column of paths.", show_default=False),
]
LabelColumns = Annotated[
    Optional[list[str]],
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="For a table: the column of labels. Repeat it for several labels (0 and 1 each) or numbers.",
        show_default=False,
    ),
]
Root = Annotated[
    Optional[str],
    typer.Option(
        "--root", metavar="FOLDER", help="For a table: the folder that its paths are relative to.", show_default=False
    ),
]
Devices = Annotated[
    Optional[str],
    typer.Option(
        parser=one_or_several, metavar="DEVICE", help="auto, cpu, gpu, gpu:1 or gpu:0,gpu:1.", show_default="auto"
    ),
]
EngineName = Annotated[
    Optional[str],
    typer.Option(metavar="mxnet|torch", help="What computes; both can be installed.", show_default="auto"),
]
Precision = Annotated[
    Optional[str],
    typer.Option(
        metavar="float32|int8|bfloat16",
        help="What is computed in; int8 after mxtune quantize, or train --precision int8 --tune head.",
        show_default="auto",
    ),
]
CardFields = Annotated[
    Optional[list[str]],
    typer.Option(
        "--card",
        metavar="FIELD=TEXT",
        help="For the model card: intended_use, out_of_scope, factors, data, ethics, caveats, licence. Repeatable.",
    ),
]
BadPictures = Annotated[
    Literal["error", "skip"], typer.Option(help="Images that can't be read: list them and stop, or skip them.")
]


LabelledPhotos = Annotated[
    Optional[Place],
    typer.Argument(
        parser=Place,
        metavar="[PHOTOS]",
        help="Labelled images, as for train; without any, those the model was validated on.",
        show_default=False,
    ),
]


def labelled(model: Any, photos: Optional[str], on_bad: str, **table: Any) -> dict[str, Any]:
    """What `Model.evaluate` and its like take: labelled images, or the columns alone, which they refuse without any."""
    return table if photos is None else {"x": model.labelled_images(photos, on_bad=on_bad, **table)}


def given(**options: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def split_column(tested: str) -> Any:
    """The option ``--split``, and what becomes of the images for test."""
    said = f"For a table: the column that says train, valid or test. Those for test are {tested}."
    return typer.Option("--split", metavar="COLUMN", help=said)
