"""A file of a repository of the hub: from the hub's own cache, without a network, or else downloaded into it."""

from __future__ import annotations

import importlib
import inspect
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Optional

from .._version import __version__
from ..errors import HubError
from ..words import file_size
from .reference import Reference
from .refusal import no_package, old_package, refusal, unreachable, without_file
from .transfer import Bar, Transfer

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_PATIENCE = 2.5  # seconds, for a hub that does not answer; its package waits 10, and tries five times more
_HEADERS = {"user-agent": f"mxtune/{__version__}"}


def cached(reference: Reference, names: Sequence[str]) -> Optional[Path]:
    """The first of these files that the cache has; nothing is asked over the network.

    A commit is looked for as it is; a branch or a tag is what it was when it was last downloaded.

    Raises
    ------
    HubError
        `huggingface_hub` is not installed.
    """
    hub = _package(reference)
    for name in names:
        found = hub.try_to_load_from_cache(reference.repository, name, revision=reference.revision)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch(reference: Reference, names: Sequence[str], most: int) -> Path:
    """The first of these files that the repository has: its place in the cache, where it is put if it was not there.

    Parameters
    ----------
    most
        How many bytes it may have.

    Raises
    ------
    HubError
        There is none, or it can't be had; the reason is told within 3 seconds.
    """
    found = cached(reference, names)
    if found is not None:
        return found
    hub = _package(reference)
    if hub.constants.HF_HUB_OFFLINE:
        raise unreachable(hub, reference, names, "it is not asked, as HF_HUB_OFFLINE is set")
    try:
        with _settings(hub):
            for name in names:
                size = _size(hub, reference, name)
                if size is not None:
                    return _downloaded(hub, reference, name, size, most)
    except HubError:
        raise
    except Exception as fault:  # noqa: BLE001 - of whichever library the hub's package speaks HTTP with
        raise refusal(hub, fault, reference, names) from None
    raise without_file(hub, reference, names)


def page(reference: Reference) -> str:
    """The address of the repository for people."""
    return f"{_package(reference).constants.ENDPOINT}/{reference.repository}"


def _package(reference: Reference) -> Any:
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.utils")
    except ImportError:
        raise no_package(reference) from None
    if "tqdm_class" not in inspect.signature(hub.hf_hub_download).parameters:
        raise old_package(reference, hub.__version__)
    return hub


@contextmanager
def _settings(hub: Any) -> Iterator[None]:
    """Within, `huggingface_hub` neither tells what else is installed nor asks which agents there are.

    And it counts what has come in parts of 256 kB, not 10 MB: an interrupt is acted on between two of them.
    """
    ours = {"HF_HUB_DISABLE_TELEMETRY": True, "DOWNLOAD_CHUNK_SIZE": 1 << 18}
    before = {name: getattr(hub.constants, name) for name in ours}
    vars(hub.constants).update(ours)
    try:
        yield
    finally:
        vars(hub.constants).update(before)


def _patience(hub: Any) -> float:
    constants = hub.constants
    own = constants.HF_HUB_ETAG_TIMEOUT != constants.DEFAULT_ETAG_TIMEOUT
    return float(constants.HF_HUB_ETAG_TIMEOUT) if own else _PATIENCE


def _size(hub: Any, reference: Reference, name: str) -> Optional[int]:
    """How many bytes a file of the repository has, -1 if the hub does not say; None if there is none.

    It is asked once, in a thread that is not waited for: a name server, or a host with many addresses, may take its
    time beyond any limit of a single connection.
    """
    answers: list[Any] = []
    seconds = _patience(hub)

    def ask() -> None:
        try:
            url = hub.hf_hub_url(reference.repository, name, revision=reference.revision)
            answers.append(hub.get_hf_file_metadata(url, timeout=seconds, headers=_HEADERS))
        except Exception as fault:  # noqa: BLE001 - raised again by the one who waits
            answers.append(fault)

    thread = threading.Thread(target=ask, name="mxtune asks the hub", daemon=True)
    thread.start()
    thread.join(seconds)
    answer = answers[0] if answers else TimeoutError(f"no answer within {seconds:g} seconds")
    if isinstance(answer, hub.utils.EntryNotFoundError):
        return None
    if isinstance(answer, Exception):
        raise answer
    return -1 if answer.size is None else int(answer.size)


def _downloaded(hub: Any, reference: Reference, name: str, size: int, most: int) -> Path:
    what = f"{name} of {reference.repository}"
    if size > most:
        text = f"{what} has {file_size(size)}."
        bullet = f"a network that mxtune opens has at most {file_size(most)} of it"
        raise HubError(text, [bullet], "Compare the repository's name with the one that you want.")
    transfer = Transfer(what, most)
    return transfer.of(
        lambda: hub.hf_hub_download(
            reference.repository, name, revision=reference.revision, etag_timeout=_patience(hub), headers=_HEADERS,
            tqdm_class=partial(Bar, transfer),
        ),
        size,
    )  # fmt: skip
