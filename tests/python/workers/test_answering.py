"""What a worker answers: tables of one schema, the same numbers as `Model.predict`, and why there are none."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, machine, mxexample, mxnetwork, mxtrain
from mxtune.errors import ArgumentError
from mxtune.workers import Answering, Question, images_of, names_of
from mxtune.workers.columns import columns_of, refuse_text


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(mxexample("fashion"), tune="head", image_size=32, folds=3, verbose=0, cache=False)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return sorted(Path(mxexample("fashion")).rglob("*.png"))[::40]


@pytest.mark.parametrize(
    "settings", [{"type": "class"}, {"type": "prob", "novelty": True}, {"type": "set"}, {"top": 2}]
)
def test_a_table_has_the_rows_of_predict(model: Model, files: list[Path], settings: dict[str, object]) -> None:
    question = Question.of(model, settings)
    table = Answering(question, "cpu").table([*map(str, files)], [file.read_bytes() for file in files], question.schema)
    ours = model.predict(files, **settings)
    assert table.schema == question.schema
    assert table.column_names == [*ours.columns, "error"]
    for name in ours.columns:
        got, wanted = table[name].to_pylist(), [*ours[name]]
        if ours[name].dtype == np.float32:
            np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6, err_msg=name)
        else:
            assert [*map(str, got)] == [str([*one] if name == "pred_set" else one) for one in wanted], name


def test_an_unreadable_image_has_a_reason_and_no_values_in_each_of_its_rows(model: Model, files: list[Path]) -> None:
    question = Question.of(model, {"top": 2, "novelty": True})
    images = [files[0].read_bytes()[:90], None, files[1].read_bytes(), b""]
    table = Answering(question, "cpu").table(["same", None, "same", "empty"], images, question.schema)
    assert table["file"].to_pylist() == ["same", "same", None, None, "same", "same", "empty", "empty"]
    reasons = table["error"].to_pylist()
    assert [reason and reason.split(",")[0] for reason in reasons[::2]] == [
        "the file ends after 90 bytes",
        "there is no image",
        None,
        "the file is empty",
    ]
    assert reasons[::2] == reasons[1::2]
    for name in ("pred_class", "pred_prob", "novelty", "is_novel"):
        assert [value is None for value in table[name].to_pylist()] == [reason is not None for reason in reasons], name


def test_features_are_those_of_the_model(model: Model, files: list[Path]) -> None:
    question = Question.of(model)
    images = [*(file.read_bytes() for file in files), b"nothing"]
    table = Answering(question, "cpu").table([None] * len(images), images, question.schema)
    *good, bad = table["features"].to_pylist()
    np.testing.assert_allclose(good, model.features(files), rtol=1e-5, atol=1e-6)
    assert bad is None
    assert table["error"].to_pylist()[-1] == "not an image"


def test_a_question_travels_and_knows_its_schema_at_the_other_end(model: Model) -> None:
    question = Question.of(model, {"type": "set", "level": None})
    schema = question.schema
    there = pickle.loads(pickle.dumps(question))  # noqa: S301 - our own
    assert there.settings == {"type": "set"}
    assert there.__dict__["schema"] == schema
    assert there.digest == question.digest != Question.of(model).digest


def test_what_can_not_be_answered_is_an_error_of_the_question() -> None:
    network = mxnetwork("lenet", classes=2)
    with pytest.raises(ArgumentError, match="can't tell what is novel"):
        Question.of(network, {"novelty": True}).schema  # noqa: B018


def test_pixels_of_unknown_range_are_refused(model: Model) -> None:
    question = Question.of(model, {})
    deep = [np.zeros((8, 8, 3), np.uint16)]
    with pytest.raises(ArgumentError, match="Arrays must be uint8"):
        Answering(question, "cpu").table([None], deep, question.schema)


def test_an_array_that_is_no_image_is_a_row_with_a_reason(model: Model) -> None:
    plain, masks = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)
    images = [plain, np.zeros((8, 8, 2), np.uint8), None, np.zeros((2, 8, 8, 3), np.uint8), masks]
    for settings in ({}, None):
        question = Question.of(model, settings)
        told = Answering(question, "cpu").table(["a", "b", "c", "d", "e"], images, question.schema)
        reasons = dict(zip(told["file"].to_pylist(), told["error"].to_pylist()))
        assert "these have 2" in reasons["b"]
        assert "it holds 2" in reasons["d"]
        assert (reasons["a"], reasons["c"], reasons["e"]) == (None, "there is no image", None)
        values = told[told.column_names[1]].to_pylist()
        assert [value is None for value in values] == [False, True, True, True, False]


def test_columns_are_found_by_their_usual_names_or_as_given() -> None:
    assert columns_of(dict.fromkeys(["path", "bytes"], "binary"), None, None) == ("bytes", "path")
    assert columns_of(dict.fromkeys(["image", "label"], "binary"), None, None) == ("image", None)
    assert columns_of(dict.fromkeys(["photo", "id"], "binary"), "photo", "id") == ("photo", "id")
    assert columns_of({"content": "string", "image": "binary"}, None, None) == ("image", None), "a caption"
    with pytest.raises(ArgumentError, match="No column holds images"):
        columns_of({"id": "int64"}, None, None)
    with pytest.raises(ArgumentError, match=r'no column "byte"(.|\n)*Did you mean bytes'):
        columns_of({"bytes": "binary"}, "byte", None)


def test_records_of_data_sets_hold_bytes_and_a_path() -> None:
    column = [{"bytes": b"1", "path": "a.png"}, None, bytearray(b"2")]
    assert images_of(column) == [b"1", None, b"2"]
    assert names_of([None, "b.png", None], column) == ["a.png", "b.png", None]
    with pytest.raises(ArgumentError, match="it holds str"):
        images_of(["a.png"])
    with pytest.raises(ArgumentError, match="it holds records of origin, data"):
        images_of([{"origin": "a.png", "data": b"1"}])


def test_bytes_come_as_lists_and_missing_ones_as_pandas_has_them() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    found = images_of([np.frombuffer(b"12", np.uint8), memoryview(b"3"), np.nan, np.float32("nan"), pd.NA, pixels])
    assert found[:5] == [b"12", b"3", None, None, None]
    assert found[5] is pixels
    with pytest.raises(ArgumentError, match="it holds int64"):
        images_of([np.int64(5)])  # a buffer, too


def test_names_may_be_numbers() -> None:
    given = [7, np.int64(8), 9.0, np.nan, None, pd.NA, Path("a.png"), b"b.png", ""]
    assert names_of(given, [b""] * 9) == ["7", "8", "9", None, None, None, "a.png", "b.png", None]


def test_texts_are_no_images() -> None:
    refuse_text("photo", "binary", "somehow.")
    with pytest.raises(ArgumentError, match=r'"photo" holds texts(.|\n)*Read the files: somehow'):
        refuse_text("photo", "string", "somehow.")


def test_an_engine_that_does_not_exist_is_told_before_the_work(model: Model) -> None:
    with pytest.raises(ArgumentError, match="`engine` must be one of"):
        Question.of(model, {}, engine="tensorflow")
    asked = Question.of(model, {}, engine="mxnet")
    assert asked.digest != Question.of(model, {}).digest
    assert Answering(asked, "cpu").frame([np.zeros((32, 32, 3), np.uint8)])["error"].isna().all()


def test_a_process_that_shares_the_machine_uses_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_shared", machine._shared)
    before = machine.usable_cpus()
    machine.share(1)
    assert machine.usable_cpus() == 1
    machine.share(before + 5)
    assert machine.usable_cpus() == before


def test_what_a_blank_image_lacks_has_a_type_all_the_same(model: Model, files: list[Path]) -> None:
    question = Question.of(model, {"type": "class", "abstain": 1e-9})  # which no image is below
    assert str(question.schema.field("abstained").type) == "string"
    asked = Answering(Question.of(model, {"type": "class", "abstain": 0.999999}), "cpu")
    told = asked.table([None] * len(files), [file.read_bytes() for file in files], question.schema)["abstained"]
    assert any(text and "below" in text for text in told.to_pylist())
