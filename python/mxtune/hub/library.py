"""The package `huggingface_hub`, as it is used here: quiet, patient for seconds, and nothing told of this machine."""

from __future__ import annotations

import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .._version import __version__
from .reference import Reference
from .refusal import no_package, old_package

HEADERS = {"user-agent": f"mxtune/{__version__}"}
_PATIENCE = 2.5  # seconds, for a hub that does not answer; its package waits 10, and tries five times more


def package(reference: Reference) -> Any:
    """The package.

    Raises
    ------
    HubError
        It is not installed, or too old.
    """
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.utils")
    except ImportError:
        raise no_package(reference) from None
    if "tqdm_class" not in inspect.signature(hub.hf_hub_download).parameters:
        raise old_package(reference, hub.__version__)
    return hub


@contextmanager
def settings(hub: Any, **more: Any) -> Iterator[None]:
    """Within, `huggingface_hub` neither tells what else is installed nor asks which agents there are.

    And it counts what has come in parts of 256 kB, not 10 MB: an interrupt is acted on between two of them.
    """
    ours = {"HF_HUB_DISABLE_TELEMETRY": True, "DOWNLOAD_CHUNK_SIZE": 1 << 18, **more}
    before = {name: getattr(hub.constants, name) for name in ours}
    vars(hub.constants).update(ours)
    try:
        yield
    finally:
        vars(hub.constants).update(before)


@contextmanager
def silence(hub: Any) -> Iterator[None]:
    """Within, `huggingface_hub` draws no bars of its own and warns of nothing."""
    logging, bars_are_off = hub.utils.logging, hub.utils.are_progress_bars_disabled()
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if not bars_are_off:
            hub.utils.enable_progress_bars()


def patience(hub: Any) -> float:
    """For how many seconds the hub is waited for, unless a user's setting says so."""
    constants = hub.constants
    own = constants.HF_HUB_ETAG_TIMEOUT != constants.DEFAULT_ETAG_TIMEOUT
    return float(constants.HF_HUB_ETAG_TIMEOUT) if own else _PATIENCE


def asked(hub: Any, question: Callable[[float], Any]) -> Any:
    """What a question is answered, that is given the seconds which it may take; it is asked once.

    That happens in a thread which is not waited for: a name server, or a host with many addresses, may take its time
    beyond any limit of a single connection.

    Raises
    ------
    TimeoutError
        There is no answer.
    Exception
        What the question raised.
    """
    answers: list[Any] = []
    seconds = patience(hub)

    def ask() -> None:
        try:
            answers.append(question(seconds))
        except Exception as fault:  # noqa: BLE001 - raised again by the one who waits
            answers.append(fault)

    thread = threading.Thread(target=ask, name="mxtune asks the hub", daemon=True)
    thread.start()
    thread.join(seconds)
    answer = answers[0] if answers else TimeoutError(f"no answer within {seconds:g} seconds")
    if isinstance(answer, Exception):
        raise answer
    return answer
