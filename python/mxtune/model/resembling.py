"""`Resembling`: which training images are like others, where all lie, and what a layer gives for them."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from ..arguments import one_of, whole
from ..calls import option
from ..errors import ArgumentError, NetworkError
from ..images import ImageSet, mximages
from ..images.audit import require_readable
from ..images.loader import Loader
from ..network.select import layers_of
from ..words import listing
from .judging import Judging
from .memory import Memory, unit
from .predictor import BATCH

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[Any]

PathLike = Union[str, "os.PathLike[str]"]
METHODS = ("auto", "pca", "umap")


class Resembling(Judging):
    """What compares images with those for training; `Model` adds the rest."""

    def nearest(
        self,
        x: Any,
        n: int = 5,
        on_bad: str = "na",
        batch_size: int = BATCH,
        path: Optional[str] = None,
        root: Optional[PathLike] = None,
    ) -> pd.DataFrame:
        """The training images that are most like each image: ``file, rank, neighbour, label, similarity``.

        ``neighbour`` is the name of a training image, and ``label`` its label (for multilabel ``label_<label>``, for
        several numbers ``label_<name>``). ``similarity`` is the cosine of what the network sees in both, which is 1 for
        the same. A training image is not its own neighbour, nor is a copy of its file. An image that can't be read has
        one row, without values.

        Parameters
        ----------
        x
            Images: anything that `mximages` takes.
        n
            How many neighbours of each.
        on_bad, batch_size, path, root
            As for `predict`.

        Raises
        ------
        ArgumentError
            The model remembers nothing of its training images.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), tune="head", image_size=32, verbose=0)
        >>> table = model.nearest(mxexample("fashion"), n=2)
        >>> list(table.columns), len(table)
        (['file', 'rank', 'neighbour', 'label', 'similarity'], 800)
        """
        import pandas as pd

        n, memory = whole("n", n, 1), self._remembered()
        images = self._images_of(x, on_bad, path, root)
        batch_size = whole("batch_size", batch_size, 1)
        along, good = self._outputs(images, "features", batch_size, lambda values: memory.seen(values)[0])
        rows, neighbours, similarity = memory.nearest(along, images.hashes, n, good)
        bad = np.flatnonzero(~good)
        order = np.argsort(np.concatenate([rows, bad]), kind="stable")
        rows = np.concatenate([rows, bad])
        known = np.arange(len(rows)) < len(neighbours)
        first = np.searchsorted(rows[: len(neighbours)], rows[: len(neighbours)])
        table: dict[str, Any] = {
            "file": pd.Series([images.names[row] for row in rows], dtype=str),
            "rank": np.arange(len(neighbours)) - first + 1,
            "neighbour": pd.Series([memory.names[place] for place in neighbours], dtype=str),
            **self._labels_of(memory, neighbours),
            "similarity": similarity,
        }
        frame = pd.DataFrame({name: pd.Series(values) for name, values in table.items()})
        if not known.all():
            frame["rank"] = frame["rank"].astype("Int64")
        frame = frame.iloc[order]
        frame.index = pd.RangeIndex(len(rows)) if images.index is None else images.index[rows[order]]
        return frame

    def features(
        self,
        x: Any,
        layer: Optional[str] = None,
        on_bad: str = "na",
        batch_size: int = BATCH,
        path: Optional[str] = None,
        root: Optional[PathLike] = None,
    ) -> Array:
        """What a layer of the network gives for each image, (N, ...) float32: for maps (N, channels, height, width).

        Images that can't be read are NaN.

        Parameters
        ----------
        x
            Images: anything that `mximages` takes.
        layer
            The name of a layer in ``model.network.layers``; if None what the head takes, (N, d), as
            ``predict(type="features")`` has it.
        on_bad, batch_size, path, root
            As for `predict`.

        Raises
        ------
        NetworkError
            There is no such layer, near matches are named; or it means several.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
        >>> model.features(mxexample("fashion"), "pool1").shape
        (400, 20, 12, 12)
        """
        what = None
        if layer is not None:
            layers = layers_of(self.network.graph, layer)
            if len(layers) != 1 or self.network.graph.node(layers[0]).is_variable:
                several = [f"{layer} means {listing(layers)}"] if len(layers) > 1 else [f"{layer} is a parameter"]
                raise NetworkError("`layer` is one layer of the network.", several)
            what = layers[0]
        images = self._images_of(x, on_bad, path, root)
        loader = Loader(images, self.network.preprocess, repeated=False)
        return self._predictor.layer(loader, what, whole("batch_size", batch_size, 1))

    def map(
        self,
        x: Any = None,
        method: str = "auto",
        batch_size: int = BATCH,
        path: Optional[str] = None,
        root: Optional[PathLike] = None,
    ) -> pd.DataFrame:
        """All training images in two dimensions, those alike near one another: ``file, x, y, label, is_new``.

        ``label`` is a text (several labels joined by commas), or a number, the first of several; missing for new ones.

        Parameters
        ----------
        x
            New images, which are put among them, without labels: anything that `mximages` takes.
        method
            ``"pca"``: the two widest principal axes (Pearson, 1901); ``"umap"``: neighbours stay neighbours (McInnes,
            Healy & Melville, 2018), needs umap-learn; ``"auto"``: the latter where it is installed and there are 50
            images.
        batch_size, path, root
            As for `predict`.

        Raises
        ------
        ArgumentError
            The model remembers nothing of its training images, or umap-learn is not installed.
        """
        import pandas as pd

        memory = self._remembered()
        method = self._map_method(method)
        new: Array = np.zeros((0, memory.coordinates.shape[1]), np.float32)
        names: list[str] = []
        if x is not None:
            images = self._images_of(x, "na", path, root)
            new, good = self._outputs(images, "features", batch_size, lambda values: memory.seen(values)[0])
            names, new = [images.names[row] for row in np.flatnonzero(good)], new[good]
        places = (_by_umap if method == "umap" else _by_axes)(unit(memory.coordinates), unit(new))
        table = {
            "file": pd.Series([*memory.names, *names], dtype=str),
            "x": places[:, 0],
            "y": places[:, 1],
            "label": pd.Series(self._shown_labels(memory)),
            "is_new": np.arange(len(places)) >= len(memory),
        }
        frame = pd.DataFrame(table)
        frame.attrs["method"] = method
        return frame

    def _map_method(self, method: str) -> str:
        one_of("method", method, METHODS)
        installed = importlib.util.find_spec("umap") is not None
        if method == "umap" and not installed:
            raise ArgumentError("UMAP needs the package umap-learn.", hint="Run: pip install umap-learn")
        if method == "auto":
            return "umap" if installed and len(self._remembered()) >= _LEAST_OF_UMAP else "pca"
        return method

    def _remembered(self) -> Memory:
        if self.memory is None:
            hint = f"Train it again with this mxtune; layers for more epochs, or with {option('tune', 'head')}."
            raise ArgumentError("The model remembers nothing of its training images.", hint=hint)
        return self.memory

    def _images_of(self, x: Any, on_bad: str, path: Optional[str], root: Optional[PathLike]) -> ImageSet:
        one_of("on_bad", on_bad, ("na", "error"))
        images = mximages(x, on_bad="keep", range=self._range_for(x), path=path or self.path_column, root=root)
        if on_bad == "error":
            require_readable(images, f"Use {option('on_bad', 'na')} to go on with the others.")
        return images

    def _shown_labels(self, memory: Memory) -> Any:
        if self.task == "regression":
            return memory.labels.reshape(len(memory), -1)[:, 0]
        return [self._task.text(label) for label in memory.labels]

    def _labels_of(self, memory: Memory, places: Array) -> dict[str, Any]:
        """The labels of remembered images, by column."""
        y = memory.labels[places]
        columns = self._task.answers(y, np.zeros((len(y), self._task.outputs), np.float32))
        return {f"label{name[len('truth') :]}": column for name, column in columns.items() if name.startswith("truth")}


_LEAST_OF_UMAP = 50


def _by_axes(remembered: Array, new: Array) -> Array:
    """The two widest principal axes of what is remembered; the sign is that of the largest coordinate."""
    center = remembered.mean(axis=0)
    vectors = np.linalg.eigh(np.cov(remembered.T, bias=True).reshape(remembered.shape[1], -1))[1]
    axes = vectors[:, ::-1][:, :2]
    axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
    places: Array = (np.concatenate([remembered, new]) - center) @ axes
    return np.asarray(places * np.where(places[np.abs(places).argmax(axis=0), [0, 1]] < 0, -1, 1))


def _by_umap(remembered: Array, new: Array) -> Array:
    """A map in which neighbours stay neighbours, the same every time; new images are put into it."""
    import warnings

    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one thread, which the seed asks for
        found = umap.UMAP(n_components=2, metric="cosine", random_state=0, n_jobs=1)
        places = [found.fit_transform(remembered)]
        if len(new):
            places.append(found.transform(new))
    return np.asarray(np.concatenate(places), np.float64)
