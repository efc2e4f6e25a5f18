"""`Quantised`: what a model knows about itself in int8; ``int8.safetensors`` of its file.

============= ================== ===================================================================
array         shape, type        what it is
============= ================== ===================================================================
``names``     (b,) uint8         a JSON list of texts, UTF-8: layers and inputs
``ranges``    (n, 2) float32     the least and the greatest value of each
``weight``    (K, d) float32     of the classifier in int8; its own, where that was trained on features in int8
``bias``      (K,) float32
``gain``      (d,) float32       features in int8 times ``gain`` plus ``offset`` are like those in float32
``offset``    (d,) float32
============= ================== ===================================================================

Rounding moves features, all in one direction as well as apart: of 2,000 images of Fashion-MNIST .998 were novel to what
EfficientNet-Lite0 remembers from float32, with ``gain`` and ``offset`` .036, in float32 .038.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..blas import one_thread
from ..engines.base import Ranges
from ..formats.untrusted import json_of
from ..words import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

KEY = "int8"  # in the settings: what was measured and chosen
ENOUGH = 200  # images that the model was not trained on, for a choice
_KINDS = {"names": "u1", **dict.fromkeys(("ranges", "weight", "bias", "gain", "offset"), "f4")}
_GREATEST = 1e30  # of float32, with room for sums
_FLOOR = 0.3  # of the median spread, as in the training of heads
_RIDGE = 1.0  # per image and feature of unit variance; .3 to 30 were within .1 % of its log-loss on Fashion-MNIST
_MOST = 2000  # images whose similarities are solved


@dataclass(frozen=True, eq=False)
class Quantised:
    """The ranges of a model's layers, its classifier in int8, and what makes features like those in float32."""

    ranges: Ranges
    weight: Array
    bias: Array
    gain: Array
    offset: Array

    def restored(self, features: Array) -> Array:
        """Features (N, d) in int8 as they would be in float32."""
        return np.asarray(features * self.gain + self.offset, np.float32)

    def restore(self, features: Array) -> None:
        """The same in place, for many images."""
        features *= self.gain
        features += self.offset

    def under(self, weight: Array, bias: Array) -> Quantised:
        """The same with a classifier, (K, d) and (K,), that was trained on such features."""
        return replace(self, weight=weight * self.gain, bias=(bias + weight @ self.offset).astype(np.float32))

    # ---- in a file

    def arrays(self) -> dict[str, Array]:
        """As they lie in a file."""
        own = {name: np.asarray(getattr(self, name), np.float32) for name in ("weight", "bias", "gain", "offset")}
        names = np.frombuffer(json.dumps([*self.ranges]).encode(), np.uint8)
        return {**own, "names": names, "ranges": np.array([*self.ranges.values()], np.float32).reshape(-1, 2)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], outputs: int, features: int) -> Quantised:
        """What `arrays` gave, for a model with so many outputs and features.

        Raises
        ------
        ValueError
            It does not fit the model, or is not what `arrays` gives.
        KeyError
            An array is missing.
        """
        for name, kind in _KINDS.items():
            if arrays[name].dtype != np.dtype(f"<{kind}"):
                raise ValueError(f"the {name} of its int8 have another type")
            if not (np.abs(arrays[name].astype(np.float64)) < _GREATEST).all():
                raise ValueError(f"the {name} of its int8 are not finite")
        names, pairs = json_of("names", arrays["names"].tobytes()), arrays["ranges"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("the ranges of its int8 have no names")
        if pairs.shape != (len(names), 2) or not (pairs[:, 0] <= pairs[:, 1]).all():
            raise ValueError("the ranges of its int8 are no ranges")
        shapes = {"weight": (outputs, features), "bias": (outputs,), "gain": (features,), "offset": (features,)}
        if any(arrays[name].shape != shape for name, shape in shapes.items()):
            raise ValueError("its int8 is not of its features")
        ranges = {name: (low, high) for name, (low, high) in zip(names, pairs.tolist())}
        return cls(ranges, *(arrays[name] for name in shapes))


@one_thread()
def matched(exact: Array, low: Array, weight: Array, bias: Array) -> tuple[Array, Array]:
    """The classifier whose outputs for features in int8 are nearest to its own for those in float32, (K, d) and (K,).

    Least squares, with a penalty on the distance from the classifier as it was: of few images it learns little, and
    never labels.

    Parameters
    ----------
    exact, low
        (N, d) float32: features of the same images in float32 and in int8.
    weight, bias
        Of the classifier on the former.
    """
    if len(low) > _MOST:
        rows = np.linspace(0, len(low) - 1, _MOST).astype(int)
        exact, low = exact[rows], low[rows]
    mean, spread = low.mean(axis=0), _spread(low)
    standard = (low - mean) / spread
    lost = (exact - low).astype(np.float64) @ weight.T
    shift = lost.mean(axis=0)
    alike = (standard @ standard.T).astype(np.float64) + _RIDGE * len(low) * np.eye(len(low))
    change = (standard.T @ np.linalg.solve(alike, lost - shift)).T / spread
    return (weight + change).astype(np.float32), (bias + shift - change @ mean).astype(np.float32)


def likened(exact: Array, low: Array) -> tuple[Array, Array]:
    """``gain`` and ``offset``, (d,) float32, from features (N, d) of the same images in float32 and in int8.

    The ratio of their spreads would also stretch what rounding adds at random, a regression would shrink what it finds:
    the gain lies between, at their geometric mean.
    """
    mean, centre = low.mean(axis=0), exact.mean(axis=0)
    floor = 0.1 * _floor(low)
    ratio = (exact.std(axis=0) + floor) / (low.std(axis=0) + floor)
    together = ((low - mean) * (exact - centre)).mean(axis=0)
    slope = (together + floor * floor) / (low.var(axis=0) + floor * floor)
    gain = np.sqrt(ratio * np.maximum(slope, 0)).astype(np.float32)
    return gain, (centre - gain * mean).astype(np.float32)


def _spread(features: Array) -> Array:
    return np.asarray(np.maximum(features.std(axis=0), _floor(features)))


def _floor(features: Array) -> Any:
    """What hardly varies must not dominate."""
    spread = features.std(axis=0)
    varying = spread[spread > 1e-6]
    return np.float32(_FLOOR * np.median(varying) if len(varying) else 1.0)


def told(kept: Any) -> str:
    """What was measured and chosen, in words; "" where nothing was."""
    if not isinstance(kept, Mapping):
        return ""
    if not isinstance(kept.get("metrics"), Mapping):
        return f"trained in it, with ranges of {counted(kept['sample'], 'image')}" if "sample" in kept else ""
    speed = f"{'chosen' if kept.get('chosen') else 'not chosen'}: {kept['times_as_fast']:.2g} times as fast"
    if not kept["judged"]:
        return f"{speed}; accuracy not measured, as the model was trained on these images"
    ends = {name: [np.nan if end is None else end for end in pair] for name, pair in kept["metrics"].items()}
    figures = ", ".join(f"{name} {before:.4g} -> {after:.4g}" for name, (before, after) in ends.items())
    few = "" if kept["judged"] >= ENOUGH else f", too few to choose ({ENOUGH})"
    return f"{speed}; {figures} on {counted(kept['judged'], 'image')}{few}"
