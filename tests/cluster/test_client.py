"""A program outside of a cluster trains there, by the address "ray://...": features and layers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mxtune import Model, mxload
from mxtune.errors import MxtuneError
from mxtune.training.distributed.on_ray import connected

pytestmark = pytest.mark.timeout(300)
CODE = """
import sys
import numpy as np
from mxtune import mxexample, mximages, mxtrain
images = mximages(mxexample("fashion"))
few = images.take(np.arange(0, len(images), 4))
settings = {"tune": "tail", "net": "efficientnet_lite0", "epochs": 1, "lr": 3e-5, "valid": 0.4, "image_size": 32}
workers = sys.argv[1] if "ray://" in sys.argv[1] else int(sys.argv[1])
mxtrain(few, workers=workers, verbose=0, cache=False, **settings).save(sys.argv[2])
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a Ray of two nodes that takes clients."""
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = {"num_cpus": 1, "include_dashboard": False, "ray_client_server_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1)
    yield f"ray://127.0.0.1:{port}"
    cluster.shutdown()


def trained(workers: str, file: Path) -> Model:
    done = subprocess.run([sys.executable, "-c", CODE, workers, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return mxload(file)


def test_a_client_trains_what_one_process_trains(address: str, tmp_path: Path) -> None:
    model, alone = trained(address, tmp_path / "model.mxt"), trained("1", tmp_path / "alone.mxt")
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(model.history[column], alone.history[column], rtol=1e-3)
    for name, array in alone.network.params.items():
        np.testing.assert_allclose(model.network.params[name], array, atol=1e-4, err_msg=name)


def test_ray_data_is_refused_outside_of_the_cluster(address: str) -> None:
    code = """
import sys
import ray
import mxtune, mxtune.ray
ray.init(sys.argv[1], log_to_driver=False)
try:
    mxtune.ray.predict(mxtune.mxexample("fashion"), mxtune.mxnetwork("efficientnet_lite0"))
except mxtune.errors.MxtuneError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, check=False)
    assert "outside of the cluster" in told.stdout, told.stderr
    assert "ray job submit" in told.stdout


def test_machines_without_mxtune_are_told_at_once(tmp_path: Path) -> None:
    """As those of a Ray that was started from another environment: nothing of this package can be imported there."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['mxtune'] = None")
    code = """
import sys, time
import ray
from mxtune import mxexample, mxtrain
from mxtune.errors import MxtuneError
import mxtune.ray
lacking = {"env_vars": {"PYTHONPATH": sys.argv[1]}}
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, runtime_env=lacking)
for ask in (
    lambda: mxtrain(mxexample("fashion"), tune="head", image_size=32, verbose=0, cache=False, workers="auto"),
    lambda: mxtune.ray.predict(mxexample("fashion"), mxtune.mxnetwork("efficientnet_lite0")),
):
    start = time.monotonic()
    try:
        ask()
    except MxtuneError as error:
        print(error, time.monotonic() - start < 30)
"""
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    words = "The machines of the Ray cluster can't import mxtune.\nx ModuleNotFoundError: "
    assert (told.stdout.count(words), told.stdout.count("True")) == (2, 2), told.stderr


@pytest.mark.parametrize("place", ["127.0.0.1:1", "127.0.0.1:99999", "nowhere.invalid:10001"])
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nobody_answers_is_told_within_seconds(scheme: str, place: str) -> None:
    start = time.monotonic()
    with pytest.raises(MxtuneError, match=f"There is no Ray cluster at {scheme}{place}"):
        connected(scheme + place)
    assert time.monotonic() - start < 10
