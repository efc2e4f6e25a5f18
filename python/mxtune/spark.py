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

from .errors import MxtuneError
from .model.model import Model
from .model.predictor import BATCH
from .network import Network
from .workers import Answering, Question, images_of, names_of, use_cpus
from .workers.columns import columns_of

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
        A Spark data frame with a column of the bytes of images, as the reader ``binaryFile`` gives it.
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
    question = Question.of(model, settings, batch_size)
    return _mapped(frame, question, engine, image, path)


def features(
    frame: Any,
    model: Union[Model, Network, PathLike],
    engine: str = "auto",
    image: Optional[str] = None,
    path: Optional[str] = None,
) -> Any:
    """A Spark data frame of ``file``, ``features`` (d numbers, what the head takes) and ``error``; see `predict`."""
    _pyspark()
    return _mapped(frame, Question.of(model), engine, image, path)


@dataclass(frozen=True)
class Answers:
    """What `predict` gives to ``mapInPandas``: a function of an iterator of data frames, and its ``schema``."""

    question: Question = field(repr=False)
    image: str = "content"
    path: Optional[str] = "path"
    engine: str = "auto"

    @property
    def schema(self) -> Any:
        """Spark's own, of the frames that it yields."""
        return _pyspark().sql.pandas.types.from_arrow_schema(self.question.schema)

    def __call__(self, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """A frame of answers for each frame of images."""
        import pandas as pd
        import pyarrow as pa

        answering = _loaded(self.question, self.engine)
        for frame in frames:
            column = frame[self.image]
            names: Sequence[Any] = [None] * len(frame) if self.path is None else frame[self.path]
            table = answering.table(names_of(names, column), images_of(column), self.question.schema)
            yield table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)


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


def _mapped(frame: Any, question: Question, engine: str, image: Optional[str], path: Optional[str]) -> Any:
    columns = columns_of(frame.columns, image, path)
    answers = Answers(question, *columns, engine)
    return frame.select(*filter(None, columns)).mapInPandas(answers, answers.schema)


_kept: dict[tuple[str, str], Answering] = {}


def _loaded(question: Question, engine: str) -> Answering:
    """The model of this Python worker, which serves one part of the data after another."""
    key = (question.digest, engine)
    if key not in _kept:
        _kept.clear()
        task = _pyspark().TaskContext.get()
        use_cpus(1 if task is None else task.cpus())
        _kept[key] = Answering(question, "auto", engine)
    return _kept[key]
