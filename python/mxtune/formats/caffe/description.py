"""A network's description, ``.prototxt``: its layers, as a graph, and how images are prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Optional

from ...graph import LIMITS, Entry, Graph, Limits, shapes_of
from ...images.preprocess import Preprocess
from ...ops import Shape
from ..untrusted import FaultError
from . import text
from .layers import Building, made
from .net import LOSSES, MEASURES, SOURCES, Layer, images_of, kind_of_v1, one, scaled
from .text import Message

_MEAN = (123.0, 117.0, 104.0)  # of ImageNet in red, green, blue, as the networks of Caffe's model zoo have it


@dataclass(frozen=True)
class Description:
    """A network as it is used: without the layers that only training has.

    Parameters
    ----------
    name
        Its name; empty if it has none.
    layers
        In order.
    inputs
        Blobs that are declared as input.
    image
        (C, H, W) of the input, as far as it is known.
    """

    name: str
    layers: Sequence[Layer]
    inputs: tuple[str, ...]
    image: Optional[Shape]

    def graph(self, limits: Limits = LIMITS) -> Graph:
        """The graph, with all layers, and the last one's output as its head.

        Raises
        ------
        FaultError
            A layer is not supported, or takes what nothing makes.
        NetworkError
            The network needs more than `limits` allows.
        """
        images = sorted(images_of(self.layers, self.inputs))
        if len(images) != 1:
            raise FaultError(f"it has {len(images)} inputs, and a network for images has one")
        net = Building(self.image, scaled(self.layers))
        blobs: dict[str, Entry] = {images[0]: net.input}
        unused: dict[str, Entry] = {}
        for layer in self.layers:
            if layer.kind in SOURCES | MEASURES:
                continue
            bottoms = layer.bottoms[:1] if layer.kind in LOSSES else layer.bottoms  # then comes the truth
            inputs = tuple(_taken(layer, bottom, blobs) for bottom in bottoms)
            if not inputs:
                raise FaultError(f"{layer.name}: it takes nothing")
            for bottom in layer.bottoms:
                unused.pop(bottom, None)
            entries = inputs if layer.kind in LOSSES else made(net, layer, inputs)
            for top, entry in zip(layer.tops or (layer.name,), entries):
                unused.pop(top, None)
                blobs[top] = unused[top] = entry
        if not unused:
            raise FaultError("it has no layer")
        whole = Graph(net.builder.graph(*unused.values()).nodes, (list(unused.values())[-1],))
        if self.image is not None:
            shapes_of(whole, {net.input[0]: (1, *self.image)}, limits)
        return whole

    def preprocess(self) -> tuple[Optional[Preprocess], bool]:
        """How images are prepared, in red, green and blue, and whether the description says so itself."""
        settings = next((m for layer in self.layers if (m := layer.message("transform_param"))), {})
        if self.image is None:
            return None, False
        channels, height, width = self.image
        means = [float(value) for value in settings.get("mean_value", [])][::-1]
        scale = float(one(settings, "scale", 1))
        says = bool(means) or "scale" in settings
        if not says and channels == 3:
            means = list(_MEAN)
        if channels not in (1, 3) or len(means) not in (0, 1, channels) or not (isfinite(scale) and scale > 0):
            return None, False
        spec = Preprocess(
            size=(height, width),
            channels=channels,
            mean=tuple(means) or (0.0,),
            std=(1 / scale,) if says or channels == 3 else (255.0,),
            interpolation="bilinear",
        )
        return spec, says


def parse(content: str) -> Description:
    """The network that a description has for prediction.

    Raises
    ------
    FaultError
        It is no description of a network, or one of before 2013.
    """
    fields = text.parse(content)
    written = [*fields.get("layer", []), *fields.get("layers", [])]
    if not written or not all(isinstance(layer, dict) for layer in written):
        raise FaultError("it describes no layers")
    if any("layer" in layer for layer in written):
        raise FaultError("it is of Caffe's first version", "Convert it with Caffe's upgrade_net_proto_text.")
    layers = [_layer(fields) for fields in written if _is_for_prediction(fields)]
    return Description(
        name=str(one(fields, "name", "")),
        layers=layers,
        inputs=tuple(map(str, fields.get("input", []))),
        image=_image(fields, layers),
    )


def _layer(fields: Message) -> Layer:
    return Layer(
        name=str(one(fields, "name", "")),
        kind=kind_of_v1(str(one(fields, "type", ""))),
        bottoms=tuple(map(str, fields.get("bottom", []))),
        tops=tuple(map(str, fields.get("top", []))),
        fields=fields,
    )


def _is_for_prediction(fields: Message) -> bool:
    """Whether a layer is there in Caffe's phase TEST."""
    phases = {name: [one(rule, "phase", None) for rule in fields.get(name, []) if isinstance(rule, dict)]
              for name in ("include", "exclude")}  # fmt: skip
    test = ("TEST", 1, None)
    if phases["include"]:
        return any(phase in test for phase in phases["include"])
    return not any(phase in test[:2] for phase in phases["exclude"])


def _image(fields: Message, layers: Sequence[Layer]) -> Optional[Shape]:
    """(C, H, W) of the input: as it is declared, or as a layer of data crops it, in colour."""
    shapes: list[Any] = [fields.get("input_dim", [])]
    shapes += [shape.get("dim", []) for shape in fields.get("input_shape", []) if isinstance(shape, dict)]
    for layer in layers:
        if layer.kind == "Input":
            shapes += [shape.get("dim", []) for shape in layer.settings.get("shape", []) if isinstance(shape, dict)]
        elif layer.kind in SOURCES:
            crop = one(layer.message("transform_param"), "crop_size", None)
            shapes += [[1, 3, crop, crop]] if crop else []
    for shape in shapes:
        if len(shape) >= 4 and all(type(side) is int and 0 < side < 2**31 for side in shape[:4]):
            return tuple(shape[1:4])
    return None


def _taken(layer: Layer, bottom: str, blobs: dict[str, Entry]) -> Entry:
    if bottom not in blobs:
        raise FaultError(f"{layer.name}: it takes {bottom[:80]}, which no layer before it makes")
    return blobs[bottom]
