"""Read the board that R's pins has written, and let R push a model to a hub that is served here, and load it.

of_r.py PACKAGES BOARDS
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.append(sys.argv[1])
sys.path.append(str(Path(__file__).parents[2] / "tests" / "python"))

import pins

import mxtune.pins
from hub_server import TOKEN, environment, serving

boards = Path(sys.argv[2])
model = mxtune.mxload(boards / "of-r.mxt")
board = pins.board_folder(str(boards / "pins-of-r"))
np.testing.assert_equal(mxtune.pins.read(board, "clothes").to_bytes() == model.to_bytes(), True)
np.testing.assert_equal(board.pin_meta("clothes").user["task"], "classification")
print("pins: R's model is read by Python")

SESSION = """
library(mxtune)
fit <- mxload(commandArgs(TRUE)[1])
url <- mxpush(fit, "hf:me/clothes", card = list(licence = "apache-2.0"))
there <- mxload("hf:me/clothes")
photos <- mxexample("fashion")
stopifnot(grepl("/me/clothes/commit/", url), identical(predict(there, photos), predict(fit, photos)))
refused <- tryCatch(mxpush(fit, "hf:me/clothes@nowhere"), mxtune_hub_error = conditionMessage)
cat(refused)
"""
with serving() as hub:
    home = boards / "hf-home"
    home.mkdir()
    settings = environment(home, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN, PYTHONPATH=os.environ.get("PYTHONPATH", ""))
    told = subprocess.run(
        ["Rscript", "-e", SESSION, str(boards / "of-r.mxt")], env=settings, capture_output=True, text=True, check=False
    )
    np.testing.assert_equal(told.returncode, 0, told.stderr)
    files = hub.repositories["me/clothes"].files
    np.testing.assert_equal(files["model.mxt"] == (boards / "of-r.mxt").read_bytes(), True)
    np.testing.assert_equal('license: "apache-2.0"' in files["README.md"].decode(), True)
    np.testing.assert_equal("status 404: Invalid rev id: nowhere" in told.stdout, True, told.stdout)
    np.testing.assert_equal(TOKEN in told.stdout + told.stderr, False)
print("hub: R pushes a model with its card, and loads it")
