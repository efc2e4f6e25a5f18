"""``mxtune train``: from photos to a model's file."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from ..errors import TrainingError
from .options import (
    BadPictures,
    Devices,
    EngineName,
    LabelColumns,
    PathColumn,
    Place,
    Precision,
    Quiet,
    Root,
    Schedule,
    Task,
    Tune,
    Verbose,
    split_column,
    whole_number,
)
from .output import SIGNALLED, as_lines, fields, folds_named, job, say, share_or_folder, writable


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
    time_budget: Annotated[
        Optional[float],
        typer.Option(metavar="SECONDS", help="Cut image size, layers and epochs to what fits.", show_default=False),
    ] = None,
    workers: Annotated[
        Optional[str],
        typer.Option(metavar="N|ADDRESS", help="Compute by N processes, or by a Ray cluster.", show_default="1"),
    ] = None,
    device: Devices = None,
    engine: EngineName = None,
    precision: Precision = None,
    seed: Annotated[
        Optional[int],
        typer.Option(metavar="N", help="Random seed: the same seed gives the same model.", show_default="0"),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The same seed gives the same bytes on a GPU, too; slower there.")
    ] = False,
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
    label: LabelColumns = None,
    root: Root = None,
    split: Annotated[Optional[str], split_column("left for evaluate")] = None,
    on_bad: BadPictures = "error",
    cache: Annotated[
        Optional[str],
        typer.Option(
            metavar="FOLDER|none",
            help="Where features are kept for the next training on these images.",
            show_default="see: mxtune cache",
        ),
    ] = None,
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
      mxtune train scenes.csv -o scenes.mxt --label beach --label people    (0 and 1: several labels per image)
      mxtune train labels.csv -o dogs.mxt --split part && mxtune evaluate dogs.mxt labels.csv --split part

    A table has a column of paths (relative to its own folder, the current one, or --root) and one or several of labels.

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

        about = checked(fields("--meta", meta)) if meta else None
        arguments = {
            "net": net, "tune": tune, "epochs": epochs, "image_size": image_size, "lr": lr,
            "batch_size": batch_size, "schedule": schedule, "augment": augment,
            "class_weights": class_weights, "patience": patience, "seed": seed, "checkpoint": checkpoint,
            "device": device, "engine": engine, "precision": precision, "time_budget": time_budget,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
        table: dict[str, Any] = {"path": path, "label": label, "root": root}
        images = mximages(photos, on_bad=on_bad, task=task, groups=groups, range=range, split=split, **table)
        if valid is not None:
            given["valid"] = share_or_folder(valid)
            given |= table if is_table(given["valid"]) else {}
        if cache is not None:
            given["cache"] = False if cache.lower() == "none" else cache
        if workers is not None:
            given["workers"] = int(workers) if workers.isdigit() else workers
        if folds is not None:
            given["folds"] = folds_named(folds)
        try:
            model = mxtrain(
                images, **given, meta=about, resume=resume, deterministic=deterministic, verbose=0 if quiet else verbose
            )
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
