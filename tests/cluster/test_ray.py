"""Ray Data, with a real Ray on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mxtune.ray
from mxtune import Model
from mxtune.errors import ArgumentError, PictureError, PictureWarning

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(300)]


def expected(model: Model, files: Any, **settings: Any) -> pd.DataFrame:
    with pytest.warns(PictureWarning):
        return model.predict(list(files), **settings)


def assert_same(answers: pd.DataFrame, ours: pd.DataFrame) -> None:
    """The same columns and numbers; classes are plain values, and missing ones nulls."""
    assert [*answers.columns] == [*ours.columns, "error"]
    for name in ours.columns:
        if pd.api.types.is_float_dtype(ours[name]):
            got = answers[name].to_numpy(dtype=np.float32, na_value=np.nan)
            np.testing.assert_allclose(got, ours[name], rtol=1e-5, atol=1e-6, err_msg=name)
        else:
            assert [*answers[name].astype(object).where(answers[name].notna(), None)] == [
                *ours[name].astype(object).where(ours[name].notna(), None)
            ], name


def logging_worker(log: Path, seconds: float = 0) -> Any:
    """A worker that takes some more time for a task, and writes its process and the first image to a file before."""
    ours = mxtune.ray.Worker

    class Logging(ours):  # type: ignore[misc, valid-type] # a class of a function travels to the workers by value
        def __call__(self, batch: dict[str, Any]) -> Any:
            import time

            with log.open("a") as stream:
                stream.write(f"{os.getpid()} {batch['path'][0]}\n")
            time.sleep(seconds)
            return super().__call__(batch)

    return Logging


def test_a_folder_gives_the_rows_of_predict_and_why_some_have_none(model: Model, folder: Path, tmp_path: Path) -> None:
    answers = mxtune.ray.predict(folder, model, type="prob", novelty=True, workers=2)
    answers.write_parquet(str(tmp_path / "answers"))
    found = pd.read_parquet(tmp_path / "answers").sort_values("file", ignore_index=True)
    assert len(found) == 402
    assert_same(found, expected(model, found["file"], type="prob", novelty=True))
    told = found.loc[found["error"].notna(), ["file", "error"]]
    assert {Path(file).name: reason.split(",")[0] for file, reason in told.to_numpy()} == {
        "cut.png": "the file ends after 90 bytes",
        "text.png": "not an image",
    }


def test_parquet_with_bytes_is_read_and_sets_are_lists(model: Model, folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.glob("*-*.png"))[:50]
    table = pd.DataFrame({"id": range(50), "photo": [file.read_bytes() for file in files], "file": [*map(str, files)]})
    parts = [tmp_path / f"photos{number}.parquet" for number in range(5)]
    for number, part in enumerate(parts):
        table.iloc[10 * number : 10 * number + 10].to_parquet(part)
    answers = mxtune.ray.predict(parts, model, type="set", workers=1, image="photo").to_pandas()
    answers = answers.sort_values("file", ignore_index=True)
    ours = model.predict(files, type="set")
    assert [[*one] for one in answers["pred_set"]] == [[*one] for one in ours["pred_set"]]
    assert [*answers["file"]] == [*map(str, files)]


def test_pixels_of_read_images_are_predicted(model: Model, folder: Path) -> None:
    import ray

    files = [str(file) for file in sorted(folder.glob("bag*"))]
    pixels = ray.data.read_images(files, include_paths=True, mode="RGB")
    answers = mxtune.ray.predict(pixels, model, type="logit", workers=1).to_pandas().sort_values("file")
    ours = model.predict(sorted(answers["file"]), type="logit")
    np.testing.assert_allclose(answers.iloc[:, 1:-1].astype(np.float32), ours.iloc[:, 1:], rtol=1e-4, atol=1e-5)


def test_rows_of_one_block_are_shared_among_the_workers(
    model: Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setattr(mxtune.ray, "Worker", logging_worker(log))
    contents = [file.read_bytes() for file in sorted(folder.glob("*-*.png"))]
    pd.DataFrame({"bytes": contents * 4, "path": [*map(str, range(4 * len(contents)))]}).to_parquet(
        tmp_path / "one.parquet"
    )
    answers = mxtune.ray.predict(str(tmp_path / "one.parquet"), model, batch_size=4, workers=2).to_pandas()
    assert sorted(answers["file"]) == sorted(map(str, range(4 * len(contents))))
    assert len({line.split()[0] for line in log.read_text().splitlines()}) == 2


def test_features_are_those_of_the_model(model: Model, folder: Path) -> None:
    found = mxtune.ray.features(folder, model, workers=2).to_pandas().sort_values("file", ignore_index=True)
    good = found["error"].isna()
    assert int(good.sum()) == 400
    assert found.loc[~good, "features"].isna().all()
    ours = model.features([*found.loc[good, "file"]])
    np.testing.assert_allclose(np.stack([*found.loc[good, "features"]]), ours, rtol=1e-5, atol=1e-6)


def test_a_lost_worker_costs_its_batches_again_and_nothing_else(
    model: Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    log = tmp_path / "log"
    monkeypatch.setattr(mxtune.ray, "Worker", logging_worker(log, 0.2))
    blocks = ray.data.read_binary_files(str(folder), include_paths=True, override_num_blocks=40)
    answers = mxtune.ray.predict(blocks, model, batch_size=1, workers=2)
    names: list[str] = []
    killed = 0
    for batch in answers.iter_batches(batch_size=None, batch_format="pandas"):
        names += [*batch["file"]]
        if not killed:
            killed = int(log.read_text().split()[-2])
            os.kill(killed, signal.SIGKILL)
    assert len(names) == 402
    assert len(set(names)) == 402
    begun = [line.split(" ", 1) for line in log.read_text().splitlines()]
    workers = {int(worker) for worker, _ in begun}
    assert len(workers) == 3, "two, and one in the place of the one that was killed"
    batches = len({first for _, first in begun})
    lost = sum(int(worker) == killed for worker, _ in begun)
    assert batches < len(begun) <= batches + lost


def test_what_a_model_can_not_answer_is_an_error_before_the_work(model: Model, folder: Path) -> None:
    plain = Model(model.network, model.task, model.levels)
    with pytest.raises(ArgumentError, match="can't tell what is novel"):
        mxtune.ray.predict(folder, plain, novelty=True)
    with pytest.raises(ArgumentError, match='no column "photo"'):
        mxtune.ray.predict(folder, model, image="photo")


def test_the_file_of_a_model_answers_as_well(model: Model, folder: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "model.mxt")
    files = [str(file) for file in sorted(folder.glob("bag*"))[:5]]
    from_file = mxtune.ray.predict(files, str(tmp_path / "model.mxt"), workers=1).to_pandas()
    assert [*from_file.sort_values("file")["pred_class"]] == [*model.predict(files)["pred_class"]]


@pytest.mark.parametrize(
    ("dataset", "settings", "words"),
    [
        ([], {}, "must be a folder, a bucket, files, or a Dataset"),
        (pd.DataFrame({"bytes": [b""]}), {}, "must be a folder, a bucket, files, or a Dataset"),
        (["photos.parquet", "a.png"], {}, "a.png is not"),
        ("photos", {"cpus": 64}, "room for a worker with cpus=64(.|\n)*the largest has 2 CPUs"),
        ("photos", {"gpus": 0.5}, "room for a worker with gpus=0.5"),
        ("photos", {"engine": "tensorflow"}, "`engine` must be one of"),
    ],
)
def test_what_can_not_be_asked_is_told_before_the_work(
    model: Model, dataset: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        mxtune.ray.predict(dataset, model, **settings)


def test_names_that_ray_takes_for_hidden_are_read(model: Model, folder: Path, tmp_path: Path) -> None:
    for name, file in zip(("_DSC1.png", "b.png"), sorted(folder.glob("bag*"))):
        (tmp_path / name).write_bytes(file.read_bytes())
    (tmp_path / "_SUCCESS").touch()
    answers = mxtune.ray.predict(tmp_path, model, workers=1).to_pandas()
    assert sorted(Path(file).name for file in answers["file"]) == ["_DSC1.png", "b.png"]


def test_files_that_are_not_there_are_told(model: Model, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(PictureError, match=place.name):
            mxtune.ray.predict(place, model)


def test_more_workers_than_there_is_room_for_do_not_wait(model: Model, folder: Path) -> None:
    files = [str(file) for file in sorted(folder.glob("bag*"))]
    answers = mxtune.ray.predict(files, model, workers=50, batch_size=1).to_pandas()
    assert sorted(answers["file"]) == files


def test_a_folder_of_parquet_is_read_with_numbers_as_names_and_lists_as_bytes(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    files = sorted(folder.glob("bag*"))[:4]
    lists = [[*file.read_bytes()] for file in files]
    for number, suffix in enumerate(("parquet", "PARQUET")):
        rows = slice(2 * number, 2 * number + 2)
        table = pa.table({"photo": pa.array(lists[rows], pa.list_(pa.uint8())), "id": [*range(4)][rows]})
        pq.write_table(table, tmp_path / f"{number}.{suffix}")
    (tmp_path / "_SUCCESS").touch()
    answers = mxtune.ray.predict(tmp_path, model, workers=1, image="photo", path="id").to_pandas()
    answers = answers.sort_values("file")
    assert [*answers["file"]] == ["0", "1", "2", "3"]
    assert [*answers["pred_class"]] == [*model.predict(files)["pred_class"]]
    with pytest.raises(ArgumentError, match='"path" holds texts'):
        mxtune.ray.predict(ray_table(pa.table({"path": [*map(str, files)]})), model, image="path")


def ray_table(table: pa.Table) -> Any:
    import ray

    return ray.data.from_arrow(table)
