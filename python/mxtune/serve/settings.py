"""`Settings`: which model is served, to whom, and within which limits."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from ..calls import value_text
from ..errors import ArgumentError
from ..words import counted

_HOST = re.compile(r"(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?", re.IGNORECASE)
_SENT = re.compile(r"[ -~]+")  # what each client sends alike in a header
_SHORTEST_KEY = 16
_MILLION = 1_000_000
FIGURES = "PROMETHEUS_MULTIPROC_DIR"  # the variable that names where several processes write their figures


@dataclass(frozen=True)
class Settings:
    """What the service was told.

    Parameters
    ----------
    model
        The file of the model.
    device, engine, precision, limit
        Where it computes, in what, and how large it may be; see `mxload`.
    keys
        SHA-256 of each key that is let in; everybody is where there are none.
    url_hosts
        Hosts that images may be fetched from; none by default.
    max_bytes, max_pixels, max_images
        Of a request's body, of one image, and images in a request.
    batch
        Images that are computed at once, at most; a power of two. A CPU is no faster with more.
    queue
        Images that may wait; with more the answer is 503.
    timeout
        Seconds for a body to arrive, and for an answer to it.
    """

    model: str
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    limit: float = 1.0
    keys: tuple[str, ...] = ()
    url_hosts: tuple[str, ...] = ()
    max_bytes: int = 32_000_000
    max_pixels: int = 50_000_000
    max_images: int = 64
    batch: int = 16
    queue: int = 256
    timeout: float = 30.0

    @classmethod
    def asked(
        cls,
        model: Union[str, os.PathLike[str]],
        key_file: Optional[Path] = None,
        hosts: Sequence[str] = (),
        max_mb: Optional[int] = None,
        max_megapixels: Optional[int] = None,
        **others: Any,
    ) -> Settings:
        """Of what a user says, with a file of keys and limits in millions; what is None has its default.

        Raises
        ------
        ArgumentError
            The file of keys can't be read, has no key, or one that can be guessed or not sent; or a host is none.
        """
        sizes = {"max_bytes": max_mb, "max_pixels": max_megapixels}
        limits = others | {name: value * _MILLION for name, value in sizes.items() if value is not None}
        given = {name: value for name, value in limits.items() if value is not None}
        keys = () if key_file is None else keys_in(key_file)
        wrong = [host for host in hosts if not isinstance(host, str) or not _HOST.fullmatch(host)]
        if wrong:
            bullets = [f"it is {value_text(host)}" for host in wrong]
            hint = "Write a name without scheme and path: example.org, or example.org:8443."
            raise ArgumentError("Images are fetched from hosts that are named.", bullets, hint)
        return cls(os.fspath(model), keys=keys, url_hosts=tuple(host.lower() for host in hosts), **given)

    def lets_in(self, key: str) -> bool:
        """Whether this key is one of those; takes as long for a wrong one as for a right one."""
        given = digest(key)
        return any([hmac.compare_digest(given, one) for one in self.keys])  # noqa: C419 - all are compared


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def keys_in(file: Path) -> tuple[str, ...]:
    """The digests of the keys in a file: one a line, empty lines and those that begin with # left out.

    Raises
    ------
    ArgumentError
        The file can't be read, has no key, or one that can be guessed or not sent.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]  # as Windows writes it
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ArgumentError(f"Can't read the keys in {file}.", [why]) from error
    keys = [line for line in lines if line and not line.startswith("#")]
    hint = 'Make one: python -c "import secrets; print(secrets.token_urlsafe())"'
    if not keys:
        raise ArgumentError(f"There is no key in {file}.", hint=hint)
    short = [
        f"key {place} has {counted(len(key), 'character')}"
        for place, key in enumerate(keys, 1)
        if len(key) < _SHORTEST_KEY
    ]
    if short:
        raise ArgumentError(f"Keys of fewer than {_SHORTEST_KEY} characters can be guessed.", short, hint)
    if other := [
        f"key {place} has others, which clients send in several ways"
        for place, key in enumerate(keys, 1)
        if not _SENT.fullmatch(key)
    ]:
        raise ArgumentError(
            "Keys have letters, digits and signs of ASCII alone, which all clients send alike.", other, hint
        )
    return tuple(digest(key) for key in keys)
