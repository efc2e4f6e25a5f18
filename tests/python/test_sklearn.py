"""The estimators, driven by scikit-learn itself."""

from __future__ import annotations

import inspect
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils import estimator_checks, get_tags

from mxtune import mxload, mxtrain
from mxtune.errors import ArgumentError, LabelError, PictureError
from mxtune.sklearn import MxtuneClassifier, MxtuneRegressor

ESTIMATORS = [MxtuneClassifier, MxtuneRegressor]
APPLICABLE = (  # those of check_estimator that ask for no rows of numbers of any width, which are no images
    *("check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr"),
    *("check_no_attributes_set_in_init", "check_do_not_raise_errors_in_init_or_set_params", "check_mixin_order"),
    *("check_parameters_default_constructible", "check_get_params_invariance", "check_set_params"),
)


def quick(estimator: Any = MxtuneClassifier, **settings: Any) -> Any:
    return estimator(**{"net": "lenet", "epochs": 2, "valid": None, **settings})


class Lent:
    """An array of another library."""

    def __init__(self, values: Any) -> None:
        self.values, self.shape, self.dtype, self.ndim = values, values.shape, values.dtype, values.ndim

    def __array__(self, *_: object, **__: object) -> Any:
        return self.values


@pytest.fixture(scope="module")
def zeros_and_ones() -> tuple[Any, Any]:
    digits = load_digits()
    chosen = np.flatnonzero(digits.target < 2)[:60]
    return (digits.images[chosen] * 15).astype(np.uint8), digits.target[chosen]


@pytest.fixture(scope="module")
def fitted(zeros_and_ones: tuple[Any, Any]) -> MxtuneClassifier:
    pictures, labels = zeros_and_ones
    classifier: MxtuneClassifier = quick(epochs=15, lr=0.01).fit(pictures, labels)
    return classifier


@pytest.mark.parametrize("check", APPLICABLE)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_check_estimator_passes_where_it_applies(estimator: type, check: str) -> None:
    getattr(estimator_checks, check)(estimator.__name__, estimator())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_check_estimator_itself_asks_for_nothing_that_is_no_image(estimator: type) -> None:
    assert all(check["status"] == "passed" for check in estimator_checks.check_estimator(estimator()))
    assert not get_tags(estimator()).input_tags.two_d_array


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_settings_have_the_names_and_defaults_of_mxtrain(estimator: Any) -> None:
    of_mxtrain = inspect.signature(mxtrain).parameters
    own = {"verbose": 0, "image_shape": None}
    for name, setting in inspect.signature(estimator).parameters.items():
        assert setting.default == (own[name] if name in own else of_mxtrain[name].default), name


def test_classes_are_predicted_with_probabilities_and_logits(fitted: Any, zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    assert fitted.score(pictures, labels) == accuracy_score(labels, fitted.predict(pictures)) > 0.9
    assert fitted.classes_.tolist() == [0, 1]
    shares, logits = fitted.predict_proba(pictures), fitted.decision_function(pictures)
    assert logits.shape == (60,)
    np.testing.assert_allclose(np.log(shares[:, 1] / shares[:, 0]), logits, atol=1e-3)
    assert log_loss(labels, shares) < 0.4  # and no warning that they don't sum to 1
    assert not hasattr(fitted, "n_features_in_")


@pytest.mark.parametrize("names", [["b", "a", "c"], [10, 9, 2], [True, False, False]])
def test_columns_are_in_the_order_of_classes_whatever_these_are(names: list[Any]) -> None:
    shades = np.zeros((30, 16, 16), np.uint8)
    shades[10:20], shades[20:] = 120, 250
    labels = np.repeat(np.array(names), 10)
    classifier = quick(epochs=1).fit(shades, labels)
    assert classifier.classes_.tolist() == sorted(set(names))
    assert classifier.predict(shades).dtype == labels.dtype
    of_model = classifier.model_.predict(shades, type="prob").iloc[:, 2:].to_numpy()
    np.testing.assert_allclose(classifier.predict_proba(shades), of_model, atol=1e-6)
    assert classifier.model_.label_type.values(classifier.model_.levels) == classifier.classes_.tolist()


def test_nothing_is_printed(zeros_and_ones: Any, capfd: pytest.CaptureFixture[str]) -> None:
    pictures, labels = zeros_and_ones
    quick().fit(pictures, labels).score(pictures, labels)
    assert capfd.readouterr() == ("", "")


def test_the_same_settings_give_the_same_model(zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    first = quick().fit(pictures, labels)
    again = clone(first).fit(pictures, labels)
    assert again.model_.to_bytes() == first.model_.to_bytes()


def test_an_image_is_predicted_alike_alone_and_among_others(fitted: Any, zeros_and_ones: Any) -> None:
    pictures = zeros_and_ones[0][:8]
    alone = np.vstack([fitted.predict_proba(pictures[[row]]) for row in range(8)])
    np.testing.assert_allclose(alone, fitted.predict_proba(pictures), atol=1e-5)


def test_a_fitted_estimator_is_pickled_by_its_file(fitted: Any, zeros_and_ones: Any, tmp_path: Path) -> None:
    pictures, _ = zeros_and_ones
    content = pickle.dumps(fitted)
    texts = {text for _, text, _ in pickletools.genops(content) if isinstance(text, str)}
    assert "from_bytes" in texts
    assert {text for text in texts if text.startswith("mxtune")} == {"mxtune", "mxtune.sklearn"}
    assert fitted.model_.to_bytes() in content
    same = pickle.loads(content)  # noqa: S301 - our own
    np.testing.assert_array_equal(same.predict_proba(pictures), fitted.predict_proba(pictures))
    same.model_.save(tmp_path / "digits.mxt")
    assert mxload(tmp_path / "digits.mxt").levels == ("0", "1")


def test_cross_validation_takes_paths_and_names(zeros_and_ones: Any, tmp_path: Path) -> None:
    pictures, labels = zeros_and_ones
    paths = np.array([str(tmp_path / f"{row}.png") for row in range(30)])
    for path, picture in zip(paths, pictures):
        Image.fromarray(picture).save(path)
    names = np.where(labels[:30] == 1, "one", "zero")
    scores = cross_val_score(quick(), paths, names, cv=2, scoring="neg_log_loss")
    assert np.isfinite(scores).all()
    classifier = quick().fit(paths.tolist(), names)
    frame, series = pd.DataFrame({"photo": paths}), pd.Series(paths, index=range(5, 35))
    for same in (paths, paths.reshape(-1, 1), frame, series, [Image.open(path) for path in paths]):
        np.testing.assert_array_equal(classifier.predict_proba(same), classifier.predict_proba(paths.tolist()))


def test_a_search_over_settings_of_a_pipeline_of_flattened_images(zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    rows = pictures.reshape(60, 64)
    steps = make_pipeline(MinMaxScaler(clip=True), quick(image_shape=(8, 8)))
    search = GridSearchCV(steps, {"mxtuneclassifier__lr": [1e-5, 1e-2]}, cv=2).fit(rows, labels)
    best = search.best_estimator_[-1]
    assert best.n_features_in_ == 64
    assert search.best_params_["mxtuneclassifier__lr"] == best.lr
    assert best.model_.settings["plan"]["phases"][0]["lr"] == best.lr
    assert search.predict(rows).shape == (60,)
    upright = make_pipeline(FunctionTransformer(lambda x: x[:, ::-1]), quick())
    assert upright.fit(pictures, labels).predict(pictures).shape == (60,)


def test_rows_of_other_libraries_are_rows(zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    rows = pictures.reshape(60, 64)
    classifier = quick(epochs=1, image_shape=np.array([8, 8])).fit(rows, labels)
    names = [f"pixel {column}" for column in range(64)]
    frame = pd.DataFrame(rows, columns=names)
    for same in (frame.astype("Int64"), frame, pa.table(frame), Lent(rows)):
        np.testing.assert_array_equal(classifier.predict_proba(same), classifier.predict_proba(rows))
        assert quick(epochs=1, image_shape=[8, 8]).fit(same, labels).n_features_in_ == 64
    upright = quick(epochs=1).fit(Lent(pictures), labels)
    np.testing.assert_array_equal(
        upright.predict_proba(Lent(pictures[:5, :, :4])), upright.predict_proba(pictures[:5, :, :4])
    )
    with pytest.raises(ArgumentError, match="are masked"):
        classifier.predict(np.ma.masked_less(rows, 3))
    frame = frame.astype("Int64")
    frame.iloc[2, 3] = pd.NA
    with pytest.raises(PictureError, match=r"x \[2\]: it contains NaN"):
        classifier.predict(frame)


def test_numbers_are_regressed_one_or_several() -> None:
    shades = np.repeat(np.arange(0, 240, 8, dtype=np.uint8), 256).reshape(30, 16, 16)
    bright = shades[:, 0, 0] / 255
    regressor = quick(MxtuneRegressor, epochs=60, lr=0.01).fit(shades, bright)
    assert regressor.predict(shades).shape == (30,)
    assert regressor.score(shades, bright) > 0.5
    both = quick(MxtuneRegressor).fit(shades, np.stack([bright, 1 - bright], axis=1))
    assert both.predict(shades).shape == (30, 2)


def test_classes_are_weighted_by_their_own_names(zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    classifier = quick(epochs=1, class_weights={0: 1, 1: 5}, time_budget=60).fit(pictures, labels)
    assert classifier.model_.settings["class_weights"] == [1, 5]
    with pytest.raises(ArgumentError, match="`class_weights` apply to classification only"):
        quick(MxtuneRegressor, class_weights="balanced").fit(pictures, labels)


def test_another_fit_forgets_the_one_before(zeros_and_ones: Any) -> None:
    pictures, labels = zeros_and_ones
    classifier = quick(epochs=1, image_shape=(8, 8)).fit(pictures.reshape(60, 64), labels)
    assert classifier.n_features_in_ == 64
    assert not hasattr(classifier.fit(pictures, labels), "n_features_in_")


def test_what_is_not_fitted_says_so(zeros_and_ones: Any) -> None:
    for estimator in ESTIMATORS:
        with pytest.raises(NotFittedError):
            estimator().predict(zeros_and_ones[0])


def test_what_holds_no_images_is_named(fitted: Any, zeros_and_ones: Any, tmp_path: Path) -> None:
    pictures, labels = zeros_and_ones
    rows = pictures.reshape(60, 64)
    with pytest.raises(ArgumentError, match=r"has the shape \(60, 64\)\.\ni .*image_shape=\(28, 28\)"):
        quick().fit(rows, labels)
    with pytest.raises(ArgumentError, match=r"`image_shape` must be height and width.*\nx it is 8"):
        quick(image_shape=8).fit(rows, labels)
    with pytest.raises(ArgumentError, match=r"`X` must be dense.*\ni Use X.toarray"):
        quick(image_shape=(8, 8)).fit(csr_matrix(rows), labels)
    with pytest.raises(LabelError, match=r"different Unicode forms\.\nx 'e\\u0301'\nx '\\xe9'"):
        quick().fit(pictures, np.array(["e\u0301", "\xe9", "b"])[np.arange(60) % 3])
    with pytest.raises(ValueError, match="X has 63 features, but MxtuneClassifier is expecting 64 features"):
        quick(image_shape=(8, 8)).fit(rows[:, 1:], labels)
    with pytest.raises(ArgumentError, match="must hold an image in each row"):
        quick().fit("photos", labels)
    with pytest.raises(ArgumentError, match="it has 2 columns"):
        quick().fit(pd.DataFrame({"photo": ["a.png"], "label": ["a"]}), ["a"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick().fit(pictures, labels[1:])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        quick().fit(pictures, np.eye(60)[:, :3])
    with pytest.raises(ValueError, match="Unknown label type"):
        quick().fit(pictures, labels + 0.5)
    with pytest.raises(LabelError):
        quick().fit(pictures, labels * 0)
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(PictureError, match=r"bad\.png"):
        fitted.predict([str(tmp_path / "bad.png")])


def test_without_scikit_learn_one_error_names_the_command() -> None:
    code = "import sys; sys.modules['sklearn'] = None\nimport mxtune\nimport mxtune.sklearn"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MxtuneError: mxtune.sklearn needs scikit-learn" in ended.stderr
    assert "i Run: pip install 'scikit-learn>=1.6'" in ended.stderr
