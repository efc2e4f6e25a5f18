"""The command: what it prints where, and the codes it ends with. Real training on the example images."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import mxtune
from mxtune import mxexample, mximages, mxload, mxtrain, store, tasks
from mxtune.cli import options
from mxtune.model.drawing import KINDS
from mxtune.model.model import TYPES
from mxtune.training.options import SCHEDULES, TUNES

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(mxtune.__file__).parents[1]), "COLUMNS": "100"}


def mx(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run ``mxtune words``, which must end with this code and never with a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "mxtune.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        timeout=60,
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few example images of three classes."""
    folder = tmp_path_factory.mktemp("cli") / "photos"
    for level in ("bag", "sandal", "trouser"):
        (folder / level).mkdir(parents=True)
        for file in sorted((Path(mxexample("fashion")) / level).glob("*.png"))[:12]:
            shutil.copy(file, folder / level)
    return folder


@pytest.fixture(scope="module")
def trained(photos: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A model that the command trained, and what it said."""
    model = photos.parent / "my model.mxt"
    plot = photos.parent / "history.png"
    return model, mx("train", photos, "-o", model, "--tune", "head", "--plot", plot, "--seed", 1)


def test_help_is_quick_and_teaches() -> None:
    started = time.monotonic()
    text = mx("--help").stdout
    assert time.monotonic() - started < 2  # 0.1 s on a machine that is not shared
    assert "mxtune train photos -o pets.mxt" in text
    for code in ("0  done", "1  the job failed", "2  an option", "3  some images", "130  interrupted"):
        assert code in text
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mxtune.cli", "--help"],
        capture_output=True, text=True, check=True, env=ENVIRONMENT,
    ).stderr  # fmt: skip
    for heavy in ("mxnet", "numpy", "pandas", "PIL", "rich"):
        assert not any(line.split("|")[-1].strip() == heavy for line in loaded.splitlines())


@pytest.mark.parametrize(
    "command",
    [
        *("look", "train", "predict", "evaluate", "explain", "suspects", "report", "serve"),
        *("push", "quantize", "info", "zoo", "cache"),
    ],
)
def test_help_of_each_command_has_an_example(command: str) -> None:
    text = mx(command, "--help").stdout
    assert f"Examples:\n    mxtune {command}" in text


def test_options_have_their_names_on_every_version() -> None:
    text = mx("train", "--help").stdout
    assert "PHOTOS" in text.splitlines()[0]
    assert "OUTPUT" not in text
    assert "-o, --output FILE" in text


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "report"])
def test_help_has_no_jargon_of_parsers(command: str) -> None:
    assert not re.search(r"range>|RANGE|<int|<str|<float|x>=", mx(command, "--help").stdout)


def test_a_number_out_of_range_is_refused_before_the_work() -> None:
    for wrong in (["--image-size", "7"], ["--epochs", "0"], ["--epochs", "ten"], ["--verbose", "3"]):
        refused = mx("train", "photos", "-o", "x.mxt", *wrong, code=2)
        assert "must be a whole number" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "a.txt"], "Can't write a.txt.\nx its extension is .txt\ni Use a.mxt."),
        (["-o", "model"], "Can't write model.\nx it has no extension\ni Use model.mxt."),
        (["-o", "a.mxt", "--plot", "h.gif"], "Can't write h.gif.\nx its extension is .gif\ni Use h.png."),
        (["-o", "a.mxt", "--meta", "Pets"], "--meta takes FIELD=TEXT."),
        (["-o", "a.mxt", "--meta", "titel=Pets"], "Did you mean title?"),
    ],
)
def test_what_can_not_be_written_is_refused_before_the_work(photos: Path, words: list[str], said: str) -> None:
    refused = mx("train", photos, *words, code=2).stderr
    assert said in refused
    assert "Looking at" not in refused
    assert not list(Path().glob("*.txt"))


@pytest.mark.parametrize(("typed", "offered"), [("mxtune train --tu", ["--tune"]), ("mxtune pre", ["predict"])])
def test_a_shell_completes_commands_and_options(typed: str, offered: list[str]) -> None:
    place = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" ")), "_MXTUNE_COMPLETE": "complete_bash"}
    code = "from mxtune.cli import main; main()"
    asked = [sys.executable, "-c", code]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False, env={**ENVIRONMENT, **place})
    assert ended.stdout.split() == offered


def test_a_network_without_weights_leads_to_an_option_of_the_command(photos: Path, tmp_path: Path) -> None:
    said = mx("train", photos, "-o", tmp_path / "small.mxt", "--net", "lenet", "--epochs", 1).stderr
    assert "i Use --net efficientnet_lite0, which has learned from a million images.\n" in said


def test_choices_are_those_of_the_library() -> None:
    choices = [
        get_args(choice) for choice in (options.Tune, options.Schedule, options.Task, options.Kind, options.Figure)
    ]
    assert choices == [TUNES, SCHEDULES, tasks.names(), TYPES, KINDS]


def test_version_is_told() -> None:
    assert mx("--version").stdout == f"{mxtune.__version__}\n"


def test_train_writes_model_and_plot_and_prints_figures(trained: tuple, photos: Path) -> None:
    model, said = trained
    figures = dict(line.split()[:2] for line in said.stdout.splitlines())
    assert float(figures["accuracy"]) > 0.6
    assert mxload(model).levels == ("bag", "sandal", "trouser")
    assert (photos.parent / "history.png").read_bytes().startswith(b"\x89PNG")
    assert f"Wrote {model}" in said.stderr
    assert "head 1/1" in said.stderr


def test_the_range_of_values_is_an_option(tmp_path: Path) -> None:
    for kind, step in (("a", 3), ("b", 7)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for row in range(6):
            values = (np.arange(256).reshape(16, 16) * step + row).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / "photos" / kind / f"{row}.png")
    model = tmp_path / "x.mxt"
    said = mx(
        "train", str(tmp_path / "photos"), "-o", str(model), "--net", "lenet", "--epochs", "1", "--range", "0..4095",
        "--deterministic",
    )  # fmt: skip
    assert mxload(model).preprocess.range == (0, 4095)
    assert mxload(model).settings["deterministic"]
    assert "taken as" not in said.stderr


def test_a_budget_of_seconds_is_an_option(photos: Path, tmp_path: Path) -> None:
    model = tmp_path / "x.mxt"
    said = mx("train", photos, "-o", model, "--net", "efficientnet_lite0", "--tune", "tail", "--time-budget", 9)
    assert "Within 9 s at " in said.stderr
    assert next(iter(mxload(model).settings["time_budget"]["spent"])) == "head"
    refused = mx("train", photos, "-o", model, "--time-budget", 0, code=2).stderr
    assert "must be a number of seconds above 0" in refused
    assert "Looking at" not in refused


def test_predict_gives_a_row_a_picture_in_order(trained: tuple, photos: Path) -> None:
    files = [str(file) for file in sorted((photos / "trouser").iterdir())[:3]][::-1]
    said = mx("predict", trained[0], *files, "--type", "prob", "-q")
    frame = pd.read_csv(io.StringIO(said.stdout))
    assert list(frame.columns) == ["file", "pred_class", "pred_bag", "pred_sandal", "pred_trouser"]
    assert list(frame.file) == files
    assert frame.iloc[:, 2:].sum(axis=1).tolist() == pytest.approx([1] * 3, abs=1e-5)
    assert said.stderr == ""


def test_predict_takes_a_network_by_its_name() -> None:
    coffee = Path(__file__).parents[1] / "shared" / "coffee.jpg"
    said = mx("predict", "EfficientNet-Lite0", coffee, "--top", "2", "-q").stdout.splitlines()
    assert said[0] == "file,pred_class,pred_prob" and len(said) == 3 and ",espresso," in said[1]


def test_labels_that_are_left_open_are_no_bad_pictures(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    labels = (np.arange(40)[:, np.newaxis] % 2 == 0).repeat(2, axis=1).astype(int)
    mxtrain(pictures, labels, tune="head", image_size=32, folds=4, verbose=0).save(tmp_path / "x.mxt")
    Image.fromarray(pictures[0]).save(tmp_path / "a.png")
    told = mx("predict", tmp_path / "x.mxt", tmp_path / "a.png", "--type", "set", "--level", "0.999")
    assert told.stdout.splitlines()[1].endswith("a.png,NA,NA")


def test_predict_names_bad_pictures_and_ends_with_3(trained: tuple, photos: Path, tmp_path: Path) -> None:
    good = next((photos / "bag").iterdir())
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:100])
    shutil.copy(good, tmp_path / "good.png")
    said = mx("predict", trained[0], tmp_path, code=3)
    assert said.stdout.splitlines()[:2] == ["file,pred_class", "broken.png,NA"]
    assert said.stdout.splitlines()[2].startswith("good.png,")
    assert "x broken.png: " in said.stderr
    output = tmp_path / "said.json"
    assert mx("predict", trained[0], tmp_path, "--format", "json", "-o", output, code=3).stdout == ""
    rows = json.loads(output.read_text())
    assert rows[0] == {"file": "broken.png", "pred_class": None}


def test_evaluate_prints_text_or_json(trained: tuple, photos: Path, tmp_path: Path) -> None:
    plot = tmp_path / "confusion.png"
    said = mx("evaluate", trained[0], photos, "--format", "json", "--plot", plot)
    figures = json.loads(said.stdout)
    assert figures["n"] == 36
    assert figures["accuracy"] > 0.8
    assert plot.exists()
    assert dict(line.split()[:2] for line in mx("evaluate", trained[0], photos).stdout.splitlines())["n"] == "36"


def test_explanations_are_pictures_and_a_table_in_a_folder(
    trained: tuple[Path, subprocess.CompletedProcess[str]], photos: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "new" / "why", trained[0]
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    good = sorted((photos / "bag").glob("*.png"))[:2]
    said = mx("explain", model, *good, tmp_path / "cut.png", "--label", "bag", "--label", "sandal", "-o", out, code=3)
    assert said.stdout.startswith("<Explanation of 3 images, 6 answers>\n")
    assert "cut.png" in said.stderr
    assert f"Wrote 4 pictures and explanation.csv to {out}\n" in said.stderr
    names = [f"{file.stem}-{label}.png" for file in good for label in ("bag", "sandal")]
    assert sorted(file.name for file in out.iterdir()) == sorted([*names, "explanation.csv"])
    assert Image.open(out / names[0]).size == (476, 476)
    assert pd.read_csv(out / "explanation.csv")["logit"].isna().tolist() == [False] * 4 + [True] * 2
    assert "Did you mean bag" in mx("explain", model, good[0], "--label", "bags", "-o", out, code=2).stderr
    assert "it is a file" in mx("explain", model, good[0], "-o", good[1], code=2).stderr


def test_a_network_is_explained_as_it_is(tmp_path: Path) -> None:
    image = sorted((Path(mxexample("fashion")) / "bag").glob("*.png"))[0]
    mx("explain", "efficientnet_lite0", image, "-o", tmp_path, "-q")
    table = pd.read_csv(tmp_path / "explanation.csv")
    assert table[["rest", "stage_1"]].sum(axis=1).tolist() == pytest.approx(table["logit"].tolist(), rel=1e-4)


def test_suspects_are_told_drawn_and_written_as_a_table_to_train_on(
    trained: tuple, photos: Path, tmp_path: Path
) -> None:
    table, sheet = tmp_path / "suspects.csv", tmp_path / "suspects.png"
    said = mx("suspects", trained[0], photos, "-o", table, "--sheet", sheet)
    assert said.stdout.startswith("Suspects: ")
    assert f"To train on the mended table: mxtune train {table} -o model.mxt." in said.stderr
    assert f"Wrote {table}\nWrote {sheet}\n" in said.stderr
    assert Image.open(sheet).format == "PNG"
    assert len(mximages(table)) == 36
    rows = pd.read_csv(io.StringIO(mx("suspects", trained[0], "--format", "csv").stdout))
    assert list(rows.columns) == ["file", "label", "suggested", "prob", "suggested_prob", "score", "suspect"]
    assert "x.csv" in mx("suspects", trained[0], "-o", tmp_path / "x.txt", code=2).stderr


@pytest.mark.mxnet
@pytest.mark.vnni
def test_quantize_tells_what_int8_costs_and_predict_computes_in_it(
    trained: tuple, photos: Path, tmp_path: Path
) -> None:
    quick = tmp_path / "quick.mxt"
    said = mx("quantize", trained[0], photos, "-o", quick)
    assert re.match(r"int8 not chosen: [\d.]+ times as fast; accuracy not measured", said.stdout)
    assert f"Wrote {quick}" in said.stderr
    plain, low = (
        mx("predict", quick, photos, "--type", "prob", "--precision", one).stdout for one in ("float32", "int8")
    )
    assert plain == mx("predict", trained[0], photos, "--type", "prob").stdout != low
    assert "does not know the ranges" in mx("evaluate", trained[0], photos, "--precision", "int8", code=2).stderr
    assert "x.mxt" in mx("quantize", trained[0], photos, "-o", tmp_path / "x.txt", code=2).stderr
    said = mx("train", photos, "-o", quick, "--precision", "int8", code=2).stderr
    assert "In int8 only the head is trained" in said and "--tune head" in said


def test_evaluate_needs_no_pictures_for_the_validation(trained: tuple, tmp_path: Path) -> None:
    model, said = trained
    plot = tmp_path / "calibration.png"
    assert mx("evaluate", model, "--plot", plot, "--kind", "calibration").stdout == said.stdout
    assert plot.stat().st_size > 1000
    assert "--kind needs --plot.\ni Add --plot x.png." in mx("evaluate", model, "--kind", "history", code=2).stderr
    refused = mx("evaluate", model, "--label", "kind", code=2).stderr
    assert "There is --label, but there are no images.\ni Give PHOTOS, too." in refused


def test_a_report_is_a_page(trained: tuple, photos: Path, tmp_path: Path) -> None:
    said = mx("report", trained[0], "-o", tmp_path / "bare.html")
    assert (said.stdout, said.stderr) == ("", f"Wrote {tmp_path / 'bare.html'}\n")
    mx("report", trained[0], "-o", tmp_path / "shown.html", "--data", photos)
    bare, shown = ((tmp_path / name).read_text(encoding="utf-8") for name in ("bare.html", "shown.html"))
    assert [page.count("<img ") > 0 for page in (bare, shown)] == [False, True]
    assert f"It is right for {round(100 * mxload(trained[0]).metrics['accuracy'])} of 100 images" in bare
    assert "Use x.html." in mx("report", trained[0], "-o", tmp_path / "x.txt", code=2).stderr.replace(
        f"{tmp_path}/", ""
    )
    assert (
        "there are no images" in mx("report", trained[0], "-o", tmp_path / "x.html", "--label", "kind", code=2).stderr
    )


def test_table_of_numbers_asks_for_regression(photos: Path, tmp_path: Path) -> None:
    files = sorted(map(str, photos.glob("*/*.png")))
    table = tmp_path / "prices.csv"
    pd.DataFrame({"path": files, "price": [len(Path(f).parent.name) + 0.5 for f in files]}).to_csv(table, index=False)
    said = mx("train", table, "-o", tmp_path / "prices.mxt", "--tune", "head", "--quiet")
    assert {"rmse", "mae", "r2"} <= {line.split()[0] for line in said.stdout.splitlines()}
    assert mxload(tmp_path / "prices.mxt").task == "regression"
    mx("evaluate", tmp_path / "prices.mxt", table, "--plot", tmp_path / "prices.svg")
    assert (tmp_path / "prices.svg").exists()


def test_what_a_model_without_an_image_says_of_it_is_a_table(trained: tuple, photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "out of fold.csv"
    said = mx("evaluate", trained[0], "--out-of-fold", table, "--format", "json")
    figures = json.loads(said.stdout)
    assert figures["intervals"]["accuracy"][0] <= figures["accuracy"] <= figures["intervals"]["accuracy"][1]
    answers = pd.read_csv(table)
    assert (answers.truth == answers.pred_class).mean() == pytest.approx(figures["accuracy"])
    assert sorted(answers.fold.unique()) == [1, 2, 3, 4, 5]
    assert "x.csv" in mx("evaluate", trained[0], "--out-of-fold", tmp_path / "x.txt", code=2).stderr
    sets = pd.read_csv(io.StringIO(mx("predict", trained[0], photos, "--type", "set", "--level", 0.99, "-q").stdout))
    assert sets.pred_set.str.split(";").map(len).tolist() == [3] * 36  # 36 images are too few for .99
    silent = mx("predict", trained[0], photos, "--abstain", 0.9999, "-q").stdout
    assert "below 0.9999" in silent
    assert "above 0 and below 1" in mx("predict", trained[0], photos, "--abstain", 1.5, code=2).stderr
    near = pd.read_csv(io.StringIO(mx("predict", trained[0], photos, "--novelty", "-q").stdout))
    assert list(near.columns) == ["file", "pred_class", "novelty", "is_novel"] and near.is_novel.mean() < 0.2
    assert json.loads(mx("evaluate", trained[0], photos, "--format", "json").stdout)["novel"] == near.is_novel.mean()
    refused = mx("train", photos, "-o", tmp_path / "x.mxt", "--folds", "2", code=2).stderr
    assert "a number from 3 to 20" in refused


def test_columns_and_root_of_a_table_are_options(photos: Path, tmp_path: Path) -> None:
    files = sorted(photos.glob("*/*.png"))
    rows = "".join(f"{file.parent.name}/{file.stem};0;{file.parent.name}\n" for file in files)
    table, model = tmp_path / "labels.csv", tmp_path / "x.mxt"
    table.write_text(f"id;fold;kind\n{rows}")
    said = mx("train", table, "-o", model, "--path", "id", "--root", photos, code=1).stderr
    assert "Couldn't tell which column" in said
    assert "or name the column of a table with the labels: --label ..." in said
    options = ("--path", "id", "--label", "kind")
    said = mx("train", table, "-o", model, "--tune", "head", *options, code=1).stderr
    assert f"None of the {len(files)} files was found." in said
    options += ("--root", photos)
    trained = mx("train", table, "-o", model, "--tune", "head", "--valid", table, *options)
    figures = dict(line.split()[:2] for line in mx("evaluate", model, table, *options).stdout.splitlines())
    assert float(figures.pop("novel")) < 0.2
    assert figures == dict(line.split()[:2] for line in trained.stdout.splitlines())
    answers = pd.read_csv(io.StringIO(mx("predict", model, table, *options[:2], "--root", photos).stdout))
    assert answers.file[0] == f"{files[0].parent.name}/{files[0].stem}"


def test_where_features_are_kept_is_an_option(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "MXTUNE_CACHE", str(tmp_path / "usual"))
    monkeypatch.setitem(ENVIRONMENT, "MXTUNE_CACHE_GB", "1")
    for cache, kept in (("none", None), (tmp_path / "mine", tmp_path / "mine")):
        mx("train", photos, "-o", tmp_path / "x.mxt", "--tune", "head", "--image-size", 32, "--cache", cache)
        assert {file.parent for file in tmp_path.rglob("*.rows")} == ({kept} if kept else set())
    assert not (tmp_path / "usual").exists()


def test_several_columns_of_labels_are_an_option_each(photos: Path, tmp_path: Path) -> None:
    files = sorted(photos.glob("*/*.png"))
    kinds = np.array([file.parent.name for file in files])
    table, model = tmp_path / "labels.csv", tmp_path / "x.mxt"
    frame = pd.DataFrame({"path": list(map(str, files)), "shoe": kinds == "sandal", "cloth": kinds == "trouser"})
    frame.astype({"shoe": int, "cloth": int}).to_csv(table, index=False)
    options = ("--label", "shoe", "--label", "cloth")
    mx("train", table, "-o", model, "--tune", "head", "--image-size", 32, *options)
    assert (mxload(model).task, mxload(model).levels) == ("multilabel", ("shoe", "cloth"))
    figures = dict(line.split()[:2] for line in mx("evaluate", model, table, *options).stdout.splitlines())
    assert 0.9 < float(figures["mean_average_precision"]) <= 1


def test_the_parts_of_a_data_set_are_a_column(photos: Path, tmp_path: Path) -> None:
    files = sorted(map(str, photos.glob("*/*.png")))
    table, model = tmp_path / "labels.csv", tmp_path / "x.mxt"
    frame = pd.DataFrame({"image": files, "kind": [Path(file).parent.name for file in files]})
    frame["use"] = (["train"] * 3 + ["val", "test"]) * (len(files) // 5) + ["train"] * (len(files) % 5)
    frame.assign(other=frame.image).to_csv(table, index=False)
    said = mx("train", table, "-o", model, "--tune", "head", "--split", "use", "--valid", "0.3", code=2).stderr
    assert "given twice: by `split` and by `valid`" in said
    said = mx("train", table, "-o", model, "--tune", "head", "--split", "use", "--label", "kind")
    n_test = (frame.use == "test").sum()
    assert f", {n_test} for test." in said.stderr
    figures = dict(line.split()[:2] for line in mx("evaluate", model, table, "--split", "use").stdout.splitlines())
    assert figures["n"] == str(n_test)
    swapped = pd.DataFrame({"file": ["gone.png"] * 2, "image": files[:2]})
    swapped.to_csv(table, index=False)
    assert pd.read_csv(io.StringIO(mx("predict", model, table).stdout)).file.tolist() == files[:2]


def test_info_tells_of_the_machine_and_of_a_model(trained: tuple) -> None:
    assert mx("info").stdout.startswith("mxtune")
    assert json.loads(mx("info", "--format", "json").stdout)["versions"]["mxtune"] == mxtune.__version__
    assert "3 classes" in mx("info", trained[0]).stdout
    assert json.loads(mx("info", trained[0], "--format", "json").stdout)["levels"] == ["bag", "sandal", "trouser"]


def test_zoo_lists_the_networks_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "MXTUNE_CACHE", str(tmp_path))
    said = mx("zoo", "LeNet", "--measure").stdout.splitlines()
    assert len(said) == 3 and said[2].startswith("lenet") and len(said[2].split()) == 6
    assert pd.read_csv(io.StringIO(mx("zoo", "--format", "csv").stdout))["seconds"].count() == 1
    assert "There is no network lenett" in mx("zoo", "lenett", code=1).stderr


def test_zoo_lists_networks() -> None:
    assert "efficientnet_lite0" in mx("zoo").stdout
    names = [row["name"] for row in json.loads(mx("zoo", "--format", "json").stdout)]
    assert names == pd.read_csv(io.StringIO(mx("zoo", "--format", "csv").stdout)).name.tolist()


def test_failed_job_ends_with_1_and_the_reason(trained: tuple, photos: Path, tmp_path: Path) -> None:
    model = tmp_path / "cut.mxt"
    model.write_bytes(trained[0].read_bytes()[:5000])
    said = mx("predict", model, photos, code=1)
    assert said.stdout == ""
    assert f'Can\'t read the model file "{model}".\nx ' in said.stderr
    assert "no file or folder" in mx("train", tmp_path / "none", "-o", tmp_path / "x.mxt", code=1).stderr
    assert "no file or folder" in mx("train", tmp_path / "none.csv", "-o", tmp_path / "x.mxt", code=1).stderr
    (tmp_path / "empty.csv").touch()
    assert "Can't read the table" in mx("train", tmp_path / "empty.csv", "-o", tmp_path / "x.mxt", code=1).stderr


def test_bad_usage_ends_with_2_before_any_work(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.mxt"
    assert "-o" in mx("train", photos, code=2).stderr
    mx("train", photos, "-o", output, "--tune", "nose", code=2)
    mx("nonsense", code=2)
    assert "--no-such" in mx("zoo", "--no-such", code=2).stderr
    assert "x there is no folder" in mx("train", photos, "-o", tmp_path / "none" / "x.mxt", code=2).stderr
    assert "x it is a folder" in mx("train", photos, "-o", tmp_path, code=2).stderr
    assert "valid" in mx("train", photos, "-o", output, "--valid", "7", code=2).stderr
    assert not output.exists()


def test_interrupt_writes_the_best_so_far_and_ends_with_130(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.mxt"
    words = ["train", photos, "-o", output, "--net", "lenet", "--epochs", "5000", "--patience", "0", "-v", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "mxtune.cli", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if "/5000" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(30) == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert mxload(output).levels == ("bag", "sandal", "trouser")


def test_cache_is_told_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path))
    monkeypatch.setitem(ENVIRONMENT, "MXTUNE_CACHE", str(tmp_path))
    store.keep(store.features_dir() / f"{'0' * 32}-{'0' * 16}.rows", [bytes(12_345)], 12_345)
    features, images, speed = mx("cache").stdout.splitlines()
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", features) == (
        f"features: 1 file, 12 kB of 2.0 GB, last used DAY, in {tmp_path / 'features'}"
    )
    assert images == f"images: 0 files, 0 bytes of 1.0 GB, in {tmp_path / 'features'}"
    assert speed == f"speed: 0 files, 0 bytes, in {tmp_path / 'speed'}"
    assert mx("cache", "--clear").stdout == f"Removed 12 kB from {tmp_path}\n"
    assert mx("cache").stdout.startswith("features: 0 files, 0 bytes of 2.0 GB, in ")
