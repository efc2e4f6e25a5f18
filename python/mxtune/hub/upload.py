"""A model into a repository of the hub: in one commit, or not at all."""

from __future__ import annotations

import contextlib
import io
from typing import Any, Optional

from .. import progress
from .._version import __version__
from ..errors import HubError
from .download import CARD, fetch
from .library import asked, package, settings, silence
from .reference import Reference
from .refusal import MODEL, not_pushed, without_token
from .transfer import Transfer

WRITTEN_BY_US = "<!-- mxtune writes this card anew with each push. Remove this line to keep what you write. -->"
_MOST_CARD = 2_000_000  # bytes


def push(reference: Reference, content: bytes, card: str, private: bool = True) -> str:
    """Put a model and its card into a repository, which is made if there is none; the address of the commit.

    A card that somebody else has written stays. A repository that was made for a model that did not arrive is removed.

    Parameters
    ----------
    content, card
        Of ``model.mxt`` and ``README.md``.
    private
        Whether a new repository is for its owner alone.

    Raises
    ------
    HubError
        There is no token, the hub does not take the model, or it can't be reached; the last is told within 3 seconds.
    """
    hub = package(reference)
    if hub.constants.HF_HUB_OFFLINE:
        raise HubError(f"Nothing was pushed to {reference}: HF_HUB_OFFLINE is set.")
    token = hub.get_token()
    if not token:
        raise without_token(reference)
    api = hub.HfApi(library_name="mxtune", library_version=__version__)
    try:
        with settings(hub, HF_HUB_DISABLE_XET=True), silence(hub):  # hf_xet takes no file that counts and can stop
            return _pushed(hub, api, reference, content, card, private)
    except HubError:
        raise
    except Exception as fault:  # noqa: BLE001 - of whichever library the hub's package speaks HTTP with
        raise not_pushed(hub, fault, reference, token) from None


def _pushed(hub: Any, api: Any, reference: Reference, content: bytes, card: str, private: bool) -> str:
    there = _what_is_there(hub, api, reference)
    files = {MODEL: content}
    if _is_ours(reference, there):
        files[CARD] = card.encode()
    else:
        progress.current().event("message", text=f"{CARD} of {reference.repository} is kept: it is not by mxtune.")
    transfer = Transfer(f"{MODEL} to {reference}", len(content))
    made: list[str] = []

    def commit() -> str:
        if there is None:
            api.create_repo(reference.repository, private=private)
            made.append(reference.repository)
        added = [hub.CommitOperationAdd(name, _Sent(transfer, part)) for name, part in files.items()]
        message = f"{'A model' if there is None else 'A new version of the model'} by mxtune {__version__}"
        told = api.create_commit(reference.repository, added, commit_message=message, revision=reference.revision)
        return str(told.oid)

    try:
        oid = transfer.of(commit, len(content))
    except BaseException:
        if made:
            with contextlib.suppress(Exception):
                asked(hub, lambda _: api.delete_repo(reference.repository, missing_ok=True))
        raise
    who = "private" if (private if there is None else there.private) else "public"
    progress.current().event("message", text=f"{reference} has the model: commit {oid[:10]}, {who}.")
    return f"{hub.constants.ENDPOINT}/{reference.repository}/commit/{oid}"


def _what_is_there(hub: Any, api: Any, reference: Reference) -> Optional[Any]:
    """What the hub knows of the repository; None if there is none."""
    try:
        return asked(hub, lambda seconds: api.model_info(reference.repository, timeout=seconds))
    except hub.utils.GatedRepoError:
        raise
    except hub.utils.RepositoryNotFoundError as fault:
        if getattr(fault.response, "headers", {}).get("X-Error-Code") not in (None, "RepoNotFound"):
            raise
        return None


def _is_ours(reference: Reference, there: Optional[Any]) -> bool:
    """Whether the card may be written: there is none, or one that we wrote."""
    if there is None or CARD not in [file.rfilename for file in there.siblings or ()]:
        return True
    before = fetch(Reference(reference.repository, there.sha), {CARD: _MOST_CARD})
    return WRITTEN_BY_US in before.read_text(encoding="utf-8", errors="replace")


class _Sent(io.BytesIO):
    """A file on its way: it counts how much of it was read last, and reads no further once it is to stop."""

    def __init__(self, transfer: Transfer, content: bytes) -> None:
        super().__init__(content)
        self._transfer, self.n = transfer, 0
        transfer.bars.append(self)

    def read(self, size: Optional[int] = -1, /) -> bytes:
        if self._transfer.is_stopped:
            raise InterruptedError
        content = super().read(size)
        self.n = self.tell()  # kept where it is closed, or wound back, before somebody looks
        return content
