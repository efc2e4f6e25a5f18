"""What a model remembers of its images, and that it can forget them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtune import Model, mxexample, mxtrain
from mxtune.errors import ArgumentError, LabelError, PictureWarning

PHOTOS = mxexample("fashion")
SOME = sorted(Path(PHOTOS).rglob("*.png"))[::40]


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(PHOTOS, tune="head", image_size=32, verbose=0)


def test_a_model_that_forgot_its_images_predicts_the_same_and_names_none(model: Model) -> None:
    small = Model.from_bytes(model.forget().to_bytes())
    for kind in ("prob", "features"):
        assert small.predict(SOME, type=kind).equals(model.predict(SOME, type=kind))
    content = small.to_bytes()
    assert len(content) < len(model.forget("memory").to_bytes()) < len(model.to_bytes())
    own = SOME[0].name.encode()
    assert own in model.to_bytes() and own not in content
    assert small.metrics == model.metrics and small.history.equals(model.history)
    assert len(model.validation) and model.memory is not None  # the model itself is as it was


def test_what_is_forgotten_is_told_and_images_that_were_trained_on_still_are(model: Model) -> None:
    small = model.forget()
    folds = f"on {len(model.validation)} images out of fold"
    assert folds in repr(model) and folds in repr(small) and small.interval is None
    assert small.evaluate() == model.evaluate() and not small.evaluate().intervals
    assert f"accuracy {'':<15}" in small.summary()
    for ask, words in (
        (lambda: small.predict(SOME, type="set"), "remembers no images that it was not trained on"),
        (lambda: small.predict(SOME, novelty=True), "remembers nothing of its training images"),
        (lambda: small.nearest(SOME), "remembers nothing of its training images"),
    ):
        with pytest.raises(ArgumentError, match=words):
            ask()
    with pytest.raises(LabelError, match="remembers no images"):
        small.suspects()
    with pytest.raises(LabelError, match="does not remember its validation images"):
        small.per_class()
    with pytest.warns(PictureWarning, match="used to train this model"):
        assert small.evaluate(PHOTOS)["accuracy"] == pytest.approx(model.evaluate(PHOTOS)["accuracy"])


@pytest.mark.parametrize(("what", "knows"), [("memory", "set"), ("validation", "nearest")])
def test_one_part_is_forgotten_without_the_other(model: Model, what: str, knows: str) -> None:
    small = model.forget(what)
    assert (len(small.validation) > 0, small.memory is not None) == (what == "memory", what == "validation")
    if knows == "set":
        assert small.predict(SOME, type="set").equals(model.predict(SOME, type="set"))
    else:
        assert small.nearest(SOME).equals(model.nearest(SOME))
        assert small.predict(SOME, novelty=True).equals(model.predict(SOME, novelty=True))
    with pytest.raises(ArgumentError, match="`what`"):
        model.forget("images")


def test_a_report_and_a_card_of_such_a_model_say_what_was_measured(model: Model, tmp_path: Path) -> None:
    from mxtune.model.card import card_of

    small = model.forget()
    assert "does not remember the images that it was validated on" in small.report(tmp_path / "a.html").read_text()
    card = card_of(small, "hf:me/clothes", {})
    assert "Measured out of fold." in card and f"{model.metrics['accuracy']:.4g}" in card
