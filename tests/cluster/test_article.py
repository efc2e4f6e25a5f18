"""The lines of the article "A million images" run, with a real Ray and a real Spark, in Python and in R."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mxtune import Model, mxexample

PAGE = Path(__file__).parents[2] / "vignettes" / "million.Rmd"
pytestmark = pytest.mark.timeout(400)


def lines(title: str, language: str = "python") -> list[str]:
    """The chunks under a heading."""
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    return re.findall(rf"^```{language}\n(.*?)^```", sections[title], re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(model: Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the article names."""
    shutil.copytree(folder, tmp_path / "photos", ignore=shutil.ignore_patterns("cut.png", "text.png"))
    shutil.copytree(folder, tmp_path / "sample", ignore=shutil.ignore_patterns("*[1-9].png"))
    shutil.copytree(mxexample("fashion"), tmp_path / "clothes")
    files = sorted((tmp_path / "photos").iterdir())
    table = {"id": [file.name for file in files], "photo": [file.read_bytes() for file in files]}
    pd.DataFrame(table).to_parquet(tmp_path / "photos.parquet")
    model.save(tmp_path / "clothes.mxt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("cluster")
def test_the_lines_on_ray(here: Path, model: Model) -> None:
    names: dict[str, Any] = {}
    folder, parquet, pixels, features = lines("On Ray")
    for chunk in (folder, parquet, pixels, features):
        exec(chunk.replace('"photos', f'"{here}/photos').replace('parquet("', f'parquet("{here}/'), names)  # noqa: S102
    assert len(pd.read_parquet(here / "answers")) == 400
    assert len(pd.read_parquet(here / "features")["features"][0]) == model.features(here / "sample").shape[1]


def test_the_lines_on_spark(here: Path, spark: Any) -> None:
    (chunk,) = lines("On Spark")
    exec(chunk.replace('"photos', f'"{here}/photos').replace('parquet("', f'parquet("{here}/'), {"spark": spark})  # noqa: S102
    assert len(pd.read_parquet(here / "answers-of-spark")) == 400


def test_the_lines_for_users_of_sparklyr(here: Path) -> None:
    (code,) = lines("On Spark", "r")
    settings = {**os.environ, "RETICULATE_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(["Rscript", "-e", code], cwd=here, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_parquet(here / "answers-of-r")) == 400


@pytest.mark.usefixtures("here")
def test_the_lines_of_training_and_planning() -> None:
    names: dict[str, Any] = {}
    for title in ("Training on many images", "Planning 100 million"):
        for chunk in lines(title):
            exec(chunk, names)  # noqa: S102 - our own page
    assert names["cpu_hours"] > 0
