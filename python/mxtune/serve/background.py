"""`mxserve`: the service in a process of its own, which ends with this one at the latest."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Optional, Union

from .. import children, engines, errors, hub
from ..arguments import one_of, user_path, whole
from ..calls import value_text
from ..engines import devices
from ..errors import ArgumentError, MxtuneError
from ..model.load import model_of
from ..model.model import Model
from ..network import Network
from .settings import Settings

PathLike = Union[str, "os.PathLike[str]"]
_TO_END = 10  # seconds, beyond those that a request has
_running: dict[int, Service] = {}  # of R, which has numbers alone


class Service:
    """A service under way; `mxserve` starts one. After a ``with`` it is stopped.

    Attributes
    ----------
    url
        Its address.
    pid
        The number of its process.
    """

    def __init__(self, url: str, process: subprocess.Popen[bytes], patience: float) -> None:
        self.url, self.pid = url, process.pid
        self._process, self._patience = process, patience

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Answer what is under way, and end. Stopped twice is stopped."""
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # which `child` waits for
        try:
            self._process.wait(self._patience)
        except subprocess.TimeoutExpired:  # all that was let in has its answer by then
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<A service at {self.url}>" if self.running else f"<A service that was at {self.url}>"


def mxserve(
    model: Union[Model, Network, PathLike],
    host: str = "127.0.0.1",
    port: int = 0,
    workers: int = 1,
    key_file: Optional[PathLike] = None,
    allow_url: Union[str, Sequence[str], None] = None,
    max_mb: int = 32,
    max_megapixels: int = 50,
    queue: int = 256,
    timeout: int = 30,
    device: str = "auto",
    engine: str = "auto",
) -> Service:
    """A service that answers over HTTP, in the background: ``mxtune serve``, started from here.

    It ends by `Service.stop`, or with this process. See ``/openapi.json`` at its address for what can be asked.

    Parameters
    ----------
    model
        A model, the file of one, ``"hf:owner/name"``, or a network as it is.
    host, port
        Where to listen: ``"0.0.0.0"`` is all of this machine; port 0 is any free one.
    workers
        Processes, each with its own model and its share of the CPUs.
    key_file
        A file with the keys that are let in, one a line; everybody is without.
    allow_url
        A host that images may be fetched from, or several; none by default.
    max_mb, max_megapixels
        Of a request; of an image.
    queue
        Images that may wait; with more the answer is 503.
    timeout
        Seconds for a request to arrive, and for its answer.
    device, engine
        Where it computes; see `mxload`.

    Raises
    ------
    MxtuneError
        The model can't be loaded, the address is taken, or a package is missing.

    Examples
    --------
    >>> from mxtune import mxexample, mxserve, mxtrain
    >>> model = mxtrain(mxexample("fashion"), tune="head", image_size=32, verbose=0)
    >>> with mxserve(model) as service:
    ...     service.url.rpartition(":")[0]
    'http://127.0.0.1'
    """
    if not isinstance(host, str) or not host:
        raise ArgumentError("`host` must be a name or an address of this machine.", [f"it is {value_text(host)}"])
    devices.parse(device)  # what is wrong with these the service would tell in Python's words alone
    one_of("engine", engine, ("auto", *engines.names()))
    if not isinstance(allow_url, (str, list, tuple, type(None))):
        raise ArgumentError("`allow_url` must be a host, or a list of hosts.", [f"it is {value_text(allow_url)}"])
    settings = Settings.asked(
        "",  # see `_started`
        None if key_file is None else user_path("key_file", key_file),
        [allow_url] if isinstance(allow_url, str) else list(allow_url or ()),
        whole("max_mb", max_mb, 1, 500),
        whole("max_megapixels", max_megapixels, 1, 110),
        queue=whole("queue", queue, 1),
        timeout=whole("timeout", timeout, 1, 3600),
        device=device,
        engine=engine,
    )
    address = {"host": host, "port": whole("port", port, 0, 65535), "workers": whole("workers", workers, 1, 256)}
    asked = {"settings": asdict(settings), **address}
    if hub.is_reference(model):
        return _started(asked, str(model))
    if isinstance(model, (str, os.PathLike)):
        return _started(asked, str(user_path("model", model).absolute()))
    model = model_of(model)
    asked["settings"] = asdict(replace(settings, limit=model.network.limit, precision=model.asked_precision))
    folder = tempfile.mkdtemp(prefix="mxtune-serve-")
    try:
        file = str(Path(folder, "model.mxt"))
        model.save(file)
        return _started(asked, file, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def start_service(**arguments: Any) -> dict[str, Any]:
    """`mxserve` for R."""
    service = mxserve(**arguments)
    _running[service.pid] = service
    return {"url": service.url, "pid": service.pid}


def stop_service(pid: int) -> None:
    """`Service.stop` for R."""
    if pid in _running:
        _running.pop(pid).stop()


def service_runs(pid: int) -> bool:
    """`Service.running` for R."""
    return pid in _running and _running[pid].running


def _started(asked: dict[str, Any], file: str, folder: Optional[str] = None) -> Service:
    """The service of a file; it removes the folder at its end."""
    asked = {**asked, "settings": {**asked["settings"], "model": file}, "folder": folder}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - this Python, and this package
            children.command(f"{__name__}.child"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=children.environment(),
            start_new_session=True,  # Ctrl-C in a console is not meant for it
        )
        answer = _answer(process, asked)
        if "url" in answer:
            return Service(answer["url"], process, asked["settings"]["timeout"] + _TO_END)
        process.wait()
        log.seek(0)
        last = log.read().decode(errors="replace").strip().splitlines()[-3:]
    if "class" in answer:
        kind = getattr(errors, answer["class"], MxtuneError)
        raise kind(answer["message"], answer["bullets"], answer["hint"])
    raise MxtuneError("The service ended as soon as it was started.", last)


def _answer(process: subprocess.Popen[bytes], asked: dict[str, Any]) -> dict[str, Any]:
    """What `child` says to this: its address, or what is wrong; nothing if it has ended."""
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return dict(json.loads(line)) if line else {}


def child() -> None:
    """The process of the service: its settings are a line of its input, whose end is its end."""
    from .running import serve

    asked = json.loads(sys.stdin.buffer.readline())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing else may be said there

    def say(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.close()

    def wait_for_the_end() -> None:
        while os.read(0, 4096):  # no lock, which this process could not end beside
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    settings = Settings(
        **{**asked["settings"], **{key: tuple(asked["settings"][key]) for key in ("keys", "url_hosts")}}
    )
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the end below is reached
    threading.Thread(target=wait_for_the_end, daemon=True).start()
    try:
        serve(settings, asked["host"], asked["port"], asked["workers"], lambda url: say(url=url))
    except MxtuneError as error:
        say(**{"class": type(error).__name__, "message": error.message, "bullets": error.bullets, "hint": error.hint})
    finally:
        if asked["folder"] is not None:
            shutil.rmtree(asked["folder"], ignore_errors=True)
