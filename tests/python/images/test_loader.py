"""Views: pictures on their way into a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune import Augment, Preprocess, mxexample, mximages
from mxtune.images import loader as views
from mxtune.images.loader import Views, ahead

IMAGES = mximages(mxexample("fashion")).take(range(0, 320, 16))
SPEC = Preprocess(size=(24, 20), crop=0.8)
LIGHT = Augment.light(small=True, grey=True)


def test_central_views_are_what_prediction_sees() -> None:
    found = Views(IMAGES, SPEC).central([3, 0])
    expected = SPEC.batch(np.stack([SPEC.picture(IMAGES.open(row)) for row in (3, 0)]))
    assert found.shape == (2, 3, 24, 20)
    np.testing.assert_array_equal(found, expected)


def test_batches_are_in_order_and_whole() -> None:
    parts = list(Views(IMAGES, SPEC).batches(8))
    assert [len(indices) for indices, _ in parts] == [8, 8, 4]
    np.testing.assert_array_equal(
        np.concatenate([pictures for _, pictures in parts]), Views(IMAGES, SPEC).central(range(20))
    )


def test_a_varied_view_depends_on_seed_round_and_picture_alone() -> None:
    one = Views(IMAGES, SPEC, LIGHT, seed=1)
    first = one.varied([0, 1, 2], 0)
    np.testing.assert_array_equal(one.varied([2, 0], 0), first[[2, 0]])
    np.testing.assert_array_equal(Views(IMAGES, SPEC, LIGHT, seed=1).varied([0, 1, 2], 0), first)
    assert not np.array_equal(one.varied([0, 1, 2], 1), first)
    assert not np.array_equal(Views(IMAGES, SPEC, LIGHT, seed=2).varied([0, 1, 2], 0), first)


def test_without_augmentation_every_round_is_central() -> None:
    found = Views(IMAGES, SPEC, Augment.none())
    np.testing.assert_array_equal(found.varied([4], 9), found.central([4]))


def test_sets_too_large_for_memory_give_the_same_views(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Views(IMAGES, SPEC, LIGHT)
    monkeypatch.setattr(views, "KEPT_BYTES", 0)
    read_again = Views(IMAGES, SPEC, LIGHT)
    assert read_again._canvases is None
    np.testing.assert_array_equal(read_again.central(range(20)), kept.central(range(20)))
    np.testing.assert_array_equal(read_again.varied(range(20), 3), kept.varied(range(20), 3))


def test_small_pictures_in_memory_are_not_kept_a_second_time() -> None:
    held = mximages(np.stack([np.asarray(IMAGES.open(row)) for row in range(4)]))
    large = replace(SPEC, size=(32, 32))
    assert Views(held, large)._canvases is None
    assert Views(held, replace(SPEC, size=(8, 8)))._canvases == {}
    np.testing.assert_array_equal(Views(held, large).central(range(4)), Views(IMAGES, large).central(range(4)))


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_grey_and_colour_are_the_same_grey(fit: str) -> None:
    grey = replace(SPEC, channels=1, mean=(0,), std=(255,), fit=fit)
    alone = mximages([IMAGES.files[0]], on_bad="keep")
    assert IMAGES.grey
    assert not alone.grey  # nobody has looked
    for spec in (replace(SPEC, fit=fit), grey):
        np.testing.assert_array_equal(Views(alone, spec).central([0]), Views(IMAGES, spec).central([0]))


def test_work_ahead_keeps_order_and_faults() -> None:
    assert list(ahead(lambda value: value * 2, [(1,), (2,), (3,)])) == [2, 4, 6]
    assert list(ahead(str, [])) == []
    found = ahead(lambda value: 1 // value, [(1,), (0,), (1,)])
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)
