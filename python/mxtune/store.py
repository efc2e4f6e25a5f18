"""Files that this package writes, each whole or not at all; and its cache, with its folder and size limit."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from . import interrupts
from .arguments import user_path, yes_or_no
from .errors import ArgumentError, StoreError
from .words import file_size

if TYPE_CHECKING:
    import pandas as pd

if sys.platform != "win32":
    import fcntl

FOLDER_SETTING, BOUND_SETTING = "MXTUNE_CACHE", "MXTUNE_CACHE_GB"
_GIGABYTES = 2.0  # that the cache may take, unless the user sets another limit
_TEMPORARY = re.compile(r"\.mxtune-[0-9a-f]{16}\.tmp")
_KINDS = {  # the cache's folder, and what entries are called there: a folder that the user names has other files too
    "features": ("features", re.compile(r"[0-9a-f]{32}(-[0-9a-f]{16}\.rows|\.npy)")),  # the latter of versions before
    "images": ("features", re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}\.(pixels|looks)")),
    "speed": ("speed", re.compile(r"[0-9a-f]{16}/[^/]+\.json")),
}
_NO_HOME = Path(os.path.abspath("/nonexistent"))  # noqa: PTH100 - as systems call the home of who has none
_PATIENCE = 2.0  # seconds, for another process that writes into the cache: it is an aid that nothing waits for


# Files --------------------------------------------------------------------------------------------------------


def write(
    path: Union[str, os.PathLike[str]], pieces: Iterable[Union[bytes, memoryview]], what: str = "the file"
) -> None:
    """Write a file: it is replaced whole, or left as it was.

    The pieces go to another name in the same folder, and are renamed once all of them are on disk: neither a
    crash nor a full disk harms what was there. What a killed process left in the folder is removed. A link stays a
    link, permissions follow the umask; a pipe or a device such as ``/dev/stdout`` is written to as it is.

    Parameters
    ----------
    path
        The file, in a folder that exists.
    pieces
        Its content.
    what
        What the file is, for the error: ``"the model file"``.

    Raises
    ------
    StoreError
        It can't be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mxtune import store
    >>> file = Path(tempfile.mkdtemp()) / "note.txt"
    >>> store.write(file, [b"one ", b"two"])
    >>> file.read_bytes()
    b'one two'
    """
    try:
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if Path(path).exists() and not Path(path).is_file():
            with Path(path).open("wb") as stream:
                stream.writelines(pieces)
        else:
            with interrupts.held():
                _replace(Path(os.path.realpath(path)), pieces)
    except OSError as error:
        raise _refusal(path, what, error) from error


def scratch(folder: Path, n_bytes: int) -> mmap.mmap:
    """Memory that lies in a file without a name, of which the system keeps in memory what there is room for.

    It is gone with the process, whatever ends that.

    Raises
    ------
    StoreError
        There is no room on the disk.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mxtune import store
    >>> len(store.scratch(Path(tempfile.gettempdir()), 100))
    100
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # or else the process would end where the disk is full later
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            else:
                file.truncate(n_bytes)
            return mmap.mmap(file.fileno(), n_bytes)
    except OSError as error:
        raise _refusal(folder, "a file", error) from error


def make_folder(path: Union[str, os.PathLike[str]], private: bool = False) -> Path:
    """The folder, made with those above it where they are missing; for its owner alone if ``private``.

    Raises
    ------
    StoreError
        It can't be made.
    """
    folder = Path(path)
    try:
        for place in reversed((folder, *folder.parents)):
            if not place.exists():
                place.mkdir(mode=0o700 if private else 0o777, exist_ok=True)
        folder.mkdir(exist_ok=True)  # which tells what is there and is no folder
    except OSError as error:
        raise StoreError(f'Can\'t make the folder "{folder}".', [error.strerror or str(error)]) from error
    return folder


def writable(folder: Path) -> bool:
    """Whether files can be kept in ``folder``, existing or not; nothing is made to find out."""
    for place in (folder, *folder.parents):
        if place.exists():
            return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return False


def _replace(target: Path, pieces: Iterable[Union[bytes, memoryview]]) -> None:
    _sweep(target.parent)
    aside, handle = _create(target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
            if sys.platform != "win32":
                aside.replace(target)  # while the lock is held: nobody removes it
        if sys.platform == "win32":
            aside.replace(target)  # which can't rename an open file
    except BaseException:  # Ctrl-C too
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    with contextlib.suppress(OSError):  # that the new name lasts too; not every system can
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _create(folder: Path) -> tuple[Path, int]:
    """A new file in the folder, and its handle, locked for as long as this process lives and keeps it open."""
    while True:
        aside = folder / f".mxtune-{secrets.token_hex(8)}.tmp"
        # Not tempfile: its files are for their owner alone, whatever the umask says.
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
        if _lock(handle) is not False and os.fstat(handle).st_nlink:
            return aside, handle
        os.close(handle)  # another process removed it before it was locked


def _sweep(folder: Path) -> None:
    """Remove what killed processes left in the folder: temporary files that nobody has locked."""
    with contextlib.suppress(OSError), os.scandir(folder) as files:
        for file in files:
            if _TEMPORARY.fullmatch(file.name):
                with contextlib.suppress(OSError):
                    handle = os.open(file.path, os.O_RDWR)
                    try:
                        if _lock(handle):
                            Path(file.path).unlink()
                    finally:
                        os.close(handle)


def _lock(handle: int) -> Optional[bool]:
    """Whether the file is ours now, and not another process's; None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return None
    return True


def _refusal(path: Union[str, os.PathLike[str]], what: str, error: OSError) -> StoreError:
    folder = Path(path).parent
    reason, hint = error.strerror or str(error), None
    if error.errno == errno.EISDIR:
        hint = "Add a file name."
    elif not folder.is_dir():
        reason, hint = f"there is no folder {folder}", "Make the folder first, or write elsewhere."
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Make room on the disk, or write elsewhere."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "Write to a folder that you may change."
    return StoreError(f'Can\'t write {what} "{os.fspath(path)}".', [reason], hint)


# The cache ----------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A file in the cache: where it is, its size, and when it was last used (seconds since 1970)."""

    path: Path
    n_bytes: int
    used: float


def cache_dir() -> Path:
    """The folder for what is computed once and kept; it need not exist.

    The environment variable ``MXTUNE_CACHE`` if set, otherwise ``mxtune`` in the user's cache folder of the
    platform: ``$XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches`` (macOS), ``%LOCALAPPDATA%`` (Windows). For a
    user without a home, as in a container, a folder that can't be made: nothing is kept.

    Examples
    --------
    >>> from mxtune.store import cache_dir
    >>> cache_dir().is_absolute()
    True
    """
    own = os.environ.get(FOLDER_SETTING, "").strip()
    if own:
        return user_path(FOLDER_SETTING, own).absolute()
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path("mxtune", appauthor=False)
    except RuntimeError:
        folder = Path("~")  # as its older versions say
    return folder if folder.is_absolute() else _NO_HOME / "mxtune"


def features_dir() -> Path:
    """The part of the cache that holds features of images, and images."""
    return cache_dir() / "features"


def bound() -> int:
    """How many bytes cached features and images may take: ``MXTUNE_CACHE_GB`` gigabytes, 2 if it is not set.

    Raises
    ------
    ArgumentError
        The variable is no number of at least 0.
    """
    text = os.environ.get(BOUND_SETTING, "").strip()
    try:
        gigabytes = float(text) if text else _GIGABYTES
        if not 0 <= gigabytes < 1e9:
            raise ValueError
    except ValueError:
        raise ArgumentError(f"`{BOUND_SETTING}` must be a number of gigabytes.", [f"it is {text!r}"]) from None
    return int(gigabytes * 1e9)


def entries(folder: Optional[Path] = None) -> list[Entry]:
    """What a folder of cached features and images holds (the default one if None), the last used first.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mxtune import store
    >>> folder = Path(tempfile.mkdtemp())
    >>> store.keep(folder / f"{'0' * 32}-{'0' * 16}.rows", [bytes(80)], 80)
    >>> [entry.n_bytes for entry in store.entries(folder)]
    [80]
    >>> store.clear(folder)
    80
    """
    place = folder or features_dir()
    found = [entry for kind in ("features", "images") for entry in _found(place, _KINDS[kind][1])]
    return sorted(found, key=lambda entry: (-entry.used, entry.path))


def _found(folder: Path, pattern: re.Pattern[str]) -> list[Entry]:
    """The files in a folder whose paths from there are those of entries."""
    found = []
    for file in folder.glob("*/*" if "/" in pattern.pattern else "*"):
        if pattern.fullmatch(file.relative_to(folder).as_posix()):
            with contextlib.suppress(FileNotFoundError):  # another process cleared it meanwhile
                status = file.stat()
                if stat.S_ISREG(status.st_mode):
                    found.append(Entry(file, status.st_size, status.st_mtime))
    return found


def mxcache(clear: bool = False) -> pd.DataFrame:
    """A data frame of what is cached: ``kind``, ``entries``, ``size`` (bytes), ``used`` (the last time) and ``folder``.

    Training keeps ``"features"``, the outputs of the frozen network for your images, so that the next training on
    the same images starts at once; and of ``"images"`` what was seen when they were checked, and, where layers are
    trained on more than fit in 512 MB, images, decoded and as small as the network takes them. `mxzoo` keeps each
    measured ``"speed"``. The folder is the environment variable ``MXTUNE_CACHE``, or ``mxtune`` in your cache folder,
    and only you can read it. Features and images take at most 2 GB (``MXTUNE_CACHE_GB``; 0 keeps none), decoded images
    half of that: those not used for longest are removed.

    Parameters
    ----------
    clear
        True: remove all of it.

    Raises
    ------
    StoreError
        It can't be removed.

    Examples
    --------
    >>> from mxtune import mxcache
    >>> list(mxcache()["kind"])
    ['features', 'images', 'speed']
    """
    import pandas as pd

    yes_or_no("clear", clear)
    rows = []
    for kind, (part, pattern) in _KINDS.items():
        place = cache_dir() / part
        kept = _found(place, pattern)
        if clear:
            for entry in kept:
                _remove(entry)
            kept = []
        used = pd.Timestamp(max(entry.used for entry in kept), unit="s", tz="UTC") if kept else pd.NaT
        rows.append((kind, len(kept), float(sum(entry.n_bytes for entry in kept)), used, str(place)))
    table = pd.DataFrame(rows, columns=["kind", "entries", "size", "used", "folder"])
    return table.assign(used=pd.to_datetime(table["used"], utc=True).dt.round("s"))


def clear(folder: Optional[Path] = None) -> int:
    """Remove all cached features and images of a folder (the default one if None); the number of bytes freed.

    Raises
    ------
    StoreError
        They can't be removed.
    """
    return sum(map(_remove, entries(folder)))


def keep(path: Path, pieces: Iterable[Union[bytes, memoryview]], n_bytes: int) -> None:
    """Write a file of ``n_bytes`` into the cache; the least recently used make room within the limit.

    Raises
    ------
    StoreError
        It is larger than the limit, or can't be written.
    """
    room = bound() - n_bytes
    if room < 0:
        reason = f"{file_size(n_bytes)} are more than the {file_size(bound())} that the cache may take"
        raise StoreError(f'Can\'t keep "{path}".', [reason], f"Set {BOUND_SETTING} to allow more.")
    with _alone(make_folder(path.parent, private=True)):
        for entry in entries(path.parent):
            if entry.path != path:
                room -= entry.n_bytes
                if room < 0:
                    _remove(entry)
        write(path, pieces, "the cached arrays")


def mark_used(path: Path) -> None:
    """Note that a cached file was used now: the least recently used are removed first."""
    with contextlib.suppress(OSError):  # a cache may be read-only
        os.utime(path)


def _remove(entry: Entry) -> int:
    try:
        entry.path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f'Can\'t remove "{entry.path}".', [error.strerror or str(error)]) from error
    return entry.n_bytes


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes room in a folder and writes to it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_PATIENCE)
    except NotImplementedError:  # a file system without locks: what is written is whole all the same
        yield
        return
    except Timeout as error:
        raise StoreError(f'Can\'t write to "{folder}".', ["another process is writing to it"]) from error
    except OSError as error:
        raise _refusal(folder / ".lock", "the lock file", error) from error
    try:
        yield
    finally:
        lock.release()
