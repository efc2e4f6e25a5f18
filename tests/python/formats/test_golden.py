"""Model files of format version 1, written before any later change: they open, and predict the same bits."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mxtune import engines

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden"
NAMES = sorted(file.name for file in GOLDEN.glob("*.mxt"))
PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import make, mxtune
answers = {}
for name in sys.argv[2:]:
    model = mxtune.mxload(make.HERE / name)
    logits = model.predict(make.pictures(), type="logit").drop(columns=["file", "pred_class"], errors="ignore")
    answers[name] = {"repr": repr(model), "columns": list(logits.columns),
                     "logits": [[float(value).hex() for value in row] for row in logits.to_numpy()]}
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module", params=engines.installed())
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each installed engine."""
    return str(request.param)


@pytest.fixture(scope="module")
def answers(engine: str) -> dict[str, dict[str, object]]:
    """What the golden files say of the drawn images, on one thread and with instructions that every machine has."""
    setting = {**os.environ, "OMP_NUM_THREADS": "1", "DNNL_MAX_CPU_ISA": "AVX2", "MXTUNE_ENGINE": engine}
    command = [sys.executable, "-c", PROGRAM, str(GOLDEN), *NAMES]
    done = subprocess.run(command, env=setting, check=True, capture_output=True, text=True)
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_there_are_golden_files_of_every_task() -> None:
    assert {name.partition("-")[0].removesuffix(".mxt") for name in NAMES} == {
        "classification", "multilabel", "regression",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_version_1_predicts_the_same_bits(
    name: str, engine: str, answers: dict[str, dict[str, object]]
) -> None:
    """With MXNet and the C library that they were made with: that of 2025 rounds its functions better, in the last
    place. Another engine has other bits."""
    truth = json.loads((GOLDEN / "predictions.json").read_text(encoding="utf-8"))[name]
    if engine != "mxnet":
        np.testing.assert_allclose(logits(answers[name]), logits(truth), atol=1e-4)
        truth["logits"] = answers[name]["logits"]
    elif platform.libc_ver() != ("glibc", "2.36"):
        np.testing.assert_array_max_ulp(logits(answers[name]), logits(truth), maxulp=2)
        truth["logits"] = answers[name]["logits"]
    assert answers[name] == truth


def logits(answer: dict[str, Any]) -> np.ndarray:
    return np.array([[float.fromhex(value) for value in row] for row in answer["logits"]], np.float32)
