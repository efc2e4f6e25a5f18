"""Loads what `leaving.py` wrote in torchvision and timm, strictly, and compares outputs; `make parity` runs it.

python scripts/torch_loads.py FOLDER      (in the environment that `make parity` sets up)
"""

from __future__ import annotations

import re
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch_networks import AUXILIARY, TIMM, TORCHVISION, WITHOUT, images, torchvision

CLASSES = 3
TOLERANCE = 1e-5


def loaded(library: str, name: str, file: Path) -> nn.Module:
    """The network with the weights of the file, in which not one name may be missing or left over."""
    package = torchvision()[0]
    if library == "timm":
        import timm

        return timm.create_model(name, num_classes=CLASSES, checkpoint_path=str(file))
    model = package.models.get_model(name, weights=None, num_classes=CLASSES, **(WITHOUT if name in AUXILIARY else {}))
    arrays = OrderedDict(load_file(file))
    arrays._metadata = OrderedDict({"": {"version": 2}})  # MNASNet asks for it, and safetensors have none
    model.load_state_dict(arrays, strict=True)
    return model


def main() -> None:
    torch.set_num_threads(1)
    worst, failed = 0.0, []
    for file in sorted(Path(sys.argv[1]).glob("*.safetensors")):
        wanted = dict(np.load(file.with_suffix(".npz")))
        library, plain = str(wanted["library"]), lambda text: re.sub(r"[^a-z0-9]", "", text.lower())
        ours = plain(file.stem.removesuffix(f".{library}"))
        name = next(one for one in (TIMM if library == "timm" else TORCHVISION) if plain(one) == ours)
        model = loaded(library, name, file).eval()
        with torch.no_grad():
            y = model(torch.from_numpy(images(int(wanted["size"])))).numpy()
        far = float(np.abs(y - wanted["y"]).max() / max(np.abs(y).max(), 1e-3))
        worst = max(worst, far)
        print(f"{library}/{name}: {far:.1e}", flush=True)
        if not far <= TOLERANCE:
            failed.append(f"{library}/{name}")
    print(f"The largest difference is {worst:.1e} of the output's scale.")
    if failed:
        sys.exit(f"Too far: {', '.join(failed)}")


if __name__ == "__main__":
    main()
