"""House rules that are cheap to hold, and words of the repository that must stay true."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mxtune import engines
from mxtune._version import __version__
from mxtune.engines.mxnet import cuda

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "mxtune"
# what git tracks, or would: never what was built
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    if name
]
WRITTEN = [
    file
    for file in FILES
    if file.is_file()
    and file.suffix in {".py", ".R", ".Rmd", ".md", ".toml", ".sh", ".c", ".h", ".lock", ".yml", ".json", ""}
]


def imports(file: Path) -> Iterator[str]:
    """The top names of all modules a file imports, also late ones."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def modules(file: Path) -> Iterator[str]:
    """The whole names of all modules and members that a file imports, also late and relative ones."""
    package = ("mxtune", *file.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join(filter(None, (*start, node.module, alias.name))) for alias in node.names)


def project() -> dict[str, str]:
    """The text of each list of requirements in pyproject.toml, by its name."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+) = \[(.*?)\n?\](?: *#[^\n]*)?$", text, flags=re.MULTILINE | re.DOTALL))


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


@pytest.mark.parametrize(
    ("module", "home"), [("mxnet", "engines/mxnet/"), ("torch", "engines/torch/"), ("rpy2", "border/rpy2/")]
)
def test_a_foreign_engine_is_imported_in_one_place_only(module: str, home: str) -> None:
    guests = [file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if module in imports(file)]
    assert [guest for guest in guests if not guest.startswith(home)] == []


def test_what_is_above_the_engines_names_none_of_them() -> None:
    """So MXNet is used in its room alone, through ``load()`` too."""
    rooms = [f"mxtune.engines.{folder.parent.name}" for folder in (PACKAGE / "engines").glob("*/__init__.py")]
    assert rooms
    guests = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for module in modules(file)
        if module.startswith(tuple(rooms)) and "engines" not in file.relative_to(PACKAGE).parts
    }
    assert guests == set()


def test_no_part_of_the_package_imports_the_networks_of_others() -> None:
    assert [file.name for file in PACKAGE.rglob("*.py") if {"torchvision", "timm"} & set(imports(file))] == []


def test_files_are_written_in_one_place_alone() -> None:
    writes = re.compile(
        r"""\.write_(bytes|text)\(|open\([^)\n]*["'][wax]|NamedTemporaryFile|mkstemp|os\.(replace|rename)\("""
    )
    code = {file: re.sub(r"(?m)^ *>>>.*$", "", file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py")}
    assert [file.name for file, text in code.items() if writes.search(text)] == ["store.py"]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    private = re.compile("/(root|home/[a-z]+|tmp/w|work/(main|shared)|Users/[A-Za-z]+)/")
    assert [file.name for file in WRITTEN if private.search(file.read_text(encoding="utf-8"))] == []


def test_no_lock_names_a_package_index() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", lock.read_text(encoding="utf-8"))


def test_no_test_is_skipped() -> None:
    skips = re.compile(r"pytest\." + r"(skip|importorskip)\b|mark\." + "skip")
    assert [file.name for file in (ROOT / "tests" / "python").rglob("*.py") if skips.search(file.read_text())] == []


def test_the_lock_holds_every_requirement_at_a_version_that_fits() -> None:
    lists, named = project(), ("dependencies", "report", "tables", "dev")
    assert set(named) <= set(lists)
    locked = pins("requirements.lock")
    for line in re.findall(r'(?:^|, )\s*"(.*?)"', "\n".join(lists[name] for name in named), re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue  # of another platform
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), line


def test_a_python_that_the_lock_does_not_fit_gets_the_same_extras() -> None:
    setup = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    locked = re.findall(r"--extra (\w+)", (ROOT / "scripts" / "lock.sh").read_text(encoding="utf-8"))
    newest = re.search(r'"\.\[(.*?)\]"', setup)
    assert newest is not None
    assert newest[1].split(",") == locked


def test_python_r_and_the_command_for_gpus_ask_for_the_same_libraries_of_cuda() -> None:
    in_r = (ROOT / "R" / "install.R").read_text(encoding="utf-8")
    lists = [
        re.findall(r'^\s*"(nvidia-.*?);', project()["gpu"], re.MULTILINE),
        [f"nvidia-{line}" for line in re.findall(r'"([a-z-]+-cu11.*?)"', in_r)],
        [wheel for _, _, wheel in cuda.LIBRARIES],
    ]
    for lines in lists:
        (cudnn,) = {Requirement(line).specifier for line in lines if "cudnn" in line}
        assert [cudnn.contains(version) for version in ("8.5.0.96", "8.9.6.50", "9.1.0.70")] == [False, True, False]
    assert len({frozenset(Requirement(line).name for line in lines) for lines in lists}) == 1


def test_python_r_and_the_news_have_one_version() -> None:
    (in_r,) = re.findall(r"^Version: (.*)$", (ROOT / "DESCRIPTION").read_text(encoding="utf-8"), re.MULTILINE)
    newest = (ROOT / "NEWS.md").read_text(encoding="utf-8").splitlines()[0]
    assert (in_r, newest) == (__version__, f"# mxtune {__version__}")


def test_both_locks_agree_on_what_they_share() -> None:
    main, host = pins("requirements.lock"), pins("requirements-r.lock")
    assert {name: main[name] for name in main.keys() & host.keys()} == {
        name: host[name] for name in main.keys() & host.keys()
    }


def test_every_pinned_file_has_its_hash() -> None:
    for lock in ("requirements.lock", "requirements-r.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert len(re.findall(r"^[\w.-]+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins(lock))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_goal_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"(?:^|`|\d )make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
    goals = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named <= goals


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_page_and_folder_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {
        *re.findall(r"\]\(([\w./-]+)\)", text),
        *re.findall(r"`((?:python|tests|inst|benchmarks|R|scripts)/[\w./-]*)`", text),
    }
    assert [name for name in sorted(named - {"benchmarks/RESULTS.md"}) if not (ROOT / name).exists()] == []


def test_ci_runs_make_test_and_nothing_cleverer() -> None:
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert commands == ["#!/bin/sh", "set -e", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_the_example_in_the_readme_runs_and_its_model_prints_as_shown(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    example += "print('printed', model.summary(), sep='\\n')\n"
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pred_class" in done.stdout
    assert (tmp_path / "clothes.mxt").is_file()
    _, printed = done.stdout.split("printed\n")
    shown = shown.replace("engine mxnet", f"engine {engines.installed()[0]}")  # where MXNet is not installed
    assert [without_figures(shown)] == [without_figures(printed)], "run: make figures"


def test_the_estimator_the_prediction_and_the_edits_in_the_readme_run(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, *examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shutil.copy(ROOT / "tests" / "shared" / "coffee.jpg", tmp_path)
    example = "\n".join(examples[:3])
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "espresso" in done.stdout
    assert "classifier_dropout" in done.stdout
    assert (tmp_path / "network.svg").read_text(encoding="utf-8").startswith("<svg")


def without_figures(text: str) -> list[str]:
    """The lines but for their numbers, in the order of the alphabet: classes are printed in that of their recall."""
    return sorted(re.sub(r"\d+(\.\d+)?(e-\d+)?", "#", line).strip() for line in text.splitlines())


def test_pictures_of_the_readme_are_there_and_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\((man/figures/[\w.-]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(pictures) == 2
    assert [name for name in pictures if (ROOT / name).stat().st_size > 100_000] == []


def test_nothing_says_that_a_package_index_has_mxtune() -> None:
    index = re.compile(r"""pip3? install[^\n`#]*[ "']mxtune(?![\w./-])|install\.packages\([^)\n]*mxtune""")
    assert index.search("pip install --upgrade mxtune")
    assert index.search("pip install 'mxtune[report]'")
    files = [file for file in WRITTEN if "tests" not in file.relative_to(ROOT).parts]
    assert [file.name for file in files if index.search(file.read_text(encoding="utf-8"))] == []
