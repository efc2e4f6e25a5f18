"""Writes templates.json: what PyTorch computes with a light network of each family, from numbers that tests draw too.

python tests/shared/make_templates.py      (in the environment that `make parity` sets up)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
from torch_networks import fill, images, opened  # noqa: E402

NAMES = {
    "torchvision": (
        "resnet18", "squeezenet1_0", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v3_small", "regnet_y_400mf",
        "densenet121", "googlenet",
    ),
    "timm": (
        "mobilenetv4_conv_small", "tf_efficientnet_lite0", "ghostnet_100", "convnext_atto", "convnextv2_atto",
        "vit_tiny_patch16_224",
    ),
}  # fmt: skip
KEPT = 12  # of each image's outputs


def main() -> None:
    rows = {}
    for library, names in NAMES.items():
        for name in names:
            model, facts = opened(library, name)
            model.eval()
            fill(model)
            with torch.no_grad():
                y = model(torch.from_numpy(images(facts["size"]))).numpy()
            scale = float(abs(y).max())
            rows[f"{library}/{name}"] = {"scale": scale, "outputs": [[float(v) for v in row[:KEPT]] for row in y]}
    (HERE / "templates.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
