"""A model that is continued: its layers may know the images that are to judge the new one."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from mxtune import Model, mxexample, mximages, mxload, mxtrain
from mxtune.errors import MxtuneWarning, TrainingWarning
from mxtune.images import ImageSet

LAYERS: dict[str, Any] = {"tune": "tail", "epochs": 1, "image_size": 32, "seed": 1, "verbose": 0}
HEAD: dict[str, Any] = {"tune": "head", "seed": 1, "verbose": 0}


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return mximages(mxexample("fashion"))


@pytest.fixture(scope="module")
def layers(images: ImageSet) -> Model:
    """Layers, trained on 160 of the first 200 images."""
    return mxtrain(images.take(range(200)), **LAYERS)


def test_folds_of_images_that_layers_were_trained_on_are_warned_of(layers: Model, images: ImageSet) -> None:
    with pytest.warns(TrainingWarning, match="trained on 160 of the 200 images that validate") as caught:
        continued = mxtrain(images.take(range(200)), net=layers, **HEAD)
    assert len(caught) == 1
    assert "too optimistic" in caught[0].message.bullets[0]  # type: ignore[union-attr]
    assert continued.layers_learned == layers.validation.trained


def test_a_file_is_known_as_the_model_that_it_holds(layers: Model, images: ImageSet, tmp_path: Path) -> None:
    layers.save(tmp_path / "layers.mxt")
    with pytest.warns(TrainingWarning, match="trained on 160 of the 200 images"):
        continued = mxtrain(images.take(range(200)), net=str(tmp_path / "layers.mxt"), **HEAD)
    continued.save(tmp_path / "continued.mxt")
    again = mxload(tmp_path / "continued.mxt")
    assert again.layers_learned == layers.validation.trained
    with pytest.warns(TrainingWarning, match="trained on 160 of the 200 images"):  # however often it is continued
        mxtrain(images.take(range(200)), net=again, **HEAD)


def test_images_that_no_layer_has_seen_are_no_reason_to_warn(layers: Model, images: ImageSet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MxtuneWarning)
        continued = mxtrain(images.take(range(200, 400)), net=layers, **HEAD)
        mxtrain(images.take(range(200)), net=layers, **LAYERS)  # the same are held out again
        head = mxtrain(images.take(range(200)), image_size=32, **HEAD)
        mxtrain(images.take(range(200)), net=head, **HEAD)  # no layer of it was trained
    assert not head.layers_learned
    before = len(layers.validation.trained)
    assert len(continued.validation.before) == before
    assert continued.validation.trained_on(images.hashes) == before + 200


def test_what_lies_elsewhere_is_known_by_its_content(layers: Model, images: ImageSet, tmp_path: Path) -> None:
    for name, row in (("a", 0), ("b", 199)):
        (tmp_path / name).mkdir()
        for near in range(20):
            place = row - near if row else near
            shutil.copy((images.files or [])[place] or "", tmp_path / name / f"{near}.png")
    known = layers.validation.trained_on(mximages(tmp_path).hashes)
    assert 20 < known < 40
    with pytest.warns(TrainingWarning, match=f"trained on {known} of the 40 images that validate"):
        mxtrain(tmp_path, net=layers, folds=3, **HEAD)
