"""Callbacks that send figures elsewhere. What the real packages keep of a training, `make ecosystem` reads back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mxtune import mxtrain
from mxtune.callbacks import MLflow, TensorBoard, WandB
from mxtune.errors import ArgumentError, MxtuneError

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
    with pytest.raises(ArgumentError, match="`writer` must be a path"):
        TensorBoard(3)


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
