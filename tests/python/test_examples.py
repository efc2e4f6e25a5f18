from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from benchmarks.data import FASHION_CLASSES
from PIL import Image

from mxtune.errors import ArgumentError
from mxtune.examples import mxexample


def test_fashion_is_ten_class_folders_of_forty_pictures() -> None:
    folders = [entry for entry in Path(mxexample("fashion")).iterdir() if entry.is_dir()]
    assert sorted(folder.name for folder in folders) == sorted(FASHION_CLASSES)
    assert {len(list(folder.glob("*.png"))) for folder in folders} == {40}


def test_fashion_holds_the_very_pictures_of_fashion_mnist(fashion: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = fashion
    for file in Path(mxexample("fashion")).glob("*/*.png"):
        index = int(file.stem)
        assert labels[index] == file.parent.name
        with Image.open(file) as image:
            np.testing.assert_array_equal(np.asarray(image), pictures[index])


def test_the_licence_lies_beside_the_pictures() -> None:
    assert "Zalando" in (Path(mxexample("fashion")).parent / "LICENSE.txt").read_text(encoding="utf-8")


def test_without_a_name_the_examples_are_listed() -> None:
    assert mxexample() == ["fashion"]


def test_an_unknown_example_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ArgumentError) as caught:
        mxexample("cars")
    assert str(caught.value) == 'No example images are called "cars".\ni There are: fashion.'


def test_a_wheel_carries_the_example_pictures(tmp_path: Path, repository: Path) -> None:
    # built from a copy, so that nothing is left in the repository
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(repository / name, tmp_path)
    shutil.copytree(repository / "python", tmp_path / "python", ignore=shutil.ignore_patterns("*.egg-info"))
    shutil.copytree(repository / "inst" / "extdata", tmp_path / "inst" / "extdata")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "wheel", "."],
        cwd=tmp_path,
        check=True,
    )
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert sum(name.startswith("mxtune/extdata/fashion/") for name in names) == 400
    assert "mxtune/extdata/LICENSE.txt" in names
