"""``mxtune push``: a model to the Hugging Face hub."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from typing import Annotated

import typer

from .options import CardFields, ModelFile, Quiet, Verbose
from .output import fields, job


def push(
    model: ModelFile,
    repository: Annotated[
        str,
        typer.Argument(metavar="REPOSITORY", help="hf:owner/name; hf:owner/name@branch for another branch than main."),
    ],
    public: Annotated[
        bool, typer.Option("--public", help="A repository that is made is for everybody, not for its owner alone.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Without what the model remembers of its images: names, labels, features.")
    ] = False,
    card: CardFields = None,
    verbose: Verbose = None,
    quiet: Quiet = False,
) -> None:
    """Put MODEL and a model card into a repository of the Hugging Face hub, which is made if there is none.

    \b
    Examples:
      mxtune push pets.mxt hf:me/pets
      mxtune push pets.mxt hf:me/pets --public --forget --card licence=apache-2.0

    Log in once, with hf auth login, or set HF_TOKEN. Model and card come in one commit, whose address is written to
    stdout. The file holds names, labels and predictions of the images that the model was validated on; with --forget
    it does not: it predicts the same, and knows no prediction sets, suspects and nearest images.
    Needs: pip install huggingface_hub
    """
    with job(verbose, quiet):
        stated = fields("--card", card or [])
        from .. import mxload
        from ..hub import Reference

        reference = Reference.of(repository)  # before a large file is read
        loaded = mxload(model)
        shared = loaded.forget() if forget else loaded
        typer.echo(shared.push(str(reference), not public, stated))
