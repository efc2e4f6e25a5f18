"""Near-copies: what is one, what is none, and that a split keeps them together."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any, Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits

from mxtune import mxexample
from mxtune.images import ImageSet, mximages
from mxtune.images.near import near_copies
from mxtune.images.split import divide


def scene(seed: int, side: int = 120) -> Image.Image:
    """An image of large and small shapes, as a camera's."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize((side, side), Image.BICUBIC)
    return coarse.filter(ImageFilter.GaussianBlur(2))


def saved_again(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=40)
    return Image.open(stream)


def noisy(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(9).normal(0, 8, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "resized": lambda picture: picture.resize((70, 70)),
    "brighter": lambda picture: picture.point(lambda value: min(255, int(value * 1.15))),
    "cropped": lambda picture: picture.crop((1, 1, 120, 119)),
    "shifted": lambda picture: picture.transform(picture.size, Image.AFFINE, (1, 0, 2, 0, 1, -1)),
    "turned": lambda picture: picture.rotate(1),
    "noisy": noisy,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_that_was_changed_a_little_is_a_near_copy(change: str) -> None:
    images = mximages([*map(scene, range(8)), CHANGES[change](scene(3))], ["a", "b"] * 4 + ["b"])
    assert images.near_copies == [0, 1, 2, 3, 4, 5, 6, 7, 3]
    assert images.problems == ["near-copies: [3], [8]"]


def test_other_pictures_are_none() -> None:
    images = mximages(list(map(scene, range(60))), ["a", "b"] * 30)
    assert images.near_copies == list(range(60))
    coloured = [Image.merge("RGB", bands) for bands in _rotations(scene(1))]
    assert mximages(coloured * 1, ["a", "b", "c"]).near_copies == [0, 1, 2]
    assert mximages(mxexample("fashion")).near_copies == list(range(400))


@pytest.mark.parametrize("change", ["saved again", "doubled", "brighter"])
def test_copies_are_found_among_small_images_that_are_alike(change: str) -> None:
    garments = list(mximages(mxexample("fashion")))
    made = {**CHANGES, "doubled": lambda image: image.resize((56, 56), Image.BICUBIC)}[change]
    copies = [made(garments[place]) for place in range(0, 400, 40)]
    for labels in ("aaaaaaaaaa", "bbbbbbbbbb"):  # copies with another label are copies, too
        near = mximages([*garments, *copies], [*"ab" * 200, *labels]).near_copies
        assert near[400:] == list(range(0, 400, 40))
        assert near[:400] == list(range(400))


def test_hardly_any_of_1797_digits_count_as_copies() -> None:
    digits = (load_digits().images * 15).astype(np.uint8)
    assert len(set(mximages(digits, load_digits().target.astype(str)).near_copies)) >= len(digits) - 2


def _rotations(picture: Image.Image) -> list[Any]:
    red, green, blue = picture.split()
    return [(red, green, blue), (green, blue, red), (blue, red, green)]


def bursts(subjects: int = 24, shots: int = 5) -> ImageSet:
    pictures = [noisy(scene(n).rotate(shot / 4)) for n in range(subjects) for shot in range(shots)]
    return mximages(pictures, [str(n % 2) for n in range(subjects) for _ in range(shots)])


def test_a_burst_is_on_one_side() -> None:
    images = bursts()
    for seed in range(4):
        sides = [{int(name[1:-1]) // 5 for name in part.names} for part in images.split(0.25, seed)]
        assert not sides[0] & sides[1]
        assert len(sides[1]) == 6
    train, valid = images.split(0.25)
    assert not valid.resembling(train).any()
    assert images.take([0]).resembling(images.take([1])).tolist() == [True]


def test_a_long_burst_of_a_few_subjects_is_found() -> None:
    pictures = [noisy(scene(n).rotate(shot / 8)) for n in range(5) for shot in range(20)]
    images = mximages(pictures, [str(n) for n in range(5) for _ in range(20)])
    assert images.near_copies == [place - place % 20 for place in range(100)]


def test_without_copies_a_seed_splits_as_without_looking_for_them() -> None:
    images = mximages(mxexample("fashion"))
    train, valid = images.divided(0.2, 7)
    expected = divide(lambda rows: images.labels.strata(rows, 0.2), images.hashes, 0.2, 7)
    np.testing.assert_array_equal(train, expected[0])
    np.testing.assert_array_equal(valid, expected[1])


def test_what_a_fixed_camera_sees_is_no_sign_of_copies() -> None:
    pictures = [noisy(scene(0).rotate(n / 40)) for n in range(40)]
    assert mximages(pictures, ["good", "bad"] * 20).near_copies == list(range(40))


def test_flat_pictures_are_none() -> None:
    flat = [Image.new("RGB", (80, 80), (shade, 0, 0)) for shade in range(0, 250, 10)]
    assert mximages(flat, ["a"] * 12 + ["b"] * 13).near_copies == list(range(25))


def test_numbers_beyond_8_bits_are_compared_too() -> None:
    array = np.stack([np.asarray(scene(n).convert("L")).astype(np.uint16) * 200 for n in (0, 1, 2, 3, 4, 5, 0)])
    array[6] += 300
    assert mximages(array, list("abababa")).near_copies[6] == 0


def signatures(subjects: int, copies: int) -> np.ndarray:
    """(N, 259) uint8: subjects in an order of their own, then noisy copies of the first ones."""
    rng = np.random.default_rng(4)
    shades = rng.integers(20, 236, (subjects, 4, 4)).repeat(4, axis=1).repeat(4, axis=2).reshape(subjects, 256)
    again = shades[:copies] + rng.normal(0, 4, (copies, 256))
    grey = np.clip(np.concatenate([shades, again]), 0, 255)
    return np.hstack([grey, grey.mean(axis=1, keepdims=True).repeat(3, axis=1)]).round().astype(np.uint8)


def test_blocks_find_what_comparing_each_with_each_finds() -> None:
    every = signatures(2900, 700)
    shown = every[:, :256].astype(float).reshape(-1, 16, 16)
    wide = np.pad(shown, ((0, 0), (1, 1), (1, 1)), mode="edge")
    blurred = np.mean([wide[:, i : i + 16, j : j + 16] for i in range(3) for j in range(3)], axis=0)

    correlation = np.corrcoef(shown.reshape(-1, 256))
    like_many = np.sort(correlation[:, ::4], axis=1)[:, -26]  # 900 of them, the image itself among these or not
    reach = np.minimum(np.sqrt(2 - 2 * 0.96), 0.2 * np.sqrt(2 - 2 * like_many))
    near = np.sqrt(2 - 2 * correlation.clip(max=1)) <= np.minimum(reach, reach[:, None])
    near &= np.corrcoef((shown - blurred).reshape(-1, 256)) >= 0.8
    near &= shown.std(axis=(1, 2))[:, None] >= 2
    expected = np.arange(len(every))
    for _ in range(20):  # the least number among those that are linked
        expected = np.where(near | np.eye(len(every), dtype=bool), expected, len(every)).min(axis=1)
    assert 500 < len(every) - len(set(expected)) < len(every) / 2
    assert near_copies(every) == expected.tolist()


def test_comparing_many_takes_little_memory() -> None:
    every = signatures(5000, 10)
    tracemalloc.start()
    try:
        near_copies(every)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6  # 70e6 where all are held as floats


def test_the_parts_of_a_set_have_its_near_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    images = bursts()
    train, valid = images.split(0.25)
    one, other = images.take(range(0, 120, 2)), images.take(range(119, 0, -2))
    again = mximages([images[row] for row in range(120)], [images.label_of(row) for row in range(120)])
    expected = again.take(range(0, 120, 2)).resembling(again.take(range(119, 0, -2)))
    monkeypatch.setattr("mxtune.images.alike.near_copies", None)  # known already: nothing is compared again
    assert not valid.resembling(train).any()
    assert one.resembling(other).tolist() == expected.tolist() == [True] * 60
