"""Spark, with executors in processes of their own: local-cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mxtune.spark
from mxtune import Model, mxtrain
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


def test_columns_of_any_name_and_numbers_as_names(spark: Any, model: Model, folder: Path) -> None:
    files = sorted(folder.glob("bag*"))[:3]
    rows = [(bytearray(file.read_bytes()), number) for number, file in enumerate(files)]
    frame = spark.createDataFrame([*rows, (None, None)], "`größe.bytes` binary, `a``b` long")
    found = mxtune.spark.predict(frame, model, image="größe.bytes", path="a`b").toPandas()
    found = found.sort_values("file", na_position="last")
    assert [*found["file"].fillna("")] == ["0", "1", "2", ""]
    assert [*found["pred_class"][:3]] == [*model.predict(files)["pred_class"]]


def test_a_record_may_be_image_and_name_at_once(spark: Any, model: Model, folder: Path) -> None:
    file = next(folder.glob("bag*"))
    frame = spark.createDataFrame(
        [((bytearray(file.read_bytes()), "bag"),)], "image struct<bytes: binary, path: string>"
    )
    found = mxtune.spark.predict(frame, model, image="image", path="image").toPandas()
    assert [*found["file"]] == ["bag"]


def test_large_numbers_stay_whole_beside_missing_ones(spark: Any, folder: Path) -> None:
    labels = [2**60 + 1, 2**60 + 3]
    files = [next(folder.glob(f"{kind}*")) for kind in ("bag", "trouser")]
    numbered = mxtrain(files * 3, labels * 3, task="classification", tune="head", image_size=32, verbose=0, cache=False)
    rows = [(bytearray(files[0].read_bytes()),), (bytearray(b"no image"),)]
    found = mxtune.spark.predict(spark.createDataFrame(rows, "content binary"), numbered).collect()
    assert {row.pred_class for row in found} == {*numbered.predict(files[:1])["pred_class"], None}


def test_what_can_not_be_asked_is_told_before_the_work(spark: Any, model: Model) -> None:
    with pytest.raises(ArgumentError, match="must be a data frame of Spark"):
        mxtune.spark.predict("photos", model)
    with pytest.raises(ArgumentError, match=r'"image" holds texts(.|\n)*binaryFile'):
        mxtune.spark.predict(spark.createDataFrame([("a.png",)], "image string"), model)
    with pytest.raises(ArgumentError, match="`engine` must be one of"):
        mxtune.spark.features(spark.createDataFrame([(b"",)], "content binary"), model, engine="tensorflow")
