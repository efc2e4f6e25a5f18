"""`Answering`: a model that answers a `Question` about images, in tables of one schema."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from .. import engines, machine
from ..arguments import one_of, whole
from ..errors import ArgumentError, PictureWarning
from ..images.arrays import numbered, picture_of
from ..images.findings import kept_back, warn
from ..model.load import model_of
from ..model.model import Model
from ..model.predictor import BATCH
from ..network import Network

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FEATURES = "features"


def use_cpus(count: int) -> None:
    """From now on this process decodes and computes with so many threads, whatever Ray or Spark has set."""
    machine.share(count)
    os.environ["OMP_NUM_THREADS"] = str(count)


@dataclass(frozen=True)
class Question:
    """What is asked of a model, wherever it is asked: plain data, which travels to the workers.

    Parameters
    ----------
    content
        The model's file.
    settings
        Of `Model.predict` by name; or None, which asks for features.
    batch_size
        Images that are computed at a time.
    limit, precision
        As the model was loaded with, see `mxload`.
    engine
        What computes, see `mxload`: the workers have it.
    """

    content: bytes = field(repr=False)
    settings: Optional[dict[str, Any]] = None
    batch_size: int = BATCH
    limit: float = 1.0
    precision: str = "auto"
    engine: str = "auto"

    @classmethod
    def of(
        cls,
        model: Union[Model, Network, str, os.PathLike[str]],
        settings: Optional[dict[str, Any]] = None,
        batch_size: int = BATCH,
        engine: str = "auto",
    ) -> Question:
        """A question to a model, a network or a model's file.

        Raises
        ------
        ModelFileError
            The file can't be read.
        ArgumentError
            `batch_size` is no whole number of at least 1, or there is no such engine.
        """
        batch_size = whole("batch_size", batch_size, 1)
        one_of("engine", engine, ("auto", *engines.names()))
        given = None if settings is None else {name: value for name, value in settings.items() if value is not None}
        asked = model_of(model)
        return cls(asked.to_bytes(), given, batch_size, asked.network.limit, asked.asked_precision, engine)

    @cached_property
    def digest(self) -> str:
        """Equal for equal questions."""
        others = (self.settings, self.batch_size, self.limit, self.precision, self.engine)
        return hashlib.sha256(self.content + repr(others).encode()).hexdigest()

    @cached_property
    def schema(self) -> pa.Schema:
        """Of all tables that answer it: ``file``, what `Model.predict` gives, and ``error``, why there is no answer.

        A blank image is asked about, here: what the model can't answer is an error before the work begins.
        """
        import pyarrow as pa

        here = self.engine if self.engine in engines.installed() else "auto"
        asked = Answering(replace(self, engine=here), "cpu")
        spec = asked.model.preprocess
        frame = asked.frame([np.zeros((*spec.size, spec.channels), np.uint8)])
        found = pa.Schema.from_pandas(frame, preserve_index=False)
        kinds = {one.name: one.type.value_type if pa.types.is_dictionary(one.type) else one.type for one in found}
        texts = (pa.types.is_large_string, pa.types.is_null)  # the blank image may lack what others have: `abstained`
        kinds = {name: pa.string() if any(test(kind) for test in texts) else kind for name, kind in kinds.items()}
        return pa.schema({**kinds, "file": pa.string(), "error": pa.string()})


class Answering:
    """A model, loaded, that answers one question.

    Parameters
    ----------
    question
        What is asked.
    device
        Where it is computed, as for `mxload`.
    """

    def __init__(self, question: Question, device: str = "auto") -> None:
        self._settings, self._batch_size = question.settings, question.batch_size
        self.model = Model.from_bytes(question.content, question.limit).on(device, question.engine, question.precision)
        self._warned: set[str] = set()

    def table(self, names: Sequence[Optional[str]], images: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """The answers about some images: one row each, or as many as ``top`` says.

        Parameters
        ----------
        names
            Of the images, for the column ``file``.
        images
            The bytes of a file, or an array (H, W, C) uint8, each; None for a bad image.
        schema
            That of the question.

        Raises
        ------
        ArgumentError
            An array holds other numbers, and the model does not know which are black and white.
        """
        import pyarrow as pa

        if not len(images):
            return schema.empty_table()
        self._refuse_unknown_range(images)
        frame = self.frame(images)
        frame["file"] = np.repeat(np.asarray(names, object), len(frame) // len(images))
        return pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False).replace_schema_metadata(None)

    def frame(self, images: Sequence[Any]) -> pd.DataFrame:
        """What `Model.predict` gives, or ``file`` and ``features``; and the column ``error``."""
        import pandas as pd

        given, images = images, [*images]
        reasons: dict[str, str] = {}
        for row, image in enumerate(images):
            unfit = _unfit(image) if isinstance(image, np.ndarray) else None
            if unfit:
                images[row], reasons[numbered(row)] = None, unfit
        with kept_back() as found:
            if self._settings is None:
                values = self.model.features(images, batch_size=self._batch_size)
                columns = {"file": [numbered(row) for row in range(len(images))], FEATURES: list(values)}
                frame = pd.DataFrame(columns)
            else:
                frame = self.model.predict(images, batch_size=self._batch_size, **self._settings)
        for warning in found:
            if isinstance(warning, PictureWarning) and warning.files:
                reasons = {**dict(warning.files), **reasons}
            elif str(warning) not in self._warned:  # of many batches the first says it
                self._warned.add(str(warning))
                warn(warning)
        told = [reasons.get(numbered(row)) for row in range(len(images))]
        told = ["there is no image" if image is None else reason for image, reason in zip(given, told)]
        each = len(frame) // len(images)
        frame["error"] = pd.Series(told, dtype=object).repeat(each).to_numpy()
        if self._settings is None:
            frame[FEATURES] = [None if reason else row for reason, row in zip(told, frame[FEATURES])]
        return frame

    def _refuse_unknown_range(self, images: Sequence[Any]) -> None:
        plain = (np.uint8, bool)
        others = {str(one.dtype) for one in images if isinstance(one, np.ndarray) and one.dtype not in plain}
        if others and self.model.preprocess.range is None:
            raise ArgumentError(
                "Arrays must be uint8: which numbers are black and white is decided over all images, and these come "
                "in parts.",
                [f"the type is {', '.join(sorted(others))}"],
                "Say it in training: mxtrain(range=(0, 4095)); or give the bytes of files.",
            )


def _unfit(array: Any) -> Optional[str]:
    """Why an array is no image: one of many is no reason to end the work."""
    try:
        picture_of(array, "NHWC", "it")
    except ArgumentError as error:
        return ": ".join([error.message.rstrip("."), *error.bullets[:1]])
    return None
