"""The command ``mxtune``: the main job from a shell. Results go to stdout, everything else to stderr."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from ..errors import ArgumentError, TrainingError
from .options import (
    BadPictures,
    Figure,
    Kind,
    LabelColumn,
    ModelFile,
    Output,
    PathColumn,
    Place,
    Quiet,
    Root,
    Schedule,
    Task,
    Tune,
    Verbose,
    share,
    whole_number,
)
from .output import (
    BAD_PICTURES,
    SIGNALLED,
    as_json_text,
    as_lines,
    as_table,
    fields,
    folds_named,
    job,
    say,
    share_or_folder,
    writable,
    write,
)

_HELP = """Fine-tune a pretrained network on your own images, and use it.

\b
  photos/cat/1.jpg  photos/cat/2.jpg ...      a folder of images for each class
  photos/dog/1.jpg ...
\b
  mxtune train photos -o pets.mxt             learn, in seconds
  mxtune predict pets.mxt new/*.jpg           predictions as CSV, one line per image
  mxtune evaluate pets.mxt more-photos        accuracy and other metrics

Each command has its own help: mxtune train --help
"""
_EXITS = """\b
Exit codes:
    0  done
    1  the job failed; stderr says why
    2  an option or argument can't be used
    3  some images couldn't be read; their predictions are NA
  130  interrupted; train has written the best model so far, if there was one
  143  the same, by SIGTERM
"""

app = typer.Typer(
    help=_HELP,
    epilog=_EXITS,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: examples stay as they are, and it appears at once
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def main() -> None:
    """Runs the command, and ends the process with one of the exit codes of its help."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name need not be valid text
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdout else "backslashreplace")
    app(prog_name="mxtune")


def _version(wanted: bool) -> None:
    if wanted:
        from .._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


# Commands -----------------------------------------------------------------------------------------------------


@app.command(short_help="Train on photos and write a model.", no_args_is_help=True)
def train(
    photos: Annotated[
        Place,
        typer.Argument(
            parser=Place,
            metavar="PHOTOS",
            help="A folder of class folders, or a table of paths and labels: .csv, .tsv, .txt, .xlsx, .parquet.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The model file to write: x.mxt.")],
    net: Annotated[
        Optional[str],
        typer.Option(
            metavar="NAME|FILE",
            help="A network by name (see: mxtune zoo), on the Hugging Face hub (hf:timm/...), or in a file.",
            show_default="auto",
        ),
    ] = None,
    tune: Annotated[Optional[Tune], typer.Option(help="Which layers to train.", show_default="auto")] = None,
    epochs: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(1), metavar="N", help="Maximum epochs for the last layers or all."),
    ] = None,
    valid: Annotated[
        Optional[str],
        typer.Option(
            metavar="SHARE|FOLDER|none",
            help="Share of the images kept for validation, or a folder of others.",
            show_default="folds where only the head is trained, else 0.2",
        ),
    ] = None,
    folds: Annotated[
        Optional[str],
        typer.Option(
            metavar="N|full|none",
            help="Cross-validation in N folds of heads, or in 5 whole trainings.",
            show_default="5 where only the head is trained",
        ),
    ] = None,
    image_size: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(8), metavar="PIXELS", help="Height and width of the network's input."),
    ] = None,
    batch_size: Annotated[
        Optional[int], typer.Option(parser=whole_number(1), metavar="N", help="Images per step.")
    ] = None,
    lr: Annotated[Optional[float], typer.Option(metavar="RATE", help="Maximum learning rate.")] = None,
    schedule: Annotated[Optional[Schedule], typer.Option(help="Learning-rate schedule.", show_default="cosine")] = None,
    augment: Annotated[
        Optional[str],
        typer.Option(metavar="auto|light|none", help="Random changes to the training images.", show_default="auto"),
    ] = None,
    class_weights: Annotated[
        Optional[str], typer.Option(metavar="balanced", help="Give rare classes the same weight.")
    ] = None,
    patience: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(0), metavar="N", help="Stop after N epochs without improvement (0: never)."),
    ] = None,
    device: Annotated[
        Optional[str], typer.Option(metavar="DEVICE", help="auto, cpu, gpu, gpu:1 or gpu:0,gpu:1.", show_default="auto")
    ] = None,
    seed: Annotated[
        Optional[int],
        typer.Option(metavar="N", help="Random seed: the same seed gives the same model.", show_default="0"),
    ] = None,
    task: Annotated[Optional[Task], typer.Option(help="Override the task inferred from the labels.")] = None,
    groups: Annotated[
        Optional[str],
        typer.Option(
            metavar="COLUMN|REGEX",
            help="Patient, animal or burst, never on both sides of a split: a column or a regular expression.",
        ),
    ] = None,
    range: Annotated[  # noqa: A002 - the option's name
        Optional[str],
        typer.Option(
            metavar="LOW..HIGH", help="Pixel values of black and white above 8 bits: 0..4095, or percentiles: 1%..99%."
        ),
    ] = None,
    path: PathColumn = None,
    label: LabelColumn = None,
    root: Root = None,
    split: Annotated[
        Optional[str],
        typer.Option(
            metavar="COLUMN",
            help="For a table: the column that says train, valid or test. Those for test are left for evaluate.",
        ),
    ] = None,
    on_bad: BadPictures = "error",
    checkpoint: Annotated[Optional[Path], typer.Option(metavar="FILE", help="Save the training state here.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoint, if there is one.")] = False,
    plot: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Plot the training history: x.png, .pdf or .svg.")
    ] = None,
    meta: Annotated[
        Optional[list[str]],
        typer.Option(metavar="FIELD=TEXT", help="Kept in the model: title, author, notes or date. Repeatable."),
    ] = None,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Train on PHOTOS, write the model, and print its metrics on the validation images.

    \b
    Examples:
      mxtune train photos -o pets.mxt
      mxtune train photos -o pets.mxt --tune all --epochs 20 --plot history.png
      mxtune train photos -o pets.mxt --on-bad skip --checkpoint pets.ckpt --resume
      mxtune train prices.csv -o prices.mxt        (a column of numbers: regression)
      mxtune train labels.csv -o dogs.mxt --root train --path id --label breed
      mxtune train labels.csv -o dogs.mxt --split part && mxtune evaluate dogs.mxt labels.csv --split part

    A table has a column of paths (relative to its own folder, the current one, or --root) and one of labels.

    Ctrl-C writes the best model so far.
    """
    with job(verbose, quiet) as watch:
        writable(output, ".mxt")
        if plot is not None:
            from ..model import report  # noqa: F401 - what it needs is missed before the work, not after

            writable(plot, ".png", ".pdf", ".svg")
        from .. import mximages, mxtrain
        from ..images.source import is_table
        from ..model.meta import checked

        about = checked(fields(meta)) if meta else None
        arguments = {
            "net": net, "tune": tune, "epochs": epochs, "image_size": image_size, "lr": lr,
            "batch_size": batch_size, "schedule": schedule, "augment": augment,
            "class_weights": class_weights, "patience": patience, "seed": seed, "checkpoint": checkpoint,
            "device": device.split(",") if device and "," in device else device,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
        table: dict[str, Any] = {"path": path, "label": label, "root": root}
        images = mximages(photos, on_bad=on_bad, task=task, groups=groups, range=range, split=split, **table)
        if valid is not None:
            given["valid"] = share_or_folder(valid)
            given |= table if is_table(given["valid"]) else {}
        if folds is not None:
            given["folds"] = folds_named(folds)
        try:
            model = mxtrain(images, **given, meta=about, resume=resume, verbose=0 if quiet else verbose)
        except (KeyboardInterrupt, TrainingError) as error:
            best = getattr(error, "model", None)
            if best is not None:
                best.save(output)
                say(f"Wrote {output}: the best model so far")
            raise
        model.save(output)
        say(f"Wrote {output}")
        if plot is not None:
            model.plot(plot, "history")
            say(f"Wrote {plot}")
        typer.echo(as_lines(model.evaluate()) if model.metrics else "", nl=False)
        if watch.received:
            raise typer.Exit(SIGNALLED + watch.received[0])


@app.command(short_help="Predict images with a model.", no_args_is_help=True)
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
      mxtune predict pets.mxt new --type features -o features.csv
      mxtune predict efficientnet_lite0 coffee.png --top 3      (a network as it is: ImageNet's classes)

    Images that can't be read get NA (null in JSON) and are named on stderr; the exit code is then 3.
    """
    with job(verbose, quiet):
        if output is not None:
            writable(output)
        from .. import mximages, mxload, mxnetwork, zoo

        loaded = mxnetwork(model) if zoo.has(str(model)) and not model.exists() else mxload(model)
        source: Any = pictures[0] if len(pictures) == 1 else pictures
        column = path or getattr(loaded, "path_column", None)
        images = mximages(source, on_bad="keep", recursive=recursive, path=column, root=root)
        asked = {"batch_size": batch_size, "level": level, "abstain": abstain, "top": top}
        settings: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        frame = loaded.predict(images, type=type, **settings)
        write(as_table(frame, format), output)
        if len(frame) and frame.iloc[:, 1:].isna().all(axis=1).any():
            raise typer.Exit(BAD_PICTURES)


@app.command(short_help="Evaluate a model.", no_args_is_help=True)
def evaluate(
    model: ModelFile,
    photos: Annotated[
        Optional[Place],
        typer.Argument(
            parser=Place,
            metavar="[PHOTOS]",
            help="Labelled images, as for train; without any, those the model was validated on.",
            show_default=False,
        ),
    ] = None,
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
    label: LabelColumn = None,
    root: Root = None,
    split: Annotated[
        Optional[str],
        typer.Option(
            metavar="COLUMN",
            help="For a table: the column that says train, valid or test. Those for test are evaluated.",
        ),
    ] = None,
    on_bad: BadPictures = "error",
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
        from .. import mxload

        loaded = mxload(model)
        table: dict[str, Any] = {"path": path, "label": label, "root": root, "split": split}
        if photos is None:
            figures, images = loaded.evaluate(**table), None
        else:
            images = loaded.labelled_images(photos, on_bad=on_bad, **table)
            figures = loaded.evaluate(images)
        if out_of_fold is not None:
            writable(out_of_fold, ".csv")
            write(as_table(loaded.out_of_fold, "csv"), out_of_fold)
        write(
            as_json_text(figures | {"intervals": figures.intervals}) if format == "json" else as_lines(figures), output
        )
        if plot is not None:
            loaded.plot(plot, kind=kind, x=images)
            say(f"Wrote {plot}")


@app.command(short_help="Describe the installation, or a model.")
def info(
    model: Annotated[Optional[Path], typer.Argument(metavar="[MODEL]", help="A .mxt file.", show_default=False)] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="Output format.")] = "text",  # noqa: A002
) -> None:
    """Show what is installed, which devices can be used, and how to fix problems; or describe a MODEL.

    \b
    Examples:
      mxtune info
      mxtune info --format json
      mxtune info pets.mxt
    """
    with job(None, False):
        if model is None:
            from ..engines.info import collect

            installation = collect()
            typer.echo(as_json_text(installation.to_dict()) if format == "json" else f"{installation}\n", nl=False)
            return
        from .. import mxload

        loaded = mxload(model)
        names = ("task", "levels", "metrics", "settings", "provenance", "versions")
        facts: dict[str, Any] = {"meta": loaded.meta} if loaded.meta else {}
        facts |= {name: getattr(loaded, name) for name in names} | {"preprocess": loaded.preprocess.to_dict()}
        typer.echo(as_json_text(facts) if format == "json" else f"{loaded.summary()}\n", nl=False)


@app.command(short_help="List pretrained networks.")
def zoo(
    names: Annotated[
        Optional[list[str]], typer.Argument(metavar="[NAMES]...", help="Networks; all if none.", show_default=False)
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the speed of these, or of those with weights here.")
    ] = False,
    format: Annotated[Literal["text", "csv", "json"], typer.Option(help="Output format.")] = "text",  # noqa: A002
) -> None:
    """List the networks that can be trained, those with weights here first.

    \b
    Examples:
      mxtune zoo
      mxtune zoo --measure                       (seconds for 1,000 images, kept in the cache)
      mxtune zoo resnet18 resnet50 --measure
      mxtune train photos -o small.mxt --net lenet
    """
    with job(None, False):
        from .. import mxzoo
        from ..zoo import entry
        from ..zoo.listing import text

        chosen = [entry(name).name for name in names or []]
        table = mxzoo(measure=chosen if measure and chosen else measure)
        table = table[table["name"].isin(chosen)] if chosen else table
        if format == "text":
            typer.echo(text(table))
        else:
            typer.echo(as_table(table, format), nl=False)


@app.command(short_help="Show or clear cached features.")
def cache(clear: Annotated[bool, typer.Option("--clear", help="Remove all cached features.")] = False) -> None:
    """Show the features that training cached (cache=True): folder, number and size.

    \b
    Examples:
      mxtune cache
      mxtune cache --clear

    Above 10 GB (MXTUNE_CACHE_GB), the least recently used are removed. MXTUNE_CACHE sets another folder.
    """
    with job(None, False):
        from .. import store
        from ..words import counted, file_size

        if clear:
            typer.echo(f"Removed {file_size(store.clear())} from {store.features_dir()}")
            return
        kept = store.entries()
        size, most = file_size(sum(entry.n_bytes for entry in kept)), file_size(store.bound())
        typer.echo(f"{store.features_dir()}: {counted(len(kept), 'file')}, {size} of {most}")
