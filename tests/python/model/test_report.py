"""Figures: what they show, that odd input is drawn too, and that the session stays as it was."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mxtune import mxexample, mximages
from mxtune.model import report
from mxtune.tasks import metrics


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def history(*stages: tuple[str, int], valid: bool = True, metric: str = "accuracy") -> pd.DataFrame:
    names = [name for name, epochs in stages for _ in range(epochs)]
    loss = 1.5 * np.exp(-np.arange(len(names)) / 5) + 0.1
    return pd.DataFrame(
        {
            "stage": names,
            "epoch": [epoch + 1 for _, epochs in stages for epoch in range(epochs)],
            "train_loss": loss,
            "valid_loss": loss + 0.2 if valid else np.nan,
            f"valid_{metric}": 1 - loss / 3 if valid else np.nan,
            "lr": 1e-3,
        }
    )


def drawn(figure: report.Plot) -> Image.Image:
    """The figure as an image, which must show something."""
    picture = Image.open(io.BytesIO(figure._repr_png_())).convert("L")
    assert np.asarray(picture).std() > 1
    return picture


def words(figure: report.Plot) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_history_shows_loss_and_metric_and_names_stages() -> None:
    figure = report.history(history(("head", 1), ("tail", 8), ("all", 6)))
    drawn(figure)
    loss, metric = figure.axes
    assert (loss.get_ylabel(), metric.get_ylabel()) == ("loss", "accuracy (validation)")
    assert words(figure) == ["head", "tail", "all"] * 2
    assert len(loss.patches) == 1  # every second stage is shaded


def test_history_marks_the_epoch_that_training_keeps() -> None:
    frame = history(("all", 5), metric="rmse")
    frame["valid_loss"] = [3.0, 2.0, 1.0, 2.0, 3.0]
    loss, metric = report.history(frame).axes
    for axes in (loss, metric):
        ring = axes.lines[-1]
        assert list(ring.get_xdata()) == [3]
    assert "at the lowest loss: 1" in [text.get_text() for text in loss.get_legend().get_texts()]


@pytest.mark.parametrize("valid", [True, False])
def test_history_of_one_epoch_is_drawn(valid: bool) -> None:
    figure = report.history(history(("head", 1), valid=valid))
    drawn(figure)
    assert len(figure.axes) == (2 if valid else 1)
    assert all(axes.get_ylim()[1] > 0 for axes in figure.axes)


def test_history_without_numbers_is_drawn() -> None:
    drawn(report.history(pd.DataFrame({"stage": ["head"], "train_loss": [None], "valid_loss": [None]})))


def test_confusion_tells_counts_and_shares() -> None:
    table = metrics.confusion([0, 0, 0, 1], [0, 0, 1, 1], ["cat", "dog"])
    figure = report.confusion(table)
    drawn(figure)
    assert words(figure) == ["2\n67%", "1\n33%", "1\n100%"]
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[2 / 3, 1 / 3], [0, 1]])
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("truth", "predicted")


def test_confusion_of_a_level_without_pictures_is_drawn() -> None:
    drawn(report.confusion(metrics.confusion([0], [0], ["here", "absent"])))


def test_long_level_names_are_cut_and_forty_levels_fit() -> None:
    levels = [f"level number {i} " * (1 + i % 3) for i in range(40)]
    codes = np.arange(400) % 40
    figure = report.confusion(metrics.confusion(codes, (codes + codes // 39) % 40, levels))
    picture = drawn(figure)
    assert max(picture.size) < 1700
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == 40
    assert max(map(len, labels)) <= 28
    assert labels[1].endswith("…")


def test_hundreds_of_levels_stay_one_screen() -> None:
    codes = np.arange(500)
    picture = drawn(report.confusion(metrics.confusion(codes, codes, [f"n{i:04}" for i in codes])))
    assert max(picture.size) < 2200


def test_level_names_in_any_script_are_no_formula_and_no_warning() -> None:
    levels = ["$5 to $7", "日本語", "Ärger_^2"]
    drawn(report.confusion(metrics.confusion([0, 1, 2], [0, 1, 2], levels)))
    drawn(report.gallery([Image.new("RGB", (9, 9), "red")], ["日本語, taken for $5 to $7"]))


def test_each_class_is_a_line_the_worst_first_and_forty_at_most() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((400, 50)) < 0.2
    table = metrics.per_class(truth, truth & (rng.random((400, 50)) < 0.8), [f"$kind {i}" for i in range(50)])
    axes = report.per_class(table).axes[0]
    drawn(axes.figure)
    worst = table.sort_values("recall").iloc[0]
    assert len(axes.get_yticklabels()) == 40
    assert axes.get_yticklabels()[0].get_text() == f"{worst['level']} ({worst['n']})"
    assert axes.get_title() == "40 of 50 classes, the lowest recall first"


def test_calibration_of_many_labels_shows_the_largest_errors() -> None:
    rng = np.random.default_rng(0)
    tables = []
    for label in range(20):
        shares = rng.random(200)
        table = metrics.calibration(shares, rng.random(200) < shares ** (1 + label))
        tables.append(table.assign(level=f"label {label}"))
    figure = report.calibration(pd.concat(tables))
    drawn(figure)
    assert len([axes for axes in figure.axes if axes.get_title()]) == 12
    assert figure.axes[0].get_title().startswith("label 19\n")
    assert figure.get_suptitle() == "12 of 20 labels, the largest errors first"


@pytest.mark.parametrize("n", [0, 1, 3, 2000])
def test_calibration_of_any_number_of_pictures_is_drawn(n: int) -> None:
    values = np.random.default_rng(0).random(n)
    drawn(report.calibration(metrics.calibration(values, values > 0.5)))
    drawn(report.calibration(pd.DataFrame({"predicted": values * 1e6, "observed": values[::-1] * 1e6})))


def test_long_titles_of_pictures_keep_endings_and_probabilities() -> None:
    title = f"{'x' * 40}_7.jpg\ntruth: {'long ' * 9}(0.01)\npredicted: bag (0.98)"
    axes = report.gallery([Image.new("L", (9, 9))], [title]).axes[0]
    assert axes.get_title() == "x" * 24 + "…xx_7.jpg\ntruth: long long long lo…g (0.01)\npredicted: bag (0.98)"


def test_gallery_shows_each_picture_under_its_title() -> None:
    images = mximages(mxexample("fashion")).take(range(0, 200, 40))
    figure = report.gallery([images.open(i) for i in range(5)], [f"title {i}" for i in range(5)])
    drawn(figure)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [f"title {i}" for i in range(5)]
    np.testing.assert_array_equal(shown[0].images[0].get_array()[..., 0], np.asarray(images.open(0)))


@pytest.mark.parametrize("n", [0, 1, 2, 10])
def test_gallery_of_any_number_is_drawn(n: int) -> None:
    pictures = [Image.new(mode, (30 + i, 20), 120) for i, mode in zip(range(n), ["L", "RGB", "1", "P"] * 3)]
    drawn(report.gallery(pictures, ["long words " * 20] * n))


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_figure_is_written_as_its_name_says(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"plot.{ending}"
    report.history(history(("head", 1))).savefig(path)
    assert path.read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending])


def test_settings_of_the_session_stay() -> None:
    before = dict(mpl.rcParams)
    drawn(report.history(history(("head", 1), ("all", 3))))
    drawn(report.confusion(metrics.confusion([0, 1], [0, 1], ["a", "b"])))
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_loaded() -> None:
    script = """
        import sys
        from mxtune.model import report
        from mxtune.tasks import metrics
        report.confusion(metrics.confusion([0], [0], ["a"]))._repr_png_()
        assert "matplotlib.pyplot" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def test_missing_matplotlib_is_told_with_its_remedy() -> None:
    script = """
        import sys
        sys.modules["matplotlib"] = None
        from mxtune.errors import MxtuneError
        try:
            from mxtune.model import report
        except MxtuneError as error:
            assert error.message == "Plots need matplotlib.", error
            assert error.hint == "Run: pip install matplotlib"
        else:
            raise SystemExit("no error")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
