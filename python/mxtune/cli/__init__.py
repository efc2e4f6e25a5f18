"""The command ``mxtune``: the main job from a shell. Results go to stdout, everything else to stderr."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from .evaluate import evaluate
from .explain import explain
from .look import look
from .output import as_json_text, as_table, job
from .predict import predict
from .push import push
from .quantize import quantize
from .report import report
from .serve import serve
from .suspects import suspects
from .train import train

_HELP = """Fine-tune a pretrained network on your own images, and use it.

\b
  photos/cat/1.jpg  photos/cat/2.jpg ...      a folder of images for each class
  photos/dog/1.jpg ...
\b
  mxtune look photos                          see what is there, mend labels
  mxtune train photos -o pets.mxt             learn, in seconds
  mxtune predict pets.mxt new/*.jpg           predictions as CSV, one line per image
  mxtune evaluate pets.mxt more-photos        accuracy and other metrics
  mxtune report pets.mxt -o report.html       all that is known of it, on one page

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


# In the order of the help
app.command(short_help="Look through photos, and mend labels.", no_args_is_help=True)(look)
app.command(short_help="Train on photos and write a model.", no_args_is_help=True)(train)
app.command(short_help="Predict images with a model.", no_args_is_help=True)(predict)
app.command(short_help="Evaluate a model.", no_args_is_help=True)(evaluate)
app.command(short_help="Show where the evidence for answers lies.", no_args_is_help=True)(explain)
app.command(short_help="Find labels that are probably wrong.", no_args_is_help=True)(suspects)
app.command(short_help="Write a report on a model.", no_args_is_help=True)(report)
app.command(short_help="Serve a model over HTTP.", no_args_is_help=True)(serve)
app.command(short_help="Put a model on the Hugging Face hub.", no_args_is_help=True)(push)
app.command(short_help="Measure what int8 costs and brings a model.", no_args_is_help=True)(quantize)


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


@app.command(short_help="Show or clear what is cached.")
def cache(clear: Annotated[bool, typer.Option("--clear", help="Remove all of it.")] = False) -> None:
    """Show what is cached, the features of training above all: kind, number, size, last use and folder.

    \b
    Examples:
      mxtune cache
      mxtune cache --clear

    Features and images above 2 GB (MXTUNE_CACHE_GB) are removed, those not used for longest first. MXTUNE_CACHE
    sets another folder.
    """
    with job(None, False):
        from .. import store
        from ..words import counted, file_size

        kept = store.mxcache()
        if clear:
            store.mxcache(clear=True)
            typer.echo(f"Removed {file_size(int(kept['size'].sum()))} from {store.cache_dir()}")
            return
        for kind, entries, size, used, folder in kept.itertuples(index=False):
            share = {"features": 1, "images": 2}.get(kind)
            most = f" of {file_size(store.bound() // share)}" if share else ""
            last = f", last used {used:%Y-%m-%d}" if entries else ""
            typer.echo(f"{kind}: {counted(entries, 'file')}, {file_size(int(size))}{most}{last}, in {folder}")
