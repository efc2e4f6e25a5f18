"""A model predicts in int8 where that is faster and its own accuracy stays; everybody else has its float32 weights."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mxtune import Model, engines, machine, mxexample, mximages, mxload, mxtrain
from mxtune.errors import ArgumentError, LabelError, ModelFileError
from mxtune.formats import mxt
from mxtune.model.quantised import Quantised, likened, matched, told
from mxtune.workers import Answering, Question

pytestmark = [pytest.mark.mxnet, pytest.mark.vnni]

IMAGES = mximages(mxexample("fashion"))
TRAINING, OTHERS = IMAGES.take(range(0, 400, 2)), IMAGES.take(range(1, 400, 2))
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(TRAINING, net="efficientnet_lite0", tune="head", image_size=64, verbose=0, seed=1, engine="mxnet")


@pytest.fixture(scope="module")
def quantised(model: Model) -> Model:
    return model.quantize(OTHERS)


def outputs(model: Model) -> np.ndarray:
    return model.predict(OTHERS, type="logit").filter(like="pred_").to_numpy()


def test_what_was_measured_is_in_the_summary_and_the_file(quantised: Model, tmp_path: Path) -> None:
    kept = quantised.settings["int8"]
    assert kept["judged"] == len(OTHERS) and kept["sample"] == 128
    expected = quantised.on("cpu", "mxnet", "float32").evaluate(OTHERS)
    for name in ("accuracy", "log_loss"):
        before, after = kept["metrics"][name]
        assert before == pytest.approx(expected[name], abs=1e-4)
        assert before != after or name == "accuracy"
    accuracy, loss = kept["metrics"]["accuracy"], kept["metrics"]["log_loss"]
    within = accuracy[1] >= accuracy[0] - 0.005 and loss[1] <= 1.02 * loss[0]
    assert kept["chosen"] == (within and kept["times_as_fast"] >= 1.1)
    assert f"{len(OTHERS)} images" in next(line for line in quantised.summary().splitlines() if "int8" in line)
    quantised.save(tmp_path / "x.mxt")
    assert mxload(tmp_path / "x.mxt").settings["int8"] == kept


def test_a_model_in_int8_is_near_and_the_same_after_saving(model: Model, quantised: Model, tmp_path: Path) -> None:
    plain, low = outputs(model), outputs(quantised.on("cpu", "mxnet", "int8"))
    assert np.abs(low - plain).max() > 0
    assert np.corrcoef(low.ravel(), plain.ravel())[0, 1] > 0.99
    quantised.save(tmp_path / "x.mxt")
    loaded = mxload(tmp_path / "x.mxt", device="cpu", engine="mxnet", precision="int8")
    np.testing.assert_array_equal(outputs(loaded), low)
    assert loaded.to_bytes() == quantised.to_bytes()
    np.testing.assert_array_equal(outputs(quantised.on("cpu", "mxnet", "float32")), plain)
    for name, array in model.network.params.items():
        np.testing.assert_array_equal(quantised.network.params[name], array)


def test_the_classifier_in_int8_is_nearer_than_the_one_of_float32(quantised: Model) -> None:
    plain, own = outputs(quantised.on("cpu", "mxnet", "float32")), quantised.quantised
    assert own is not None
    layer = [quantised.network.params[f"{quantised.network.classifier}_{part}"] for part in ("weight", "bias")]
    naive = Model(quantised.network, quantised.task, quantised.levels)
    naive.quantised = replace(own, weight=layer[0], bias=layer[1])
    apart = [np.square(outputs(one.on("cpu", "mxnet", "int8")) - plain).mean() for one in (quantised, naive)]
    assert apart[0] < 0.7 * apart[1]


def test_in_int8_no_more_is_novel_and_features_are_those_of_float32(model: Model, quantised: Model) -> None:
    low = quantised.on("cpu", "mxnet", "int8")
    shares = [one.predict(OTHERS, novelty=True)["is_novel"].mean() for one in (model, low)]
    assert shares[1] <= shares[0] + 0.05
    exact, restored = (one.predict(OTHERS, type="features").iloc[:, 1:].to_numpy() for one in (model, low))
    assert np.abs(restored.mean(axis=0) - exact.mean(axis=0)).max() < 1e-3 * np.abs(exact).max()
    assert low.explain(OTHERS.take([0])).table.equals(model.explain(OTHERS.take([0])).table)


@pytest.mark.parametrize("chosen", [True, False])
def test_auto_is_what_was_chosen_where_it_can_be_had(quantised: Model, chosen: bool) -> None:
    settings = {**quantised.settings, "int8": {**quantised.settings["int8"], "chosen": chosen}}
    asked = Model(quantised.network, quantised.task, quantised.levels, settings=settings, quantised=quantised.quantised)
    expected = outputs(quantised.on("cpu", "mxnet", "int8" if chosen else "float32"))
    np.testing.assert_array_equal(outputs(asked.on("cpu", "mxnet")), expected)
    for other in set(engines.installed()) - {"mxnet"}:
        target = asked.on("cpu", other)._predictor.target
        assert target is not None and target.precision == "float32"


def chosen(quantised: Model, **what: object) -> Model:
    """The model as if int8 had been chosen; other parts of what it needs."""
    settings = {**quantised.settings, "int8": {**quantised.settings["int8"], "chosen": True}}
    assert quantised.quantised is not None
    low = replace(quantised.quantised, **what)  # type: ignore[arg-type]
    network, levels = quantised.network, quantised.levels
    return Model(network, quantised.task, levels, settings=settings, quantised=low, memory=quantised.memory)


def test_a_cpu_that_cuts_sums_off_predicts_in_float32(
    model: Model, quantised: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(engines.SETTING, raising=False)
    content = chosen(quantised).to_bytes()
    monkeypatch.setattr(machine, "has_vnni", lambda: False)
    for asked in (Model.from_bytes(content), Model.from_bytes(content).on("cpu", "mxnet")):
        np.testing.assert_array_equal(outputs(asked), outputs(model))
    for refused in (lambda: model.quantize(OTHERS), lambda: quantised.on(engine="mxnet", precision="int8")):
        with pytest.raises(ArgumentError, match="on CPUs with VNNI alone"):
            refused()


def test_the_precision_that_was_asked_for_holds_in_copies_and_other_processes(quantised: Model) -> None:
    plain, low = chosen(quantised).on("cpu", "mxnet", "float32"), chosen(quantised).on("cpu", "mxnet")
    for asked in (plain, low):
        copies = (
            copy.deepcopy(asked),
            pickle.loads(pickle.dumps(asked)),  # noqa: S301 - our own
            Answering(Question.of(asked, engine="mxnet"), "cpu").model,
        )
        for other in copies:
            np.testing.assert_array_equal(outputs(other), outputs(asked))
    assert np.abs(outputs(low) - outputs(plain)).max() > 0


def test_what_was_chosen_is_undone_where_it_is_not_chosen_again(model: Model, quantised: Model) -> None:
    low = chosen(quantised).on("cpu", "mxnet")
    assert np.abs(outputs(low) - outputs(model)).max() > 0
    again = low.quantize(OTHERS.take(range(8)))
    assert not again.settings["int8"]["chosen"]
    np.testing.assert_array_equal(outputs(again), outputs(model))


def test_what_is_explained_is_what_the_model_says_in_int8(quantised: Model) -> None:
    own = quantised.quantised
    assert own is not None
    bias = own.bias + np.where(np.arange(10) == quantised.levels.index("bag"), 100, 0).astype(np.float32)
    low, few = chosen(quantised, bias=bias).on("cpu", "mxnet"), OTHERS.take([0, 50])
    assert low.predict(few)["pred_class"].tolist() == ["bag", "bag"]
    assert low.explain(few).table["label"].tolist() == ["bag", "bag"]
    assert low.explain(few, label="coat").table["label"].tolist() == ["coat", "coat"]


@pytest.mark.parametrize(
    "kept",
    [
        {"chosen": True, "metrics": {"accuracy": [1]}, "judged": 3, "times_as_fast": 2},
        {"metrics": {"accuracy": ["a", "b"]}, "judged": 3, "times_as_fast": 2},
        {"metrics": {}, "judged": 3, "times_as_fast": "x"},
        {"metrics": {}, "times_as_fast": 2},
    ],
)
def test_what_a_strangers_file_tells_of_int8_is_checked(quantised: Model, kept: dict[str, object]) -> None:
    other = copy.copy(quantised)
    other.settings = {**quantised.settings, "int8": kept}
    with pytest.raises(ModelFileError, match="Can't use the model"):
        Model.from_bytes(other.to_bytes())


def test_a_figure_that_is_no_number_is_kept_as_such(quantised: Model) -> None:
    other = copy.copy(quantised)
    kept = {**quantised.settings["int8"], "metrics": {"f1": [float("nan"), 0.5]}}
    other.settings = {**quantised.settings, "int8": kept}
    assert "f1 nan -> 0.5" in Model.from_bytes(other.to_bytes()).summary()


def test_images_that_were_trained_on_judge_nothing(model: Model) -> None:
    found = model.quantize()
    assert not found.settings["int8"]["chosen"] and found.settings["int8"]["judged"] == 0
    assert "trained on these images" in found.summary()
    assert outputs(found).tobytes() == outputs(model).tobytes()
    assert np.abs(outputs(found.on(precision="int8")) - outputs(model)).max() > 0


def test_few_images_are_too_few_to_choose(model: Model) -> None:
    assert not model.quantize(OTHERS.take(range(8))).settings["int8"]["chosen"]
    few = {"chosen": False, "times_as_fast": 2.0, "metrics": {"accuracy": [1, 1]}, "judged": 8, "sample": 8}
    assert told(few) == "not chosen: 2 times as fast; accuracy 1 -> 1 on 8 images, too few to choose (200)"


def test_int8_needs_ranges_and_a_cpu(model: Model, quantised: Model) -> None:
    with pytest.raises(ArgumentError, match="does not know the ranges"):
        model.on(precision="int8")
    with pytest.raises(LabelError, match="no labels"):
        model.quantize(mxexample("fashion") + "/bag")
    for engine, precision in (("torch", "int8"), ("mxnet", "bfloat16")):
        if engine in engines.installed():
            with pytest.raises(ArgumentError, match="`precision` must be"):
                quantised.on(engine=engine, precision=precision)


@pytest.mark.parametrize(("task", "metric"), [("regression", ["rmse"]), ("multilabel", ["f1", "log_loss"])])
def test_other_tasks_have_int8_too(task: str, metric: list[str]) -> None:
    pictures = RNG.integers(0, 256, (120, 1, 1, 3), np.uint8).repeat(32, 1).repeat(32, 2)
    pictures = pictures // 2 + RNG.integers(0, 128, pictures.shape, np.uint8)
    shades = pictures.mean(axis=(1, 2))
    y = 1000 + shades[:, 0] if task == "regression" else (shades > 127).astype(int)
    settings = {"net": "efficientnet_lite0", "tune": "head", "image_size": 32, "verbose": 0, "engine": "mxnet"}
    trained = mxtrain(pictures[:60], y[:60], folds=None, valid=None, **settings)
    found = trained.quantize(pictures[60:], y[60:])
    assert list(found.settings["int8"]["metrics"]) == metric
    plain, low = (
        one.predict(pictures[60:], type="logit").filter(like="pred").to_numpy()
        for one in (trained, found.on("cpu", "mxnet", "int8"))
    )
    assert 0 < np.square(low - plain).mean() < 0.2 * plain.var(axis=0).mean()


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": np.array([[2, 1]], np.float32)},
        {"ranges": np.array([[0, np.nan]], np.float32)},
        {"ranges": np.array([[0, 1], [0, 1]], np.float32)},
        {"ranges": np.array([[0, 1e38]], np.float32)},
        {"weight": np.zeros((1, 1), np.float32)},
        {"gain": np.zeros(2)},
        {"names": np.frombuffer(b"[1]", np.uint8)},
        {"names": np.frombuffer(b"{", np.uint8)},
        {"offset": None},
    ],
)
def test_what_a_strangers_file_says_of_int8_is_checked(quantised: Model, change: dict[str, np.ndarray]) -> None:
    contents = quantised._contents()
    assert contents.int8 is not None
    one = {**contents.int8, "names": np.frombuffer(b'["data"]', np.uint8), "ranges": np.array([[0, 1]], np.float32)}
    arrays = {name: array for name, array in {**one, **change}.items() if array is not None}
    stream = io.BytesIO()
    mxt.save(stream, replace(contents, int8=arrays))
    with pytest.raises(ModelFileError, match=r"int8|offset|names"):
        Model.from_bytes(stream.getvalue())


def test_few_images_change_the_classifier_little_and_many_make_it_right() -> None:
    exact = RNG.normal(size=(600, 40)).astype(np.float32)
    low = (0.8 * exact + 0.3 + 0.1 * RNG.normal(size=exact.shape)).astype(np.float32)
    weight, bias = RNG.normal(size=(3, 40)).astype(np.float32), np.ones(3, np.float32)
    wanted = exact @ weight.T + bias
    errors = []
    for count in (4, 50, 500):
        new, shift = matched(exact[:count], low[:count], weight, bias)
        errors.append(np.square(low[500:] @ new.T + shift - wanted[500:]).mean())
    assert errors[2] < errors[1] < np.square(low[500:] @ weight.T + bias - wanted[500:]).mean()
    gain, offset = likened(exact, low)
    np.testing.assert_allclose(gain, 1 / 0.8, rtol=0.05)
    np.testing.assert_allclose((low * gain + offset).mean(axis=0), exact.mean(axis=0), atol=1e-4)
    told_again = Quantised({"a": (0.0, 1.0)}, weight, bias, gain, offset)
    again = Quantised.from_arrays(told_again.arrays(), 3, 40)
    assert again.ranges == told_again.ranges
    np.testing.assert_array_equal(again.restored(low), told_again.restored(low))
