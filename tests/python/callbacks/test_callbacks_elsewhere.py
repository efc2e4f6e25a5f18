"""Callbacks that send figures elsewhere. What the real packages keep of a training, `make ecosystem` reads back."""

from __future__ import annotations

import copy
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mxtune import mxtrain
from mxtune.callbacks import MLflow, TensorBoard, WandB
from mxtune.errors import ArgumentError, MxtuneError, StoreError, TrainingWarning

PACKAGES: dict[str, Callable[[], Any]] = {
    "tensorboard": lambda: TensorBoard("runs/1"),
    "mlflow": MLflow,
    "wandb": lambda: WandB(project="clothes"),
}


class Writer:
    """A writer of the user's own."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, int], float] = {}
        self.written: dict[tuple[str, int], float] = {}

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.waiting[name, step] = value

    def flush(self) -> None:
        self.written |= self.waiting


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_named_before_any_training(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (package, f"{package}.summary"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MxtuneError) as caught:
        PACKAGES[package]()
    assert caught.value.message == f"This callback needs {package}."
    assert caught.value.hint == f"Run: pip install {package}"


def test_what_is_neither_folder_nor_writer_is_told() -> None:
    for wrong in (3, Writer):
        with pytest.raises(ArgumentError, match="`writer` must be a path"):
            TensorBoard(wrong)


@pytest.mark.filterwarnings("ignore::mxtune.errors.MxtuneWarning")
def test_a_writer_has_every_figure_after_each_epoch_also_of_a_resumed_training(
    digits: tuple[Any, Any], tmp_path: Path
) -> None:
    pictures, names = digits
    settings: dict[str, Any] = {"net": "lenet", "epochs": 3, "verbose": 0, "checkpoint": tmp_path / "digits.ckpt"}
    writer = Writer()
    interrupted = [TensorBoard(writer), lambda epoch, _: epoch < 2]
    mxtrain(pictures[:100], names[:100], callbacks=interrupted, **settings)
    assert {step for _, step in writer.written} == {1, 2}
    model = mxtrain(pictures[:100], names[:100], callbacks=TensorBoard(writer), resume=True, **settings)
    assert writer.written == {
        (f"{row['stage']}/{name}", row["epoch"]): value
        for row in model.history.to_dict("records")
        for name, value in row.items()
        if name not in ("stage", "epoch")
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_callback_is_copied_and_pickled_as_estimators_in_a_search_are(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for module in (package, f"{package}.summary"):
        monkeypatch.setitem(sys.modules, module, ModuleType(module))  # which itself can't be
    callback = PACKAGES[package]()
    for other in (copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):  # noqa: S301 - our own
        assert vars(other) == vars(callback)


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_an_interrupted_training_closes_what_it_opened(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    library = SimpleNamespace(
        run=None,
        config=SimpleNamespace(update=lambda *_, **__: None),
        init=lambda **_: runs.append("open"),
        log=lambda _: signal.raise_signal(signal.SIGINT),
        finish=lambda: runs.append("closed"),
    )
    monkeypatch.setitem(sys.modules, "wandb", library)
    with pytest.warns(TrainingWarning, match="interrupted"):
        mxtrain(digits[0][:60], digits[1][:60], net="lenet", epochs=2, verbose=0, callbacks=WandB())
    assert runs == ["open", "closed"]


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", ModuleType("summary"))
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StoreError, match="Can't make the folder"):
        TensorBoard(tmp_path / "runs")
