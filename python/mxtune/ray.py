"""Predictions and features of millions of images by Ray Data (extra ``ray``): one loaded model a worker.

>>> import mxtune.ray
>>> answers = mxtune.ray.predict("s3://bucket/photos", "birds.mxt", type="prob")  # doctest: +SKIP
>>> answers.write_parquet("s3://bucket/answers")  # doctest: +SKIP

Ray reads, schedules and writes; nothing passes through this process but the answers that it asks for. Where a worker is
lost its batches are computed again. `mxtune.spark` does the same on Spark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from .arguments import is_number, whole
from .calls import value_text
from .errors import ArgumentError, MxtuneError, PictureError
from .images.sniff import is_picture_name
from .model.model import Model
from .model.predictor import BATCH
from .network import Network
from .training.distributed.on_ray import refuse_without_mxtune
from .workers import Answering, Question, images_of, names_of, use_cpus
from .workers.columns import columns_of, refuse_text

if TYPE_CHECKING:
    import pyarrow as pa
    import ray.data

PathLike = Union[str, "os.PathLike[str]"]
PARQUET = ".parquet"
_READING = 0.25  # of a CPU: it waits for disks and networks
# of a task: what a lost worker computes again, and short beside a block of Ray's, which one worker answers
_BATCHES = 8


def predict(
    dataset: Union[PathLike, Sequence[PathLike], ray.data.Dataset],
    model: Union[Model, Network, PathLike],
    type: str = "class",  # noqa: A002 - the word of Model.predict
    level: Optional[float] = None,
    abstain: Optional[float] = None,
    top: Optional[int] = None,
    novelty: bool = False,
    batch_size: int = BATCH,
    workers: Optional[int] = None,
    cpus: float = 1,
    gpus: float = 0,
    engine: str = "auto",
    image: Optional[str] = None,
    path: Optional[str] = None,
) -> ray.data.Dataset:
    """A Ray `Dataset` of one row an image: the columns of `Model.predict`, with the same numbers, and ``error``.

    It is computed when it is asked for: ``write_parquet()``, ``to_pandas()``, ``iter_batches()``. An image that can't
    be read is a row without values whose ``error`` says why. Classes are plain values.

    Parameters
    ----------
    dataset
        A folder, files or a bucket (``"s3://..."``) of images; files of Parquet (``.parquet``), or a folder of this
        machine that has no others; or a Ray `Dataset`, as ``ray.data.read_images`` or
        ``read_binary_files(include_paths=True)`` gives it. In a folder Ray passes over names that begin with a dot, and
        in a bucket those that begin with ``_``, too.
    model
        A model, the file of one, or a network with its classes.
    type, level, abstain, top, novelty
        What is predicted, as for `Model.predict`.
    batch_size
        Images that are computed at a time.
    workers
        How many processes with a model; as many as there are CPUs (or GPUs, where `gpus` are asked for) if None. Those
        beyond that start where the cluster grows.
    cpus, gpus
        Of each worker. It decodes and computes with so many threads.
    engine
        As for `mxload`.
    image, path
        The columns of images (the bytes of a file, or pixels uint8) and of their names; ``bytes``, ``content`` or
        ``image``, and ``path`` or ``file``, if None.

    Raises
    ------
    ArgumentError
        There is no such column, the model can't answer, or no machine has room for a worker.
    ModelFileError
        The model's file can't be read.
    PictureError
        There are no such files.
    """
    _ray()
    settings = {"type": type, "level": level, "abstain": abstain, "top": top, "novelty": novelty}
    question = Question.of(model, settings, batch_size, engine)
    return _asked(question, dataset, workers, cpus, gpus, image, path)


def features(
    dataset: Union[PathLike, Sequence[PathLike], ray.data.Dataset],
    model: Union[Model, Network, PathLike],
    batch_size: int = BATCH,
    workers: Optional[int] = None,
    cpus: float = 1,
    gpus: float = 0,
    engine: str = "auto",
    image: Optional[str] = None,
    path: Optional[str] = None,
) -> ray.data.Dataset:
    """A Ray `Dataset` of ``file``, ``features`` (d float32, what the head takes) and ``error``; see `predict`.

    The numbers are those of `Model.features`. An image that can't be read has no features.
    """
    _ray()
    question = Question.of(model, None, batch_size, engine)
    return _asked(question, dataset, workers, cpus, gpus, image, path)


class Worker:
    """An actor of Ray Data: a model that is loaded once, and called with batches."""

    def __init__(
        self, question: Any, schema: pa.Schema, image: str, path: Optional[str], cpus: float, gpus: float
    ) -> None:
        use_cpus(max(1, int(cpus)))
        self._answering = Answering(_ray().get(question), "gpu" if gpus else "cpu")
        self._schema, self._image, self._path = schema, image, path

    def __call__(self, batch: dict[str, Any]) -> pa.Table:
        column = batch[self._image]
        names = [None] * len(column) if self._path is None else batch[self._path]
        return self._answering.table(names_of(names, column), images_of(column), self._schema)


def _ray() -> Any:
    """Ray, with Ray Data.

    Raises
    ------
    MxtuneError
        It is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MxtuneError(
            "mxtune.ray needs Ray Data.", [str(error)], "Run: pip install 'ray[data]>=2.51' aiohttp"
        ) from error
    return ray


def _asked(
    question: Question,
    dataset: Any,
    workers: Optional[int],
    cpus: float,
    gpus: float,
    image: Optional[str],
    path: Optional[str],
) -> ray.data.Dataset:
    for name, value in (("cpus", cpus), ("gpus", gpus)):
        if not is_number(value) or value < 0:
            raise ArgumentError(f"`{name}` must be a number of at least 0.", [f"it is {value_text(value)}"])
    ray, schema = _ray(), question.schema
    pool = _pool(cpus, gpus, None if workers is None else whole("workers", workers, 1))
    rows, there = (dataset, _kinds(dataset)) if isinstance(dataset, ray.data.Dataset) else _read(dataset)
    columns = columns_of(there, image, path)
    refuse_text(columns[0], there[columns[0]], "ray.data.read_binary_files(paths, include_paths=True).")
    wanted = [*dict.fromkeys(name for name in columns if name)]
    rows = rows.select_columns(wanted) if {*there} - {*wanted} else rows
    task = _BATCHES * question.batch_size
    return rows.repartition(target_num_rows_per_block=task).map_batches(
        Worker,
        fn_constructor_args=(ray.put(question), schema, *columns, cpus, gpus),
        batch_size=task,
        batch_format="numpy",
        zero_copy_batch=True,
        compute=pool,
        num_cpus=_reserved(cpus),
        num_gpus=gpus,
    )


def _reserved(cpus: float) -> float:
    """The CPUs that a worker reserves: half of what it uses. The other half is for tasks that read and write, which
    mostly wait; workers that hold all CPUs would wait for them for ever. Ray counts whole ones above 1."""
    return cpus / 2 if cpus < 2 else cpus // 2


def _kinds(rows: ray.data.Dataset) -> dict[str, str]:
    """Its columns and their types; a part of it may be read for that."""
    schema = rows.schema()
    return {} if schema is None else dict(zip(schema.names, map(str, schema.types)))


def _read(source: Any) -> tuple[ray.data.Dataset, dict[str, str]]:
    """Files of images, or Parquet, by Ray's own readers; and the columns with their types."""
    data, paths = _ray().data, _paths(source)
    tables = [one for one in paths if _is_parquet(one)]
    if tables and len(tables) < len(paths):
        other = next(one for one in paths if one not in tables)
        text = "`dataset` must be images, or Parquet, and not both."
        raise ArgumentError(text, [f"{tables[0]} is Parquet", f"{other} is not"], "Ask about each alone.")
    try:
        if tables:
            rows = data.read_parquet(paths, num_cpus=_READING, file_extensions=None)
            return rows, _kinds(rows)
        every = [*paths, *(file for one in paths for file in _passed_over(one))]
        rows = data.read_binary_files(every, include_paths=True, num_cpus=_READING)
    except (FileNotFoundError, ValueError) as error:
        raise PictureError("There are no images to be read.", [str(error).split("\n")[0]]) from error
    return rows, {"bytes": "binary", "path": "text"}


def _paths(source: Any) -> list[str]:
    given = [source] if isinstance(source, (str, os.PathLike)) else source
    listed = given if isinstance(given, (list, tuple)) else []
    if not listed or not all(isinstance(one, (str, os.PathLike)) for one in listed):
        text = "`dataset` must be a folder, a bucket, files, or a Dataset of Ray."
        hint = "ray.data.from_pandas(), from_items() and others make one."
        raise ArgumentError(text, [f"it is {value_text(source)}"], hint)
    return [os.fspath(one) for one in listed]


def _is_parquet(path: str) -> bool:
    """Whether it is called so, or is a folder of this machine in which all files are."""
    names = [] if path.lower().endswith(PARQUET) else _names(path)
    shown = (name.lower().endswith(PARQUET) for name in names if name[0] not in "._")
    return path.lower().endswith(PARQUET) or (next(shown, False) and all(shown))


def _passed_over(path: str) -> list[str]:
    """The images of a folder of this machine that Ray takes for hidden: as cameras write them, _DSC0001.JPG."""
    return [str(Path(path) / name) for name in _names(path) if name[0] == "_" and is_picture_name(name)]


def _names(path: str) -> Iterator[str]:
    """Of the files in a folder of this machine."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (one.name for one in entries if one.is_file())


def _pool(cpus: float, gpus: float, workers: Optional[int]) -> Any:
    """As many workers as there is room for; of more that are asked for, the others where the cluster grows.

    Raises
    ------
    ArgumentError
        No machine has room for one: Ray would wait for such a machine, without a word.
    MxtuneError
        The machines lack mxtune, or this one is none of the cluster.
    """
    ray = _ray()
    if not ray.is_initialized():
        ray.init()
    if ray.util.client.ray.is_connected():
        text = "Ray Data does not work for a program outside of the cluster, which ray:// connects."
        hint = "Run it on a machine of the cluster: ray job submit --working-dir . -- python it.py"
        raise MxtuneError(text, hint=hint)
    refuse_without_mxtune(ray)
    kind, name, each = ("GPU", "gpus", gpus) if gpus else ("CPU", "cpus", cpus)
    there = [float(node["Resources"].get(kind, 0)) for node in ray.nodes() if node["Alive"]]
    largest = max(there, default=0)
    if each > largest:
        text = f"No machine of the Ray cluster has room for a worker with {name}={each:g}."
        raise ArgumentError(text, [f"the largest has {largest:g} {kind}s"], "`ray status` lists them.")
    room = max(1, sum(int(count / each) for count in there)) if each else 1
    if workers is None or workers <= room:
        return ray.data.ActorPoolStrategy(size=workers or room)
    return ray.data.ActorPoolStrategy(min_size=room, max_size=workers)
