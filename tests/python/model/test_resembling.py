"""Training images that are like others, what a layer gives, and the map of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, mxexample, mximages, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, NetworkError
from mxtune.model import report

EVERY = mximages(mxexample("fashion"))
IMAGES, OTHERS = EVERY.take(range(0, 400, 2)), EVERY.take(range(1, 400, 8))


def pixels(images: Any) -> np.ndarray:
    return np.stack([np.asarray(images.open(row)) for row in range(len(images))])


def trained(images: Any = IMAGES, y: Any = None, **settings: Any) -> Model:
    return mxtrain(images, y, **{"tune": "head", "image_size": 64, "verbose": 0, **settings})


@pytest.fixture(scope="module")
def model() -> Model:
    return trained()


def test_neighbours_are_those_that_the_features_say(model: Model) -> None:
    table = model.nearest(OTHERS, n=3)
    assert list(table.columns) == ["file", "rank", "neighbour", "label", "similarity"]
    assert table["file"].tolist() == np.repeat(OTHERS.names, 3).tolist()
    assert table["rank"].tolist() == [1, 2, 3] * len(OTHERS)
    known, new = (model.predict(one, type="features").iloc[:, 1:].to_numpy(np.float64) for one in (IMAGES, OTHERS))
    mean, scale = known.mean(axis=0), np.maximum(known.std(axis=0), 0.3 * np.median(known.std(axis=0)))
    known, new = (known - mean) / scale, (new - mean) / scale
    known, new = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (known, new))
    places = [IMAGES.names.index(name) for name in table["neighbour"]]
    own = np.repeat(np.arange(len(OTHERS)), 3)
    direct = (new[own] * known[places]).sum(axis=1)
    assert np.corrcoef(direct, table["similarity"])[0, 1] > 0.95
    assert (direct[::3] >= (new @ known.T).max(axis=1) - 0.1).all()
    truth = np.asarray(EVERY.levels)[np.asarray(OTHERS.y)]
    assert (table["label"].astype(str).to_numpy()[::3] == truth).mean() > 0.6
    assert (table["similarity"].to_numpy().reshape(-1, 3)[:, 0] >= table["similarity"].to_numpy()[2::3]).all()


def test_a_training_image_is_not_its_own_neighbour(model: Model) -> None:
    table = model.nearest(IMAGES.take(range(20)), n=400)
    assert (table["file"] != table["neighbour"]).all()
    assert table["similarity"].max() < 1
    assert 195 <= len(table) / 20 <= 199


@pytest.mark.filterwarnings("ignore:Can't read 1 of 2")
def test_bad_images_have_one_row_without_values(model: Model, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    OTHERS.open(0).save(tmp_path / "b.png")
    table = model.nearest(tmp_path, n=2)
    assert table["file"].tolist() == ["a.png", "b.png", "b.png"]
    assert table.iloc[0, 1:].isna().all() and not table.iloc[1:].isna().any().any()
    values = model.features(tmp_path)
    assert np.isnan(values[0]).all() and np.isfinite(values[1]).all()


def test_rows_keep_the_index_of_a_data_frame(model: Model) -> None:
    files = pd.DataFrame({"path": [str(Path(mxexample("fashion")) / "bag" / "00018.png")] * 2}, index=["x", "y"])
    if not Path(files.path.iloc[0]).is_file():
        first = sorted((Path(mxexample("fashion")) / "bag").glob("*.png"))[0]
        files["path"] = str(first)
    assert model.nearest(files, n=2).index.tolist() == ["x", "x", "y", "y"]


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_neighbours_have_the_labels_of_the_task(kind: str) -> None:
    codes = np.asarray(IMAGES.y)
    y: Any = codes + 0.5 if kind == "regression" else pd.DataFrame({"top": codes < 5, "even": codes % 2 == 0}) * 1
    model = trained(pixels(IMAGES), y)
    table = model.nearest(pixels(OTHERS), n=1)
    names = ["label"] if kind == "regression" else ["label_top", "label_even"]
    assert [name for name in table if name.startswith("label")] == names
    places = [int(name.strip("[]")) for name in table["neighbour"]]
    np.testing.assert_array_equal(table[names].to_numpy(float).squeeze(), np.asarray(y, float)[places].squeeze())
    shown = model.map()
    assert len(shown) == 200 and shown["label"].nunique() == (10 if kind == "regression" else 4)
    assert model.plot(kind="map").axes


def test_features_are_what_a_layer_gives(model: Model) -> None:
    images = OTHERS.take(range(5))
    own = model.predict(images, type="features").iloc[:, 1:].to_numpy(np.float32)
    np.testing.assert_array_equal(model.features(images), own)
    rows = model.network.layers.set_index("layer")["output_shape"]
    maps = model.features(images, "top_act")
    assert maps.shape == (5, *map(int, rows["top_act"].split(" x ")))
    np.testing.assert_allclose(maps.mean(axis=(2, 3)), own[:, -2560:-1280], rtol=1e-3, atol=1e-4)
    logits = model.features(images, model.network.classifier)
    np.testing.assert_allclose(logits, model.predict(images, type="logit").iloc[:, 1:].to_numpy(), rtol=1e-4, atol=1e-4)


def test_layers_that_are_not_one_are_named(model: Model) -> None:
    with pytest.raises(NetworkError, match="no layer top_actt"):
        model.features(OTHERS, "top_actt")
    with pytest.raises(NetworkError, match="one layer of the network") as caught:
        model.features(OTHERS, "top_*")
    assert "top_conv" in str(caught.value)
    with pytest.raises(NetworkError, match="is a parameter"):
        model.features(OTHERS, f"{model.network.classifier}_weight")


def test_the_map_has_new_images_among_those_for_training(model: Model, tmp_path: Path) -> None:
    table = model.map(OTHERS, method="pca")
    assert list(table.columns) == ["file", "x", "y", "label", "is_new"]
    assert table["is_new"].tolist() == [False] * len(IMAGES) + [True] * len(OTHERS)
    assert table["label"].isna().tolist() == table["is_new"].tolist()
    known = table[~table["is_new"]]
    assert abs(known["x"].mean()) < 1e-6 and abs(np.corrcoef(known["x"], known["y"])[0, 1]) < 1e-3
    assert known["x"].std() > known["y"].std()
    figure = model.plot(tmp_path / "map.png", kind="map", x=OTHERS)
    assert (tmp_path / "map.png").stat().st_size > 10_000
    assert "200 training images, 50 new" in figure.axes[0].get_title(loc="left")
    assert len(figure.axes[0].get_legend().get_texts()) == 11


def test_more_classes_than_colours_are_others() -> None:
    count = report.map_of_images.__globals__["MOST"] + 5
    table = pd.DataFrame({"x": range(2 * count), "y": 0.0, "label": [f"k{row // 2:02}$" for row in range(2 * count)]})
    figure = report.map_of_images(table.assign(is_new=False), "pca")
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert len(texts) == count - 4 and texts[0] == "5 others"


def test_what_can_t_be_is_refused(model: Model) -> None:
    with pytest.raises(ArgumentError, match="remembers nothing"):
        Model.of_network(mxnetwork("efficientnet_lite0")).nearest(OTHERS)
    with pytest.raises(ArgumentError, match="`n` must be"):
        model.nearest(OTHERS, n=0)
    with pytest.raises(ArgumentError, match="umap"):
        model.map(method="tsne")
