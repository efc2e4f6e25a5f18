"""Writes networks of keras.applications, with random numbers, as Keras saves them: what `parity.py` compares with.

    python scripts/keras_networks.py FOLDER [names]     (in the environment that `make parity` sets up)

For each network, with random numbers in every array, statistics of BatchNorm among them: ``<name>.h5``,
``<name>.keras`` and ``<name>.weights.h5``; ``<name>.npz`` with what Keras computes for two images; ``<name>.json`` with
the facts. With ``TF_USE_LEGACY_KERAS=1`` in the environment, tf_keras writes them: Keras 2.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
OLD = bool(os.environ.get("TF_USE_LEGACY_KERAS"))
if OLD:
    import tf_keras as keras
else:
    import keras

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from drawn_arrays import drawn, images  # noqa: E402

NETWORKS = {  # and the size of their images
    "VGG16": 224, "ResNet50": 224, "ResNet50V2": 224, "DenseNet121": 224, "MobileNet": 224, "MobileNetV2": 224,
    "MobileNetV3Small": 224, "MobileNetV3Large": 224, "EfficientNetB0": 224, "EfficientNetV2B0": 224,
    "InceptionV3": 299, "InceptionResNetV2": 299, "Xception": 299, "NASNetMobile": 224, "ConvNeXtTiny": 224,
}  # fmt: skip


def fill(model: Any) -> None:
    """Numbers of its own in every array, so that none is taken for another, and outputs stay of one size."""
    known = {
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
        "variance": "running_var",
        "gamma": "weight",
    }
    for number, one in enumerate(model.weights):
        path = getattr(one, "path", one.name)
        kind = path.split("/")[-1].split(":")[0]
        shape = tuple(one.shape)
        if kind in ("count", "seed_generator_state"):
            continue
        if "kernel" in kind and len(shape) > 1:
            depthwise = kind == "depthwise_kernel" or "depthwise" in path
            spread = shape[0] * shape[1] if depthwise and len(shape) == 4 else int(np.prod(shape[:-1]))
            rng = np.random.default_rng(number)
            one.assign((rng.normal(size=shape) * np.sqrt(1.6 / spread)).astype(np.float32))
        else:
            one.assign(drawn(f"{number}.{known.get(kind, kind)}", shape))
    for layer in model.layers:
        if type(layer).__name__ == "Normalization":  # which keeps what it computed of these
            layer.finalize_state()


def soften(model: Any, x: np.ndarray) -> None:
    """Let the last layer give numbers of which a softmax leaves something."""
    last = next(one for one in reversed(model.layers) if one.weights)
    logits = keras.Model(model.input, last.input).predict(x, verbose=0)
    kernel = np.asarray(last.weights[0])
    spread = (logits.reshape(len(x), -1) @ kernel.reshape(-1, kernel.shape[-1])).std()
    last.weights[0].assign(kernel * 2 / spread)


def export(name: str, folder: Path) -> None:
    """Write the files of a network."""
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None)
    fill(model)
    size = NETWORKS[name]
    x = images(size).transpose(0, 2, 3, 1) * 50 + 120  # pixels, for networks that prepare them inside
    soften(model, x)
    y = model.predict(x, verbose=0, batch_size=2)
    file = folder / f"keras{2 if OLD else 3}-{name}"
    ends = [".h5", ".keras", ".weights.h5"]
    model.save(f"{file}.h5")
    model.save(f"{file}.keras")
    model.save_weights(f"{file}.weights.h5")
    np.savez(f"{file}.npz", y=y)
    facts = {"library": f"keras{2 if OLD else 3}", "name": name, "size": size, "files": ends}
    Path(f"{file}.json").write_text(json.dumps(facts))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        if (sys.argv[2:] and name not in sys.argv[2:]) or (folder / f"keras{2 if OLD else 3}-{name}.json").exists():
            continue
        started = time.time()
        export(name, folder)
        print(f"keras{2 if OLD else 3}/{name}: {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
