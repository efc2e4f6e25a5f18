"""The head: the solution that scikit-learn finds, on the features as they come."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mxtune import blas, mxexample, mxtrain
from mxtune.tasks.losses import BinaryCrossEntropy, CrossEntropy, SquaredError
from mxtune.training.head import fit_head

RNG = np.random.default_rng(5)
SCALES = np.array([0.5, 1, 2, 1, 0.7, 3, 1, 1])


def features(count: int, width: int = 8) -> np.ndarray:
    scales = np.resize(SCALES, width)
    return ((RNG.normal(size=(count, width)) + 3) * scales).astype("float32")


def classes(x: np.ndarray) -> np.ndarray:
    return np.asarray((x[:, :3] / SCALES[:3] + RNG.normal(0, 0.7, (len(x), 3))).argmax(axis=1))


@pytest.mark.parametrize(("count", "width"), [(200, 8), (30, 120), (1300, 600)])
def test_classes_are_those_of_scikit_learn(count: int, width: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x = features(count, width)
    y = classes(x)
    ours, _ = fit_head(x.copy(), y, CrossEntropy(3), 3)
    scaler = StandardScaler().fit(x)
    theirs = LogisticRegression(C=1 / (count * ours.penalty), tol=1e-8, max_iter=2000).fit(scaler.transform(x), y)
    np.testing.assert_allclose(
        CrossEntropy(3).probabilities(x @ ours.weight.T + ours.bias),
        theirs.predict_proba(scaler.transform(x)),
        atol=5e-3,
    )


@pytest.mark.parametrize("targets", [1, 2])
def test_numbers_are_those_of_ridge_regression(targets: int) -> None:
    from sklearn.linear_model import Ridge

    x = features(150)
    y = 100 + 7 * x[:, :targets] / SCALES[:targets] + RNG.normal(size=(150, targets))
    loss = SquaredError.of(y)
    ours, _ = fit_head(x.copy(), y, loss, targets)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    scaled = (y - y.mean(axis=0)) / y.std(axis=0)
    theirs = Ridge(alpha=150 * ours.penalty * targets).fit(z, scaled).predict(z).reshape(150, -1)
    np.testing.assert_allclose((x @ ours.weight.T + ours.bias - y.mean(axis=0)) / y.std(axis=0), theirs, atol=5e-3)


def test_each_label_is_a_logistic_regression_of_its_own() -> None:
    from sklearn.linear_model import LogisticRegression

    x = features(200)
    y = np.stack([x[:, k] / SCALES[k] + RNG.normal(0, 0.7, 200) > 3 for k in range(2)], axis=1).astype(float)
    ours, _ = fit_head(x.copy(), y, BinaryCrossEntropy(2), 2)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    predicted = BinaryCrossEntropy(2).probabilities(x @ ours.weight.T + ours.bias)
    for k in range(2):
        theirs = LogisticRegression(C=1 / (2 * 200 * ours.penalty), tol=1e-8).fit(z, y[:, k])
        np.testing.assert_allclose(predicted[:, k], theirs.predict_proba(z)[:, 1], atol=5e-3)


def test_class_weights_count() -> None:
    from sklearn.linear_model import LogisticRegression

    x = features(200)
    y = classes(x)
    factors = (200 / (3 * np.bincount(y))).tolist()
    ours, _ = fit_head(x.copy(), y, CrossEntropy(3, class_weights=tuple(factors)), 3)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    theirs = LogisticRegression(C=1 / (200 * ours.penalty), class_weight="balanced", tol=1e-8).fit(z, y)
    predicted = CrossEntropy(3).probabilities(x @ ours.weight.T + ours.bias)
    np.testing.assert_allclose(predicted, theirs.predict_proba(z), atol=5e-3)


def test_the_strength_is_the_best_on_validation_and_their_outputs_come_back() -> None:
    x, other = features(60, 40), features(200, 40)
    y, other_y = classes(x), classes(other)
    penalties = (1.0, 0.1, 0.01)
    losses = {}
    for penalty in penalties:
        head, predicted = fit_head(x.copy(), y, CrossEntropy(3), 3, (other.copy(), other_y), (penalty,))
        assert predicted is not None
        np.testing.assert_allclose(other @ head.weight.T + head.bias, predicted, atol=2e-3)
        losses[penalty] = CrossEntropy(3).each(predicted, other_y).mean()
    chosen, _ = fit_head(x.copy(), y, CrossEntropy(3), 3, (other.copy(), other_y), penalties)
    assert chosen.penalty == min(losses, key=lambda penalty: losses[penalty])


def test_many_images_weigh_on_the_validation_as_few_do() -> None:
    """The penalty is chosen along few axes, and the head is that on all features."""
    x, other = features(1200, 600), features(300, 600)
    y, other_y = classes(x), classes(other)
    head, predicted = fit_head(x.copy(), y, CrossEntropy(3), 3, (other.copy(), other_y))
    losses = []
    for penalty in (3 * head.penalty, head.penalty / 3):
        _, neighbour = fit_head(x.copy(), y, CrossEntropy(3), 3, (other.copy(), other_y), (penalty,))
        assert neighbour is not None
        losses.append(CrossEntropy(3).each(neighbour, other_y).mean())
    assert predicted is not None
    assert CrossEntropy(3).each(predicted, other_y).mean() < min(losses) + 0.01
    np.testing.assert_allclose(other @ head.weight.T + head.bias, predicted, atol=2e-3)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_pictures_and_features_that_never_vary_give_a_finite_head(count: int) -> None:
    x = features(count)
    x[:, 2] = 7
    y = np.arange(count) % 2
    head, _ = fit_head(x.copy(), y, CrossEntropy(2), 2)
    assert np.isfinite(head.weight).all()
    assert np.isfinite(head.bias).all()
    assert ((x @ head.weight.T + head.bias).argmax(axis=1) == y).all()


def test_ctrl_c_gives_the_best_head_so_far() -> None:
    x = features(300)
    y = classes(x)
    calls = []

    class Interrupted(CrossEntropy):
        def part(self, *arguments: np.ndarray) -> tuple[float, np.ndarray]:
            calls.append(1)
            if len(calls) == 5:
                raise KeyboardInterrupt
            return super().part(*arguments)

    head, _ = fit_head(x.copy(), y, Interrupted(3), 3)
    assert head.interrupted
    assert CrossEntropy(3).each(x @ head.weight.T + head.bias, y).mean() < np.log(3) - 0.1


def test_ctrl_c_before_anything_was_learned_stays_ctrl_c() -> None:
    class Interrupted(CrossEntropy):
        def part(self, *_: np.ndarray) -> tuple[float, np.ndarray]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_head(features(10), np.arange(10) % 2, Interrupted(2), 2)


def test_a_model_has_the_same_bytes_on_any_number_of_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    models = []
    for threads in (1, 3):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", str(threads))  # of our products, read when the first is computed
        monkeypatch.setattr(blas, "_pool", None)
        with threadpool_limits(threads, "blas"):  # what BLAS would take by itself
            models.append(mxtrain(mxexample("fashion"), tune="head", verbose=0).to_bytes())
    assert models[0] == models[1]
