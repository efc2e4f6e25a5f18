"""Writes the NumPy archives of this folder: arrays by name, and numbered as Lasagne saves them, LeNet among them.

python tests/shared/formats/make_npz.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
rising = np.arange(24, dtype="float32")
named = {"conv_weight": rising.reshape(2, 3, 2, 2), "层.é": np.ones(3, ">f8"), "half": rising[:5].astype("f2")}
np.savez(HERE / "named.npz", **named)
np.savez_compressed(HERE / "numbered.npz", *[rising.reshape(2, 3, 2, 2)[:, :, ::-1], rising[:2], np.float32(3)])

# LeNet for grey images of 16 x 16, as `get_all_param_values` gives it; few different numbers, so that the file is small
rng = np.random.default_rng(1)
shapes = [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (50, 500), (500,), (500, 10), (10,)]
lenet = [(rng.integers(-8, 9, shape) / np.float16(64)).astype("f2") for shape in shapes]
np.savez_compressed(HERE / "lenet.npz", *lenet)
