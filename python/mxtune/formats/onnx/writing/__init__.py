"""Networks and models as ONNX, for onnxruntime (also in browsers and on phones), OpenVINO and TensorRT.

``rules``: our operators as ONNX's, a file a family.  ``layers``: what a rule is given.  ``file``: the bytes.

A network is written as it is: normalised images in, logits out. A model is written whole: images (N, H, W, C) uint8 of
its size in, probabilities or numbers out, with its classes and its preparation in the metadata. Outputs that were
attached follow under the names of their layers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .... import store
from ....errors import FormatError
from ....graph import LIMITS, Graph, shapes_of
from ....ops import Shape
from ... import Contents
from ...notes import texts_of
from ...untrusted import FaultError
from ..operators import BATCH
from . import rules  # noqa: F401 - they register themselves
from .file import FLOAT, UINT8, File
from .layers import Layer, name_of
from .layers import write as write_layer

_ACTIVATIONS = {"classification": "Softmax", "multilabel": "Sigmoid"}
_LAYER = 'Replace the layer, or write ".mxt" or "-symbol.json", which hold any.'
_MOST = 2**31 - 2**20  # bytes of a protocol buffers' message


def write(path: Path, contents: Contents) -> None:
    """Write a network or a model.

    Raises
    ------
    FormatError
        There is no whole network, or it has a layer without an equivalent in ONNX; the layer is named.
    StoreError
        The file can't be written.
    """
    try:
        parts = content_of(contents)
    except FaultError as fault:
        hint = _LAYER if fault.hint == _LAYER else None
        raise FormatError(f"Can't write {path} as ONNX.", [fault.what], hint) from None
    store.write(path, parts, "the network")


def content_of(contents: Contents) -> list[bytes]:
    """The bytes of the file, in parts."""
    graph, weights, preprocess = contents.graph, contents.weights, contents.preprocess
    if graph is None or weights is None or preprocess is None:
        raise FaultError("there is no whole network: its graph, its weights and how images are prepared are needed")
    if len(graph.inputs) != 1:
        raise FaultError(f"a network must have one input, not {len(graph.inputs)}")
    (image,) = graph.inputs
    size: Shape = (preprocess.channels, *preprocess.size)
    shapes = shapes_of(graph, {image: (BATCH, *size)}, LIMITS.times(max(contents.limit, 1) * BATCH))
    file = File()
    file.arrays.update(_parameters(graph, weights, image))
    is_model = contents.model is not None
    if is_model:
        _prepare(file, preprocess, image)
    for node in graph.nodes:
        if not node.is_variable:
            try:
                write_layer(Layer(file, graph, node, shapes))
            except FaultError as fault:
                raise FaultError(f"{node.name} ({node.op}): {fault.what}", _LAYER) from None
    names = [name_of(*head) for head in graph.heads]
    task = (contents.model or {}).get("task")
    if is_model:
        kind = _ACTIVATIONS.get(str(task), "Identity")
        result = "predictions" if kind == "Identity" else "probabilities"
        file.add(kind, names[:1], result, **({"axis": 1} if kind == "Softmax" else {}))
        names[0] = result
    sides = [["batch" if side == BATCH else side for side in shapes[name][output]] for name, output in graph.heads]
    port: Any = ("images", UINT8, ["batch", *size[1:], size[0]]) if is_model else (image, FLOAT, ["batch", *size])
    texts = {**texts_of(contents), **({"mxtune.task": str(task)} if is_model else {})}
    parts = file.content(contents.provenance.get("name", ""), port, list(zip(names, sides)), texts)
    if sum(map(len, parts)) > _MOST:
        raise FaultError("it would have more than the 2 GB that a file of ONNX can have")
    return parts


def _parameters(graph: Graph, weights: Any, image: str) -> dict[str, Any]:
    needed = [node.name for node in graph.nodes if node.is_variable and node.name != image]
    foreign = sorted(set(weights) - set(needed))
    if foreign or not set(needed) <= set(weights):
        name = (foreign or sorted(set(needed) - set(weights)))[0]
        raise FaultError(f"{name}: it is not a parameter of the network, or has no value")
    arrays = {name: np.asarray(weights[name]) for name in needed}
    wrong = [name for name, array in arrays.items() if array.dtype != np.float32]
    if wrong:
        raise FaultError(f"{wrong[0]}: it holds {arrays[wrong[0]].dtype}, not float32")
    return arrays


def _prepare(file: File, preprocess: Any, image: str) -> None:
    """Images (N, H, W, C) uint8 as the network takes them, by the arithmetic of `images.preprocess.normalise`."""
    shape = (1, preprocess.channels, 1, 1)
    mean = file.constant("images/mean", np.array(preprocess.mean, np.float32).reshape(shape))
    scale = file.constant("images/scale", np.array([1 / std for std in preprocess.std], np.float32).reshape(shape))
    file.add("Cast", ["images"], "images/float", to=FLOAT)
    file.add("Transpose", ["images/float"], "images/planes", perm=(0, 3, 1, 2))
    file.add("Sub", ["images/planes", mean], "images/centred")
    file.add("Mul", ["images/centred", scale], image)
