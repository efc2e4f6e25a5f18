"""Compares what networks compute here with what PyTorch, onnxruntime and Keras computed; `make parity` runs it.

    .venv/bin/python scripts/parity.py FOLDER

FOLDER is what `torch_networks.py`, `real_networks.py` and `keras_networks.py` wrote. A state dict is opened by the
network that its names and shapes lead to, a file of ONNX or Keras as it is. All must give the other's output to 1e-4 of
its scale; those of Keras for pixels, which are prepared as the file or its network's name tells.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mxtune import engines, formats, mxnetwork
from mxtune.engines import InputSpec, Program
from mxtune.errors import NetworkError
from mxtune.graph import Graph

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from drawn_arrays import images

TOLERANCE = 1e-4


def output(graph: Graph, params: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """What a graph gives for images that are prepared already, (N, C, H, W)."""
    program = Program(graph, params, {graph.inputs[0]: InputSpec(x.shape[1:])})
    return np.asarray(engines.choose("cpu").bind(program).predict(x))


WHOLE = (".onnx", ".h5", ".hdf5", ".keras")


def difference(file: Path, x: np.ndarray, y: np.ndarray, pixels: bool = False) -> tuple[str, float]:
    """The network that a file was taken for, and how far its output is from `y`, by the largest of it.

    Parameters
    ----------
    pixels
        Whether `x` is to be prepared as the file says.
    """
    if file.suffix in WHOLE:  # with a softmax that it may end in
        contents = formats.read(file)
        if contents.graph is None or contents.weights is None:
            raise ValueError(f"{file} holds no network")
        weights = {**contents.weights, **(contents.usual_weights if pixels else {})}
        params = {name: array.astype(np.float32) for name, array in weights.items()}
        if pixels and contents.usual is not None:
            mean, std = (np.reshape(values, (1, -1, 1, 1)) for values in (contents.usual.mean, contents.usual.std))
            x = ((x - mean) / std).astype(np.float32)
        name, ours = contents.provenance.get("name", file.stem), output(contents.graph, params, x)
    else:
        network = mxnetwork(file)
        name, ours = network.provenance["name"], output(network.graph, network.params, x)
    return name, float(np.abs(ours - y).max() / max(np.abs(y).max(), 1e-3))


def nodes(file: Path) -> list[str]:
    """The tests of ONNX's operators that are read and give something else; those refused are counted."""
    cases = dict(np.load(file))
    names = [name[:-5] for name in cases if name.endswith(".onnx")]
    refused, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.onnx"
        for name in names:
            one.write_bytes(cases[f"{name}.onnx"].tobytes())
            try:
                _, far = difference(one, cases[f"{name}.x"], cases[f"{name}.y"])
            except NetworkError:
                refused += 1
                continue
            if not far <= 5 * TOLERANCE:  # some of what ONNX expects is rounded
                wrong.append(name)
    equal = len(names) - refused - len(wrong)
    print(f"ONNX's own tests of operators: {equal} equal, {refused} refused in words, {len(wrong)} wrong", flush=True)
    return wrong


def main() -> None:
    folder = Path(sys.argv[1])
    worst, failed = 0.0, nodes(folder / "nodes.npz") if (folder / "nodes.npz").exists() else []
    for facts_file in sorted(folder.glob("*.json")):
        facts = json.loads(facts_file.read_text())
        x, y = images(facts["size"])[:, : facts.get("channels", 3)], np.load(facts_file.with_suffix(".npz"))["y"]
        pixels = facts.get("pixels", False)
        for end in facts.get("files", (".safetensors", ".onnx")):
            file = facts_file.with_name(f"{facts_file.stem}{end}")
            name, far = difference(file, x * 50 + 120 if pixels else x, y, pixels)
            worst = max(worst, far)
            print(f"{facts['library']}/{facts['name']}{end}: {far:.1e} as {name}", flush=True)
            if not far <= TOLERANCE:
                failed.append(f"{facts['library']}/{facts['name']}{end}")
    print(f"The largest difference is {worst:.1e} of the output's scale.")
    if failed:
        sys.exit(f"Too far: {', '.join(failed)}")


if __name__ == "__main__":
    main()
