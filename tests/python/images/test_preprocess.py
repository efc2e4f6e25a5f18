"""How an image becomes numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import skimage

from mxtune.errors import ArgumentError
from mxtune.images import mximages
from mxtune.images.preprocess import Preprocess

DATA = Path(skimage.__file__).parent / "data"


@pytest.fixture(name="cat", scope="module")
def _cat() -> PIL.Image.Image:
    return mximages(DATA / "chelsea.png").open(0)  # 300 x 451


def test_crop_is_the_centre_of_the_resized_picture(cat: PIL.Image.Image) -> None:
    spec = Preprocess(size=(224, 224))
    resized = np.asarray(cat.resize((385, 256), PIL.Image.Resampling.BICUBIC))
    assert np.array_equal(spec.canvas(cat), resized)
    assert np.array_equal(spec.picture(cat), resized[16:240, 80:304])
    assert np.array_equal(spec.centre(spec.canvas(cat)), spec.picture(cat))


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(224, 224), (96, 160), (160, 96), (7, 5)])
@pytest.mark.parametrize("shape", [(451, 300), (300, 451), (1, 1), (3, 900), (900, 3), (160, 96)])
def test_every_picture_fits_every_size(fit: str, size: tuple[int, int], shape: tuple[int, int]) -> None:
    for channels, mode in ((3, "RGB"), (1, "L"), (3, "L"), (1, "RGB")):
        spec = Preprocess(size=size, channels=channels, mean=(127.0,) * channels, std=(128.0,) * channels, fit=fit)
        picture = PIL.Image.new(mode, shape, 90 if mode == "L" else (90, 90, 90))
        canvas = spec.canvas(picture)
        assert canvas.dtype == np.uint8
        assert canvas.shape[0] >= spec.canvas_size[0]
        assert canvas.shape[1] >= spec.canvas_size[1]
        assert canvas.nbytes <= 20 * np.prod(spec.canvas_size) * channels  # also of a panorama
        view = spec.picture(picture)
        assert view.shape == (*size, channels)
        assert np.abs(view.astype(int) - 90).min() <= 1
        assert fit == "pad" or np.abs(view.astype(int) - 90).max() <= 1


def test_pad_shows_the_whole_picture_between_bars_of_the_mean() -> None:
    spec = Preprocess(size=(100, 100), mean=(10, 20, 30), std=(1, 1, 1), fit="pad")
    view = spec.picture(PIL.Image.new("RGB", (200, 100), "white"))
    assert view[:25].reshape(-1, 3).tolist() == [[10, 20, 30]] * 2500
    assert view[25:75].min() == 255
    assert np.abs(spec.batch(view[None])[0, :, 0, 0]).max() == 0


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(451, 300), (300, 451), (300, 300), (200, 1900), (1900, 200)])
@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_where_the_view_lies_is_known(fit: str, shape: tuple[int, int], size: tuple[int, int]) -> None:
    """An image whose colours tell the row and the column of each pixel: read off the view, they are where it says."""
    rows, columns = np.indices(shape)
    ramp = np.stack([255 * rows / shape[0], 255 * columns / shape[1], np.full(shape, 255)], axis=2)
    spec = Preprocess(size=size, mean=(0,) * 3, std=(1,) * 3, fit=fit)
    view = spec.picture(PIL.Image.fromarray(ramp.astype("uint8"))).astype(float)
    picture = view[..., 2] > 250  # and no bar
    for axis, (start, length) in enumerate(spec.view_in(*shape)):
        places = start + (np.indices(size)[axis] + 0.5) * length / size[axis]
        found = view[..., axis] * shape[axis] / 255
        assert np.abs(places - found)[picture].max() < 0.02 * shape[axis] + 1
        assert fit == "pad" or (start >= 0 and start + length <= shape[axis] + 1e-9)


def test_stretch_is_a_plain_resize(cat: PIL.Image.Image) -> None:
    spec = Preprocess(size=(64, 64), fit="stretch", interpolation="area")
    assert np.array_equal(spec.picture(cat), np.asarray(cat.resize((64, 64), PIL.Image.Resampling.BOX)))


def test_a_batch_is_normalised_channel_by_channel(cat: PIL.Image.Image) -> None:
    spec = Preprocess(size=(64, 64), mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))
    views = np.stack([spec.picture(cat), spec.picture(cat.rotate(90))])
    batch = spec.batch(views)
    assert (batch.shape, batch.dtype, batch.flags.c_contiguous) == ((2, 3, 64, 64), np.float32, True)
    expected = ((views.astype(np.float64) - spec.mean) / spec.std).transpose(0, 3, 1, 2)
    assert np.abs(batch - expected).max() < 1e-5


def test_grey_is_the_same_from_a_grey_or_a_coloured_copy() -> None:
    camera = mximages(DATA / "camera.png").open(0)
    spec = Preprocess(size=(28, 28), channels=1)
    assert camera.mode == "L"
    assert np.array_equal(spec.picture(camera), spec.picture(camera.convert("RGB")))


def test_a_jpeg_decoded_smaller_gives_nearly_the_same_picture() -> None:
    images = mximages(DATA / "hubble_deep_field.jpg")
    spec = Preprocess(size=(224, 224))
    full, small = images.open(0), images.open(0, at_least=spec.canvas_size)
    assert (full.size, small.size) == ((1000, 872), (500, 436))
    difference = np.abs(spec.picture(full).astype(float) - spec.picture(small))
    assert difference.mean() < 1.5


def test_a_spec_goes_through_json_and_comes_back_equal() -> None:
    spec = Preprocess(size=(96, 128), mean=(1.5, 2, 3), std=(4, 5, 6), fit="pad", interpolation="bilinear")
    again = Preprocess.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert hash(again) == hash(spec)
    assert again != Preprocess(size=(96, 96))
    with pytest.raises(ArgumentError, match=r"`preprocess` has no such setting\.\nx sizes"):
        Preprocess.from_dict({"sizes": [1, 2]})


def test_a_spec_prints_as_a_sentence() -> None:
    assert str(Preprocess(size=(28, 28), channels=1, mean=(0,), std=(255,), crop=1.0)) == (
        "Images are resized and cropped to 28 x 28, grey, (value - 0) / 255."
    )
    assert str(Preprocess(size=(96, 128), mean=(1, 2, 3))) == (
        "Images are resized to at least 110 x 146, cropped to 96 x 128, colour, (value - (1, 2, 3)) / 255."
    )
    assert "stretched to 224 x 224" in str(Preprocess(fit="stretch"))
    assert "fitted into 224 x 224 with bars" in str(Preprocess(fit="pad"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 5)},
        {"size": (5, 5, 5)},
        {"channels": 2},
        {"mean": (1, 2)},
        {"mean": (1, 2, float("nan"))},
        {"std": (1, 0, 1)},
        {"fit": "squeeze"},
        {"crop": 0},
        {"crop": 1.1},
        {"interpolation": "lanczos"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"`{next(iter(wrong))}` must "):
        Preprocess(**wrong)
