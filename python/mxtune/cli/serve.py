"""``mxtune serve``: a model behind HTTP."""

# Without `from __future__ import annotations`: on Python 3.9 typer reads no options from annotations that are text.

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import EngineName, ModelFile, whole_number
from .output import job, say


def serve(
    model: ModelFile,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0: all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(0, 65535), metavar="N", help="Port; 0: a free one.", show_default="8000"),
    ] = None,
    workers: Annotated[
        Optional[int],
        typer.Option(
            parser=whole_number(1, 256), metavar="N", help="Processes, each with its own model.", show_default="1"
        ),
    ] = None,
    key_file: Annotated[
        Optional[Path],
        typer.Option(metavar="FILE", help="Keys that are let in, one a line.", show_default="everybody is"),
    ] = None,
    allow_url: Annotated[
        Optional[list[str]],
        typer.Option(metavar="HOST", help="A host that images may be fetched from. Repeatable.", show_default="none"),
    ] = None,
    max_mb: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(1, 500), metavar="N", help="Megabytes of a request.", show_default="32"),
    ] = None,
    max_megapixels: Annotated[
        Optional[int],
        typer.Option(parser=whole_number(1, 110), metavar="N", help="Megapixels of an image.", show_default="50"),
    ] = None,
    queue: Annotated[
        Optional[int],
        typer.Option(
            parser=whole_number(1),
            metavar="N",
            help="Images that may wait; more get 503.",
            show_default="256",
        ),
    ] = None,
    timeout: Annotated[
        Optional[int],
        typer.Option(
            parser=whole_number(1, 3600), metavar="SECONDS", help="For a request, and its answer.", show_default="30"
        ),
    ] = None,
    device: Annotated[Optional[str], typer.Option(metavar="DEVICE", help="cpu or gpu.", show_default="auto")] = None,
    engine: EngineName = None,
) -> None:
    """Answer requests for predictions of MODEL over HTTP, until Ctrl-C or SIGTERM.

    \b
    Examples:
      mxtune serve pets.mxt
      mxtune serve pets.mxt --host 0.0.0.0 --port 80 --workers 2 --key-file keys.txt
      curl -F images=@cat.jpg 'localhost:8000/predict?type=prob'
      curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg' localhost:8000/predict

    POST /predict, GET /health, /metrics (Prometheus) and /openapi.json; at / a page for people.
    Needs: pip install fastapi uvicorn python-multipart prometheus-client
    """
    with job(None, False):
        from ..serve.running import serve as run
        from ..serve.settings import Settings

        others = {"queue": queue, "timeout": timeout, "device": device, "engine": engine}
        settings = Settings.asked(model, key_file, allow_url or (), max_mb, max_megapixels, **others)
        times = f", {workers} times" if workers and workers > 1 else ""
        run(
            settings,
            host,
            8000 if port is None else port,
            workers or 1,
            lambda address: say(f"Serving {model} at {address}{times}"),
        )
