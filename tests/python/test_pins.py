"""What is no model, no board or no name is told before a package of boards is asked; `make ecosystem` has real ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mxtune import mxnetwork, pins
from mxtune.errors import ArgumentError, ModelFileError


@pytest.mark.parametrize(("change", "words"), [
    ({"model": 3}, "`model` must be a model, or the file of one.\nx it is an int"),
    ({"board": "boards"}, "`board` must be a board of the package pins.\nx it is 'boards'"),
    ({"name": None}, "`name` must be the name of a pin.\nx it is None"),
    ({"name": ".."}, "`name` must be the name of a pin.\nx it is '..'"),
    ({"name": "me/"}, "`name` must be the name of a pin.\nx it is 'me/'"),
    ({"metadata": ["a"]}, "`metadata` must be a dict"),
    ({"metadata": {"mxtune": 1}}, '`metadata` has "mxtune", which is'),
    ({"metadata": {"where": {"in": Path("a")}}}, "`metadata` must be texts, numbers, dates"),
])  # fmt: skip
def test_what_can_not_be_pinned_is_told_by_name(change: dict[str, Any], words: str) -> None:
    class Board:
        def pin_upload(self, *_: Any, **__: Any) -> None:
            pytest.fail("it was asked")

    given = {"board": Board(), "model": mxnetwork("lenet"), "name": "clothes", **change}
    with pytest.raises(ArgumentError) as raised:
        pins.write(**given)
    assert str(raised.value).startswith(words)


def test_numbers_of_numpy_are_plain_on_a_board() -> None:
    """YAML would hold them as Python's own, and no reader would take the pin."""
    kept: dict[str, Any] = {}

    class Board:
        def pin_upload(self, *_: Any, metadata: dict[str, Any], **__: Any) -> Any:
            kept.update(metadata)
            return SimpleNamespace(version=SimpleNamespace(version="1"))

    given = {"accuracy": np.float64(0.9), "sizes": (np.int64(3), np.ones(2)), "on": date(2026, 1, 2)}
    assert pins.write(Board(), mxnetwork("lenet"), "clothes", metadata=given) == "1"
    plain = {"accuracy": 0.9, "sizes": [3, [1.0, 1.0]], "on": date(2026, 1, 2)}
    assert repr({name: kept[name] for name in given}) == repr(plain)


def test_what_is_no_pin_of_a_model_is_told(tmp_path: Path) -> None:
    class Board:
        def pin_download(self, *_: Any) -> list[str]:
            return [str(tmp_path / "notes.json")]

    with pytest.raises(ArgumentError, match="`board` must be a board"):
        pins.read(tmp_path, "clothes")
    with pytest.raises(ModelFileError, match=r"The pin notes is not one model.\nx notes.json"):
        pins.read(Board(), "notes")
