"""Estimators of scikit-learn: `MxtuneClassifier` and `MxtuneRegressor` go where its own do (extra ``sklearn``).

``X`` holds an image in each row: an array (N, H, W) or (N, H, W, C), or a tensor; or paths, Pillow images or bytes, in
a list, a series, an array of one axis or a column of a data frame or a table of Arrow. Images that come flattened,
(N, H * W * C), need ``image_shape``.
"""

from __future__ import annotations

import math
import os
import unicodedata
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .arguments import whole
from .calls import value_text
from .errors import ArgumentError, LabelError, MxtuneError
from .images.arrays import as_array
from .images.arrow import plain
from .training import mxtrain

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_consistent_length
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d
except ImportError as error:
    raise MxtuneError(
        "mxtune.sklearn needs scikit-learn 1.6 or later.", [str(error)], "Run: pip install 'scikit-learn>=1.6'"
    ) from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both share: settings of `mxtrain` by name, kept as they are given, and a `Model` in ``model_``."""

    def __init__(
        self,
        net: Any = "auto",
        tune: str = "auto",
        epochs: Optional[int] = None,
        valid: Any = "auto",
        image_size: Any = None,
        batch_size: Optional[int] = None,
        lr: Optional[float] = None,
        schedule: str = "cosine",
        augment: Any = "auto",
        class_weights: Any = None,
        patience: Optional[int] = None,
        restore_best: bool = True,
        head: str = "auto",
        folds: Any = "auto",
        device: Any = "auto",
        precision: str = "auto",
        engine: str = "auto",
        seed: int = 0,
        cache: Any = None,
        range: Any = None,  # noqa: A002 - as mxtrain has it
        deterministic: bool = False,
        time_budget: Any = None,
        callbacks: Any = None,
        verbose: Optional[int] = 0,
        image_shape: Optional[tuple[int, ...]] = None,
    ) -> None:
        self.net = net
        self.tune = tune
        self.epochs = epochs
        self.valid = valid
        self.image_size = image_size
        self.batch_size = batch_size
        self.lr = lr
        self.schedule = schedule
        self.augment = augment
        self.class_weights = class_weights
        self.patience = patience
        self.restore_best = restore_best
        self.head = head
        self.folds = folds
        self.device = device
        self.precision = precision
        self.engine = engine
        self.seed = seed
        self.cache = cache
        self.range = range
        self.deterministic = deterministic
        self.time_budget = time_budget
        self.callbacks = callbacks
        self.verbose = verbose
        self.image_shape = image_shape

    def _train(self, X: Any, y: Any, task: str) -> None:  # noqa: N803 - scikit-learn's name
        X = as_array(plain(X))  # noqa: N806
        images = self._images(X)
        check_consistent_length(images, y)
        settings = {name: value for name, value in self.get_params(deep=False).items() if name != "image_shape"}
        self.model_ = mxtrain(images, y, task=task, **settings)
        self.__dict__.pop("n_features_in_", None)  # of an earlier fit
        if self._is_flat(X):
            self.n_features_in_ = np.shape(X)[1]

    def _predictions(self, X: Any, kind: str, columns: int) -> Array:  # noqa: N803
        """(N, columns): the last columns of what the model predicts."""
        check_is_fitted(self)
        images = self._images(as_array(plain(X)))
        frame = self.model_.predict(images, type=kind, on_bad="error")
        return np.asarray(frame.iloc[:, -columns:].to_numpy(dtype=np.float64))

    def _images(self, X: Any) -> Any:  # noqa: N803
        """``X`` as `mximages` takes it."""
        if isinstance(X, (str, bytes, os.PathLike)):
            raise ArgumentError(
                "`X` must hold an image in each row.", [f"it is {value_text(X)}"], "Folders are for mxtrain()."
            )
        if hasattr(X, "toarray"):
            raise ArgumentError("`X` must be dense, and is sparse.", hint="Use X.toarray().")
        if self._is_flat(X):
            rows = X.to_numpy() if hasattr(X, "iloc") else X
            if rows.dtype == object:  # of pandas' types that know missing values
                rows = X.to_numpy(np.float64, na_value=np.nan)
            return self._unflattened(rows)
        if hasattr(X, "iloc") and getattr(X, "ndim", 1) == 2:
            X = X.iloc[:, 0]  # noqa: N806
        if isinstance(X, np.ndarray) and X.ndim == 3:
            return X[..., np.newaxis]  # grey
        return np.ravel(X) if isinstance(X, np.ndarray) and X.ndim == 2 else X

    def _is_flat(self, X: Any) -> bool:  # noqa: N803
        """Whether the rows are images whose pixels are features; one column of anything else holds paths."""
        if getattr(X, "ndim", 0) != 2:
            return False
        numbers = all(kind.kind in "uifb" for kind in (X.dtypes if hasattr(X, "iloc") else [X.dtype]))
        if not numbers and X.shape[1] != 1:
            raise ArgumentError("`X` must be images, or one column of paths.", [f"it has {X.shape[1]} columns"])
        return numbers

    def _unflattened(self, rows: Array) -> Array:
        if self.image_shape is None:
            text = f"`X` must be images, (N, H, W) or (N, H, W, C), and has the shape {rows.shape}."
            raise ArgumentError(text, hint="If each row is a flattened image, say its shape: image_shape=(28, 28).")
        sides = self.image_shape
        if isinstance(sides, str) or not hasattr(sides, "__len__") or len(sides) not in (2, 3):
            text = "`image_shape` must be height and width, and channels where there are several."
            raise ArgumentError(text, [f"it is {value_text(sides)}"])
        shape = tuple(whole("image_shape", side, 1) for side in sides)
        if math.prod(shape) != rows.shape[1]:
            one = f"X has {rows.shape[1]} features, but {type(self).__name__} is expecting {math.prod(shape)} features"
            raise ArgumentError(f"{one} as input, of images with `image_shape` {shape}.")
        return rows.reshape(len(rows), *shape, *([1] if len(shape) == 2 else []))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # scikit-learn's checks have rows of any width, which are no images
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = tags.input_tags.string = True
        return tags


def _refuse_other_forms(names: list[str]) -> None:
    """Require that no classes become one, as a model has texts in one Unicode form."""
    forms = [unicodedata.normalize("NFC", name) for name in names]
    twice = [ascii(name) for name, form in zip(names, forms) if forms.count(form) > 1]
    if twice:
        hint = 'Use one form: unicodedata.normalize("NFC", label).'
        raise LabelError("Classes in `y` are the same text in different Unicode forms.", twice, hint)


class MxtuneClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier of images: `mxtrain` behind scikit-learn's interface.

    Parameters
    ----------
    net, tune, epochs, valid, image_size, batch_size, lr, schedule, augment, patience, restore_best, head, folds
        How it is trained, as for `mxtrain`.
    class_weights
        As for `mxtrain`: ``"balanced"``, or a dict by the classes as they are in ``y``; for a classifier alone.
    device, precision, engine, seed, cache, range, deterministic, time_budget, callbacks, verbose
        As for `mxtrain`; ``verbose`` is 0, so that a search over settings says nothing.
    image_shape
        Height, width and, if there are several, channels of images that come flattened, a row each.

    Attributes
    ----------
    model_
        The `Model`: its metrics, history, `Model.save`.
    classes_
        The classes, sorted: of the labels' own type.
    n_features_in_
        Of flattened images the values of each.

    Examples
    --------
    >>> from mxtune import mxexample, mximages
    >>> from mxtune.sklearn import MxtuneClassifier
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> classifier = MxtuneClassifier("lenet", epochs=1).fit(digits.images[:200], digits.target[:200])
    >>> classifier.predict_proba(digits.images[:5]).shape
    (5, 10)
    """

    def fit(self, X: Any, y: Any) -> MxtuneClassifier:  # noqa: N803
        """Itself, trained.

        Raises
        ------
        ArgumentError
            ``X`` holds no images, or a setting can't be used; a ``ValueError``, too.
        PictureError
            Images can't be read; all are named.
        LabelError
            There is one class only, or classes differ in their Unicode form alone.
        """
        import pandas as pd

        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        _refuse_other_forms([str(name) for name in classes])
        self._train(X, pd.Categorical.from_codes(codes, categories=classes), "classification")
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> Array:  # noqa: N803
        """(N,) the likeliest class of each image."""
        best = np.argmax(self.predict_proba(X), axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """(N, classes) probabilities, in the order of ``classes_``."""
        check_is_fitted(self)
        shares = self._predictions(X, "prob", len(self.classes_))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))  # they are float32

    def decision_function(self, X: Any) -> Array:  # noqa: N803
        """(N, classes) logits; of two classes (N,), how much the second has more."""
        check_is_fitted(self)
        logits = self._predictions(X, "logit", len(self.classes_))
        return np.asarray(logits[:, 1] - logits[:, 0]) if len(self.classes_) == 2 else logits


class MxtuneRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor on images: `mxtrain` behind scikit-learn's interface; see `MxtuneClassifier` for its parameters.

    Examples
    --------
    >>> from mxtune.sklearn import MxtuneRegressor
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> ink = digits.data.mean(axis=1)
    >>> regressor = MxtuneRegressor("lenet", epochs=1).fit(digits.images[:200], ink[:200])
    >>> regressor.predict(digits.images[:5]).shape
    (5,)
    """

    def fit(self, X: Any, y: Any) -> MxtuneRegressor:  # noqa: N803
        """Itself, trained; ``y`` is (N,), or (N, K) for several numbers.

        Raises
        ------
        ArgumentError
            ``X`` holds no images, or a setting can't be used; a ``ValueError``, too.
        PictureError
            Images can't be read; all are named.
        """
        numbers = np.asarray(y, dtype=np.float64)
        self._train(X, numbers, "regression")
        self.n_outputs_ = 1 if numbers.ndim == 1 else numbers.shape[1]
        self._one = numbers.ndim == 1
        return self

    def predict(self, X: Any) -> Array:  # noqa: N803
        """(N,) the number of each image; (N, K) where it learned several."""
        check_is_fitted(self)
        numbers = self._predictions(X, "class", self.n_outputs_)
        return numbers[:, 0] if self._one else numbers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
