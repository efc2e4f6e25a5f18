"""A model keeps the range of its training images: new ones are seen alike, alone or together, in every form."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mxtune import Model, mxexample, mximages, mxload, mxtrain
from mxtune.errors import PictureWarning

IMAGES = mximages(Path(mxexample("fashion")))
FEW = IMAGES.take(range(0, 400, 8))
PIXELS = np.stack([np.asarray(FEW.open(row)) for row in range(len(FEW))])
Y = [FEW.label_of(row) for row in range(len(FEW))]
TWELVE = (PIXELS.astype(np.uint32) * 4095 // 255).astype(np.uint16)
AS_ALONE: Any = {"rtol": 1e-4, "atol": 1e-6}  # MXNet adds in another order in a batch of another size
HOUNSFIELD = PIXELS.astype(np.int32) * 2000 // 255 - 1000


def _trained(x: Any, y: Any = Y, **settings: Any) -> Model:
    return mxtrain(x, y, tune="head", image_size=48, verbose=0, **settings)


def _shares(model: Model, x: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", PictureWarning)
        return model.predict(x, type="prob").drop(columns=["file", "pred_class"]).to_numpy()


@pytest.fixture(scope="module")
def plain() -> Model:
    return _trained(PIXELS)


@pytest.fixture(scope="module")
def hounsfield() -> Model:
    return _trained(HOUNSFIELD)


def test_pictures_of_8_bits_leave_no_word_of_it(plain: Model) -> None:
    assert plain.preprocess.range is None
    assert "range" not in plain.preprocess.to_dict()
    assert _trained(PIXELS.astype(np.int64)).to_bytes() == plain.to_bytes()
    assert _trained(list(PIXELS.astype(float))).to_bytes() == plain.to_bytes()


@pytest.mark.parametrize(
    ("pictures", "range_"),
    [
        (PIXELS / 255, (0, 1)),
        (TWELVE, (0, 4095)),
        (PIXELS.astype(np.uint16) * 257, (0, 65535)),
        (HOUNSFIELD, (-1000, 1000)),
    ],
)
def test_the_same_pictures_on_any_scale_give_the_same_predictions(plain: Model, pictures: Any, range_: Any) -> None:
    model = _trained(pictures)
    assert model.preprocess.range == range_
    assert f"{range_[0]} (black) to {range_[1]} (white)" in model.summary()
    assert np.array_equal(_shares(model, pictures), _shares(plain, PIXELS))


def test_a_picture_has_the_same_probabilities_alone_and_among_others(hounsfield: Model, tmp_path: Path) -> None:
    together = _shares(hounsfield, HOUNSFIELD)
    files = [tmp_path / f"{row}.tif" for row in range(len(HOUNSFIELD))]
    for file, picture in zip(files, HOUNSFIELD):
        Image.fromarray(picture).save(file)
    for row in (0, 7, 30):
        alone = HOUNSFIELD[row]
        for x in (alone, [alone], alone[np.newaxis], alone.astype(np.float64), files[row], mximages([alone])):
            assert np.allclose(_shares(hounsfield, x)[0], together[row], **AS_ALONE)
    for x in (list(HOUNSFIELD), tmp_path, pd.DataFrame({"path": files}), mximages(HOUNSFIELD), mximages(files)):
        assert np.array_equal(np.sort(_shares(hounsfield, x), axis=0), np.sort(together, axis=0))
    part = slice(0, 20)
    figures = [hounsfield.evaluate(x, Y[part]) for x in (HOUNSFIELD[part], list(HOUNSFIELD[part]), files[part])]
    assert figures[0] == figures[1] == figures[2]


def test_a_dark_picture_is_not_made_bright() -> None:
    model = _trained(TWELVE)
    dark = TWELVE // 3
    together = _shares(model, np.concatenate([TWELVE, dark]))
    assert np.allclose(_shares(model, dark[3])[0], together[53], **AS_ALONE)
    assert np.abs(together[53] - together[3]).max() > 0.01


def test_the_range_is_in_the_file(hounsfield: Model, tmp_path: Path) -> None:
    hounsfield.save(tmp_path / "a.mxt")
    again = mxload(tmp_path / "a.mxt")
    assert again.preprocess == hounsfield.preprocess
    assert np.array_equal(_shares(again, HOUNSFIELD), _shares(hounsfield, HOUNSFIELD))


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (PIXELS.astype(np.float32) * 100, "values from"),
        (PIXELS[:3], "8-bit, taken as black to white"),
        (PIXELS[:3] / 255, "as on a scale of 0 to 1"),
        ([HOUNSFIELD[0], HOUNSFIELD[1] * 4], "x \\[1\\]: values from -4000 to"),
    ],
)
def test_pictures_of_another_scale_are_named(hounsfield: Model, pictures: Any, words: str) -> None:
    with pytest.warns(PictureWarning, match=rf"different scale of values from the training images.(?s:.)*{words}"):
        hounsfield.predict(pictures)


def test_a_scale_of_0_to_1_is_named_where_0_to_255_was_trained_on() -> None:
    model = _trained(PIXELS + 0.25)
    assert model.preprocess.range == (0, 255)
    with pytest.warns(PictureWarning, match="50 images seem.*\n(.*\n)*.*as on a scale of 0 to 1"):
        model.predict(PIXELS / 255)
    asked = mximages(PIXELS / 255, range=(0, 1))
    assert np.abs(_shares(model, asked) - _shares(model, PIXELS)).max() < 1e-6


def test_a_model_of_8_bits_sees_other_types_by_their_usual_scale(plain: Model, tmp_path: Path) -> None:
    expected = _shares(plain, PIXELS)
    for pictures in (PIXELS / 255, list(PIXELS / 255), PIXELS.astype(np.uint16) * 257, PIXELS.astype(float)):
        assert np.array_equal(_shares(plain, pictures), expected)
    held = [Image.fromarray((picture / 255).astype(np.float32)) for picture in PIXELS]
    assert np.array_equal(_shares(plain, held), expected)
    Image.fromarray(PIXELS[5].astype(np.uint16) * 257).save(tmp_path / "16 bits.png")
    assert np.allclose(_shares(plain, tmp_path / "16 bits.png")[0], expected[5], **AS_ALONE)
    with pytest.warns(PictureWarning, match="as on a scale of 0 to 4095"):
        plain.predict(TWELVE)


def test_a_range_that_was_asked_for_is_kept_and_what_it_cuts_off_is_no_surprise() -> None:
    for range_ in ((0, 400), "0..400"):
        model = _trained(HOUNSFIELD, range=range_)
        assert model.preprocess.range == (0, 400)
        assert model.settings["range"] == [0, 400]
        assert np.isfinite(_shares(model, HOUNSFIELD)).all()  # without a warning
    measured = _trained(HOUNSFIELD, range="5%..95%")
    assert measured.preprocess.range == tuple(np.percentile(HOUNSFIELD, (5, 95)))


def test_a_range_that_8_bits_have_no_use_for_is_said() -> None:
    with pytest.warns(PictureWarning, match="`range` has no effect"):
        _trained(PIXELS, range=(0, 4095))
    assert _trained(PIXELS, range=(0, 127)).preprocess.range == (0, 127)


def test_validation_pictures_are_seen_by_the_same_range() -> None:
    validation = mximages(HOUNSFIELD[::2] // 2, Y[::2], levels=FEW.levels)
    model = mxtrain(HOUNSFIELD, Y, valid=validation, tune="head", image_size=48, verbose=0)
    assert model.preprocess.range == (-1000, 1000)
    assert model.metrics == model.evaluate(HOUNSFIELD[::2] // 2, Y[::2])
    with pytest.warns(PictureWarning, match="different scale of values from the training images"):
        mxtrain(HOUNSFIELD, Y, valid=mximages(HOUNSFIELD[::2] * 9, Y[::2]), tune="head", image_size=48, verbose=0)


def test_a_model_that_is_trained_further_keeps_its_range_where_it_fits() -> None:
    first = _trained(TWELVE)
    assert _trained(TWELVE // 4, net=first).preprocess.range == (0, 4095)
    assert _trained(HOUNSFIELD, net=first).preprocess.range == (-1000, 1000)
    assert _trained(TWELVE, net=first, range=(0, 2047)).preprocess.range == (0, 2047)
