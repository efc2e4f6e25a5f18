"""``import mxtune`` is quick and brings nothing heavy along."""

from __future__ import annotations

import pytest

import mxtune
from processes import passes

HEAVY = [
    "mxnet",
    "pandas",
    "PIL",
    "matplotlib",
    "scipy",
    "sklearn",
    "rich",
    "typer",
    "safetensors",
    "numpy",
    "rpy2",
    "torch",
]


def test_import_is_quick() -> None:
    code = "import time; start = time.perf_counter(); import mxtune; print(time.perf_counter() - start)"
    assert min(float(passes(code).stdout) for _ in range(2)) < 0.3


def test_import_brings_nothing_heavy() -> None:
    passes(f"import sys, mxtune\ndir(mxtune)\nassert not set(sys.modules) & set({HEAVY})")


def test_training_needs_no_pandas() -> None:
    """It takes as long to import as everything else of a small job's Python."""
    passes(
        "import sys\n"
        "from mxtune import mxexample, mxtrain\n"
        "mxtrain(mxexample('fashion'), tune='head', image_size=32, verbose=0).to_bytes()\n"
        "assert 'pandas' not in sys.modules"
    )


def test_looking_at_pictures_and_networks_needs_no_mxnet() -> None:
    passes(
        "import sys, mxtune\n"
        "mxtune.mximages, mxtune.mxnetwork, mxtune.mxtrain, mxtune.Model\n"
        "assert 'mxnet' not in sys.modules"
    )


@pytest.mark.parametrize("name", mxtune.__all__)
def test_every_public_name_is_there_and_told(name: str) -> None:
    assert getattr(mxtune, name) is not None
    assert name in dir(mxtune)
    assert getattr(mxtune, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'mxtrian'"):
        _ = mxtune.mxtrian
