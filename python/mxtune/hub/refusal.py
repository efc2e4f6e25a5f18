"""Why a repository of the hub can't be had, and what to do: an error for each reason."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from .. import calls
from ..errors import HubError
from .reference import Reference

MODEL = "model.mxt"
_IN_FOLDER = "folder/model.safetensors"
_LOG_IN = "log in (hf auth login), or set HF_TOKEN"
_MOST_SAID = 500  # characters
_REMEDIES = {
    400: "Compare the branch and the card with what the hub takes.",
    401: f"The hub does not know the token: {_LOG_IN} again.",
    402: "More of that needs another plan, or less in the account.",
    403: f"The token must be one that may write, and the repository yours: {_LOG_IN}.",
    404: "Compare the names of owner, repository and branch; a token must be one that may write there.",
    409: "Somebody else has changed it at the same time: try again.",
    413: "Files of that size need another plan, or less in the account.",
    429: "Too much was asked of it: try again in some minutes.",
}


def refusal(hub: Any, fault: Exception, reference: Reference, names: Sequence[str]) -> HubError:
    """The error for what `huggingface_hub` raised.

    Parameters
    ----------
    hub
        The package.
    names
        The files that were looked for, of which one would do.
    """
    kinds, repository = hub.utils, reference.repository
    page = f"{hub.constants.ENDPOINT}/{repository}"
    if isinstance(fault, kinds.GatedRepoError):
        return HubError(
            f"The owner of {repository} decides who may have its files.",
            [f"the hub refuses them {'to this account' if hub.utils.get_token() else 'without a token'}"],
            f"Accept the conditions at {page}, and {_LOG_IN}.",
        )
    if isinstance(fault, kinds.RevisionNotFoundError):
        text = f"The repository {repository} has no revision {reference.revision}."
        return HubError(text, hint=f"{page}/commits lists its commits; without @ the newest is taken.")
    if isinstance(fault, kinds.RepositoryNotFoundError):
        text = f"There is no repository {repository} on the Hugging Face hub, or it is private."
        return HubError(text, hint=f"Compare its name with {page}. For a private one, {_LOG_IN}.")
    if isinstance(fault, kinds.EntryNotFoundError) and not isinstance(fault, kinds.LocalEntryNotFoundError):
        return without_file(hub, reference, names)
    status = getattr(getattr(fault, "response", None), "status_code", None)
    if status or not _is_of_the_network(hub, fault):
        reason = f"it answers with status {status}" if status else _reason(fault)
        text = f"Can't get {names[0]} of {repository} from the Hugging Face hub at {hub.constants.ENDPOINT}."
        return HubError(text, [reason], "Try again later; HF_HOME is the folder of its cache, HF_ENDPOINT its address.")
    return unreachable(hub, reference, names, _reason(fault))


def _is_of_the_network(hub: Any, fault: Exception) -> bool:
    """Whether the hub was not reached: other faults are of the disk, or of what it sends."""
    known = (TimeoutError, ConnectionError, hub.utils.LocalEntryNotFoundError)
    return isinstance(fault, known) or not isinstance(fault, (OSError, ValueError))


def without_file(hub: Any, reference: Reference, names: Sequence[str]) -> HubError:
    """The error for a repository that has none of these files."""
    page = f"{hub.constants.ENDPOINT}/{reference.repository}/tree/{reference.revision}"
    kind = "no config.json, as timm's have" if "config.json" in names else "no file of weights that is read here"
    kind = f"no {names[0]}, as mxtune's have" if names == (MODEL,) else kind
    text = f"The repository {reference.repository} has {kind}."
    hint = (
        f"Repositories of timm are opened by name. See {page}: a file of weights of another kind opens with the "
        f"network that it belongs to, once downloaded: {opening('file', 'name')}; ONNX files open as they are."
    )
    return HubError(text, [f"looked for {' and '.join(names)}"], hint)


def unreachable(hub: Any, reference: Reference, names: Sequence[str], reason: str) -> HubError:
    """The error where the hub does not answer, and the cache lacks the files."""
    endpoint = hub.constants.ENDPOINT
    page = f"{endpoint}/{reference.repository}/tree/{reference.revision}"
    by_hand = f"config.json and model.safetensors from {page} into one folder, and open {opening(_IN_FOLDER)}"
    by_hand = f"{MODEL} from {page}, and load that file" if names == (MODEL,) else by_hand
    return HubError(
        f"Can't reach the Hugging Face hub at {endpoint}.",
        [reason, f"{names[0]} of {reference} is not in its cache, {hub.constants.HF_HUB_CACHE}"],
        f"Where there is a network, download {by_hand}. HF_HUB_ETAG_TIMEOUT sets for how many seconds the hub is "
        "waited for.",
    )


def without_token(reference: Reference) -> HubError:
    """The error where nobody is logged in who could push."""
    text = f"Nothing was pushed to {reference}: that needs a token that may write."
    return HubError(text, hint=f"{_LOG_IN[0].upper()}{_LOG_IN[1:]}.")


def not_pushed(hub: Any, fault: Exception, reference: Reference, token: str) -> HubError:
    """The error for what `huggingface_hub` raised while something was pushed; it holds no token."""
    text = f"Nothing was pushed to {reference}."
    response = _response(fault)
    if response is None and _is_of_the_network(hub, fault):
        reason = _reason(fault).replace(token, "***")
        bullets = [f"the Hugging Face hub at {hub.constants.ENDPOINT} is not reached: {reason}"]
        return HubError(text, bullets, "Push it again where there is a network; until then keep it in a file.")
    if response is None:
        return HubError(text, [_reason(fault).replace(token, "***")], "Try again.")
    said = re.sub(r"\s+", " ", str(getattr(fault, "server_message", None) or "")).strip()[:_MOST_SAID]
    bullet = f"the hub answers with status {response.status_code}{f': {said}' if said else ''}".replace(token, "***")
    return HubError(text, [bullet], _REMEDIES.get(response.status_code, "Try again later."))


def _response(fault: Optional[BaseException]) -> Any:
    """What the hub answered, where that is the fault or its cause; None without."""
    while fault is not None:
        if getattr(getattr(fault, "response", None), "status_code", None):
            return fault.response  # type: ignore[attr-defined]
        fault = fault.__cause__
    return None


def no_package(reference: Reference) -> HubError:
    """The error where `huggingface_hub` is not installed."""
    return HubError(
        f"{reference} needs the Python package huggingface_hub, which is not installed.",
        hint='Install it (pip install huggingface_hub; the extra "hub"), or download config.json and model.safetensors '
        f"of the repository into one folder, and open {opening('folder/model.safetensors')}.",
    )


def old_package(reference: Reference, version: str) -> HubError:
    """The error for a `huggingface_hub` whose downloads can't be followed."""
    text = f"{reference} needs huggingface_hub 1.3 or later."
    return HubError(text, [f"version {version} is installed"], 'Run: pip install --upgrade "huggingface_hub>=1.3"')


def opening(file: str, name: str = "") -> str:
    """How the current user opens a file, or a network of the zoo with it as its weights."""
    if calls.at_command_line() and not name:
        return calls.option("net", file)
    equals = " = " if calls.in_r() else "="
    return f'mxnetwork("{name}", weights{equals}"{file}")' if name else f'mxnetwork("{file}")'


def _reason(fault: Exception) -> str:
    """What is told of a fault: its cause's own words, where those say more."""
    while fault.__cause__ is not None and isinstance(fault.__cause__, Exception):
        fault = fault.__cause__
    if isinstance(fault, OSError) and fault.errno:
        return os.strerror(fault.errno) if fault.errno > 0 else str(fault.strerror)
    lines = re.sub(r"\[Errno -?\d+\] ", "", str(fault)).splitlines()
    return lines[0] if lines and lines[0] else type(fault).__name__
