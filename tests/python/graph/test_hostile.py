"""Networks of anyone's making are opened and run, or refused in words; none ends the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mxtune import engines
from processes import PACKAGE


@pytest.mark.parametrize("engine", engines.installed())
@pytest.mark.parametrize(
    ("kind", "count", "file"),
    [("graphs", 1000, ""), ("models", 300, "classification-stages.mxt"), ("models", 200, "regression.mxt")],
)
def test_nothing_ends_the_process_and_only_our_errors_come_out(
    kind: str, count: int, file: str, engine: str, repository: Path
) -> None:
    session = repository / "tests/python/hostile_session.py"
    model = [str(repository / "tests/shared/golden" / file)] if file else []
    done = subprocess.run(
        [sys.executable, str(session), kind, str(count), "7", *model],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "MXTUNE_ENGINE": engine},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = json.loads(done.stdout)
    assert outcomes["foreign"] == []
    assert min(outcomes["accepted"], outcomes["refused"]) > count / 10
