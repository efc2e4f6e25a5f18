"""Imports point down or sideways, never up, and modules of a room import one another in no circle.

Every import counts: late ones in functions, those for types alone, and ``importlib.import_module`` of a written name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mxtune

PACKAGE = Path(mxtune.__file__).parent
GROUND_FLOOR = (
    *("_version", "arguments", "blas", "calls", "children", "errors", "examples", "interrupts"),
    *("late", "machine", "progress", "shelf", "spec", "store", "words"),
)
ROOMS: tuple[tuple[str, ...], ...] = (  # from the bottom to the top
    GROUND_FLOOR,
    ("tasks",),
    ("ops",),
    ("graph",),
    ("images",),
    ("network",),
    ("formats",),
    ("hub",),
    ("zoo",),
    ("engines",),
    ("model",),
    ("training", "workers"),
    ("callbacks", "look", "pins", "ray", "sklearn", "spark", "vetiver"),
    ("border", "rhost"),
    ("serve",),
    ("cli", "demo", ""),  # the last is mxtune/__init__.py, which shows all of it
)
FLOOR = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}


def name_of(file: Path, package: Path) -> str:
    """The dotted name of a module below the package: "" for the package itself, "images.decode"."""
    parts = file.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path, package: Path) -> Iterator[str]:
    """The modules of the package that a file imports, by their dotted names below it."""
    modules = {name_of(one, package) for one in package.rglob("*.py")}
    here = [package.name, *filter(None, name_of(file, package).split("."))]
    around = here if file.name == "__init__.py" else here[:-1]

    def within(dotted: str) -> Iterator[str]:
        top, _, rest = dotted.partition(".")
        if top == package.name:
            while rest not in modules:  # a function or a class of the module before it
                rest = rest.rpartition(".")[0]
            yield rest

    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from within(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = around[: len(around) - node.level + 1] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                yield from within(f"{start}.{alias.name}")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    level = len(argument.value) - len(argument.value.lstrip("."))
                    base = around[: len(around) - level + 1] if level else []
                    yield from within(".".join([*base, argument.value.lstrip(".")]))


def graph(package: Path) -> dict[str, set[str]]:
    """Each module of the package, and those that it imports."""
    return {
        name_of(file, package): set(imports(file, package)) - {name_of(file, package)} for file in package.rglob("*.py")
    }


def floor(module: str) -> int:
    return FLOOR[module.partition(".")[0]]


def upward(imported: dict[str, set[str]]) -> list[str]:
    """The imports that point to a higher room."""
    return sorted(f"{one} -> {two}" for one, others in imported.items() for two in others if floor(two) > floor(one))


def circles(imported: dict[str, set[str]]) -> list[str]:
    """The modules that come back to themselves through imports of their room."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = {other for other in imported[waiting.pop()] if floor(other) == floor(start)} - seen
            seen |= new
            waiting += new
        return seen

    return sorted(module for module in imported if module in reached(module))


IMPORTED = graph(PACKAGE)


def test_every_module_lies_in_a_room() -> None:
    assert [module for module in IMPORTED if module.partition(".")[0] not in FLOOR] == []


def test_no_import_points_up() -> None:
    assert upward(IMPORTED) == []


def test_no_module_imports_itself_through_others_of_its_room() -> None:
    assert circles(IMPORTED) == []


@pytest.mark.parametrize(
    "line",
    [
        "import mxtune.model.model",
        "from mxtune import Model",
        "from .. import __version__",
        "def late():\n    from ..model import model",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..model.model import Model",
        "import importlib\nimportlib.import_module('mxtune.model')",
        "from importlib import import_module\nimport_module('..model', __package__)",
    ],
)
def test_an_import_that_points_up_is_found(line: str, tmp_path: Path) -> None:
    package = tmp_path / "mxtune"
    for module in ("__init__", "graph/__init__", "graph/data", "model/__init__", "model/model"):
        (package / f"{module}.py").parent.mkdir(parents=True, exist_ok=True)
        (package / f"{module}.py").touch()
    (package / "graph" / "data.py").write_text(line)
    (found,) = upward(graph(package))
    assert found.startswith("graph.data -> ")


def test_a_circle_is_found_in_a_room_alone() -> None:
    assert circles({"graph": set(), "graph.a": {"graph.b"}, "graph.b": {"graph.a", "errors"}, "errors": set()}) == [
        "graph.a",
        "graph.b",
    ]
