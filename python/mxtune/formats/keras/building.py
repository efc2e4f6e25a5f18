"""What rules of layers use: the graph that they add to, and a layer as it is applied."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from ...images.preprocess import CHANNELS
from ...words import counted, listing
from ..onnx.model import OnnxNode
from ..onnx.operators import BATCH, Const, Value, Writer, convert
from ..onnx.operators import Call as OnnxCall
from ..untrusted import FaultError
from .config import Call, Layer, Net, Ref
from .hdf5 import Array

Results = Union[Value, list[Value]]
READ = "mxtune reads networks that take one image, and classify it or give features of it."
_OPSET = 20


class Building:
    """A graph on its way: what each layer adds to.

    Parameters
    ----------
    version
        Of Keras, as ``(2, 4)``; a few functions have changed their meaning since.
    channels_first
        Whether images are (N, C, H, W) for this network.
    size
        Height and width of the images where the file leaves them open.
    """

    def __init__(self, version: tuple[int, ...], channels_first: bool, size: tuple[int, int]) -> None:
        self.version, self.channels_first, self.size = version, channels_first, size
        self.writer = Writer()
        self.image: tuple[int, int, int] = (0, 0, 0)

    # ---- what rules use

    def op(
        self, op: str, name: str, *inputs: Union[Value, Array, np.float32, None], alone: bool = False, **attributes: Any
    ) -> Value:
        """What an operator of ONNX gives, by the rules of our reader of ONNX.

        Parameters
        ----------
        alone
            Whether the inputs are used here alone, so that a sum may become their layer's bias.
        """
        node = OnnxNode(op, name, (), ("",), attributes)
        wrapped = tuple(one if one is None or isinstance(one, Value) else Const(np.asarray(one)) for one in inputs)
        results = convert(self.writer, OnnxCall(node, _OPSET, wrapped, name, (alone,) * len(inputs)))
        if not results or not isinstance(results[0], Value):
            raise FaultError(f"{op} gives nothing here")
        return results[0]

    # ---- the image

    def input(self, net: Net) -> Value:
        """The image, as the network takes it.

        Raises
        ------
        FaultError
            It takes other than one image.
        """
        if len(net.inputs) != 1:
            found = listing([ref.layer for ref in net.inputs], 4)
            count = counted(len(net.inputs), "input")
            raise FaultError(f"it takes {count} ({found}), and a network here takes one: the image", READ)
        shape = _input_shape(net)
        if len(shape) == 2:  # height and width of grey images
            height, width = (side or default for side, default in zip(shape, self.size))
            entry = self._image(1, height, width)
            return self.writer.without(Value(entry, (BATCH, 1, height, width), (0, 1, 2, 3)), (1,), "grey")
        if len(shape) != 3:
            raise FaultError(
                f"its input has {counted(len(shape), 'axis')} beside the batch, and images have three", READ
            )
        channels, *sides = shape if self.channels_first else (shape[2], shape[0], shape[1])
        if channels not in CHANNELS:
            raise FaultError(f"its input has {channels or 'an open number of'} channels, not 1, 3 or 4", READ)
        height, width = _resized(net) or (side or default for side, default in zip(sides, self.size))
        entry = self._image(channels, height, width)
        if self.channels_first:
            return Value(entry, (BATCH, channels, height, width), (0, 1, 2, 3))
        return Value(entry, (BATCH, height, width, channels), (0, 2, 3, 1))

    def _image(self, channels: int, height: int, width: int) -> tuple[str, int]:
        if max(height, width) > 2**14:
            raise FaultError(f"its images have {height} x {width} pixels")
        self.image = (channels, height, width)
        return self.writer.image((BATCH, *self.image))


@dataclass(frozen=True)
class One:
    """A layer as it is applied: its arguments, checked, and its arrays by slot.

    Parameters
    ----------
    values
        Of the network so far, for arguments that are none of the inputs.
    """

    layer: Layer
    call: Call
    arrays: Mapping[str, Array]
    values: Mapping[Ref, Value]

    @property
    def name(self) -> str:
        """What its layers are called."""
        return re.sub(r"[^\w.\-]", "_", self.layer.name)[:200] or "layer"

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, as the file has it."""
        value = self.layer.config.get(name, default)
        return default if value is None else value

    def text(self, name: str, default: str) -> str:
        """An argument that is a text."""
        value = self.get(name, default)
        if not isinstance(value, str):
            raise FaultError(f"its {name} is no text")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """An argument that is true or false."""
        return flag_of(self.layer, name, default)

    def number(self, name: str, default: float) -> float:
        """An argument that is a number."""
        value = self.get(name, default)
        if isinstance(value, dict) and isinstance(value.get("config"), dict):  # a tensor, written out
            value = value["config"].get("value")
        if isinstance(value, (bool, list, dict, str)) or not math.isfinite(float(value)):
            raise FaultError(f"its {name} is no number")
        return float(value)

    def whole(self, name: str, default: int) -> int:
        """An argument that is a whole number below 2^24."""
        value = self.get(name, default)
        if type(value) is not int or abs(value) >= 2**24:
            raise FaultError(f"its {name} is no whole number")
        return value

    def pair(self, name: str, default: Union[int, tuple[int, int], None] = None) -> tuple[int, int]:
        """Height and width, or one number for both; of the range that windows may have."""
        value = self.get(name, default)
        sides = (value, value) if type(value) is int else tuple(value)
        if len(sides) != 2 or any(type(side) is not int or not 0 < side < 2**15 for side in sides):
            raise FaultError(f"its {name} is {str(value)[:40]}, not two sides")
        return sides[0], sides[1]

    def is_first(self, building: Building) -> bool:
        """Whether its channels come before height and width."""
        kind = self.text("data_format", "channels_first" if building.channels_first else "channels_last")
        return kind == "channels_first"


def flag_of(layer: Layer, name: str, default: bool) -> bool:
    """An argument of a layer that is true or false."""
    value = layer.config.get(name, default)
    return default if value is None else bool(value)


def first(x: Value, already: bool = False) -> Value:
    """A map with its channels before height and width; nothing is computed."""
    if len(x.shape) != 4:
        raise FaultError(f"it takes maps, and its input has {counted(len(x.shape) - 1, 'axis')} beside the batch")
    return x if already else moved(x, (0, 3, 1, 2))


def last(x: Value, already: bool = False) -> Value:
    """The other way round: a map as the network has it, of one whose channels come first."""
    return x if already else moved(x, (0, 2, 3, 1))


def moved(x: Value, order: Sequence[int]) -> Value:
    """A value with its axes in another order; nothing is computed."""
    return Value(x.entry, tuple(x.shape[axis] for axis in order), tuple(x.axes[axis] for axis in order))


def _resized(net: Net) -> Optional[tuple[int, int]]:
    """The size that the first of the layers that resize or crop makes of every image."""
    for layer in net.layers:
        if layer.net is not None and (found := _resized(layer.net)):
            return found
        if layer.kind in ("Resizing", "CenterCrop", "RandomCrop"):
            height, width = layer.config.get("height"), layer.config.get("width")
            return (height, width) if type(height) is type(width) is int and min(height, width) > 0 else None
    return None


def _input_shape(net: Net) -> list[Union[int, None]]:
    layer = next((one for one in net.layers if one.name == net.inputs[0].layer), None)
    raw = None
    while layer is not None and raw is None:
        raw = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
        inner = layer.net  # a Sequential may begin with a whole network
        layer = next((one for one in inner.layers if one.name == inner.inputs[0].layer), None) if inner else None
    if not isinstance(raw, list):
        raise FaultError("it does not say the shape of its images", "Build it (model.build(...)) and save it again.")
    sides = [None if side is None else side for side in raw[1:]]
    if any(side is not None and (type(side) is not int or not 0 < side < 2**31) for side in sides):
        raise FaultError("the shape of its images is impossible")
    return sides
