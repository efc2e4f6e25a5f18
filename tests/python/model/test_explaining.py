"""`Model.explain`: where in an image the evidence lies. What is exact adds up; what is planted is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
from PIL import Image

from mxtune import Model, Network, Preprocess, mxexample, mximages, mxload, mxnetwork, mxtrain
from mxtune.errors import ArgumentError, NetworkError, PictureError, PictureWarning, TrainingWarning
from mxtune.graph import Builder, Entry
from mxtune.model import overlay
from mxtune.model.evidence import Evidence
from mxtune.model.landing import Span, blurred, spread

FOLDER = Path(mxexample("fashion"))
FEW = mximages(FOLDER).take(range(0, 400, 8))
PHOTOS = [str(Path(skimage.__file__).parent / "data" / name) for name in ("astronaut.png", "coffee.png", "chelsea.png")]


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(FEW, tune="head", image_size=64, verbose=0)


def drawn(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def classes(network: Network) -> Model:
    count = network.shapes[network.output][0][1]
    return Model(network, "classification", [f"class {number}" for number in range(count)])


def small(b: Builder, head: Entry, shapes: dict[str, tuple[int, ...]], size: int = 32) -> Model:
    """A model of a small network with drawn weights that takes images in as they are."""
    params = {name: drawn(shape, number) for number, (name, shape) in enumerate(shapes.items())}
    spec = Preprocess(size=(size, size), fit="stretch", mean=(128,), std=(64,))
    return classes(Network(b.graph(head), params, {"name": "small"}, spec))


# ---- exact: the places and the bias are the logit


@pytest.mark.parametrize("stages", [True, False])
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("efficientnet_lite0", 64), ("resnet18", 64), ("resnet50_v2", 48), ("mobilenet0.25", 64),
        ("mobilenetv2_0.25", 64), ("densenet121", 64), ("googlenet", 64), ("squeezenet1.0", 64),
    ],
)  # fmt: skip
def test_places_and_bias_add_up_to_the_logit(name: str, size: int, stages: bool) -> None:
    network = mxnetwork(name, image_size=size).replace_head(3, stages=stages)
    weight, bias = drawn(network.params["head_weight"].shape) / 30, drawn((3,), 1)
    explained = classes(replace(network, params={**network.params, "head_weight": weight, "head_bias": bias}))
    why = explained.explain(PHOTOS, label=["class 2", "class 0"])
    table, sums = why.table, np.array([one.sum(dtype=float) for one in why.maps])
    logits = explained.predict(PHOTOS, type="logit")
    assert table["label"].tolist() == ["class 2", "class 0"] * 3
    expected = [logits[f"pred_{label}"][line // 2] for line, label in enumerate(table["label"])]
    np.testing.assert_allclose(table["logit"], expected, rtol=1e-4, atol=1e-5)
    assert len(why.layers) == (len(network.stages) if stages else 1)
    of_stages = table.filter(like="stage_")
    scale = 1e-4 * np.abs(of_stages).sum(axis=1)
    assert why.exact
    assert "exact" in repr(why)
    np.testing.assert_allclose(table["rest"], bias[[2, 0] * 3], rtol=1e-4)
    inside = np.array([mximages(file).sizes[0] for file in PHOTOS]).repeat(2, axis=0)
    assert [one.shape for one in why.maps] == list(map(tuple, inside.tolist()))
    assert (np.abs(sums + table["rest"] - table["logit"]) < scale).all()
    assert (np.abs(of_stages.sum(axis=1) - sums) < scale).all()


@pytest.mark.parametrize("name", ["deit_tiny_patch16_224", "vgg11", "lenet"])
def test_what_is_pooled_adds_up_beside_dense_layers_and_tokens(name: str) -> None:
    """Without weights on what dense layers, or a token of the class, give the head, the rest is exact."""
    network = mxnetwork(name, image_size={"lenet": 28}.get(name, 64)).replace_head(2, stages=True)
    pooled = 2 * sum(network.shapes[stage][0][1] for stage in network.stages)
    weight = drawn(network.params["head_weight"].shape) / 10
    assert weight.shape[1] > pooled
    mixed = classes(replace(network, params={**network.params, "head_weight": weight})).explain(PHOTOS)
    assert not mixed.exact
    weight = weight * (np.arange(weight.shape[1]) < pooled)
    why = classes(replace(network, params={**network.params, "head_weight": weight})).explain(PHOTOS)
    assert why.exact
    for one, (_, row) in zip(why.maps, why.table.iterrows()):
        assert one is not None
        assert one.sum(dtype=float) + row["rest"] == pytest.approx(row["logit"], rel=1e-4, abs=1e-4)


def test_a_dense_layer_on_all_positions_is_exact() -> None:
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 4, kernel=3, stride=2, pad=1), "relu")
    model = small(b, b.dense(b.flatten(x), "fc", 2), {
        "conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "fc_weight": (2, 1024), "fc_bias": (2,),
    })  # fmt: skip
    why = model.explain(PHOTOS)
    assert why.exact
    assert why.maps[0].sum(dtype=float) + why.table["rest"][0] == pytest.approx(why.table["logit"][0], rel=1e-4)


def test_several_places_of_the_maximum_share_it() -> None:
    """As where ReLU6 gives many sixes."""
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 2, kernel=1), "relu6")
    network = small(b, b.dense(b.flatten(b.global_pool(x, "max")), "fc", 2), {
        "conv_weight": (2, 3, 1, 1), "conv_bias": (2,), "fc_weight": (2, 2), "fc_bias": (2,),
    }).network  # fmt: skip
    params = {name: np.ones_like(array) for name, array in network.params.items()} | {"conv_bias": np.zeros(2, "f")}
    pixels = np.zeros((1, 32, 32, 3), "uint8")
    pixels[0, 4:8, 10:12] = 255  # (255 - 128) / 64 * 3 is 5.95, and elsewhere -6
    pixels[0, 20, 20] = 255
    why = classes(replace(network, params=params)).explain(pixels, label="class 0")
    (one,) = why.maps
    expected = np.zeros((32, 32))
    expected[4:8, 10:12], expected[20, 20] = 2 * 127 / 64 * 3 / 9, 2 * 127 / 64 * 3 / 9
    np.testing.assert_allclose(one, expected, atol=1e-4)


def test_tokens_without_a_place_count_too() -> None:
    b = Builder()
    patches = b.conv(b.data(), "patches", 6, kernel=8, stride=8)
    placed = b.add_node("transpose", "placed", [b.add_node("reshape", "flat", [patches], shape="(0, 0, -1)")],
                        axes="(0, 2, 1)")  # fmt: skip
    first = b.add_node("max", "first", [placed], axis="(1,)", keepdims="True")
    tokens = b.add_node("mean", "pooled", [b.concat([first, placed], "tokens")], axis="(1,)")
    shapes = {"patches_weight": (6, 3, 8, 8), "patches_bias": (6,), "head_weight": (2, 6), "head_bias": (2,)}
    why = small(b, b.dense(tokens, "head", 2), shapes).explain(PHOTOS)
    assert why.exact
    for one, (_, row) in zip(why.maps, why.table.iterrows()):
        assert one.sum(dtype=float) + row["rest"] == pytest.approx(row["logit"], rel=1e-4)


def test_a_model_that_remembers_compares_with_its_average_training_image(model: Model) -> None:
    why = model.explain(FEW, label="coat")
    assert why.centred
    assert "apart from the average training image" in repr(why)
    logits = model.predict(FEW, type="logit")["pred_coat"]
    assert why.table["rest"].tolist() == pytest.approx([logits.mean()] * len(FEW), abs=1e-2)
    assert why.table.filter(like="stage_").mean().tolist() == pytest.approx([0] * 5, abs=1e-2)
    sums = [one.sum(dtype=float) for one in why.maps]
    np.testing.assert_allclose(sums + why.table["rest"], logits, atol=1e-3)
    forgetful = Model(model.network, model.task, model.levels).explain(FEW, label="coat")
    assert not forgetful.centred
    np.testing.assert_allclose(forgetful.table["rest"], model.network.params["head_bias"][2], rtol=1e-4)
    np.testing.assert_allclose(forgetful.table["logit"], why.table["logit"])


def test_what_is_lacking_everywhere_has_no_place() -> None:
    """A maximum below the usual one is evenly less; one above it lies where it is."""
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 1, kernel=1), "relu")
    network = small(b, b.dense(b.flatten(b.global_pool(x, "max")), "fc", 2), {
        "conv_weight": (1, 3, 1, 1), "conv_bias": (1,), "fc_weight": (2, 1), "fc_bias": (2,),
    }).network  # fmt: skip
    params = {name: np.ones_like(array) for name, array in network.params.items()} | {"conv_bias": np.zeros(1, "f")}
    network = replace(network, params=params)
    pixels = np.full((2, 32, 32, 3), 128, "uint8")
    pixels[0, 5, 7], pixels[1, 5, 7] = 160, 255  # 1.5 and 5.95 after normalisation, usual are 3
    dim, bright = Evidence(network, usual=np.array([3.0])).of(np.arange(2), pixels, lambda _: [[0], [0]], None)
    np.testing.assert_allclose(dim.view, -1.5 / 32**2, rtol=1e-4)
    assert np.unravel_index(bright.view.argmax(), (32, 32)) == (5, 7)
    assert bright.view.sum() == pytest.approx(127 / 64 * 3 - 3, rel=1e-4)
    assert dim.rest == bright.rest == pytest.approx(4)


# ---- Grad-CAM


def test_behind_dense_layers_it_is_grad_cam_and_says_so() -> None:
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 4, kernel=3, stride=4), "relu")
    hidden = b.act(b.dense(b.flatten(b.pool(x, "max", 2, 2)), "fc", 5), "tanh")
    model = small(b, b.dense(hidden, "head", 2), {
        "conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "fc_weight": (5, 64), "fc_bias": (5,), "head_weight": (2, 5),
        "head_bias": (2,),
    })  # fmt: skip
    why = model.explain(PHOTOS)
    assert not why.exact
    assert why.layers == ("conv_relu",)  # before the pooling: places are finer
    assert "Grad-CAM at conv_relu: an estimate" in repr(why)
    total = why.table["rest"] + why.table["stage_1"]
    np.testing.assert_allclose(total, why.table["logit"], rtol=1e-5)
    with pytest.raises(NetworkError, match="can't be told exactly"):
        model.explain(PHOTOS, method="cam")


def test_where_an_average_follows_grad_cam_is_cam() -> None:
    network = mxnetwork("resnet18", image_size=64).replace_head(3)
    network = replace(network, params={**network.params, "head_weight": drawn((3, 512))})
    cam, grad = (classes(network).explain(PHOTOS, method=method) for method in ("cam", "gradcam"))
    assert (cam.exact, grad.exact) == (True, False)
    for one, other in zip(cam.maps, grad.maps):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(one).max())


def test_grad_cam_takes_another_layer(model: Model) -> None:
    layer = model.network.stages[1]
    why = model.explain(FEW.take([0]), layer=layer)
    assert why.layers == (layer,)
    with pytest.raises(NetworkError, match="no layer block3a_expand_cat"):
        model.explain(FEW.take([0]), layer="block3a_expand_cat")
    with pytest.raises(NetworkError, match="The layer head has no places"):
        model.explain(FEW.take([0]), layer="head")
    with pytest.raises(ArgumentError, match="`layer` is for Grad-CAM"):
        model.explain(FEW.take([0]), method="cam", layer=layer)


def test_a_token_of_the_class_is_explained_before_the_last_attention() -> None:
    model = classes(mxnetwork("deit_tiny_patch16_224", image_size=64).replace_head(2))
    why = model.explain(PHOTOS)
    assert why.layers == ("blocks.10.add_1",)
    assert all(np.ptp(one) > 0 for one in why.maps)


def test_a_network_of_dense_layers_has_no_places() -> None:
    b = Builder()
    model = small(b, b.dense(b.flatten(b.data()), "fc", 2), {"fc_weight": (2, 192), "fc_bias": (2,)}, size=8)
    with pytest.raises(NetworkError, match="no maps") as raised:
        model.explain(PHOTOS)
    assert "Only networks with convolutions" in str(raised.value)


# ---- sanity


def planted(count: int, seed: int) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Grey photographs with a coloured patch at a random place, which decides the class; top and left of each patch."""
    rng = np.random.default_rng(seed)
    photos = [np.asarray(Image.open(file).convert("L").convert("RGB").resize((200, 200))) for file in PHOTOS]
    colours = {"blue": (30, 60, 230), "orange": (240, 120, 10), "green": (20, 180, 60)}
    pixels, labels, corners = [], [], []
    for _ in range(count):
        top, left = rng.integers(0, 200 - 96, 2)
        image = photos[rng.integers(len(photos))][top : top + 96, left : left + 96].copy()
        label, (down, across) = str(rng.choice(list(colours))), rng.integers(0, 96 - PATCH, 2)
        noise = rng.normal(0, 8, (PATCH, PATCH, 3))
        image[down : down + PATCH, across : across + PATCH] = np.clip(colours[label] + noise, 0, 255)
        pixels.append(image)
        labels.append(label)
        corners.append((down, across))
    return np.stack(pixels), labels, np.array(corners)


PATCH = 24


@pytest.fixture(scope="module")
def patches() -> Model:
    pixels, labels, _ = planted(150, 1)
    return mxtrain(pixels, labels, net="efficientnet_lite0", tune="head", image_size=96, verbose=0)


def test_the_peak_lies_in_what_decides_the_class(patches: Model) -> None:
    pixels, labels, corners = planted(40, 2)
    why = patches.explain(pixels, label=None)
    right = (why.table["label"] == labels).to_numpy()
    assert right.mean() > 0.95
    peaks = np.array([np.unravel_index(one.argmax(), one.shape) for one in why.maps])
    within = ((peaks >= corners) & (peaks < corners + PATCH)).all(axis=1)
    assert within[right].mean() >= 0.95  # 1 where it was measured, and 0.03 with the last stage alone


def test_grad_cam_is_strongest_there_too() -> None:
    """LeNet's positions look at 14 of 28 pixels: their peak need not be in a patch of 7, but most of the map is."""
    pixels, labels, _ = planted(300, 4)
    network = mxnetwork("lenet", channels=3, image_size=28)
    with pytest.warns(TrainingWarning, match="no pretrained weights"):
        model = mxtrain(pixels, labels, net=network, tune="all", epochs=10, verbose=0)
    pixels, labels, corners = planted(60, 5)
    why = model.explain(pixels)
    assert not why.exact
    right = (why.table["label"] == labels).to_numpy()
    assert right.mean() > 0.9
    ratio = [
        one[down : down + PATCH, across : across + PATCH].mean() / np.abs(one).mean()
        for one, (down, across) in zip(why.maps, corners)
    ]
    assert np.mean(np.array(ratio)[right] > 1.5) >= 0.95


def test_another_head_gives_another_map(patches: Model) -> None:
    """As Adebayo et al. (2018) ask of an explanation: it must depend on what was learned."""
    pixels, labels, _ = planted(12, 3)
    network = patches.network
    weight = network.params["head_weight"]
    shuffled = np.random.default_rng(0).permuted(weight, axis=1)
    other = Model(replace(network, params={**network.params, "head_weight": shuffled}), patches.task, patches.levels)
    ranks = []
    for label in sorted(set(labels)):
        both = [[blurred(one, 2).ravel() for one in m.explain(pixels, label=label).maps] for m in (patches, other)]
        ranks += [pd.Series(one).corr(pd.Series(two), method="spearman") for one, two in zip(*both)]
    assert abs(np.mean(ranks)) < 0.3
    assert np.mean(np.abs(ranks)) < 0.5


# ---- what is explained


def test_the_predicted_class_is_explained(model: Model) -> None:
    why = model.explain(FEW)
    predicted = model.predict(FEW, type="prob")
    assert why.table["file"].tolist() == list(FEW.names)
    assert why.table["label"].tolist() == predicted["pred_class"].tolist()
    np.testing.assert_allclose(why.table["prob"], predicted.iloc[:, 2:].max(axis=1), rtol=1e-4)
    assert len(why) == len(why.maps) == len(FEW)


def test_a_class_is_weighed_against_another(model: Model) -> None:
    one, other, both = (model.explain(FEW.take([3]), **asked) for asked in (
        {"label": "coat"}, {"label": "shirt"}, {"label": "coat", "against": "shirt"},
    ))  # fmt: skip
    np.testing.assert_allclose(both.maps[0], one.maps[0] - other.maps[0], atol=1e-5)
    assert both.table["logit"][0] == pytest.approx(one.table["logit"][0] - other.table["logit"][0], abs=1e-4)
    assert "rather than shirt" in repr(both)
    with pytest.raises(ArgumentError, match="`against` must be one class"):
        model.explain(FEW.take([3]), label="coat", against=["shirt", "bag"])


def test_each_predicted_label_is_explained() -> None:
    pixels = np.stack([np.asarray(FEW.open(row)) for row in range(len(FEW))])
    y = pd.DataFrame({"bright": pixels.mean(axis=(1, 2)) > 80, "tall": pixels[:, 0].mean(axis=1) > 10})
    model = mxtrain(FEW, y, tune="head", image_size=48, verbose=0)
    why = model.explain(FEW)
    predicted = model.predict(FEW)
    for file, table in why.table.groupby("file", sort=False):
        row = predicted[predicted["file"] == file].iloc[0]
        on = [name for name in ("bright", "tall") if row[f"pred_{name}"]]
        assert table["label"].tolist() == on or (not on and len(table) == 1)
    assert len(model.explain(FEW, label=["tall", "bright"])) == 2 * len(FEW)
    with pytest.raises(ArgumentError, match="`against` applies to classification only"):
        model.explain(FEW, label="tall", against="bright")


def test_a_number_has_signed_evidence_around_the_average() -> None:
    pixels = np.stack([np.asarray(FEW.open(row)) for row in range(len(FEW))])
    shades = pixels.mean(axis=(1, 2))
    model = mxtrain(FEW, shades, tune="head", image_size=48, verbose=0)
    why = model.explain(FEW)
    assert why.exact
    assert list(why.table.columns[:4]) == ["file", "label", "logit", "rest"]
    assert why.table["label"].isna().all()
    np.testing.assert_allclose(why.table["logit"], model.predict(FEW)["pred"], rtol=1e-3)
    forgetful = Model(model.network, model.task, model.levels, validation=model.validation).explain(FEW)
    assert forgetful.baseline[0] == pytest.approx(shades.mean(), rel=1e-3)
    assert why.baseline[0] == why.table["rest"][0] == pytest.approx(shades.mean(), rel=2e-2)
    darkest, brightest = shades.argmin(), shades.argmax()

    def orange(line: int) -> float:
        rgb = np.asarray(why.overlay(line), float)
        return float((rgb[..., 0] - rgb[..., 2]).mean())

    assert orange(int(darkest)) < 0 < orange(int(brightest))
    with pytest.raises(ArgumentError, match="predicts a single number: leave `label` out"):
        model.explain(FEW, label="shade")


def test_an_unknown_class_is_named_with_near_ones(model: Model) -> None:
    with pytest.raises(ArgumentError, match="The model has no class 'sneeker'") as raised:
        model.explain(FEW, label="sneeker")
    assert "Did you mean sneaker" in str(raised.value)
    assert "it has ankle_boot, bag, coat" in str(raised.value)
    with pytest.raises(ArgumentError, match="`label` must be at least one label"):
        model.explain(FEW, label=[])
    with pytest.raises(ArgumentError, match="`method` must be one of auto, cam, gradcam"):
        model.explain(FEW, method="lime")


def test_classes_that_are_numbers_go_by_their_value() -> None:
    model = mxtrain(FEW, np.asarray(FEW.y) + 1, task="classification", tune="head", image_size=32, verbose=0)
    assert model.explain(FEW.take([0]), label=3).table["label"].tolist() == ["3"]
    assert model.explain(FEW.take([0]), label=3.0, against="4").against == "4"


# ---- images


def test_images_that_can_not_be_read_are_named_and_na(model: Model, tmp_path: Path) -> None:
    whole = FOLDER / FEW.names[0]
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:200])
    files = [str(whole), str(tmp_path / "cut.png"), str(whole)]
    with pytest.warns(PictureWarning, match="Can't read 1 of 3 images: its explanation is NA"):
        why = model.explain(files, label=["coat", "bag"])
    assert why.table["logit"].isna().tolist() == [False, False, True, True, False, False]
    assert why.table["label"].tolist() == ["coat", "bag"] * 3
    assert [one is None for one in why.maps] == why.table["logit"].isna().tolist()
    assert why.overlay(2) is None
    assert len(why.save(tmp_path / "out")) == 5
    with pytest.raises(PictureError, match=r"cut\.png"):
        model.explain(files, on_bad="error")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("size", [(300, 200), (200, 300)])
def test_the_map_lies_on_the_upright_image(orientation: int, size: tuple[int, int], tmp_path: Path) -> None:
    """A white spot on black is found where a viewer shows it, whatever was cropped and resized."""
    b = Builder()
    x = b.act(b.conv(b.data(), "conv", 1, kernel=1), "relu")
    network = small(b, b.dense(b.flatten(b.global_pool(x, "avg")), "fc", 1), {
        "conv_weight": (1, 3, 1, 1), "conv_bias": (1,), "fc_weight": (1, 1), "fc_bias": (1,),
    }).network  # fmt: skip
    params = {name: np.ones_like(array) for name, array in network.params.items()}
    spec = Preprocess(size=(64, 48), fit="crop", mean=(128,), std=(64,))
    model = classes(Network(network.graph, params, {"name": "small"}, spec))
    width, height = size
    stored = Image.new("RGB", size)
    stored.paste("white", (width // 2 + 20, height // 2 - 50, width // 2 + 30, height // 2 - 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "spot.png", exif=exif)
    upright = np.asarray(mximages(tmp_path / "spot.png").open(0).convert("L"), float)
    (one,) = model.explain(tmp_path / "spot.png").maps
    assert one is not None
    assert one.shape == upright.shape
    for axis in (0, 1):
        places = np.arange(upright.shape[axis])
        centres = [(values.sum(axis=1 - axis) * places).sum() / values.sum() for values in (one, upright)]
        assert centres[0] == pytest.approx(centres[1], abs=1.5)


def test_what_the_network_does_not_see_has_no_evidence() -> None:
    network = mxnetwork("efficientnet_lite0", image_size=64)
    network = replace(network, preprocess=replace(network.preprocess, fit="crop", crop=0.875))
    why = Model.of_network(network).explain(PHOTOS[1])  # 400 x 600
    (one,) = why.maps
    assert one is not None
    (top, height), (left, width) = network.preprocess.view_in(400, 600)
    assert (top, height, left, width) == pytest.approx((25, 350, 125, 350), abs=4)
    assert not one[:20].any()
    assert not one[:, :120].any()
    assert not one[:, 480:].any()
    assert np.abs(one[30:370, 130:470]).min() > 0


def test_maps_of_one_size_come_in_an_array(model: Model) -> None:
    why = model.explain(FEW.take([0, 1, 2]))
    assert why.array().shape == (3, 28, 28)
    np.testing.assert_array_equal(why.array([2])[0], why.map(2))
    mixed = model.explain([str(FOLDER / FEW.names[0]), PHOTOS[0]])
    with pytest.raises(ArgumentError, match="different sizes") as raised:
        mixed.array()
    assert "512 x 512 pixels" in str(raised.value)
    assert mixed.array([1]).shape == (1, 512, 512)


# ---- what is drawn


def test_overlays_keep_small_pixels_square_and_large_photos_small(model: Model, tmp_path: Path) -> None:
    why = model.explain(FEW.take([0]))
    image = why.overlay(0)
    assert image is not None
    assert image.size == (476, 476)
    large = model.explain(PHOTOS[0]).overlay(0)
    assert large is not None
    assert max(large.size) == 480
    assert model.explain(FEW).plot(tmp_path / "why.png", rows=[0, 3]).axes[1].get_title().startswith("00")
    assert (tmp_path / "why.png").stat().st_size > 10_000


@pytest.mark.parametrize("shade", [0, 255])
def test_both_colours_are_seen_on_black_and_on_white(shade: int) -> None:
    evidence = np.zeros((40, 40), "float32")
    evidence[:10], evidence[-10:] = 2, -2
    seen = overlay.Box(0, 0, 40, 40)
    drawn_on = np.asarray(overlay.draw(Image.new("L", (20, 20), shade), evidence, seen), float)
    for_it, nothing, against = drawn_on[2, 20], drawn_on[20, 20], drawn_on[-2, 20]
    assert np.ptp(nothing) == 0
    assert for_it[0] - for_it[2] > 100 > -100 > against[0] - against[2]
    luminance = drawn_on @ [0.2126, 0.7152, 0.0722]
    assert abs(luminance[2, 20] - luminance[20, 20]) + abs(for_it[0] - nothing[0]) > 60


def test_files_are_named_as_the_images_and_never_overwrite_each_other(model: Model, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        FEW.open(0).save(tmp_path / folder / "x.png")
    files = [str(tmp_path / "a" / "x.png"), str(tmp_path / "b" / "x.png")]
    written = model.explain(files).save(tmp_path / "out")
    assert [file.name for file in written] == ["x.png", "x-2.png", "explanation.csv"]
    table = pd.read_csv(written[-1])
    assert table["file"].tolist() == files
    assert [file.name for file in model.explain(files[0], label=["coat", "bag"]).save(tmp_path / "two")] == [
        "x-coat.png", "x-bag.png", "explanation.csv",
    ]  # fmt: skip


def test_a_model_from_a_file_explains_alike(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.mxt")
    one, other = (m.explain(FEW.take([0, 1])) for m in (model, mxload(tmp_path / "model.mxt")))
    for a, b in zip(one.maps, other.maps):
        np.testing.assert_array_equal(a, b)


# ---- positions and pixels


@pytest.mark.parametrize("size", [(28, 28), (224, 224), (37, 91), (5, 4)])
@pytest.mark.parametrize("count", [(7, 7), (13, 24), (1, 1)])
def test_spreading_keeps_the_sum(size: tuple[int, int], count: tuple[int, int]) -> None:
    values = drawn(count)
    whole = spread(values, (Span(0, size[0]), Span(0, size[1])), size)
    assert whole.shape == size
    assert whole.sum(dtype=float) == pytest.approx(values.sum(dtype=float), abs=1e-4)
    even = spread(np.ones(count, "float32"), (Span(0, size[0]), Span(0, size[1])), size)
    assert even.min() > 0.8 * even.mean()
    assert even.max() < 1.25 * even.mean()
    assert blurred(even, 1.5).sum(dtype=float) == pytest.approx(even.sum(dtype=float), rel=1e-5)


def test_what_is_spread_lies_where_it_was() -> None:
    values = np.zeros((4, 4), "float32")
    values[1, 2] = 1
    pixels = spread(values, (Span(10, 40), Span(0, 80)), (60, 80))
    rows, columns = pixels.sum(axis=1), pixels.sum(axis=0)
    assert (rows * (np.arange(60) + 0.5)).sum() == pytest.approx(25, abs=0.2)
    assert (columns * (np.arange(80) + 0.5)).sum() == pytest.approx(50, abs=0.2)
    assert not pixels[:10].any()
    assert not pixels[50:].any()
