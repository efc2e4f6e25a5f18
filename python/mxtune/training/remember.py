"""What a model is to remember of its training images: principal axes of their features, and how far is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..blas import one_thread, product
from ..images import ImageSet
from ..images.loader import Loader
from ..images.split import fold_numbers
from ..model.memory import MOST_AXES, MOST_IMAGES, Memory
from ..model.model import Model
from ..model.novelty import LEAST, Novelty
from .head import standardise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Rows = NDArray[np.int64]

_OVER = 16  # axes more than are kept, until the widest are found
_GAUSSIAN = 128  # axes with a variance of their own; .989 of a garment and a digit were told apart, with 256 .990
_IMAGES_AN_AXIS = 4
_IMAGES_A_CLASS = 10  # with fewer, its mean says less than that of all
_FOLDS, _MOST_FOLDS, _ROWS = 5, 20, 8000  # of few images one fold less is much less; together so many rows
_SHARE, _ALWAYS = 0.1, 100  # of the work of the training; images that are a moment's work in any case
_PASSES = 2  # that an epoch counts as: forward, and back through the layers that are trained
_KINDS = {"classification": np.int32, "multilabel": np.uint8, "regression": np.float64}


def sample(images: ImageSet, most: int, seed: int) -> Rows:
    """The rows of at most so many images, ascending, each class in proportion."""
    count = len(images)
    if count <= most:
        return np.arange(count)
    strata = images.labels.strata(np.arange(count), most / count)
    first = strata if strata.ndim == 1 else np.where(strata.any(axis=1), strata.argmax(axis=1), -1)
    order = np.lexsort((np.random.default_rng(seed).random(count), first))
    return np.sort(order[np.arange(most) * count // most])


@one_thread()
def remembered(
    features: NDArray[np.float32],
    mean: Array,
    scale: Array,
    images: ImageSet,
    rows: Rows,
    group: Array,
    deepest: int,
    seed: int,
    outside: Optional[NDArray[np.float32]] = None,
    learned: bool = False,
) -> Memory:
    """What is remembered of these images.

    Parameters
    ----------
    features
        (n, d): those of the ``rows``, standardised by ``mean`` and ``scale``.
    images, rows, group
        All images for training; which are remembered; what belongs together, (n,).
    deepest
        The column at which the features of the last stage begin; 0 where there are no others.
    outside
        (m, d): standardised features of images that were not trained on.
    learned
        Whether the network has learned these features from the images: others lie farther away, so how far is usual
        is told by those outside alone.
    """
    parts = [slice(0, deepest), slice(deepest, None)] if deepest else [slice(None)]
    axes = [_axes(features[:, part], most) for part, most in zip(parts, MOST_AXES)]
    halves = [part.astype(np.float16) for part in axes]
    along = np.concatenate([product(features[:, part], own.astype(np.float32)) for part, own in zip(parts, halves)], 1)
    first = features[:, parts[0]]
    novelty = None
    codes = np.zeros(len(rows), np.int64)
    if images.has_classes and images.labels.strata(rows[:1], 1).ndim == 1:
        present, own = np.unique(np.asarray(images.y)[rows], return_inverse=True)
        codes = own.reshape(-1) if len(rows) >= _IMAGES_A_CLASS * len(present) else codes
    beyond = 0 if outside is None else len(outside)
    if (beyond if learned else len(set(group.tolist()))) >= LEAST and first.std() > 0:
        width = min(_GAUSSIAN, axes[0].shape[1], max(1, len(rows) // _IMAGES_AN_AXIS))
        squares = np.einsum("ij,ij->i", first, first, dtype=np.float64)
        whole = _gaussian(along[:, :width], squares, codes, first.shape[1])
        if learned:
            assert outside is not None  # noqa: S101 - there are some
            own_part = outside[:, parts[0]]
            beside = np.einsum("ij,ij->i", own_part, own_part, dtype=np.float64)
            usual = whole.distances(product(own_part, halves[0].astype(np.float32)), beside)
        else:
            usual = _out_of_fold(first, axes[0][:, :width], codes, group, seed)
        novelty = Novelty(whole.whitening, whole.means, whole.beside, np.sort(usual).astype(np.float32))
    return Memory(
        [images.names[row] for row in rows],
        np.asarray(images.y)[rows].astype(_KINDS[images.task or "regression"]),
        np.frombuffer(b"".join(images.hashes[row] for row in rows), np.uint8).reshape(len(rows), -1),
        rows.astype(np.int32),
        np.unique(group, return_inverse=True)[1].reshape(-1).astype(np.int32),
        np.clip(along, -60_000, 60_000).astype(np.float16),
        mean.astype(np.float32),
        scale.astype(np.float32),
        tuple(halves),
        novelty,
        len(images),
    )


def after_layers(
    model: Model, train: Loader, validation: Optional[Loader], unseen: Rows, epochs: int, seed: int
) -> None:
    """Let a model whose layers were trained remember what its features are now, of as many images as are worth it.

    Parameters
    ----------
    unseen
        Which of the images for validation resemble none for training.
    epochs
        How many there were: the features of these images once more are to be a tenth of the work.
    """
    most = min(MOST_IMAGES, max(_ALWAYS, int(_SHARE * _PASSES * epochs * len(train))))
    rows = sample(train.images, most, seed)
    features, good = model.features_of(Loader(train.images.take(rows), train.preprocess, repeated=False))
    rows, features = rows[good], features[good]
    if not len(rows):
        return
    mean, scale = standardise(features)
    outside = None
    if validation is not None and len(unseen):
        others, good = model.features_of(Loader(validation.images.take(unseen), train.preprocess, repeated=False))
        outside = (others[good] - mean) / scale
    group = np.asarray(train.images.together(), np.int64)[rows]
    deepest = model.network.deepest
    model.memory = remembered(
        features, mean, scale, train.images, rows, group, deepest, seed, outside=outside, learned=True
    )


def _axes(features: Array, most: int) -> NDArray[np.float32]:
    """The widest principal axes, (d, r), the widest first: from random ones by one orthogonal iteration (Halko,
    Martinsson & Tropp, 2011), along which lies .97 of the variance along the widest."""
    rank = min(most, *features.shape)
    width = min(rank + _OVER, *features.shape)
    axes = _turned(features, np.random.default_rng(0).normal(size=(len(features), width)).astype(np.float32))
    axes = _turned(features, product(features, axes))
    along = product(features, axes).astype(np.float64)
    vectors = np.linalg.eigh(product(along.T, along))[1]
    found: NDArray[np.float32] = product(axes, vectors[:, ::-1][:, :rank].astype(np.float32))
    return found


def _turned(features: Array, along: Array) -> NDArray[np.float32]:
    """Orthonormal axes of the features, by where each image lies along others: nearer to the widest than those."""
    axes: NDArray[np.float32] = np.linalg.qr(product(features.T, along))[0]
    return axes


def _gaussian(along: Array, squares: Array, codes: Rows, size: int) -> Novelty:
    """What is told of images by their coordinates along the axes, and the squared length of their features."""
    along = along.astype(np.float64)
    means = np.zeros((int(codes.max()) + 1, along.shape[1]))
    np.add.at(means, codes, along)
    means /= np.bincount(codes)[:, None]
    within = along - means[codes]
    covariance = within.T @ within / len(along)
    beside = float(np.maximum(squares - (along**2).sum(axis=1), 0).mean())
    everywhere = (float(np.trace(covariance)) + beside) / size
    values, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(np.maximum(values, 0) + everywhere)
    one = beside / max(size - along.shape[1], 1) + everywhere
    white = (means @ whitening).astype(np.float32)
    return Novelty(whitening.astype(np.float32), white, float(np.float32(one)), np.zeros(0, np.float32))


def _out_of_fold(features: Array, axes: Array, codes: Rows, group: Array, seed: int) -> Array:
    """The distance of each image from the others, by axes and a Gaussian that it has no part in."""
    count = int(np.clip(_ROWS // len(features), _FOLDS, _MOST_FOLDS))
    fold = fold_numbers(codes, group.tolist(), count, seed)
    along = product(features, np.ascontiguousarray(axes))  # where axes of fewer images begin
    found = np.zeros(len(features))
    for number in range(count):
        tested = fold == number
        if not tested.any() or tested.all():
            continue
        seen = features[~tested]
        mean, scale = standardise(seen)
        new = (features[tested] - mean) / scale
        own = _turned(seen, along[~tested])
        present = np.unique(codes[~tested], return_inverse=True)[1].reshape(-1)
        squares = [np.einsum("ij,ij->i", part, part, dtype=np.float64) for part in (seen, new)]
        others = _gaussian(product(seen, own), squares[0], present, features.shape[1])
        found[tested] = others.distances(product(new, own), squares[1])
    return found
