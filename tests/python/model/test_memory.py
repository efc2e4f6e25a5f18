"""What a model remembers of its training images, and what it says is novel to it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest

from hearing import listening
from mxtune import Model, mxexample, mximages, mxload, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, ModelFileError
from mxtune.formats import mxt
from mxtune.formats.safetensors import bytes_of
from mxtune.model.memory import Memory
from mxtune.training import remember

EVERY = mximages(mxexample("fashion"))
IMAGES, OTHERS = EVERY.take(range(0, 400, 2)), EVERY.take(range(1, 400, 8))
RNG = np.random.default_rng(0)


def pixels(images: Any) -> np.ndarray:
    return np.stack([np.asarray(images.open(row)) for row in range(len(images))])


STRIPES = np.stack([np.tile(RNG.integers(0, 256, (28, 1)), 28) for _ in range(20)]).astype(np.uint8)


def trained(images: Any = IMAGES, y: Any = None, **settings: Any) -> Model:
    return mxtrain(images, y, **{"tune": "head", "image_size": 64, "verbose": 0, **settings})


@pytest.fixture(scope="module")
def model() -> Model:
    return trained()


def test_training_images_are_remembered(model: Model) -> None:
    memory = model.memory
    assert memory is not None and len(memory) == len(IMAGES) == memory.images
    assert list(memory.names) == IMAGES.names
    assert memory.labels.tolist() == np.asarray(IMAGES.y).tolist()
    assert [bytes(row) for row in memory.digests] == IMAGES.hashes
    features = model.predict(IMAGES, type="features").iloc[:, 1:].to_numpy(np.float32)
    along, squares = memory.seen(features)
    np.testing.assert_allclose(along, memory.coordinates, rtol=2e-3, atol=0.1)
    assert (squares >= 0.9 * (along[:, : memory.axes[0].shape[1]] ** 2).sum(axis=1)).all()
    assert memory.axes[0].shape[0] == model.network.deepest == 2304


def test_a_saved_model_remembers(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.mxt")
    again = mxload(tmp_path / "m.mxt")
    assert again.to_bytes() == model.to_bytes() == (tmp_path / "m.mxt").read_bytes()
    pd.testing.assert_frame_equal(again.predict(OTHERS, novelty=True), model.predict(OTHERS, novelty=True))
    assert trained().to_bytes() == model.to_bytes()


def test_images_like_those_for_training_are_kept_and_others_are_novel(model: Model) -> None:
    like, unlike = model.predict(OTHERS, novelty=True), model.predict(STRIPES, novelty=True)
    assert list(like.columns) == ["file", "pred_class", "novelty", "is_novel"]
    assert (like["is_novel"] == (like["novelty"] > 1)).all()
    assert like["is_novel"].mean() <= 0.2
    assert unlike["is_novel"].all() and unlike["novelty"].min() > like["novelty"].median()
    assert model.evaluate(OTHERS).novel == like["is_novel"].mean()


@pytest.mark.parametrize("kind", ["class", "prob", "logit", "set"])
def test_predictions_are_the_same_beside_novelty(model: Model, kind: str) -> None:
    both, plain = model.predict(OTHERS, type=kind, novelty=True), model.predict(OTHERS, type=kind)
    pd.testing.assert_frame_equal(both[plain.columns], plain)
    assert list(both.columns[-2:]) == ["novelty", "is_novel"]


def test_rows_of_an_image_have_its_novelty(model: Model) -> None:
    top, plain = model.predict(OTHERS, top=2, novelty=True), model.predict(OTHERS, novelty=True)
    assert top["novelty"].tolist() == np.repeat(plain["novelty"], 2).tolist()


@pytest.mark.filterwarnings("ignore:Can't read 1 of 2")
def test_bad_images_are_neither_novel_nor_known(model: Model, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"nothing")
    OTHERS.open(0).save(tmp_path / "good.png")
    table = model.predict(tmp_path, novelty=True).set_index("file")
    assert table.loc["bad.png", ["novelty", "is_novel"]].isna().all() and not table.loc["good.png"].isna().any()


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_other_tasks_have_one_gaussian(kind: str) -> None:
    codes = np.asarray(IMAGES.y)
    y = codes + RNG.normal(size=200) if kind == "regression" else np.column_stack([codes < 5, codes % 2 == 0]) * 1
    one = trained(pixels(IMAGES), y)
    again = Model.from_bytes(one.to_bytes())
    assert one.task == kind and again.memory is not None and again.memory.novelty is not None
    np.testing.assert_array_equal(again.memory.labels, y)
    assert len(again.memory.novelty.means) == 1
    assert again.predict(STRIPES, novelty=True)["is_novel"].all()


def test_too_few_images_tell_nothing() -> None:
    few = trained(IMAGES.take(range(0, 200, 11)), folds=None, valid=None)
    assert few.memory is not None and few.memory.novelty is None and len(few.memory) == 19
    assert few.evaluate(OTHERS).novel is None
    with pytest.raises(ArgumentError, match=r"can't tell what is novel to it\.\nx it has seen fewer than 20"):
        few.predict(OTHERS, novelty=True)


def test_a_few_images_keep_others_like_them() -> None:
    """Of 40 images, 95 % are within the limit that they give each other; of others like them most."""
    two = EVERY.take(np.flatnonzero(np.asarray(EVERY.y) < 2))
    known, new = two.take(range(0, 80, 2)), two.take(range(1, 80, 2))
    model = trained(known)
    assert model.predict(new, novelty=True)["is_novel"].mean() <= 0.25
    assert model.predict(STRIPES, novelty=True)["is_novel"].all()


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_layers_that_were_trained_are_judged_by_validation_images() -> None:
    model = trained(pixels(EVERY), np.asarray(EVERY.y).astype(str), net="lenet", tune="all", epochs=6, image_size=None)
    memory = model.memory
    assert memory is not None and memory.novelty is not None
    assert len(memory.novelty.usual) <= 80 < len(memory) == memory.images
    rows = [int(name.strip("[]")) for name in memory.names[:5]]
    features = model.predict(pixels(EVERY)[rows], type="features").iloc[:, 1:].to_numpy(np.float32)
    np.testing.assert_allclose(memory.seen(features)[0], memory.coordinates[:5], rtol=2e-3, atol=0.1)


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_short_trainings_of_layers_remember_some_images() -> None:
    settings = {"net": "lenet", "tune": "all", "epochs": 2, "image_size": None}
    model = trained(pixels(EVERY), np.asarray(EVERY.y).astype(str), **settings)
    memory = model.memory
    assert memory is not None and len(memory) == 128 and memory.images == 320
    assert "features of 128 training images" in model.summary()
    assert (np.diff(memory.row) > 0).all()
    assert np.bincount(memory.labels).min() >= 10


def test_a_sample_has_each_class_in_proportion() -> None:
    rows = remember.sample(EVERY, 101, 3)
    assert len(rows) == len(set(rows.tolist())) == 101
    assert set(np.bincount(np.asarray(EVERY.y)[rows])) <= {10, 11}
    assert remember.sample(EVERY, 4000, 3).tolist() == list(range(len(EVERY)))


def test_models_of_networks_and_older_files_say_what_is_missing(model: Model) -> None:
    net = mxnetwork("efficientnet_lite0")
    with pytest.raises(ArgumentError, match="remembers nothing of its training images"):
        net.predict(OTHERS, novelty=True)
    with pytest.raises(ArgumentError, match="`novelty` goes with predictions"):
        model.predict(OTHERS, type="features", novelty=True)


# ---- files


def changed(model: Model, change: Callable[[dict[str, np.ndarray]], Any]) -> bytes:
    assert model.memory is not None
    arrays = dict(model.memory.arrays())
    change(arrays)
    manifest, symbol, weights, _ = mxt.read(model.to_bytes())
    stream = io.BytesIO()
    mxt.write(stream, manifest, symbol, weights, {"memory.safetensors": bytes_of(arrays)})
    return stream.getvalue()


def put(name: str, value: Any) -> Callable[[dict[str, np.ndarray]], Any]:
    return lambda arrays: arrays.update({name: value(arrays[name]) if callable(value) else value})


WRONG = {
    "missing": lambda arrays: arrays.pop("coordinates"),
    "no axes": lambda arrays: arrays.pop("axes_0"),
    "type": put("coordinates", lambda a: a.astype("f4")),
    "not finite": put("mean", lambda a: a * np.float32("nan")),
    "infinite axes": put("axes_0", lambda a: np.full_like(a, np.inf)),
    "scale of zero": put("scale", lambda a: a * 0),
    "negative scale": put("scale", lambda a: -a),
    "features": put("mean", lambda a: a[:-1]),
    "axes of others": put("axes_1", lambda a: a[:-1]),
    "flat axes": put("axes_0", lambda a: a.ravel()),
    "rows": put("row", lambda a: a[::-1].copy()),
    "row beyond": put("row", lambda a: a + 1000),
    "rows before": put("row", lambda a: a - 1),
    "labels beyond": put("labels", lambda a: a + 10),
    "labels below": put("labels", lambda a: a - 10),
    "labels of two": put("labels", lambda a: np.stack([a, a], 1)),
    "names": put("names", np.frombuffer(b"[1, 2]", np.uint8)),
    "no names": put("names", np.frombuffer(b"[]", np.uint8)),
    "deep names": put("names", np.frombuffer(b"[" * 10_000, np.uint8)),
    "names fewer": put("names", np.frombuffer(b'["a"]', np.uint8)),
    "digests": put("digests", lambda a: a[:, :8]),
    "images": put("images", np.zeros((0,), "i4")),
    "whitening": put("whitening", lambda a: a[:, :-1]),
    "wide whitening": put("whitening", np.eye(300, dtype="f4")),
    "no means": put("means", lambda a: a[:0]),
    "beside": put("beside", lambda a: a * 0),
    "usual unsorted": put("usual", lambda a: a[::-1].copy()),
    "usual few": put("usual", lambda a: a[:5]),
    "usual of zero": put("usual", lambda a: a * 0),
    "usual of two": put("usual", lambda a: a[:, None]),
    "half told": lambda arrays: arrays.pop("usual"),
}


@pytest.mark.parametrize("what", WRONG)
def test_memory_that_does_not_fit_is_refused(model: Model, what: str) -> None:
    with pytest.raises(ModelFileError, match=r"Can't use the model in the bytes.\nx ") as caught:
        Model.from_bytes(changed(model, WRONG[what]))
    assert len(caught.value.bullets) == 1


def test_memory_as_it_was_is_read(model: Model) -> None:
    again = Model.from_bytes(changed(model, lambda arrays: arrays))
    assert isinstance(again.memory, Memory) and again.to_bytes() == model.to_bytes()


def test_members_of_a_later_version_are_kept_and_told(model: Model) -> None:
    manifest, symbol, weights, others = mxt.read(model.to_bytes())
    stream = io.BytesIO()
    mxt.write(stream, manifest, symbol, weights, {**others, "of_later.json": b"{}"})
    with listening() as heard:
        again = Model.from_bytes(stream.getvalue())
    assert any("of_later.json" in text for text in heard)
    assert mxt.read(again.to_bytes())[3]["of_later.json"] == b"{}"
