"""Imports torchvision beside a PyTorch for which its compiled operators were not built: networks need none of them."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Any

import torch


@cache
def torchvision() -> Any:
    """torchvision, and what must live as long as it is used."""
    library = torch.library.Library("torchvision", "DEF")
    for _ in range(30):
        try:
            import torchvision as package

            return package, library
        except RuntimeError as fault:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(fault))
            if missing is None:
                raise
            library.define(f"{missing[1]}(Tensor x) -> Tensor")
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]
    raise RuntimeError("torchvision can't be imported")
