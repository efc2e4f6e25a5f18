"""How a command runs and what it writes: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import json
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Optional

import typer

from .. import calls, interrupts, progress
from ..errors import ArgumentError, MxtuneError, MxtuneWarning

if TYPE_CHECKING:
    import pandas as pd

    from ..tasks.intervals import Measured

OK, FAILED, USAGE, BAD_PICTURES = 0, 1, 2, 3
SIGNALLED = 128  # and the signal's number, as shells have it


@contextmanager
def job(verbose: Optional[int], quiet: bool) -> Iterator[interrupts.Watch]:
    """Progress, warnings and errors go to stderr; errors end it with a code. Yields the watch over signals."""
    with interrupts.watching() as watch, ended_by_code():
        reporter = progress.default(0 if quiet else verbose)
        with warnings.catch_warnings(), progress.using(reporter), calls.interface("command"):
            warnings.simplefilter("always", MxtuneWarning)
            warnings.showwarning = _warn
            yield watch


@contextmanager
def ended_by_code() -> Iterator[None]:
    try:
        yield
    except ArgumentError as error:
        say(str(error))
        raise typer.Exit(USAGE) from None
    except MxtuneError as error:
        say(str(error))
        raise typer.Exit(FAILED) from None
    except BrokenPipeError:  # the reader of stdout has seen enough
        raise
    except OSError as error:
        say(f"Can't continue: {error}")
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        say("Interrupted.")
        watch = interrupts.current()
        raise typer.Exit(SIGNALLED + (watch.received[-1] if watch and watch.received else signal.SIGINT)) from None


def say(text: str) -> None:
    typer.echo(text, err=True)


def _warn(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    say(str(message) if issubclass(category, MxtuneWarning) else f"{category.__name__}: {message}")


def writable(path: Path, *suffixes: str) -> None:
    """Refuse a path before the work, not after it, also one with the extension of another kind of file."""
    if path.is_dir():
        raise ArgumentError(f"Can't write {path}.", ["it is a folder"], "Add a file name.")
    if suffixes and path.suffix.lower() not in suffixes:
        ending = f"its extension is {path.suffix}" if path.suffix else "it has no extension"
        raise ArgumentError(f"Can't write {path}.", [ending], f"Use {path.with_suffix(suffixes[0])}.")
    if not path.absolute().parent.is_dir():
        raise ArgumentError(f"Can't write {path}.", [f"there is no folder {path.parent}"], "Create it first.")


def fields(option: str, texts: list[str]) -> dict[str, str]:
    """``title=Pets`` and the like, by name."""
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise ArgumentError(
            f"{option} takes FIELD=TEXT.", [f"it is {text}" for text in wrong], f'Use {option} FIELD="some text".'
        )
    return {name.strip(): value for name, _, value in (text.partition("=") for text in texts)}


def share_or_folder(text: str) -> Any:
    if text.lower() == "none":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def folds_named(text: str) -> Any:
    """``5``, ``full`` or ``none``."""
    if text.lower() == "none":
        return None
    return int(text) if text.isdecimal() else text


def as_table(frame: pd.DataFrame, form: Literal["csv", "json"]) -> str:
    from ..model.written import as_csv, as_json

    return as_csv(frame) if form == "csv" else as_json(frame)


def as_json_text(facts: Any) -> str:
    from ..formats.mxt.writing import as_json

    return json.dumps(as_json(facts), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def as_lines(figures: Measured) -> str:
    """A line a metric, with its interval."""
    within = {name: f"  {low:.4g} to {high:.4g}" for name, (low, high) in figures.intervals.items()}
    rows = figures.figures.items()
    return "".join(f"{name:<24}{value:<8.4g}{within.get(name, '')}".rstrip() + "\n" for name, value in rows)


def write(text: str, output: Optional[Path]) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    from .. import store

    store.write(output, [text.encode("utf-8", "surrogateescape")], "the table")
    say(f"Wrote {output}")
