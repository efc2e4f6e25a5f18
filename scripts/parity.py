"""Compares what networks compute here with what PyTorch and onnxruntime computed; `make parity` runs it.

    .venv/bin/python scripts/parity.py FOLDER

FOLDER is what `torch_networks.py` wrote. Each network is opened twice: its state dict, by the template that its names
and shapes lead to, and its ONNX file. Both must give PyTorch's output to 1e-4 of its scale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from mxtune import engines, mxnetwork
from mxtune.engines import InputSpec, Program
from mxtune.network import Network

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from drawn_arrays import images

TOLERANCE = 1e-4


def output(network: Network, x: np.ndarray) -> np.ndarray:
    """What a network gives for images that are prepared already, (N, C, H, W)."""
    program = Program(network.graph, network.params, {network.input: InputSpec(x.shape[1:])})
    return np.asarray(engines.choose("cpu").bind(program).predict(x))


def difference(file: Path, x: np.ndarray, y: np.ndarray) -> tuple[str, float]:
    """The network that a file was taken for, and how far its output is from `y`, by the largest of it."""
    network = mxnetwork(file)
    return network.provenance["name"], float(np.abs(output(network, x) - y).max() / np.abs(y).max())


def main() -> None:
    worst, failed = 0.0, []
    for facts_file in sorted(Path(sys.argv[1]).glob("*.json")):
        facts = json.loads(facts_file.read_text())
        x, y = images(facts["size"]), np.load(facts_file.with_suffix(".npz"))["y"]
        for end in (".safetensors", ".onnx"):
            name, far = difference(facts_file.with_suffix(end), x, y)
            worst = max(worst, far)
            print(f"{facts['library']}/{facts['name']}{end}: {far:.1e} as {name}", flush=True)
            if not far <= TOLERANCE:
                failed.append(f"{facts['library']}/{facts['name']}{end}")
    print(f"The largest difference is {worst:.1e} of the output's scale.")
    if failed:
        sys.exit(f"Too far: {', '.join(failed)}")


if __name__ == "__main__":
    main()
