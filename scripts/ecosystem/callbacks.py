"""Train with the callbacks of `mxtune.callbacks`, and read back what TensorBoard, MLflow and W&B have kept; no network.

    callbacks.py PACKAGES

PACKAGES is the folder they are installed in: mxtune's own come first, so what it computes with does not change.
"""

from __future__ import annotations

import copy
import json
import os
import struct
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.append(sys.argv[1])
os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}

from mxtune import mxexample, mxtrain
from mxtune.callbacks import MLflow, TensorBoard, WandB

warnings.simplefilter("ignore")


def tensorboard_has(folder: Path) -> dict[tuple[str, int], float]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    (file,) = folder.glob("events.out.tfevents.*")
    return {
        (value.tag, event.step): make_ndarray(value.tensor).item()
        for event in EventFileLoader(str(file)).Load()
        for value in event.summary.value
    }


def mlflow_has(run: str) -> dict[tuple[str, int], float]:
    import mlflow

    client = mlflow.MlflowClient()
    data = client.get_run(run).data
    np.testing.assert_equal((data.params["seed"], client.get_run(run).info.status), ("3", "FINISHED"))
    return {(one.key, one.step): one.value for name in data.metrics for one in client.get_metric_history(run, name)}


def records(content: bytes) -> Iterator[bytes]:
    """Those of a log as LevelDB writes it, which is what W&B's files are: blocks of 32 kB with parts of records."""
    at, whole = 7, b""  # behind the file's own header
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = struct.unpack("<HB", content[at + 4 : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # the whole of one, or its last part
            yield whole
            whole = b""


def wandb_has(folder: Path) -> dict[tuple[str, int], float]:
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    found: dict[tuple[str, int], float] = {}
    configured: dict[str, str] = {}
    for content in records(file.read_bytes()):
        record = Record.FromString(content)
        configured |= {item.key: item.value_json for item in (*record.config.update, *record.run.config.update)}
        row = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        values = {name: json.loads(value) for name, value in row.items() if "/" in name}
        for name, value in values.items():
            stage, _, figure = name.partition("/")
            if figure != "epoch":
                found[name, values[f"{stage}/epoch"]] = value
    np.testing.assert_equal(configured["seed"], "3")
    return found


with tempfile.TemporaryDirectory() as temporary:
    os.chdir(temporary)
    import mlflow

    mlflow.set_tracking_uri(Path("mlruns").absolute().as_uri())
    watching = [TensorBoard("runs/1"), MLflow(), WandB(project="clothes", dir=temporary)]
    watching = copy.deepcopy(watching)  # as scikit-learn does with the settings of an estimator
    model = mxtrain(mxexample("fashion"), tune="tail", epochs=2, image_size=32, seed=3, verbose=0, callbacks=watching)
    expected = {
        (f"{row['stage']}/{name}", row["epoch"]): value
        for row in model.history.to_dict("records")
        for name, value in row.items()
        if name not in ("stage", "epoch") and not np.isnan(value)
    }
    (run,) = mlflow.search_runs(output_format="list")
    kept = {
        "TensorBoard": tensorboard_has(Path("runs/1")),
        "MLflow": mlflow_has(run.info.run_id),
        "Weights & Biases": wandb_has(Path(temporary)),
    }
    for place, values in kept.items():
        np.testing.assert_equal(set(values), set(expected), place)
        np.testing.assert_allclose([values[key] for key in expected], list(expected.values()), rtol=1e-6)
        print(f"{place}: {len(values)} figures of {len(model.history)} epochs, as in the model's history")
