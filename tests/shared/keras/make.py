"""Writes small networks as Keras saves them, and what it computes with them: once for each version of Keras.

    python tests/shared/keras/make.py                           (Keras 3)
    TF_USE_LEGACY_KERAS=1 python tests/shared/keras/make.py     (Keras 2: tf_keras)

Each ``NAME.VERSION.h5`` and ``NAME.VERSION.keras`` has random numbers in every array. ``VERSION.npz`` has the outputs
for the images of `drawn_arrays.images(8) * 50 + 120`. One of each is copied to ``tests/shared/formats``.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

OLD = bool(os.environ.get("TF_USE_LEGACY_KERAS"))
if OLD:
    import tf_keras as keras
else:
    import keras

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "python"))
from drawn_arrays import images  # noqa: E402

layers = keras.layers
VERSION = "keras2" if OLD else "keras3"


def nested() -> Any:
    """A Sequential behind a functional body, of which a part is frozen; the image is prepared inside."""
    first = keras.Input((8, 8, 3), name="body_input")
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="stem")(first)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, name="depth")(x)
    y = layers.BatchNormalization(scale=False, name="depth_bn")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.SeparableConv2D(6, 3, padding="same", activation="swish", name="separable")(x)
    body = keras.Model(first, x, name="body")
    body.get_layer("stem_bn").trainable = False
    head = keras.Sequential(
        [
            keras.Input((4, 4, 6)),
            layers.Flatten(name="flat"),
            layers.Dropout(0.25, name="drop"),
            layers.Dense(5, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="head",
    )
    inputs = keras.Input((8, 8, 3), name="photo")
    x = layers.RandomFlip("horizontal", name="flip")(inputs, training=False)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(x)
    return keras.Model(inputs, head(body(x)), name="nested")


def pieces() -> Any:
    """One of many layers, and functions written as arithmetic."""
    inputs = keras.Input((8, 8, 3), name="photo")
    x = inputs / 127.5 - 1.0
    x = layers.ZeroPadding2D(((0, 1), (1, 2)), name="border")(x)
    x = layers.Conv2D(4, 2, dilation_rate=2, activation="hard_sigmoid", name="gaps")(x)
    a = layers.AveragePooling2D(3, strides=2, padding="same", name="average")(x)
    b = layers.MaxPooling2D(3, strides=2, padding="same", name="maximum")(x)
    x = layers.Concatenate(name="both")([a, b])
    x = layers.LayerNormalization(name="layer")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", name="wider")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="slopes")(x)
    x = layers.UpSampling2D(2, name="twice")(layers.Cropping2D(1, name="inner")(x))
    x = layers.Permute((2, 1, 3), name="turned")(x)
    gate = layers.GlobalAveragePooling2D(name="squeeze")(x)
    gate = layers.Reshape((1, 1, 4), name="gate")(gate)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(gate)
    x = layers.Multiply(name="gated")([x, gate]) + 0.5
    x = layers.LeakyReLU(0.2, name="leaky")(x)
    x = layers.Dense(4, activation="gelu", name="points")(x)
    x = layers.GlobalMaxPooling2D(name="best")(x)
    x = layers.BatchNormalization(name="flat_bn")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="pieces")


def plain() -> Any:
    """The smallest: a Sequential, with statistics of the training images."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Normalization(mean=[120.0], variance=[2500.0], name="statistics"),
            layers.Conv2D(2, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="logits"),
        ],
        name="plain",
    )


def fill(model: Any) -> None:
    """Random numbers in every array; variances and factors around 1."""
    for number, one in enumerate(model.weights):
        rng = np.random.default_rng(number)
        kind = getattr(one, "path", one.name).split("/")[-1].split(":")[0]
        values = rng.normal(size=tuple(one.shape)) * 0.4
        one.assign((1 + abs(values) if kind in ("gamma", "moving_variance") else values).astype(np.float32))


def main() -> None:
    outputs = {}
    for make in (nested, pieces, plain):
        keras.backend.clear_session()
        model = make()
        fill(model)
        channels = model.input_shape[-1]
        x = (images(8) * 50 + 120).transpose(0, 2, 3, 1)[..., :channels]
        outputs[make.__name__] = model.predict(x, verbose=0)
        for end in ("h5", "keras"):
            model.save(HERE / f"{make.__name__}.{VERSION}.{end}")
        if make is plain:
            model.save_weights(HERE / f"{make.__name__}.{VERSION}.weights.h5")
    np.savez(HERE / f"{VERSION}.npz", **outputs)
    kept = HERE.parent / "formats"
    shutil.copy(HERE / f"plain.{VERSION}.{'h5' if OLD else 'keras'}", kept)
    (kept / f"plain.{VERSION}.json").write_text(model.to_json())


if __name__ == "__main__":
    main()
