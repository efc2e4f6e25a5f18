"""What vignettes/service.Rmd says to type in a shell and in Python runs; its lines of R run where it is built."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from mxtune import Model, mxexample, mxload, mxtrain

ROOT = Path(__file__).parents[3]
CHUNKS = re.findall(
    r"^```(\w+)\n(.*?)^```", (ROOT / "vignettes" / "service.Rmd").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
BAG, BOOT = (sorted(Path(mxexample("fashion"), kind).iterdir())[0] for kind in ("bag", "ankle_boot"))


def chunks(language: str) -> list[str]:
    return [code for one, code in CHUNKS if one == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the article is followed: its model and its two images."""
    folder = tmp_path_factory.mktemp("article")
    mxtrain(mxexample("fashion"), tune="head", image_size=32, verbose=0).save(folder / "clothes.mxt")
    for name, photo in (("bag.png", BAG), ("boot.png", BOOT)):
        shutil.copy(photo, folder / name)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return mxload(folder / "clothes.mxt")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The command of the article, at a free port."""
    (command,) = (code for code in chunks("bash") if code.startswith("mxtune"))
    words = command.replace("8000", "0").split()
    with subprocess.Popen(
        [sys.executable, "-m", "mxtune.cli", *words[1:]], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        yield process.stderr.readline().split("//")[1].strip()
        process.terminate()


def test_requests_from_a_shell_are_answered(folder: Path, address: str, model: Model) -> None:
    (code,) = (code for code in chunks("bash") if "curl" in code)
    said = [
        subprocess.run(
            ["bash", "-ec", line.replace("localhost:8000", address)], cwd=folder, capture_output=True, check=True
        ).stdout.decode()
        for line in code.splitlines()
    ]
    wanted = model.predict([str(BAG), str(BOOT)])["pred_class"].tolist()
    assert [row["pred_class"] for row in json.loads(said[0])["predictions"]] == wanted
    assert len(pd.read_csv(io.StringIO(said[1]))) == 3
    answer = json.loads(said[2])
    assert {"pred_set", "novelty"} <= set(answer["predictions"][0])
    assert answer["explanations"][0]["png"]


def test_python_serves_and_asks(folder: Path, model: Model) -> None:
    (code,) = chunks("python")
    path = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    ).stdout
    (row,) = json.loads(said)["predictions"]
    assert row["pred_class"] == model.predict([str(BAG)])["pred_class"].iloc[0]


def test_the_image_copies_what_is_there_and_starts_a_command_that_is() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert copied
    for word in copied:
        assert (ROOT / word).exists()
        assert f"!{word}" in let_in
    (command, options) = (
        json.loads(line.partition(" ")[2]) for line in lines if line.startswith(("ENTRYPOINT", "CMD"))
    )
    told = subprocess.run(
        [sys.executable, "-m", "mxtune.cli", *command[1:], "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(word in told for word in options if word.startswith("--"))
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    assert int(user) > 0
