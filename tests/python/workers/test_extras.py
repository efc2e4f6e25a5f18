"""Without Ray, or without Spark, one error names the command. With them: `make cluster`."""

from __future__ import annotations

import importlib
import sys

import pytest

from mxtune import mxnetwork
from mxtune.errors import MxtuneError


@pytest.mark.parametrize(
    ("module", "missing", "command"),
    [
        ("mxtune.ray", "ray", r"pip install 'ray\[data\]>=2.51'"),
        ("mxtune.spark", "pyspark", "pip install 'pyspark>=3.5' pyarrow"),
    ],
)
@pytest.mark.parametrize("verb", ["predict", "features"])
def test_the_command_is_named(
    module: str, missing: str, command: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    asked = getattr(importlib.import_module(module), verb)
    with pytest.raises(MxtuneError, match=command):
        asked("photos", mxnetwork("lenet", classes=2))
