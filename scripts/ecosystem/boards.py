"""Write models to boards of `pins` and serve them with `vetiver`, and read back what is there; no network.

    boards.py PACKAGES BOARD

BOARD is a folder in which boards are left, for R to read.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.append(sys.argv[1])

import pins
from fastapi.testclient import TestClient
from vetiver import VetiverAPI, VetiverModel, vetiver_pin_write

import mxtune.pins
import mxtune.vetiver
from mxtune import Model, mxexample, mximages, mxtrain
from mxtune.errors import ModelFileError

warnings.simplefilter("ignore")


def digest(model: Model) -> str:
    return hashlib.sha256(model.to_bytes()).hexdigest()


folder = Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
photos = Path(mxexample("fashion"))
files = sorted(str(file) for file in (photos / "bag").iterdir())[:3]
models = {seed: mxtrain(photos, net="lenet", epochs=1, seed=seed, verbose=0) for seed in (1, 2)}

# ---- pins: one file, versions, what the model knows of itself

board = pins.board_folder(str(folder / "pins"), allow_pickle_read=False)
versions = {}
for seed, model in models.items():
    versions[seed] = mxtune.pins.write(board, model, "clothes", metadata={"shop": np.float64(seed)})
    time.sleep(1.1)  # pins has no other order of versions than their seconds
for seed, model in models.items():
    np.testing.assert_equal(digest(mxtune.pins.read(board, "clothes", versions[seed])), digest(model))
np.testing.assert_equal(digest(mxtune.pins.read(board, "clothes")), digest(models[2]))
meta = board.pin_meta("clothes")
np.testing.assert_equal((meta.type, meta.file, meta.user["mxtune"]["task"]), ("file", "clothes.mxt", "classification"))
np.testing.assert_equal(meta.user["shop"], 2.0)
np.testing.assert_allclose(meta.user["mxtune"]["metrics"]["accuracy"], models[2].metrics["accuracy"])
(folder / "notes.txt").write_text("no model")
board.pin_upload(str(folder / "notes.txt"), "notes")
try:
    mxtune.pins.read(board, "notes")
except ModelFileError as error:
    print(error)
else:
    raise AssertionError("notes")
print(f"pins {pins.__version__}: {len(versions)} versions of a model written, and read the same")

# ---- vetiver: pinned by one process, served by another that has never heard of mxtune

board = pins.board_folder(str(folder / "vetiver"), allow_pickle_read=True)
described = VetiverModel(models[1], "clothes", metadata={"shop": "ours", "size": np.int64(3)})
vetiver_pin_write(board, described)
served = """
import json, sys
sys.path.append(sys.argv[1])
import pins, vetiver
from fastapi.testclient import TestClient
model = vetiver.VetiverModel.from_pin(pins.board_folder(sys.argv[2], allow_pickle_read=True), "clothes")
answer = TestClient(vetiver.VetiverAPI(model).app).post("/predict", json=json.loads(sys.argv[3]))
assert answer.status_code == 200, answer.text
assert model.metadata.user["mxtune"]["task"] == "classification" and model.metadata.user["shop"] == "ours"
assert model.metadata.user["size"] == 3
assert "mxtune" in model.metadata.required_pkgs
print(json.dumps(answer.json()))
"""
rows = [{"image": mxtune.vetiver.encoded(file)} for file in files]
told = subprocess.run(
    [sys.executable, "-W", "ignore", "-c", served, sys.argv[1], str(folder / "vetiver"), json.dumps(rows)],
    capture_output=True, text=True, check=False,
)  # fmt: skip
np.testing.assert_equal(told.returncode, 0, told.stderr)
answer = json.loads(told.stdout.splitlines()[-1])
expected = models[1].predict(files, type="prob")
np.testing.assert_equal(answer["pred_class"], expected["pred_class"].tolist())
np.testing.assert_allclose(answer["pred_bag"], expected["pred_bag"], rtol=1e-6)

client = TestClient(VetiverAPI(described).app)
np.testing.assert_equal(list(client.get("/prototype").json()["properties"]), ["image"])
hostile = ["/etc/passwd", files[0], "!", "", "A" * 100_000]
answer = client.post("/predict", json=[{"image": text} for text in hostile])
np.testing.assert_equal((answer.status_code, answer.json()["pred_class"]), (200, [None] * len(hostile)))
np.testing.assert_equal(client.post("/predict", json=[]).json(), {})
broken = "\n".join(rows[0]["image"][start : start + 76] for start in range(0, len(rows[0]["image"]), 76))
same = client.post("/predict", json=[{"image": broken}, {"image": f"data:image/png;base64,{rows[0]['image']}"}]).json()
np.testing.assert_equal(same["pred_class"], [expected["pred_class"][0]] * 2)
np.testing.assert_equal(client.post("/predict", json=[{"picture": "x"}]).status_code in (200, 422), True)

numbers = mximages(files * 8, [float(n) for n in range(24)])
regression = VetiverModel(mxtrain(numbers, net="lenet", epochs=1, verbose=0), "prices")
answer = TestClient(VetiverAPI(regression).app).post("/predict", json=rows)
np.testing.assert_equal((answer.status_code, len(answer.json()["pred"])), (200, 3))
print("vetiver: pinned, read in another process, served; hostile requests are rows without values")
