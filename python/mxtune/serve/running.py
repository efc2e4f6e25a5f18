"""The processes of the service: this one, or several that are spawned (a fork of MXNet hangs)."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from ..errors import ArgumentError, MxtuneError
from ..machine import usable_cpus
from .settings import FIGURES, Settings

_ENDED_BY = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings, host: str, port: int, workers: int, told: Callable[[str], None]) -> None:
    """Answer until SIGTERM or Ctrl-C; requests that are under way are answered first.

    Parameters
    ----------
    settings
        What is served.
    host, port
        Where; 0 is any free port.
    workers
        Processes, each with its own model.
    told
        Called with the address, once it answers there.

    Raises
    ------
    MxtuneError
        The address is taken, or a package is missing.
    """
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        hint = "Run: pip install fastapi uvicorn python-multipart prometheus-client"
        raise MxtuneError("A service needs FastAPI and what belongs to it.", [str(error)], hint) from error
    with contextlib.closing(_bound(host, port)) as taken, _figures(workers):
        named = f"[{host}]" if ":" in host else host
        address = f"http://{named}:{taken.getsockname()[1]}"
        if workers == 1:
            run_here(settings, taken, lambda: told(address))
        else:
            _supervise(settings, taken, workers, lambda: told(address))


def run_here(settings: Settings, taken: socket.socket, ready: Callable[[], object]) -> None:
    """Answer in this process, until a signal; ``ready`` is called before the first answer."""
    import uvicorn

    from .app import app
    from .ending import Server
    from .patience import impatient

    seconds = int(settings.timeout) + 1  # that requests under way have at the end
    service = app(settings, ready)
    config = uvicorn.Config(
        service,
        http=impatient(settings.timeout),
        log_level="warning",
        timeout_graceful_shutdown=seconds,
        server_header=False,
    )
    Server(config).run(sockets=[taken])


def _run_one_of(workers: int, settings: Settings, taken: socket.socket, tell: Connection) -> None:
    """`run_here` with a share of the CPUs, unless the user has set how many threads there are."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cpus() // workers)))
    try:
        run_here(settings, taken, lambda: tell.send((os.getpid(), None)))
    except MxtuneError as error:
        tell.send((os.getpid(), error))


def _supervise(settings: Settings, taken: socket.socket, workers: int, ready: Callable[[], object]) -> None:
    """Keep so many processes alive; one that ends is followed by another, but for one that could not start: its error
    is raised."""
    from prometheus_client.multiprocess import mark_process_dead

    spawn = multiprocessing.get_context("spawn")
    told, tell = spawn.Pipe(duplex=False)
    wake, woken = os.pipe()  # a signal only writes to it: its handler runs between any two steps
    before = {number: signal.signal(number, lambda *_: os.write(woken, b"x")) for number in _ENDED_BY}

    def started() -> Any:
        process = spawn.Process(target=_run_one_of, args=(workers, settings, taken, tell))
        process.start()
        return process

    running = [started() for _ in range(workers)]
    answers: set[int] = set()  # processes that have started
    is_ready = False
    try:
        while wake not in (woke := wait([wake, told, *(process.sentinel for process in running)])):
            while told.poll():
                pid, error = told.recv()
                if error is not None:
                    raise error
                answers.add(pid)
            if len(answers) >= workers and not is_ready:
                is_ready = True
                ready()
            for place, process in enumerate(running):
                if process.sentinel in woke:
                    if process.pid not in answers:
                        raise MxtuneError("A process of the service ended before it could answer.")
                    mark_process_dead(process.pid)  # in whose queue nobody waits any more
                    running[place] = started()
    finally:
        taken.close()  # or who comes now would wait for nobody
        for process in running:
            process.terminate()
        for process in running:
            process.join(settings.timeout + 5)
            process.kill()
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(wake)
        os.close(woken)
        told.close()
        tell.close()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(2048)  # who comes before the model is there waits, and is not sent away
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        is_name = isinstance(error, (socket.gaierror, UnicodeError))
        hint = "Choose another port: 0 is any free one."
        if is_name or getattr(error, "errno", 0) == errno.EADDRNOTAVAIL:
            hint = "The host is an address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for all."
        raise ArgumentError(f"Can't serve at {host}, port {port}.", [why], hint) from error
    bound.set_inheritable(True)
    return bound


@contextlib.contextmanager
def _figures(workers: int) -> Iterator[None]:
    """Where several processes add up their figures."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mxtune-metrics-") as folder:
        os.environ[FIGURES] = folder
        try:
            yield
        finally:
            del os.environ[FIGURES]
