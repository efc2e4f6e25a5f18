"""Networks of four channels: arrays with four, and pictures with their transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mxtune import Model, mximages, mxnetwork, mxtrain
from mxtune.errors import PictureError, PictureWarning, TrainingWarning
from mxtune.images.augment import Augment
from mxtune.images.loader import Loader
from mxtune.images.preprocess import Preprocess

FOUR = Preprocess(size=(16, 16), channels=4, fit="stretch")


def pictures(n: int = 24, side: int = 32) -> tuple[np.ndarray, list[str]]:
    """Noise whose class shows in the fourth channel alone."""
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (n, side, side, 4)).astype(np.uint8)
    labels = [("left", "right")[row % 2] for row in range(n)]
    array[..., 3] = 0
    for row, label in enumerate(labels):
        array[row, :, slice(0, side // 2) if label == "left" else slice(side // 2, None), 3] = 255
    return array, labels


def seen(images: object, spec: Preprocess = FOUR) -> np.ndarray:
    return Loader(mximages(images, on_bad="keep"), spec).eval_batch([0])[0]


def test_each_channel_of_an_array_is_resized_by_itself() -> None:
    array, _ = pictures(1)
    array[..., 3] = 0  # as transparency it would take the colours with it
    three = seen(np.ascontiguousarray(array[..., :3]), Preprocess(size=(16, 16), fit="stretch"))
    np.testing.assert_array_equal(seen(array)[..., :3], three)
    assert not seen(array)[..., 3].any()


@pytest.mark.parametrize("kind", ["png", "webp", "palette", "grey", "deep", "pillow", "uint16", "float"])
def test_transparency_of_a_picture_is_its_fourth_channel(kind: str, tmp_path: Path) -> None:
    array, _ = pictures(1, 16)
    rgba = Image.fromarray(array[0])
    file = tmp_path / "one.png"
    expected = array[0]
    if kind == "webp":
        file = file.with_suffix(".webp")
        rgba.save(file, lossless=True, exact=True)
    elif kind == "palette":
        few = Image.new("P", (16, 16), 1)
        few.putpalette([0, 0, 0, 9, 8, 7])
        few.save(file, transparency=1)
        expected = np.broadcast_to(np.array([9, 8, 7, 0], np.uint8), (16, 16, 4))
    elif kind == "grey":
        rgba.convert("LA").save(file)
        expected = np.asarray(rgba.convert("LA").convert("RGBA"))
    elif kind == "deep":
        deep(file, array[0])
    else:
        rgba.save(file)
    item = {"pillow": [rgba], "uint16": array.astype(np.uint16) * 257, "float": array / np.float32(255)}.get(kind, file)
    np.testing.assert_array_equal(seen(item), expected)


def deep(file: Path, pixels: np.ndarray) -> None:
    """A PNG of 16 bits with transparency, which Pillow does not write."""
    import struct
    import zlib

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels.astype(np.uint16) * 257)
    height, width = pixels.shape[:2]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)), (b"IDAT", zlib.compress(rows)),
              (b"IEND", b"")]  # fmt: skip
    written = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + written)


def test_a_picture_without_transparency_is_named(tmp_path: Path) -> None:
    array, labels = pictures(8)
    for row in range(8):
        folder = tmp_path / labels[row]
        folder.mkdir(exist_ok=True)
        Image.fromarray(array[row]).save(folder / f"{row}.png")
    Image.fromarray(array[0, ..., :3]).save(tmp_path / "left" / "photo.jpg")
    Image.fromarray(array[0, ..., 0]).save(tmp_path / "right" / "grey.png")
    net = mxnetwork("resnet18_v1", image_size=32, weights="random").with_channels(4)
    with pytest.warns(TrainingWarning), pytest.raises(PictureError, match=r"Can't read") as error:
        mxtrain(tmp_path, net=net, tune="all", epochs=1, image_size=32, valid=0, verbose=0)
    lines = str(error.value)
    assert "photo.jpg: it has 3 channels, and the network takes 4" in lines
    assert "grey.png: it has 1 channel, and the network takes 4" in lines


def test_a_network_of_four_channels_learns_from_the_fourth(tmp_path: Path) -> None:
    array, labels = pictures()
    net = mxnetwork("efficientnet_lite0").with_channels(4)
    model = mxtrain(array, labels, net=net, tune="head", image_size=32, valid=0, verbose=0, seed=1)
    assert model.predict(array)["pred_class"].tolist() == labels
    again = Model.from_bytes(model.to_bytes())
    assert again.preprocess.channels == 4
    for row in range(4):
        Image.fromarray(array[row]).save(tmp_path / f"{row}.png")
    assert again.predict(tmp_path)["pred_class"].tolist() == labels[:4]
    with pytest.warns(PictureWarning, match="it has 3 channels, and the network takes 4"):
        assert again.predict(array[:1, ..., :3])["pred_class"].isna().all()


@pytest.mark.parametrize("name", ["net.onnx", "net-symbol.json", "net.mxt", "model.onnx"])
def test_a_network_of_four_channels_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    net = mxnetwork("resnet18_v1", image_size=32, weights="random", classes=2).with_channels(4)
    if name.startswith("model") or name.endswith(".mxt"):
        Model(net, "classification", ["left", "right"]).save(tmp_path / name)
    else:
        net.save(tmp_path / name)
    again = mxnetwork(tmp_path / name)
    assert again.preprocess.channels == 4 and again.shapes[again.output] == ((1, 2),)
    assert len(again.preprocess.mean) == 4 and again.preprocess.mean[0] == again.preprocess.mean[3]
    images, _ = pictures(2)
    for first, second in zip(*(Model(one, "classification", ["left", "right"]).predict(images, type="prob").iloc[:, 1]
                               for one in (net, again))):  # fmt: skip
        assert name == "net-symbol.json" or first == pytest.approx(second, abs=1e-5)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_varied_pictures_keep_four_channels(fit: str) -> None:
    array, labels = pictures()
    spec = Preprocess(size=(16, 20), channels=4, fit=fit, mean=(1.0, 2.0, 3.0, 4.0))
    augment = Augment(flip=True, zoom=(0.8, 1.1), rotate=10, jitter=0.3, erase=0.5, shift=0.1)
    loader = Loader(mximages(array, labels), spec, augment, seed=3)
    batch = loader.augmented_batch(range(24), 1)
    assert batch.shape == (24, 16, 20, 4)
    opaque = array.copy()
    opaque[..., 3] = 255
    plain = Loader(mximages(opaque, labels), spec, Augment(jitter=0.9), seed=3)
    assert (plain.augmented_batch(range(24), 1)[..., 3] == plain.eval_batch(range(24))[..., 3]).all()
