"""Features: the output of the frozen body for each image, computed once, kept in memory or on disk."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import PIL

from .. import machine, progress, store
from .._version import __version__
from ..arguments import user_path
from ..engines import ROWS, Executor, Program, Target
from ..errors import ArgumentError, StoreError
from ..graph import to_json
from ..images.loader import Loader
from ..network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Features = NDArray[np.float32]

BATCH = ROWS
Cache = Union[None, bool, str, "os.PathLike[str]"]


def features(
    body: Network,
    loaders: Sequence[Loader],
    target: Target,
    batch_size: int = BATCH,
    cache: Cache = None,
) -> list[Features]:
    """The body's output for every image of each set, (N, d) float32; one array in memory, seen in parts.

    Parameters
    ----------
    body
        A network that ends in features (N, d).
    loaders
        The sets; their eval batches count.
    target
        Where the body runs.
    cache
        The folder in which features are kept between runs; true is the default one, and so is None, where it can
        be written to and has room; false is none. Its limit: `store.bound`.

    Raises
    ------
    ArgumentError
        Nothing can be written to that folder.
    """
    files = [_file(body, loader, target, batch_size, cache) for loader in loaders]
    total = sum(len(loader) for loader in loaders)
    kept = [_kept(file, len(loader)) for file, loader in zip(files, loaders)]
    executor: Optional[Executor] = None
    reporter = progress.current()
    out: Optional[Features] = None
    start = 0
    reporter.event("start", title="Computing features", total=total, unit="images")
    try:
        for loader, cached, file in zip(loaders, kept, files):
            stop = start + len(loader)
            if cached is not None:
                out = np.empty((total, cached.shape[1]), np.float32) if out is None else out
                out[start:stop] = cached
                reporter.event("advance", n=len(loader))
            else:
                executor = executor or target.bind(Program.of(body))
                for rows, batch in loader.eval_batches(partial(executor.rows, batch_size)):
                    outputs = executor.predict(batch)
                    out = np.empty((total, outputs.shape[1]), np.float32) if out is None else out
                    out[start + rows[0] : start + rows[-1] + 1] = outputs
                    reporter.event("advance", n=len(rows))
                if file is not None and out is not None:
                    _keep(file, out[start:stop], asked=cache is not None)
            start = stop
    finally:
        reporter.event("end")
    assert out is not None  # noqa: S101 - there is at least one image
    ends = np.cumsum([len(loader) for loader in loaders])
    return [out[end - len(loader) : end] for end, loader in zip(ends, loaders)]


def fingerprint(network: Network) -> str:
    """SHA-256 (64 hexadecimal digits) of a network: its graph and its parameters."""
    digest = hashlib.sha256(to_json(network.graph).encode())
    for name in sorted(network.params):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(network.params[name]).tobytes())
    return digest.hexdigest()


def _file(body: Network, loader: Loader, target: Target, batch_size: int, cache: Cache) -> Optional[Path]:
    if cache is False:
        return None
    folder = store.features_dir() if cache is None or cache is True else user_path("cache", cache)
    room, writable = store.bound(), store.writable(folder)  # a wrong setting is reported before the work
    if cache is None and not (room and writable):  # nobody asked for it
        return None
    if not writable:
        raise ArgumentError("The folder of `cache` is not writable.", [f"it is {folder}"])
    versions = (__version__, target.engine.version(), PIL.__version__)
    here = (machine.processor(), machine.usable_cpus(), batch_size)  # each may change last bits
    spec = (loader.preprocess.to_dict(), fingerprint(body), target.arithmetic, versions, here)
    digest = hashlib.sha256(repr(spec).encode())
    digest.update(b"".join(loader.images.hashes))  # labels and names don't matter to features
    digest.update(str(loader.images.grey).encode())
    return folder / f"{digest.hexdigest()[:32]}.npy"


def _kept(file: Optional[Path], rows: int) -> Optional[Features]:
    """Features of an earlier run, or None; a damaged file is computed again."""
    if file is None or not file.is_file():
        return None
    try:
        array: Features = np.load(file, mmap_mode="r", allow_pickle=False)
        with file.open("rb") as stream:
            stream.seek(-4, os.SEEK_END)
            checksum = int.from_bytes(stream.read(4), "little")
    except (ValueError, OSError, EOFError):
        return None
    if array.ndim != 2 or array.dtype != np.float32 or len(array) != rows or _checksum(array) != checksum:
        return None
    store.mark_used(file)
    return array


def _checksum(array: Features) -> int:
    """What follows the array in its file, computed in parts."""
    checksum = 0
    for start in range(0, len(array), 1024):
        checksum = zlib.crc32(array[start : start + 1024].tobytes(), checksum)
    return checksum


def _keep(file: Path, array: Features, asked: bool) -> None:
    npy: Any = np.lib.format
    header = io.BytesIO()
    npy.write_array_header_1_0(header, npy.header_data_from_array_1_0(array))
    pieces = (header.getvalue(), array.data.cast("B"), _checksum(array).to_bytes(4, "little"))
    try:
        store.keep(file, pieces, len(header.getvalue()) + array.nbytes + 4)
    except StoreError as error:  # a full disk: they are computed again next time
        if asked:
            text = f"The features can't be cached in {file.parent}: {error.bullets[0]}."
            progress.current().event("message", text=text)
