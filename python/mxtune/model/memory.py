"""`Memory`: what a model remembers of the features of its training images; ``memory.safetensors`` of its file.

Features are standardised by ``mean`` and ``scale`` and taken along principal axes: up to 256 for all stages but the
last, and up to 128 for the last one (networks whose head takes the last features alone have only the 256). For
2,000 images and EfficientNet-Lite0 these are 3.5 MB. Beyond 4,000 images a sample of them is remembered, each class in
proportion.

================ ===================== ==================================================================
array            shape, type           what it is
================ ===================== ==================================================================
``mean, scale``  (d,) float32          of each feature of the network's body
``axes_0``       (d0, r0) float16      axes of the first d0 features, the widest first
``axes_1``       (d - d0, r1) float16  axes of the others; missing where d0 = d
``coordinates``  (n, r0 + r1) float16  of the images that are remembered, along the axes
``row``          (n,) int32            the place of each among the images for training, ascending
``group``        (n,) int32            equal for what belongs together (copies, groups)
``labels``       (n,) int32 codes of classes; (n, K) uint8 for multilabel; (n,) or (n, K) float64 for numbers
``digests``      (n, 16) uint8         of the content of each
``names``        (b,) uint8            a JSON list of texts, UTF-8
``whitening, means, beside, usual``    see `mxtune.model.novelty`; missing where novelty can't be told
================ ===================== ==================================================================

In Python: ``model.memory`` is None, or has ``names``, ``labels``, ``coordinates``, ``row``, ``group``, ``digests``;
``memory.seen(features)`` gives features (N, d) of other images in the same coordinates. The axes of each part are
orthonormal and the coordinates unscaled: a ridge-penalised head on them is nearly the one on all standardised features.
``memory.images`` says how many images there were, where some are not remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..formats.untrusted import json_of
from .novelty import Novelty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_IMAGES = 4000
_BLOCK = 512  # images whose similarities are computed at once
MOST_AXES = (256, 128)
_DIGEST = 16
_KINDS = {
    **{"mean": "f4", "scale": "f4", "coordinates": "f2", "row": "i4", "group": "i4", "digests": "u1", "names": "u1"},
    **{"axes_0": "f2", "axes_1": "f2", "whitening": "f4", "means": "f4", "beside": "f4", "usual": "f4"},
}
_LABELS = {"classification": "i4", "multilabel": "u1", "regression": "f8"}


@dataclass(frozen=True, eq=False)
class Memory:
    """Training images by name, their labels, and where they lie among the network's features; see the module."""

    names: Sequence[str]
    labels: Array
    digests: Array
    row: Array
    group: Array
    coordinates: Array
    mean: Array
    scale: Array
    axes: tuple[Array, ...]
    novelty: Optional[Novelty] = None
    images: int = 0  # for training, remembered or not

    def __len__(self) -> int:
        return len(self.names)

    def seen(self, features: Array) -> tuple[Array, Array]:
        """Coordinates (N, r0 + r1) float32 of features (N, d); and (N,) squares of the length of the first d0.

        Features that are not numbers, of images that can't be read, give NaN.
        """
        parts: list[Array] = []
        squares, start = np.zeros(len(features)), 0
        for axes in self.axes:
            columns = slice(start, start + len(axes))
            standard = (features[:, columns] - self.mean[columns]) / self.scale[columns]
            parts.append(standard @ axes.astype(np.float32))
            if not start:
                squares = np.einsum("ij,ij->i", standard, standard, dtype=np.float64)
            start = columns.stop
        return np.concatenate(parts, axis=1), squares

    def novelties(self, features: Array) -> Array:
        """(N,) float64: how far features (N, d) lie from what was trained on; 1 is the limit of what is usual."""
        assert self.novelty is not None  # noqa: S101 - the caller has looked
        return self.novelty.distances(*self.seen(features)) / self.novelty.limit

    def nearest(self, along: Array, digests: Sequence[bytes], n: int, good: Array) -> tuple[Array, Array, Array]:
        """Rows of images, the places here of those nearest to each, and their similarity, (M,) each, in order.

        Parameters
        ----------
        along
            (N, r0 + r1): images along the axes.
        digests
            Of the content of each: an image is not its own neighbour.
        n
            How many of each, at most.
        good
            (N,) bool: which of them are known.
        """
        own = unit(self.coordinates)
        copies: dict[bytes, list[int]] = {}
        for place, digest in enumerate(self.digests):
            copies.setdefault(digest.tobytes(), []).append(place)
        rows, places, similarity = [], [], []
        for start in range(0, len(along), _BLOCK):
            block = np.flatnonzero(good[start : start + _BLOCK]) + start
            cosines = unit(along[block]) @ own.T
            for alike, row in zip(cosines, block):
                alike[copies.get(digests[row], [])] = -np.inf
                best = np.argsort(-alike, kind="stable")[:n]
                best = best[np.isfinite(alike[best])]
                rows.append(np.full(len(best), row))
                places.append(best)
                similarity.append(alike[best].astype(np.float64))
        nothing = [np.zeros(0, np.int64)]
        return np.concatenate(rows or nothing), np.concatenate(places or nothing), np.concatenate(similarity or nothing)

    # ---- in a file

    def arrays(self) -> dict[str, Array]:
        """As they lie in a file."""
        names = np.frombuffer(json.dumps(list(self.names)).encode(), np.uint8)
        own = {name: getattr(self, name) for name in ("labels", "digests", "row", "group", "coordinates")}
        own |= {"mean": self.mean, "scale": self.scale}
        axes = {f"axes_{number}": part for number, part in enumerate(self.axes)}
        images = np.asarray([self.images], np.int32)
        told = {} if self.novelty is None else self.novelty.arrays()
        return {**own, **axes, **told, "names": names, "images": images}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], task: str, outputs: int, features: int) -> Memory:
        """What `arrays` gave, for a model of this task with so many outputs and features.

        Raises
        ------
        ValueError
            It does not fit the model, or is not what `arrays` gives.
        KeyError
            An array is missing.
        """
        for name, kind in {**_KINDS, "images": "i4", "labels": _LABELS[task]}.items():
            if name in arrays and arrays[name].dtype != np.dtype(f"<{kind}"):
                raise ValueError(f"the {name} in its memory have another type")
            if name in arrays and not np.isfinite(arrays[name]).all():
                raise ValueError(f"the {name} in its memory are not finite")
        axes = tuple(arrays[name] for name in ("axes_0", "axes_1") if name in arrays)
        if not axes or any(part.ndim != 2 or not part.size for part in axes) or sum(map(len, axes)) != features:
            raise ValueError("the axes in its memory are not of its features")
        mean, scale = arrays["mean"], arrays["scale"]
        if mean.shape != (features,) or scale.shape != (features,) or not (scale > 0).all():
            raise ValueError("its memory does not tell how features are standardised")
        names = json_of("names", arrays["names"].tobytes())
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError("the images in its memory have no names")
        count, width = len(names), sum(part.shape[1] for part in axes)
        shapes = {"coordinates": (count, width), "digests": (count, _DIGEST), "row": (count,), "group": (count,)}
        if any(arrays[name].shape != shape for name, shape in shapes.items()) or arrays["images"].shape != (1,):
            raise ValueError("its memory is not told whole")
        row, images = arrays["row"], int(arrays["images"][0])
        if row[0] < 0 or row[-1] >= images or (np.diff(row) <= 0).any():
            raise ValueError("its memory does not tell which images it is of")
        labels = arrays["labels"]
        _check_labels(labels, task, count, outputs)
        novelty = Novelty.from_arrays(arrays, axes[0].shape[1]) if "whitening" in arrays else None
        told = {name: arrays[name] for name in ("labels", "digests", "row", "group", "coordinates", "mean", "scale")}
        return cls(names, axes=axes, novelty=novelty, images=images, **told)


def unit(along: Array) -> Array:
    """Coordinates (N, r) as float32 of length 1."""
    values = along.astype(np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, np.finfo(np.float32).tiny))


def _check_labels(labels: Array, task: str, count: int, outputs: int) -> None:
    one_each = task == "classification" or (task == "regression" and outputs == 1)
    if labels.shape != ((count,) if one_each else (count, outputs)):
        raise ValueError("the images in its memory have no labels")
    if task == "classification" and not ((labels >= 0) & (labels < outputs)).all():
        raise ValueError("the images in its memory have labels that are not its own")
    if task == "multilabel" and (labels > 1).any():
        raise ValueError("the images in its memory have labels that are not its own")
