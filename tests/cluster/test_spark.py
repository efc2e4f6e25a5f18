"""Spark, with executors in processes of their own: local-cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mxtune.spark
from mxtune import Model
from mxtune.errors import ArgumentError

pytestmark = pytest.mark.timeout(300)


def photos(spark: Any, folder: Path) -> Any:
    return spark.read.format("binaryFile").load(str(folder)).repartition(6)


def test_files_give_the_rows_of_predict_and_why_some_have_none(spark: Any, model: Model, folder: Path) -> None:
    answers = mxtune.spark.predict(photos(spark, folder), model, type="prob", novelty=True).toPandas()
    answers["file"] = [name[len("file:") :] for name in answers["file"]]
    found = answers.sort_values("file", ignore_index=True)
    assert len(found) == 402
    good = found["error"].isna()
    assert [Path(name).name for name in found.loc[~good, "file"]] == ["cut.png", "text.png"]
    assert found.loc[~good, "pred_class"].isna().all()
    found = found[good]
    ours = model.predict([*found["file"]], type="prob", novelty=True)
    assert [*answers.columns] == [*ours.columns, "error"]
    assert [*found["pred_class"]] == [*ours["pred_class"]]
    assert [*found["is_novel"]] == [*ours["is_novel"]]
    numbers = [name for name in ours.columns if ours[name].dtype == np.float32]
    np.testing.assert_allclose(found[numbers].to_numpy(np.float32), ours[numbers], rtol=1e-5, atol=1e-6)


def test_features_are_those_of_the_model(spark: Any, model: Model, folder: Path) -> None:
    bags = photos(spark, folder).filter("path like '%/bag%'")
    found = mxtune.spark.features(bags, model).toPandas()
    ours = model.features([name[len("file:") :] for name in found["file"]])
    np.testing.assert_allclose(np.stack([*found["features"]]), ours, rtol=1e-5, atol=1e-6)


def test_a_worker_loads_the_model_once(spark: Any, model: Model, folder: Path) -> None:
    """Each of two executors has one Python worker, and twelve parts of the data."""
    from mxtune.workers import Question

    asked = mxtune.spark.Answers(Question.of(model, {}))

    def counted(frames: Iterator[Any]) -> Iterator[Any]:
        import os

        import pandas as pd

        import mxtune.spark as here

        for frame in asked(frames):
            (answering,) = here._kept.values()
            yield pd.DataFrame({"worker": [os.getpid()] * len(frame), "model": [id(answering)] * len(frame)})

    assert asked.schema.names == ["file", "pred_class", "error"]
    found = photos(spark, folder).repartition(12).mapInPandas(counted, "worker long, model long").toPandas()
    assert len(found) == 402
    assert len(found.drop_duplicates()) == found["worker"].nunique() <= 4


def test_a_missing_column_is_named(spark: Any, model: Model, folder: Path) -> None:
    with pytest.raises(ArgumentError, match="No column holds images"):
        mxtune.spark.predict(photos(spark, folder).select("path", "length"), model)
