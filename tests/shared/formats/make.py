"""Writes the files of this folder, with PyTorch: samples of each layout of what mxtune reads and never writes.

    python tests/shared/formats/make.py      (in an environment with torch; it need not have mxtune)

tests/python/formats/test_contract.py puts every file here through what each format must stand.
"""

from __future__ import annotations

from pathlib import Path

import torch

HERE = Path(__file__).parent


def tensors() -> dict[str, torch.Tensor]:
    """Types, a shared storage, strides, an empty tensor and a single number."""
    rising = torch.arange(24, dtype=torch.float32)
    return {
        "conv.weight": rising.reshape(2, 3, 2, 2),
        "turned": rising.reshape(4, 6).t(),
        "part": rising[3:9:2],
        "half": rising[:5].half(),
        "bfloat": rising[:5].bfloat16(),
        "double": rising[:5].double(),
        "层.é": torch.ones(3),
        "bn.num_batches_tracked": torch.tensor(7),
        "empty": torch.zeros(0, 4),
    }


torch.save(tensors(), HERE / "zip.pth")
torch.save(tensors(), HERE / "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "state_dict": {f"module.{name}": one for name, one in tensors().items()}}, HERE / "wrapped.pth")
