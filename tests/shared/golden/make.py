"""Writes the model files of format version 1 in this folder, and what each says of drawn images.

Run once, with the mxtune that wrote version 1 (0.1.0); the files then stay as they are. Their predictions are compared
to the bit by tests/python/formats/test_golden.py, in a process of one thread and of AVX2's instructions alone, since
oneDNN adds in another order on other CPUs.

    OMP_NUM_THREADS=1 DNNL_MAX_CPU_ISA=AVX2 python tests/shared/golden/make.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

import mxtune
from mxtune.graph import Builder, to_json

HERE = Path(__file__).parent


def residual() -> str:
    """Batch normalisation, ReLU6, TensorFlow's uneven padding, depthwise kernels, a shortcut, dropout."""
    b = Builder()
    x, pad = b.same_pad(b.data(), (32, 24), 3, 2, "stem_pad")
    x = b.act(b.batchnorm(b.conv(x, "stem", 8, 3, 2, pad, bias=False), "stem_bn", eps=1e-3), "relu6", "stem_act")
    y = b.conv(x, "dw", 8, 5, 1, 2, groups=8, bias=False)
    y = b.act(b.batchnorm(y, "dw_bn"), "relu6", "dw_act")
    y = b.batchnorm(b.conv(y, "project", 8, 1, bias=False), "project_bn")
    x = b.add(y, x, "shortcut")
    x = b.act(b.conv(x, "down", 16, 3, 2, 1), "relu", "down_act")
    x = b.dropout(b.flatten(b.global_pool(x, "avg", "pool"), "flat"), 0.1, "drop")
    return to_json(b.graph(b.dense(x, "classifier", 5)))


def dense() -> str:
    """Two dense layers, concatenation, maximum pooling, a leaky rectifier, local response normalisation."""
    b = Builder()
    x = b.conv(b.data(), "conv1", 6, 5, 1, 2)
    x = b.add_node("LRN", "lrn", [x], nsize="5", alpha="0.0001", beta="0.75", knorm="2")
    x = b.add_node("LeakyReLU", "leaky", [x], act_type="leaky", slope="0.1")
    x = b.pool(x, "max", 2, 2, name="pool1")
    x = b.concat([b.conv(x, "left", 4, 1), b.conv(x, "right", 4, 3, pad=1)], "both")
    x = b.pool(b.act(x, "tanh", "tanh1"), "avg", 2, 2, name="pool2")
    x = b.act(b.dense(b.flatten(x, "flat"), "fc1", 20), "sigmoid", "sigmoid1")
    return to_json(b.graph(b.dense(x, "classifier", 5)))


def means() -> str:
    """A scale by arithmetic, an average by `mean`, a transposed and reshaped map, a softplus."""
    b = Builder()
    x = b.add_node("_mul_scalar", "scaled", [b.data()], scalar="0.5")
    x = b.act(b.conv(x, "conv1", 6, 3, 2, 1), "softrelu", "soft")
    x = b.add_node("transpose", "swapped", [x], axes="(0, 1, 3, 2)")
    x = b.act(b.batchnorm(b.conv(x, "conv2", 10, 3, 2, 1), "bn2"), "relu", "relu2")
    x = b.add_node("mean", "average", [x], axis="(2, 3)")
    return to_json(b.graph(b.dense(x, "classifier", 2)))


def pictures() -> np.ndarray:
    """(6, 40, 36, 3) uint8: shapes on gradients, the same everywhere."""
    rows, columns = np.mgrid[:40, :36]
    out = np.empty((6, 40, 36, 3), np.uint8)
    for n in range(6):
        base = (rows * (n + 2) + columns * (7 - n)) % 256
        disc = (rows - 10 - 3 * n) ** 2 + (columns - 18) ** 2 < (4 + n) ** 2
        out[n] = np.stack([base, 255 - base, np.where(disc, 255, base // 2)], axis=-1)
    return out


def main() -> None:
    images = mxtune.mximages(mxtune.mxexample("fashion"))
    rng = np.random.default_rng(5)
    files = list(images.files)
    names = np.array(images.levels)[images.y]
    labels = [[name] + (["späte Ware"] if rng.random() < 0.4 else []) for name in names]
    numbers = rng.normal([3, 200], [1, 40], (len(images), 2))
    kinds = {
        "classification": (residual, images, (32, 24)),
        "multilabel": (dense, mxtune.mximages(files, labels), (24, 24)),
        "regression": (means, mxtune.mximages(files, numbers), (20, 28)),
    }
    for task, (symbol, set_, size) in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{task}-symbol.json"
            file.write_text(symbol())
            spec = {"fit": "pad" if task == "regression" else "crop", "mean": (120.0, 110.0, 100.0), "std": (60.0,) * 3}
            net = mxtune.mxnetwork(file, weights="random", image_size=size, preprocess=spec)
        net = mxtune.mxtrain(set_, net=net, epochs=3, lr=5e-3, verbose=0, device="cpu")
        net.save(HERE / f"{task}.mxt")
        # trained once more: with features of every resolution stage below the head
        again = mxtune.mxtrain(set_, net=net, tune="head", seed=3, verbose=0, device="cpu")
        again.save(HERE / f"{task}-stages.mxt")
    said = {}
    for file in sorted(HERE.glob("*.mxt")):
        model = mxtune.mxload(file)
        values = model.predict(pictures(), type="logit").drop(columns=["file", "pred_class"], errors="ignore")
        said[file.name] = {
            "repr": repr(model),
            "columns": list(values.columns),
            "logits": [[float(v).hex() for v in row] for row in values.to_numpy()],
        }
    (HERE / "predictions.json").write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
