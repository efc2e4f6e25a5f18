"""What the tests of `make cluster` share: a model, and a folder of photographs of which two can't be read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mxtune import Model, mxexample, mxtrain

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "PYSPARK_PYTHON": sys.executable}


@pytest.fixture(scope="session")
def model() -> Model:
    return mxtrain(mxexample("fashion"), tune="head", image_size=32, verbose=0, cache=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 400 images of an example, and two that can't be read, in one folder."""
    place = tmp_path_factory.mktemp("clothes")
    files = sorted(Path(mxexample("fashion")).rglob("*.png"))
    for file in files:
        shutil.copy(file, place / f"{file.parent.name}-{file.name}")
    (place / "cut.png").write_bytes(files[0].read_bytes()[:90])
    (place / "text.png").write_text("no image")
    return place


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A real Ray on this machine, for a module: others have one of several nodes."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false"}
    # of several folders only those that Python was told of: the executors start elsewhere
    paths = {"spark.executorEnv.PYTHONPATH": ":".join(filter(None, sys.path))}
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in {**here, **paths}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
