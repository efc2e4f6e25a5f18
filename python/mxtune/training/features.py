"""Features: the output of the frozen body for each image, computed once, kept in memory or on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

import numpy as np
import PIL

from .. import machine, progress, store
from .._version import __version__
from ..arguments import user_path
from ..calls import option
from ..engines import ROWS, Executor, Program, Target
from ..errors import ArgumentError, StoreError, TrainingError
from ..graph import to_json
from ..images.loader import Loader
from ..network import Network
from ..shelf import Shelf
from ..words import counted, file_size
from .computing import outputs
from .distributed import Crew

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
    crew: Optional[Crew] = None,
) -> list[Features]:
    """The body's output for every image of each set, (N, d) float32; one array, seen in parts.

    It is in memory, or in a file where memory has no room for it: what is computed of it goes through rows in blocks.

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
    crew
        Workers that compute them; None for this process.

    Raises
    ------
    ArgumentError
        Nothing can be written to that folder.
    TrainingError
        They fit neither in memory nor on the disk.
    """
    shelves = [_shelf(body, loader, target, batch_size, cache, crew) for loader in loaders]
    ends = np.cumsum([len(loader) for loader in loaders]).tolist()
    name, index = body.graph.heads[0]
    out = _room(ends[-1], body.shapes[name][index][1], cache)
    parts = [out[end - len(loader) : end] for end, loader in zip(ends, loaders)]
    executor: Optional[Executor] = None
    reporter = progress.current()
    reporter.event("start", title="Computing features", total=len(out), unit="images")
    try:
        for loader, shelf, part in zip(loaders, shelves, parts):
            missing = _missing(shelf, loader, part)
            if len(missing) < len(part):
                reporter.event("advance", n=len(part) - len(missing))
            if len(missing):
                if crew is None:
                    executor = executor or target.bind(Program.of(body))
                    computed = outputs(executor, loader, missing, batch_size, target.deterministic)
                else:
                    computed = crew.outputs(body, loader, missing, target, batch_size)
                for rows, values in computed:
                    part[rows] = values
                    reporter.event("advance", n=len(rows))
            if shelf is not None and len(missing):
                _keep(shelf, loader, part, missing, asked=cache is not None)
    finally:
        reporter.event("end")
    return parts


def fingerprint(network: Network) -> str:
    """SHA-256 (64 hexadecimal digits) of a network: its graph and its parameters."""
    digest = hashlib.sha256(to_json(network.graph).encode())
    for name in sorted(network.params):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(network.params[name]).tobytes())
    return digest.hexdigest()


def _room(images: int, values: int, cache: Cache) -> Features:
    """An array for features: in memory, or, where a machine would run short and end the process without a word, mapped
    from a file in the folder of `cache`, or in that for temporary files.

    Raises
    ------
    TrainingError
        There is no room there either.
    """
    needed, free = 4 * images * values, machine.free_memory()
    if free is None or needed <= free:
        return np.empty((images, values), np.float32)
    folder = kept_in(cache)
    if folder is None or not store.writable(folder):
        folder = Path(tempfile.gettempdir())
    store.make_folder(folder, private=True)
    text = f"The features of {counted(images, 'image')} take {file_size(needed)}, and {file_size(free)} are free"
    try:
        memory = store.scratch(folder, needed)
    except StoreError as error:
        hint = (
            f"Take fewer images, a lighter network, or {option('head', 'last features')}; or a larger disk for `cache`."
        )
        raise TrainingError(f"{text}.", [f"{folder}: {error.bullets[0]}"], hint) from error
    text = f"{text}: they lie in a file in {folder} until the head is trained, which takes longer."
    progress.current().event("message", text=text)
    return np.frombuffer(memory, np.float32).reshape(images, values)


def kept_in(cache: Cache) -> Optional[Path]:
    """The folder in which things are kept between runs; None for nowhere. One that is only read serves as it is.

    Raises
    ------
    ArgumentError
        Nothing is in that folder, nor can be written to it, or the limit is no number: reported before the work.
    """
    if cache is False:
        return None
    folder = store.features_dir() if cache is None or cache is True else user_path("cache", cache)
    room, usable = store.bound(), store.writable(folder) or bool(store.entries(folder))
    if cache is None and not (room and usable):  # nobody asked for it
        return None
    if not usable:
        raise ArgumentError("The folder of `cache` is not writable.", [f"it is {folder}"])
    return folder


def _shelf(
    body: Network, loader: Loader, target: Target, batch_size: int, cache: Cache, crew: Optional[Crew]
) -> Optional[Shelf]:
    """Where features of this network are kept, each under its image's content; None for nowhere."""
    if crew is not None and crew.address is not None:
        return None  # on a cluster: by which processors?
    folder = kept_in(cache)
    if folder is None:
        return None
    versions = (__version__, target.engine.version(), PIL.__version__)
    cpus = machine.usable_cpus() if crew is None else crew.cpus
    here = (machine.processor(), cpus, batch_size)  # each may change last bits
    spec = (loader.determined_by, fingerprint(body), target.arithmetic, versions, here)
    return Shelf(folder, hashlib.sha256(repr(spec).encode()).hexdigest()[:32], np.float32)


def _missing(shelf: Optional[Shelf], loader: Loader, part: Features) -> NDArray[np.int64]:
    """The rows that are not kept; the others are filled in."""
    missing = np.ones(len(part), bool)
    if shelf is not None:
        for row, array in shelf.take(loader.images.keys(range(len(part)))):
            part[row], missing[row] = array, False
    return np.flatnonzero(missing)


def _keep(shelf: Shelf, loader: Loader, part: Features, rows: NDArray[np.int64], asked: bool) -> None:
    try:
        shelf.add(loader.images.keys(rows.tolist()), [part[row] for row in rows])
    except StoreError as error:  # a full disk, or one that is only read: they are computed again next time
        if asked:
            text = f"The features can't be cached in {shelf.folder}: {error.bullets[0]}."
            progress.current().event("message", text=text)
