"""Writes `python/mxtune/formats/keras/known/`: what Keras says of each of its own networks, for files of weights alone.

    python scripts/keras_descriptions.py     (in an environment with Keras 3)

Of each layer that is kept which `mxtune.formats.keras` reads: not how its arrays were drawn.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

HERE = Path(__file__).resolve().parents[1] / "python" / "mxtune" / "formats" / "keras" / "known"
NETWORKS = (
    "VGG16", "VGG19", *(f"ResNet{depth}{version}" for depth in (50, 101, 152) for version in ("", "V2")),
    "DenseNet121", "DenseNet169", "DenseNet201", "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large",
    *(f"EfficientNetB{number}" for number in range(6)), *(f"EfficientNetV2B{number}" for number in range(4)),
    "EfficientNetV2S", "InceptionV3", "InceptionResNetV2", "Xception", "NASNetMobile", "ConvNeXtTiny", "ConvNeXtSmall",
)  # fmt: skip
UNREAD = ("initializer", "regularizer", "constraint")


def kept(value: Any) -> Any:
    """The description without what no reader needs."""
    if isinstance(value, list):
        return [kept(one) for one in value]
    if not isinstance(value, dict):
        return value
    left = {key: kept(one) for key, one in value.items() if not key.endswith(UNREAD) and key != "build_config"}
    if "dtype" in left and isinstance(left["dtype"], dict):
        left["dtype"] = "float32"
    return left


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name in NETWORKS:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None)
        text = json.dumps(kept(json.loads(model.to_json())), separators=(",", ":"))
        (HERE / f"{model.name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        print(model.name, (HERE / f"{model.name}.json.gz").stat().st_size, flush=True)


if __name__ == "__main__":
    main()
