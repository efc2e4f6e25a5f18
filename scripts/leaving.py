"""Writes networks of torchvision and timm with three classes, for `torch_loads.py`; `make parity` runs both.

    .venv/bin/python scripts/leaving.py FOLDER [names]

For each: ``<name>.safetensors``, as a fine-tuned network is saved; ``<name>.npz`` with what it gives for two images.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from parity import output

from mxtune.network import Network
from mxtune.zoo import entries, templates
from mxtune.zoo.saving import contents_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from drawn_arrays import drawn, images

CLASSES = 3


def network_of(row: dict[str, str]) -> Network:
    """The network with a number of its own in every array, and a new head where it takes one as its own was."""
    one = next(entry for entry in entries() if entry.name == row["name"])

    def filled(graph: Network) -> Network:
        names = [key for key, role in graph.graph.roles.items() if role != "data"]
        return replace(graph, params={key: drawn(key, graph.shapes[key][0]) for key in names})

    bare = Network(one.build(one.classes, one.preprocess.size, 3), {}, one.provenance(), one.preprocess)
    network = filled(bare).replace_head(CLASSES)
    if contents_of(network).theirs is None:  # such as SqueezeNet, whose classifier is a convolution before the pooling
        network = filled(replace(bare, graph=one.build(CLASSES, one.preprocess.size, 3)))
    return network


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Path(templates.__file__).parent / templates.FOLDER / "manifest.json"
    for row in json.loads(manifest.read_text()):
        name = row["name"]
        if not row["classifier"] or (sys.argv[2:] and name not in sys.argv[2:]):
            continue
        network = network_of(row)
        network.save(folder / f"{name}.safetensors")
        size = network.preprocess.size[0]
        y = output(network.graph, network.params, images(size))
        np.savez(folder / f"{name}.npz", y=y, library=row["library"], size=size)
        print(f"{name}: {'a new head' if 'head_weight' in network.params else 'its own head'}", flush=True)


if __name__ == "__main__":
    main()
