"""The loader: images on their way into a network."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mxtune import Augment, Preprocess, mxexample, mximages
from mxtune.errors import PictureError
from mxtune.images import loader as module
from mxtune.images.loader import Loader, ahead

IMAGES = mximages(mxexample("fashion")).take(range(0, 320, 16))
SPEC = Preprocess(size=(24, 20), crop=0.8)
LIGHT = Augment.light(small=True, grey=True)


def test_an_eval_batch_is_what_prediction_sees() -> None:
    expected = np.stack([SPEC.picture(IMAGES.open(row)) for row in (3, 0)])
    for loader in (Loader(IMAGES, SPEC), Loader(IMAGES, SPEC, LIGHT)):
        batch = loader.eval_batch([3, 0])
        assert (batch.shape, batch.dtype) == ((2, 24, 20, 3), np.uint8)
        np.testing.assert_array_equal(batch, expected)


def test_eval_batches_are_in_order_and_whole() -> None:
    parts = list(Loader(IMAGES, SPEC).eval_batches(8))
    assert [len(rows) for rows, _ in parts] == [8, 8, 4]
    np.testing.assert_array_equal(
        np.concatenate([pictures for _, pictures in parts]), Loader(IMAGES, SPEC).eval_batch(range(20))
    )


def test_a_size_may_change_from_batch_to_batch() -> None:
    sizes = iter([3, 8, 100])
    assert [len(rows) for rows, _ in Loader(IMAGES, SPEC).eval_batches(lambda: next(sizes))] == [3, 8, 9]


def test_an_augmented_picture_depends_on_seed_round_and_picture_alone() -> None:
    one = Loader(IMAGES, SPEC, LIGHT, seed=1)
    first = one.augmented_batch([0, 1, 2], 0)
    np.testing.assert_array_equal(one.augmented_batch([2, 0], 0), first[[2, 0]])
    np.testing.assert_array_equal(Loader(IMAGES, SPEC, LIGHT, seed=1).augmented_batch([0, 1, 2], 0), first)
    assert not np.array_equal(one.augmented_batch([0, 1, 2], 1), first)
    assert not np.array_equal(Loader(IMAGES, SPEC, LIGHT, seed=2).augmented_batch([0, 1, 2], 0), first)


def test_augmented_batches_are_those_of_their_parts() -> None:
    parts = [np.array([4, 4, 0]), np.array([7])]
    batches = list(Loader(IMAGES, SPEC, LIGHT).augmented_batches(parts, 5))
    for rows, batch in zip(parts, batches):
        np.testing.assert_array_equal(batch, Loader(IMAGES, SPEC, LIGHT).augmented_batch(rows, 5))


def test_without_augmentation_every_round_is_the_eval_batch() -> None:
    loader = Loader(IMAGES, SPEC, Augment.none())
    assert not loader.augments
    np.testing.assert_array_equal(loader.augmented_batch([4], 9), loader.eval_batch([4]))


@pytest.mark.parametrize("augment", [Augment.none(), LIGHT])
def test_sets_too_large_for_memory_give_the_same_batches(monkeypatch: pytest.MonkeyPatch, augment: Augment) -> None:
    kept = Loader(IMAGES, SPEC, augment)
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    read_again = Loader(IMAGES, SPEC, augment)
    assert kept.keeps
    assert not read_again.keeps
    for _ in range(2):
        np.testing.assert_array_equal(read_again.eval_batch(range(20)), kept.eval_batch(range(20)))
        np.testing.assert_array_equal(read_again.augmented_batch(range(20), 3), kept.augmented_batch(range(20), 3))


def test_kept_pictures_are_decoded_once(tmp_path: Path) -> None:
    for row in range(3):
        shutil.copy(str(IMAGES.files[row]), tmp_path / f"{row}.png")  # type: ignore[index]
    images = mximages(tmp_path, on_bad="keep")  # nothing is looked at before it is needed
    kept, once = Loader(images, SPEC), Loader(images, SPEC, repeated=False)
    first = kept.eval_batch(range(3))
    np.testing.assert_array_equal(once.eval_batch(range(3)), first)
    shutil.rmtree(tmp_path)
    np.testing.assert_array_equal(kept.eval_batch(range(3)), first)
    with pytest.raises(PictureError, match="Can't read 3 of 3"):
        once.eval_batch(range(3))


def test_pictures_that_can_not_be_read_are_left_out_and_named_or_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image")
    files = [str(IMAGES.files[0]), str(tmp_path / "bad.png"), str(IMAGES.files[1])]  # type: ignore[index]
    loader = Loader(mximages(files, on_bad="keep"), SPEC)
    parts = list(loader.eval_batches(2, skip_bad=True))
    assert [rows.tolist() for rows, _ in parts] == [[0], [2]]
    assert [name for name, _ in loader.bad] == [files[1]]
    assert all(len(rows) == len(batch) for rows, batch in parts)
    with pytest.raises(PictureError, match=r"bad.png"):
        list(Loader(mximages(files, on_bad="keep"), SPEC).eval_batches(2))


def test_small_pictures_in_memory_are_not_kept_a_second_time() -> None:
    array = mximages(np.stack([np.asarray(IMAGES.open(row)) for row in range(4)]))
    large = replace(SPEC, size=(32, 32))
    assert not Loader(array, large).keeps
    assert Loader(array, replace(SPEC, size=(8, 8))).keeps
    np.testing.assert_array_equal(Loader(array, large).eval_batch(range(4)), Loader(IMAGES, large).eval_batch(range(4)))


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_grey_and_colour_are_the_same_grey(fit: str) -> None:
    grey = replace(SPEC, channels=1, mean=(0,), std=(255,), fit=fit)
    alone = mximages([IMAGES.files[0]], on_bad="keep")
    assert IMAGES.grey
    assert not alone.grey  # nobody has looked
    for spec in (replace(SPEC, fit=fit), grey):
        np.testing.assert_array_equal(Loader(alone, spec).eval_batch([0]), Loader(IMAGES, spec).eval_batch([0]))


def test_work_ahead_keeps_order_and_faults() -> None:
    assert list(ahead(lambda value: value * 2, [(1,), (2,), (3,)])) == [2, 4, 6]
    assert list(ahead(str, [])) == []
    results = ahead(lambda value: 1 // value, [(1,), (0,), (1,)])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
