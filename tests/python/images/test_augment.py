"""How training images are varied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage

from mxtune.errors import ArgumentError
from mxtune.images import mximages
from mxtune.images.augment import Augment
from mxtune.images.preprocess import Preprocess

DATA = Path(skimage.__file__).parent / "data"
SPEC = Preprocess(size=(64, 64))
GREY = Preprocess(size=(28, 28), channels=1, crop=1.0)
ALL = Augment(flip=True, zoom=(0.5, 1.3), ratio=(0.7, 1.4), rotate=30, jitter=0.4, erase=0.5, shift=0.2)
CANVAS = SPEC.canvas(mximages(DATA / "chelsea.png").open(0))
SMALL = GREY.canvas(mximages(DATA / "camera.png").open(0))


def _views(augment: Augment, count: int = 40, canvas: Any = CANVAS, spec: Preprocess = SPEC) -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.stack([augment.view(canvas, spec, rng) for _ in range(count)])


@pytest.mark.parametrize("augment", [ALL, Augment.light(), Augment.light(small=True), Augment.light(grey=True)])
def test_views_have_the_networks_size_vary_and_repeat_with_the_seed(augment: Augment) -> None:
    views = _views(augment)
    assert (views.shape, views.dtype) == ((40, 64, 64, 3), np.uint8)
    assert len({view.tobytes() for view in views}) == 40
    assert np.array_equal(views, _views(augment))
    grey = _views(augment, canvas=SMALL, spec=GREY)
    assert grey.shape == (40, 28, 28, 1)


def test_none_is_the_central_view() -> None:
    assert np.array_equal(_views(Augment.none(), 1)[0], SPEC.centre(CANVAS))


def test_a_canvas_is_left_alone() -> None:
    before = CANVAS.copy()
    _views(ALL)
    assert np.array_equal(before, CANVAS)


def test_flip_mirrors_every_second_picture() -> None:
    square = np.ascontiguousarray(CANVAS[:, : CANVAS.shape[0]])
    views = _views(Augment(flip=True), 100, square)
    kinds = {view.tobytes() for view in views}
    assert len(kinds) == 2
    assert np.array_equal(views[0][:, ::-1], next(v for v in views if v.tobytes() != views[0].tobytes()))
    assert 30 < sum(view.tobytes() == views[0].tobytes() for view in views) < 70


def test_a_turn_of_the_whole_is_a_turn() -> None:
    canvas = np.zeros((64, 64, 3), np.uint8)
    canvas[:, 30:34] = 255
    for view in _views(Augment(rotate=40), 20, canvas):
        angle = np.degrees(np.arctan2(*np.polyfit(*np.nonzero(view[..., 0] > 128), 1)[:1], 1))
        assert abs(angle) <= 41
        assert view.max() > 200


def test_small_pictures_are_shifted_without_black_edges() -> None:
    white = np.full((28, 28, 1), 200, np.uint8)
    views = _views(Augment.light(small=True, grey=True), 50, white, GREY)
    assert views.min() == views.max() == 200


def test_light_knows_small_and_grey_pictures() -> None:
    assert Augment.light().flip
    assert Augment.light(small=True).flip
    assert not Augment.light(small=True, grey=True).flip
    assert Augment.light(small=True).zoom[0] >= 0.8
    assert Augment.light(grey=True).jitter == 0


def test_jitter_keeps_the_picture_near_itself() -> None:
    views = _views(Augment(jitter=0.2), 20)
    means = views.reshape(20, -1).mean(axis=1)
    assert 3 < means.std() < 0.2 * means.mean()
    assert _views(Augment(jitter=0.2), 5, SMALL, GREY).shape == (5, 28, 28, 1)


def test_erase_fills_a_rectangle_as_often_as_asked() -> None:
    plain = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    views = _views(Augment(erase=0.5), 200, plain)
    changed = [(view != plain).any(axis=2).mean() for view in views]
    assert 70 < sum(share > 0 for share in changed) < 130
    assert max(changed) < 0.25


def test_what_a_user_may_write() -> None:
    assert Augment.parse("light") == Augment.parse(True) == Augment.parse("auto") == Augment.light()
    assert Augment.parse("none") == Augment.parse(False) == Augment.parse(None) == Augment.none()
    assert Augment.parse("auto", small=True, grey=True) == Augment.light(small=True, grey=True)
    assert Augment.parse({"flip": False}) == Augment.from_dict({**Augment.light().to_dict(), "flip": False})
    assert Augment.parse(ALL) is ALL
    for wrong in ("heavy", 3):
        with pytest.raises(ArgumentError, match="`augment` must be"):
            Augment.parse(wrong)
    with pytest.raises(ArgumentError, match=r"`augment` has no such setting\.\nx flop"):
        Augment.parse({"flop": True})


def test_a_spec_goes_through_json_and_prints_as_a_sentence() -> None:
    assert Augment.from_dict(json.loads(json.dumps(ALL.to_dict()))) == ALL
    assert str(Augment.none()) == "Training images are not varied."
    assert str(Augment.light()) == (
        "Training images are mirrored, zoomed 0.65 to 1, stretched 0.8 to 1.25, changed in tone by 20%."
    )


@pytest.mark.parametrize(
    "wrong", [{"zoom": (1, 0.5)}, {"ratio": (0, 1)}, {"rotate": 200}, {"jitter": 2}, {"erase": -1}]
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=f"`{next(iter(wrong))}` must be"):
        Augment(**wrong)
