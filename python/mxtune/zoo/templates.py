"""Networks of torchvision and timm, as graphs whose parameters have the names of PyTorch's state dicts.

`graphs/` has a graph for each, and a manifest; scripts/templates.py makes them. Weights come from a user's file.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..formats.names import NameTable, melas
from ..graph import Graph, Node, from_json
from ..images.preprocess import Preprocess
from ..network.positions import resampled_graph
from ..ops import spell
from . import Entry, register

FOLDER = "graphs"
_URLS = {
    "torchvision": "https://pytorch.org/vision/stable/models.html",
    "timm": "https://github.com/huggingface/pytorch-image-models",
}


@dataclass(frozen=True)
class Template:
    """A graph of the folder, to be written for a number of classes and a size of image.

    Parameters
    ----------
    graph
        The name of its file.
    classifier
        The layer that gives the logits; empty if there is none.
    same
        Whether it pads as TensorFlow does, by the size of the map, where a window has strides.
    size
        Of the images that it was made for.
    """

    graph: str
    classifier: str
    same: bool
    size: tuple[int, int]

    def build(self, classes: int, size: tuple[int, int], channels: int) -> Graph:
        """The graph for so many classes and images of this size; as `Entry.build`."""
        graph = resampled_graph(_graph(self.graph), self.size, size, channels)
        if self.classifier:
            graph = _with_units(graph, self.classifier, classes)
        return padded_as_tensorflow(graph, size) if self.same else graph


@cache
def _graph(name: str) -> Graph:
    content = (Path(__file__).parent / FOLDER / f"{name}.json.gz").read_bytes()
    return from_json(gzip.decompress(content))


def _with_units(graph: Graph, layer: str, units: int) -> Graph:
    """The graph with another number of outputs of a layer."""
    node = graph.node(layer)
    key = "num_hidden" if "num_hidden" in node.attrs else "num_filter"
    if node.attrs[key] == str(units):
        return graph
    changed = replace(node, attrs={**node.attrs, key: str(units)})
    return Graph(tuple(changed if one.name == layer else one for one in graph.nodes), graph.heads)


def padded_as_tensorflow(graph: Graph, size: tuple[int, int]) -> Graph:
    """The graph with the padding of each convolution that has strides as TensorFlow's SAME wants it at this size."""
    sizes: dict[str, tuple[int, ...]] = {}
    sources: dict[str, str] = {}  # a padding that is written anew: what it pads
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.is_variable:
            sizes[node.name] = size
            nodes.append(node)
            continue
        first = sources.get(node.inputs[0][0], node.inputs[0][0])
        sizes[node.name] = before = sizes[first]
        if node.op == "Pad":
            sources[node.name] = first
            continue
        if node.op == "Convolution" and max(node.values.stride) > 1:
            strides, kernel = node.values.stride, node.values.kernel
            sizes[node.name] = after = tuple(-(-n // s) for n, s in zip(before, strides))
            totals = [max((m - 1) * s + k - n, 0) for m, s, k, n in zip(after, strides, kernel, before)]
            nodes += _padded(node, first, totals)
        else:
            nodes.append(replace(node, inputs=tuple((sources.get(name, name), index) for name, index in node.inputs)))
    return Graph(tuple(nodes), graph.heads)


def _padded(node: Node, first: str, totals: list[int]) -> list[Node]:
    """A convolution with so much padding altogether, more of it at the end."""
    inputs = ((first, 0), *node.inputs[1:])
    if not any(total % 2 for total in totals):
        return [replace(node, inputs=inputs, attrs={**node.attrs, "pad": spell([total // 2 for total in totals])})]
    (top, bottom), (left, right) = ((total // 2, total - total // 2) for total in totals)
    widths = spell([0, 0, 0, 0, top, bottom, left, right])
    pad = Node(f"{node.name}_pad", "Pad", {"mode": "constant", "constant_value": "0", "pad_width": widths}, inputs[:1])
    attrs = {**node.attrs, "pad": "(0, 0)"}
    return [pad, replace(node, inputs=((pad.name, 0), *inputs[1:]), attrs=attrs)]


def _register(row: Mapping[str, Any]) -> None:
    preprocess = Preprocess.from_dict(row["preprocess"])
    register(
        Entry(
            name=row["name"],
            build=Template(row["graph"], row["classifier"], row["same"], preprocess.size).build,
            preprocess=preprocess,
            parameters=row["parameters"],
            macs=row["macs"],
            licence=row["licence"],
            url=_URLS[row["library"]],
            paper=_URLS[row["library"]],
            classes=row["classes"],
            names=partial(_names, row["graph"]) if row["name"].startswith("tf_efficientnet_lite") else tuple,
            signature=row["signature"],
            ignored=tuple(row["ignored"]),
            shapes={name: tuple(shape) for name, shape in row.get("shapes", {}).items()},
        )
    )


def _names(graph: str) -> tuple[NameTable, ...]:
    return (melas.table(node.name for node in _graph(graph).nodes if node.is_variable),)


def _rows() -> list[dict[str, Any]]:
    file = Path(__file__).parent / FOLDER / "manifest.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return rows


for _row in _rows():
    _register(_row)
