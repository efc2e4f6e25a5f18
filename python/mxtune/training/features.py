"""What the frozen part of a network says of each picture: computed once, kept in memory or on disk."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import progress, store
from ..arguments import user_path
from ..engines.mxnet.devices import Device
from ..engines.mxnet.executor import Executor
from ..errors import ArgumentError, StoreError
from ..graph import to_json
from ..images.loader import Views
from ..network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Features = NDArray[np.float32]

BATCH = 32
Cache = Union[None, bool, str, "os.PathLike[str]"]


def features(
    body: Network,
    sets: Sequence[Views],
    devices: Sequence[Device],
    batch_size: int = BATCH,
    cache: Cache = None,
) -> list[Features]:
    """The body's output for every picture of each set, (N, d) float32; one array in memory, seen in parts.

    Parameters
    ----------
    body
        A network that ends in features (N, d).
    sets
        Pictures; their central views count.
    cache
        A folder in which features are kept between runs, or true for the usual one; within a bound, see `store.bound`.

    Raises
    ------
    ArgumentError
        Nothing can be written to that folder.
    """
    files = [_file(body, views, cache) for views in sets]
    total = sum(len(views) for views in sets)
    kept = [_kept(file, len(views)) for file, views in zip(files, sets)]
    executor: Optional[Executor] = None
    reporter = progress.current()
    out: Optional[Features] = None
    start = 0
    reporter.event("start", title="Computing features", total=total, unit="pictures")
    try:
        for views, found, file in zip(sets, kept, files):
            stop = start + len(views)
            if found is not None:
                out = np.empty((total, found.shape[1]), np.float32) if out is None else out
                out[start:stop] = found
                reporter.event("advance", n=len(views))
            else:
                executor = executor or Executor(body.graph, body.params, devices)
                for indices, batch in views.batches(batch_size):
                    said = executor.predict(batch)
                    out = np.empty((total, said.shape[1]), np.float32) if out is None else out
                    out[start + indices[0] : start + indices[-1] + 1] = said
                    reporter.event("advance", n=len(indices))
                if file is not None and out is not None:
                    _keep(file, out[start:stop])
            start = stop
    finally:
        reporter.event("end")
    assert out is not None  # noqa: S101 - there is at least one picture
    ends = np.cumsum([len(views) for views in sets])
    return [out[end - len(views) : end] for end, views in zip(ends, sets)]


def fingerprint(network: Network) -> str:
    """SHA-256 (64 hexadecimal digits) of a network: its graph and its parameters."""
    digest = hashlib.sha256(to_json(network.graph).encode())
    for name in sorted(network.params):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(network.params[name]).tobytes())
    return digest.hexdigest()


def _file(body: Network, views: Views, cache: Cache) -> Optional[Path]:
    if cache is None or cache is False:
        return None
    folder = store.features_dir() if cache is True else user_path("cache", cache)
    spec = repr((views.preprocess.to_dict(), fingerprint(body)))
    if not store.writable(folder):
        raise ArgumentError("Nothing can be written to the folder of `cache`.", [f"it is {folder}"])
    digest = hashlib.sha256(spec.encode())
    digest.update(b"".join(views.images.hashes))  # labels and names don't matter to features
    digest.update(str(views.images.grey).encode())
    return folder / f"{digest.hexdigest()[:32]}.npy"


def _kept(file: Optional[Path], rows: int) -> Optional[Features]:
    """Features of an earlier run, or None; a damaged file is computed anew."""
    if file is None or not file.is_file():
        return None
    try:
        found: Features = np.load(file, mmap_mode="r", allow_pickle=False)
        with file.open("rb") as stream:
            stream.seek(-4, os.SEEK_END)
            told = int.from_bytes(stream.read(4), "little")
    except (ValueError, OSError, EOFError):
        return None
    if found.ndim != 2 or found.dtype != np.float32 or len(found) != rows or _sum(found) != told:
        return None
    store.mark_used(file)
    return found


def _sum(array: Features) -> int:
    """A checksum, computed in parts: what lies behind the array in its file."""
    found = 0
    for start in range(0, len(array), 1024):
        found = zlib.crc32(array[start : start + 1024].tobytes(), found)
    return found


def _keep(file: Path, array: Features) -> None:
    npy: Any = np.lib.format
    header = io.BytesIO()
    npy.write_array_header_1_0(header, npy.header_data_from_array_1_0(array))
    pieces = (header.getvalue(), array.data.cast("B"), _sum(array).to_bytes(4, "little"))
    try:
        store.keep(file, pieces, len(header.getvalue()) + array.nbytes + 4)
    except StoreError as error:  # a full disk: they are computed again next time
        text = f"The features can't be kept in {file.parent}: {error.bullets[0]}."
        progress.current().event("message", text=text)
