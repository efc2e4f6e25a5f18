"""Predictions and features of millions of images on Spark (extra ``spark``): one loaded model a Python worker.

>>> import mxtune.spark
>>> photos = spark.read.format("binaryFile").load("hdfs:///photos/*.jpg")  # doctest: +SKIP
>>> answers = mxtune.spark.predict(photos, "birds.mxt", type="prob")  # doctest: +SKIP
>>> answers.write.parquet("hdfs:///answers")  # doctest: +SKIP

Spark reads, schedules and writes; where a worker is lost its part is computed again. The workers need mxtune.
`mxtune.ray` does the same on Ray.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

from .calls import value_text
from .errors import ArgumentError, MxtuneError
from .model.model import Model
from .model.predictor import BATCH
from .network import Network
from .workers import Answering, Question, images_of, names_of, use_cpus
from .workers.columns import columns_of, refuse_text

if TYPE_CHECKING:
    import pandas as pd

PathLike = Union[str, "os.PathLike[str]"]


def predict(
    frame: Any,
    model: Union[Model, Network, PathLike],
    type: str = "class",  # noqa: A002 - the word of Model.predict
    level: Optional[float] = None,
    abstain: Optional[float] = None,
    top: Optional[int] = None,
    novelty: bool = False,
    batch_size: int = BATCH,
    engine: str = "auto",
    image: Optional[str] = None,
    path: Optional[str] = None,
) -> Any:
    """A Spark data frame of one row an image: the columns of `Model.predict`, with the same numbers, and ``error``.

    It is computed when it is asked for. An image that can't be read is a row without values whose ``error`` says why.
    Classes are plain values.

    Parameters
    ----------
    frame
        A Spark data frame with a column of the bytes of images, as the reader ``binaryFile`` gives it; that passes over
        files without content, and over names that begin with ``_`` or a dot.
    model
        A model, the file of one, or a network with its classes.
    type, level, abstain, top, novelty
        What is predicted, as for `Model.predict`.
    batch_size
        Images that are computed at a time.
    engine
        As for `mxload`.
    image, path
        The columns of the bytes and of the names; ``content`` (or ``bytes``, ``image``) and ``path`` (or ``file``) if
        None.

    Raises
    ------
    ArgumentError
        There is no such column, or the model can't answer.
    ModelFileError
        The model's file can't be read.
    """
    _pyspark()
    settings = {"type": type, "level": level, "abstain": abstain, "top": top, "novelty": novelty}
    return _mapped(frame, Question.of(model, settings, batch_size, engine), image, path)


def features(
    frame: Any,
    model: Union[Model, Network, PathLike],
    engine: str = "auto",
    image: Optional[str] = None,
    path: Optional[str] = None,
) -> Any:
    """A Spark data frame of ``file``, ``features`` (d numbers, what the head takes) and ``error``; see `predict`."""
    _pyspark()
    return _mapped(frame, Question.of(model, engine=engine), image, path)


@dataclass(frozen=True)
class Answers:
    """What `predict` gives to ``mapInPandas``: a function of an iterator of data frames, and its ``schema``."""

    question: Question = field(repr=False)
    image: str = "content"
    path: Optional[str] = "path"

    @property
    def schema(self) -> Any:
        """Spark's own, of the frames that it yields."""
        return _pyspark().sql.pandas.types.from_arrow_schema(self.question.schema)

    def __call__(self, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """A frame of answers for each frame of images."""
        answering = _loaded(self.question)
        for frame in frames:
            column = frame[self.image]
            names: Sequence[Any] = [None] * len(frame) if self.path is None else frame[self.path]
            table = answering.table(names_of(names, column), images_of(column), self.question.schema)
            yield table.to_pandas(types_mapper=_with_missing().get)


def _pyspark() -> Any:
    """PySpark, with what it needs for data frames of pandas.

    Raises
    ------
    MxtuneError
        It is not installed, or pyarrow is not.
    """
    try:
        import pyarrow  # noqa: F401
        import pyspark
        import pyspark.sql.pandas.types
    except ImportError as error:
        needed = "mxtune.spark needs PySpark and pyarrow."
        raise MxtuneError(needed, [str(error)], "Run: pip install 'pyspark>=3.5' pyarrow") from error
    return pyspark


def _with_missing() -> dict[Any, Any]:
    """The types of pandas that hold missing values as well, and large numbers whole."""
    import pandas as pd
    import pyarrow as pa

    return {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}


def _mapped(frame: Any, question: Question, image: Optional[str], path: Optional[str]) -> Any:
    if not hasattr(frame, "mapInPandas"):
        raise ArgumentError("`frame` must be a data frame of Spark.", [f"it is {value_text(frame)}"])
    kinds = {one.name: one.dataType.simpleString() for one in frame.schema.fields}
    columns = columns_of(kinds, image, path)
    refuse_text(columns[0], kinds[columns[0]], 'spark.read.format("binaryFile").load(folder).')
    roles = {role: name for role, name in zip(("image", "path"), columns) if name}
    answers = Answers(question, "image", "path" if "path" in roles else None)
    # some names Spark itself can't map
    named = [f"`{name.replace('`', '``')}` AS {role}" for role, name in roles.items()]
    return frame.selectExpr(*named).mapInPandas(answers, answers.schema)


_kept: dict[str, Answering] = {}


def _loaded(question: Question) -> Answering:
    """The model of this Python worker, which serves one part of the data after another."""
    if question.digest not in _kept:
        _kept.clear()
        task = _pyspark().TaskContext.get()
        use_cpus(1 if task is None else task.cpus())
        _kept[question.digest] = Answering(question)
    return _kept[question.digest]
