"""Real data that many tests use."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import data  # noqa: E402 - the path above first

# a shell's job in the background ignores Ctrl-C, and every process that it starts would
signal.signal(signal.SIGINT, signal.default_int_handler)


# Nothing can be kept there: the user's cache is left alone, and all is computed unless a test names a folder.
os.environ["MXTUNE_CACHE"] = str(Path(__file__).resolve() / "none")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where MXNet is not installed, tests about MXNet itself, or of it beside others, are deselected, and counted; and
    where the CPU has no VNNI, those that compute in int8."""
    from mxtune.machine import has_vnni

    lacking = [] if importlib.util.find_spec("mxnet") else [_is_about_mxnet]
    lacking += [] if has_vnni() else [_is_about_int8]
    absent = [item for item in items if any(needs(item) for needs in lacking)]
    items[:] = [item for item in items if item not in absent]
    config.hook.pytest_deselected(items=absent)


def _is_about_int8(item: pytest.Item) -> bool:
    """Marked so, or an example that quantises."""
    return bool(item.get_closest_marker("vnni") or ".quantize(" in _example(item))


def _example(item: pytest.Item) -> str:
    """The docstring whose examples it runs."""
    return getattr(getattr(item, "dtest", None), "docstring", "")


def _is_about_mxnet(item: pytest.Item) -> bool:
    """Marked so; an example of its engine, or that names it; or without any parameters, which are the other engines."""
    if item.get_closest_marker("mxnet") or "engines/mxnet/" in item.path.as_posix():
        return True
    if 'engine="mxnet"' in _example(item):
        return True
    return any("empty parameter set" in str(mark.kwargs.get("reason")) for mark in item.iter_markers("skip"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def fashion() -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST's 60,000 training images (N, 28, 28) uint8 and class names (N,)."""
    pictures, codes = data.fashion_mnist("train")
    return pictures, data.fashion_labels(codes)


@pytest.fixture(scope="session")
def fashion_test() -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST's 10,000 test images (N, 28, 28) uint8 and class names (N,)."""
    pictures, codes = data.fashion_mnist("test")
    return pictures, data.fashion_labels(codes)


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """5,000 MNIST digits (N, 28, 28) uint8, shuffled, and their names (N,) "0" to "9"."""
    return data.mnist_digits()
