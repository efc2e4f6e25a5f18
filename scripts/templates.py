"""Writes `python/mxtune/zoo/graphs/`: one graph for each network of PyTorch that `torch_networks.py` exported.

    .venv/bin/python scripts/templates.py FOLDER

A graph's parameters have the names of the state dict, so a file of weights fits it without a table of names, and users
need no PyTorch. `make parity` runs both scripts, and compares what the networks compute.
"""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from mxtune.formats import onnx
from mxtune.formats.matching import signature
from mxtune.graph import Entry, Graph, Node, to_json
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network, layers
from mxtune.zoo import entries, normalised, templates

HERE = Path(templates.__file__).parent / templates.FOLDER
FACTORS = ("gamma", "layer_scale", "ls1.gamma", "ls2.gamma")
ADAPTIVE = {"vgg": 7, "alexnet": 6}  # torchvision's pool to this size before their dense layers, whatever the images'


def main() -> None:
    folder = Path(sys.argv[1])
    taken = {normalised(one.name): one.name for one in entries() if not one.signature}
    for old in HERE.glob("*"):
        old.unlink()
    HERE.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    contents: dict[str, str] = {}
    order = {"torchvision": 0, "timm": 1}
    listed = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    listed = [facts for facts in listed if facts["library"] in order]
    for facts in sorted(listed, key=lambda one: (order[one["library"]], one["name"])):
        row, text = template(folder, facts)
        name = facts["name"]
        namesake = taken.setdefault(normalised(name), name)
        row["name"] = name if namesake is name else f"{namesake}.{facts['library']}"
        row["graph"] = contents.setdefault(text, row["name"])
        (HERE / f"{row['graph']}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        rows.append(row)
        print(row["name"], row["parameters"], row["macs"], flush=True)
    lines = ",\n".join(json.dumps(row, sort_keys=True) for row in sorted(rows, key=lambda row: str(row["name"])))
    (HERE / "manifest.json").write_text(f"[\n{lines}\n]\n")


def template(folder: Path, facts: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The row of the manifest, and the graph as text."""
    read = onnx.read(folder / f"{facts['library']}-{facts['name']}.onnx")
    graph, weights = read.graph, read.weights or {}
    if graph is None or set(weights) != set(facts["state"]):
        raise ValueError(f"{facts['name']}: {sorted(set(facts['state']) ^ set(weights))[:8]} are not in both")
    sides = ADAPTIVE if facts["library"] == "torchvision" else {}
    side = next((side for start, side in sides.items() if facts["name"].startswith(start)), None)
    graph = with_initial_values(graph if side is None else pooled_to(graph, side))
    preprocess = Preprocess(
        size=facts["size"], mean=tuple(round(255 * one, 4) for one in facts["mean"]),
        std=tuple(round(255 * one, 4) for one in facts["std"]), crop=facts["crop"],
        interpolation=facts["interpolation"],
    )  # fmt: skip
    network = Network(graph, {}, {}, preprocess)
    row = {
        "library": facts["library"], "licence": facts["licence"], "preprocess": preprocess.to_dict(),
        "classes": network.shapes[network.output][0][1], "classifier": network.classifier,
        "parameters": layers.count(graph, network.shapes), "macs": network.macs(),
        "ignored": facts["ignored"].split(), "signature": signature(weights),
        "same": facts["name"].startswith("tf_"),
    }  # fmt: skip
    shapes = {name: shape for name, shape in facts["state"].items() if tuple(shape) != network.shapes[name][0]}
    if shapes:
        row["shapes"] = shapes
    return row, to_json(network.graph)


def pooled_to(graph: Graph, side: int) -> Graph:
    """The graph with its last map averaged to this size: what does nothing at the network's own size of images."""
    flat = next(node for node in graph.nodes if node.op == "Flatten")
    pool = Node("avgpool", "_contrib_AdaptiveAvgPooling2D", {"output_size": f"({side}, {side})"}, flat.inputs)
    entry: Entry = (pool.name, 0)
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += [pool, replace(node, inputs=(entry,))] if node is flat else [node]
    return Graph(tuple(nodes), graph.heads)


def with_initial_values(graph: Graph) -> Graph:
    """The graph whose parameters between layers say how they start: factors at 1, the rest at 0."""
    nodes = (
        replace(node, attrs={**node.attrs, "__init__": "ones" if node.name.endswith(FACTORS) else "zeros"})
        if node.declared_shape
        else node
        for node in graph.nodes
    )
    return Graph(tuple(nodes), graph.heads)


if __name__ == "__main__":
    main()
