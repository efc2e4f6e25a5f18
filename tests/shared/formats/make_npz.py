"""Writes the NumPy archives of this folder: arrays by name, and numbered as Lasagne's programs save them.

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
