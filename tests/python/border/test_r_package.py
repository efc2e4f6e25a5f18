"""The R package, read as text: what it must have in common with Python, and where things are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mxtune.border.signatures import VERBS, written

ROOT = Path(__file__).parents[3]


def test_only_files_of_the_engine_call_reticulate() -> None:
    callers = {
        file.name
        for file in (ROOT / "R").glob("*.R")
        if any("reticulate::" in line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines())
    }
    assert callers
    assert [name for name in callers if not name.startswith("engine-")] == []


def test_install_mxtune_installs_what_the_lock_pins() -> None:
    wanted = (ROOT / "inst" / "requirements.txt").read_text().splitlines()
    pins = {line.split("==")[0]: line.split(";")[0] for line in wanted if "==" in line.split(";")[0]}
    locked = re.findall(r"^([a-z0-9-]+==[^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert set(pins.values()) <= set(locked)
    runtime = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    assert runtime is not None
    assert set(re.findall(r'^  "([a-z0-9-]+)', runtime[1], re.MULTILINE)) == {*pins, "torch"}


def test_setup_and_install_mxtune_take_the_same_pytorch() -> None:
    (in_r,) = re.findall(r"^torch(.*?);", (ROOT / "inst" / "requirements.txt").read_text(), re.MULTILINE)
    setup = (ROOT / "scripts" / "setup.sh").read_text()
    (newest,) = re.findall(r"^TORCH=([\d.]+)", setup, re.MULTILINE)
    assert f'"torch{in_r.replace(newest, "$TORCH")}"' in setup
    oldest = re.findall(r'"torch>=([\d.]+)', (ROOT / "pyproject.toml").read_text())
    assert {f">={version},<={newest}" for version in oldest} == {in_r}


@pytest.mark.parametrize("file", sorted({verb.file for verb in VERBS.values()}))
def test_signatures_in_r_are_those_of_python(file: str) -> None:
    code = (ROOT / "R" / f"{file}.R").read_text(encoding="utf-8")
    assert written(code, file) == code, "run: make man"


def test_a_changed_default_shows_in_r() -> None:
    code = 'mxsave <- function(model, path, ...) {\n}\nmxload <- function(file = "old", ...) {\n}\n'
    start = "predict.mxmodel <- function("
    assert written(code + start + ") {\n", "model").startswith(
        "mxsave <- function(model, path, ...) {\n}\nmxload <- function(path, limit = 1, "
    )
    with pytest.raises(LookupError, match="has no function predict"):
        written(code, "model")


# R alone: how it holds Python's objects, how it installs and starts the engine, and what every R package has
OF_R = {"handles", "install", "mxtune-package", "zzz"}


def test_a_file_of_r_has_the_name_of_the_python_module_it_stands_for() -> None:
    package = ROOT / "python" / "mxtune"
    modules = {path.stem for path in package.rglob("*") if path.is_dir() or path.suffix == ".py"}
    names = {file.stem for file in (ROOT / "R").glob("*.R") if not file.stem.startswith("engine-")}
    assert {name for name in names - OF_R if not set(name.split("-")) <= modules} == set()
    assert names >= OF_R
