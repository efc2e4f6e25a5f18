"""Where this package keeps what it has fetched or computed; nothing is made until something is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .arguments import user_path

SETTING = "MXTUNE_CACHE"


def cache_dir() -> Path:
    """The folder for weights and cached features; it need not exist.

    The environment variable ``MXTUNE_CACHE`` if set, otherwise ``mxtune`` in the user's cache folder of the
    platform: ``$XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches`` (macOS), ``%LOCALAPPDATA%`` (Windows).

    Examples
    --------
    >>> from mxtune.store import cache_dir
    >>> cache_dir().is_absolute()
    True
    """
    own = os.environ.get(SETTING, "").strip()
    if own:
        return user_path(SETTING, own).absolute()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "mxtune" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "mxtune"
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if Path(shared).is_absolute() else home / ".cache") / "mxtune"


def writable(folder: Path) -> bool:
    """Whether files can be kept in ``folder``, existing or not; nothing is made to find out."""
    for place in (folder, *folder.parents):
        if place.exists():
            return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return False
