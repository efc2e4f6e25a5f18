"""Runs what vignettes/bring.Rmd says to type in other systems, and compares what both sides compute; for `make parity`.

    python scripts/bring.py there SYSTEM FOLDER    in an environment with that system: writes the files, and its outputs
    python scripts/bring.py here FOLDER            with mxtune: runs the page's lines for here on these files

SYSTEM is a heading of the page. What its lines take, a model with random weights, is made before. MXNet has its lines
run by the tests; Theano, Lasagne and CNTK run on no Python that has the rest.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-4
RNG = np.random.default_rng(1)
Outputs = dict[str, tuple[np.ndarray, np.ndarray]]
"""For each file images, (N, C, H, W), and what its network gives for them."""


def chunks(system: str) -> list[tuple[str, str]]:
    """The chunks of code under a heading of the page: language and code."""
    page = (ROOT / "vignettes" / "bring.Rmd").read_text(encoding="utf-8")
    section = re.split(r"^## ", page.split(f"\n## {system}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(r"^```(\w+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def run(system: str, names: dict[str, Any], here: bool) -> None:
    """Run the lines for one side."""
    for language, code in chunks(system):
        if language == "python" and ("mxtune" in code) == here:
            exec(code, names)  # noqa: S102 - our own page
        elif language == "sh" and not here:
            for line in code.splitlines():
                subprocess.run([sys.executable, *shlex.split(line)[1:]], check=True)


# ---- there


def pytorch(run_lines: Callable[[dict[str, Any]], None]) -> Outputs:
    import torch
    from torch_networks import fill, torchvision

    nn = torch.nn
    own = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip
    models = {"resnet18.pth": torchvision()[0].models.resnet18(weights=None), "own.onnx": own}
    for model in models.values():
        model.eval()
        fill(model)
    run_lines({"model": models["resnet18.pth"], "own": own})
    outputs = {}
    for name, size in (("resnet18.pth", 224), ("own.onnx", 32)):
        x = RNG.normal(size=(2, 3, size, size)).astype("float32")
        with torch.no_grad():
            outputs[name] = x, models[name].eval()(torch.from_numpy(x)).numpy()
    return outputs


def keras_model() -> Any:
    import keras

    layers = keras.layers
    model = keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(), layers.Activation("relu"), layers.DepthwiseConv2D(3, padding="same"),
        layers.Conv2D(16, 1), layers.BatchNormalization(), layers.Activation("relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(5),
    ])  # fmt: skip
    for one in model.weights:
        one.assign(RNG.uniform(0.1, 0.5, one.shape) * (1 if "moving" in one.path else RNG.choice([-1, 1], one.shape)))
    return model


def keras(run_lines: Callable[[dict[str, Any]], None]) -> Outputs:
    model = keras_model()
    run_lines({"model": model})
    x = RNG.normal(size=(2, 32, 32, 3)).astype("float32")
    y = model.predict(x, verbose=0)
    return {name: (x.transpose(0, 3, 1, 2), y) for name in ("flowers.keras", "flowers.h5")}


def tensorflow(run_lines: Callable[[dict[str, Any]], None]) -> Outputs:
    import tensorflow as tf

    model = keras_model()
    model.export("saved", verbose=False)
    x = RNG.normal(size=(2, 32, 32, 3)).astype("float32")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        image = tf.compat.v1.placeholder(tf.float32, (None, 32, 32, 3), name="image")
        kernel = tf.constant(RNG.normal(size=(3, 3, 3, 8)).astype("float32"))
        maps = tf.nn.relu6(tf.nn.conv2d(image, kernel, strides=2, padding="SAME"))
        dense = tf.constant(RNG.normal(size=(8, 5)).astype("float32"))
        logits = tf.identity(tf.matmul(tf.reduce_mean(maps, (1, 2)), dense), name="logits")
        tf.io.write_graph(graph.as_graph_def(), ".", "frozen.pb", as_text=False)
        y = session.run(logits, {image: x})
    run_lines({})
    nchw = x.transpose(0, 3, 1, 2)
    return {"saved.onnx": (nchw, model.predict(x, verbose=0)), "frozen.onnx": (nchw, y)}


THERE = {"PyTorch and Torch": pytorch, "Keras": keras, "TensorFlow": tensorflow}


def write(system: str) -> None:
    """Write the files of a system, and ``<system>.npz`` with what it computes."""
    outputs = THERE[system](lambda names: run(system, names, here=False))
    arrays = {f"{name} {key}": array for name, pair in outputs.items() for key, array in zip("xy", pair)}
    np.savez(f"{system}.npz", **arrays)
    print(f"{system}: wrote {', '.join(outputs)}", flush=True)


# ---- here


def compare(system: str) -> list[str]:
    """The files of a system whose networks give something else here."""
    from parity import output

    from mxtune import mxnetwork

    arrays, wrong = np.load(f"{system}.npz"), []
    for name in sorted({key[:-2] for key in arrays}):
        network, y = mxnetwork(name), arrays[f"{name} y"]
        ours = output(network.graph, network.params, arrays[f"{name} x"])
        far = float(np.abs(ours - y).max() / max(np.abs(y).max(), 1e-3))
        print(f"{system}, {name}: {far:.1e} of the output's scale", flush=True)
        if not far <= TOLERANCE:
            wrong.append(name)
    return wrong


def bring() -> None:
    """Compare all files, and run the page's lines on them, training among them."""
    import shutil

    from mxtune import mxexample

    for label in ("bag", "coat"):
        shutil.copytree(Path(mxexample("fashion"), label), Path("photos", label), dirs_exist_ok=True)
    wrong = []
    for system in THERE:
        wrong += compare(system)
        names: dict[str, Any] = {}
        run(system, names, here=True)
        run("Then", names, here=True)
        predicted = names["model"].predict("photos")["pred_class"]
        print(f"{system}: trained on {len(predicted)} images, {names['model']!r}", flush=True)
    if wrong:
        sys.exit(f"Too far: {', '.join(wrong)}")


def main() -> None:
    side, *system, folder = sys.argv[1:]
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "python")]
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    if side == "there":
        write(*system)
    else:
        bring()


if __name__ == "__main__":
    main()
