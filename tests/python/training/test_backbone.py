"""`net="auto"`: chosen by images and work, the same everywhere, said once, and kept in the model."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from hearing import listening
from mxtune import Model, mxexample, mximages, mxtrain
from mxtune.training.backbone import BUDGET, choose
from mxtune.training.options import Options
from mxtune.zoo import Entry, entry


def chosen(images: int = 300, side: float = 300, validated: bool = True, **options: Any) -> str:
    return choose(images, validated, side, Options(**options)).net.removeprefix("efficientnet_")


@pytest.mark.parametrize(
    ("side", "net"), [(28, "lite0"), (74, "lite0"), (75, "lite1"), (259, "lite1"), (260, "lite2"), (4000, "lite2")]
)
def test_larger_images_get_a_larger_network(side: float, net: str) -> None:
    assert chosen(side=side) == net


def test_work_is_bounded_by_what_is_planned() -> None:
    assert [chosen(images) for images in (100, 500, 700, 1000, 60_000)] == ["lite2", "lite2", "lite1", "lite0", "lite0"]
    assert [chosen(images, tune="head") for images in (2000, 3000, 4000)] == ["lite2", "lite1", "lite0"]
    assert chosen(100, tune="all") == "lite0" and chosen(20, tune="all", epochs=3) == "lite2"
    most = int(BUDGET / entry("efficientnet_lite2").macs)
    assert [chosen(images, tune="head") for images in (most, most + 1)] == ["lite2", "lite1"]


def test_a_small_image_size_gets_the_small_network() -> None:
    assert [chosen(image_size=size) for size in (96, 224, 240, 260)] == ["lite0", "lite0", "lite1", "lite2"]
    assert "`image_size`" in choose(300, True, 300, Options(image_size=96)).why


def test_it_is_chosen_among_those_that_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"efficientnet_lite2"}
    monkeypatch.setattr(Entry, "available", property(lambda one: "none" if one.name in absent else "installed"))
    assert chosen(side=500) == "lite1"
    absent.add("efficientnet_lite1")
    assert chosen(side=500) == "lite0"
    assert "not installed" in choose(300, True, 500, Options()).why


def test_the_default_says_once_what_was_chosen_and_keeps_it() -> None:
    assert inspect.signature(mxtrain).parameters["net"].default == "auto"
    images = mximages(mxexample("fashion")).take(range(0, 320, 8))
    with listening() as texts:
        model = mxtrain(images, tune="head")
    said = [text for text in texts if "is trained:" in text]
    why = "a larger network is no better for images of about 28 pixels"
    assert said == [f"efficientnet_lite0 is trained: {why}. Set `net` to change this."]
    again = Model.from_bytes(model.to_bytes())
    assert again.settings["plan"]["net"] == "efficientnet_lite0" and again.settings["plan"]["why"]["net"] == why
    assert f"net efficientnet_lite0: {why}" in again.summary()
    named = mxtrain(images, tune="head", net="efficientnet_lite0", verbose=0)
    assert "net" not in named.settings["plan"] and "net" not in named.settings["plan"]["why"]
    same = [a.tobytes() == b.tobytes() for a, b in zip(named.network.params.values(), model.network.params.values())]
    assert all(same)


def test_photographs_get_a_larger_network() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 100, 120, 3), dtype=np.uint8)
    model = mxtrain(pixels, ["a", "b"] * 4, tune="head", valid=None, verbose=0)
    assert model.provenance["name"] == "efficientnet_lite1" and model.preprocess.size == (240, 240)
