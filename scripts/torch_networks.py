"""Runs networks of torchvision and timm once through PyTorch's exporter: what `templates.py` makes templates from.

    python scripts/torch_networks.py FOLDER [names]     (in the environment that `make parity` sets up)

For each network, with random numbers in every array: ``<name>.onnx``, in which each array keeps the name that it has in
the state dict, which is ``<name>.safetensors``; ``<name>.npz`` with what PyTorch computes for two images;
``<name>.json`` with the facts.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from torchvision_here import torchvision

from drawn_arrays import drawn, images

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

TORCHVISION = (
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)), "resnext50_32x4d", "wide_resnet50_2", "alexnet",
    *(f"vgg{depth}{end}" for depth in (11, 13, 16, 19) for end in ("", "_bn")),
    "densenet121", "densenet169", "densenet201", "squeezenet1_0", "squeezenet1_1",
    "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "googlenet", "inception_v3",
    *(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")),
    *(f"mnasnet{width}" for width in ("0_5", "0_75", "1_0", "1_3")),
    *(f"efficientnet_b{number}" for number in range(4)), "efficientnet_v2_s",
    *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf")), "convnext_tiny",
)  # fmt: skip
TIMM = (
    "resnet18d", "resnet26d", "resnet34d", "resnet50d", "mobilenetv2_100", "mobilenetv3_small_100",
    "mobilenetv3_large_100", "mobilenetv4_conv_small", "mobilenetv4_conv_medium",
    *(f"efficientnet_b{number}" for number in range(4)), "efficientnetv2_rw_s", "tf_efficientnetv2_s",
    *(f"tf_efficientnet_lite{number}" for number in range(5)), "efficientnet_lite0",
    *(f"regnety_{size}" for size in ("004", "008", "016", "032")),
    *(f"convnext{version}_{size}" for version in ("", "v2") for size in ("atto", "femto", "pico", "nano", "tiny")),
    *(f"vgg{depth}{end}" for depth in (11, 13, 16, 19) for end in ("", "_bn")), "mnasnet_100",
    *(f"tf_efficientnet_b{number}" for number in range(4)),
    "repvgg_a0", "repvgg_a1", "repvgg_a2", "ghostnet_100",
    "vit_tiny_patch16_224", "vit_small_patch16_224", "deit_tiny_patch16_224", "deit_small_patch16_224",
    "vit_small_patch14_dinov2",
)  # fmt: skip
AUXILIARY = {"googlenet": "aux1. aux2.", "inception_v3": "AuxLogits."}  # heads that only their training had
WITHOUT = {"aux_logits": False, "init_weights": False}


def networks(wanted: list[str]) -> Iterator[tuple[str, str]]:
    """The library and the name of each network, or of those named ``torchvision/resnet18``."""
    for library, names in (("torchvision", TORCHVISION), ("timm", TIMM)):
        yield from ((library, name) for name in names if not wanted or f"{library}/{name}" in wanted)


def opened(library: str, name: str) -> tuple[nn.Module, dict[str, Any]]:
    """A network without weights, and how images are prepared for it."""
    if library == "torchvision":
        package = torchvision()[0]
        model = package.models.get_model(name, weights=None, **(WITHOUT if name in AUXILIARY else {}))
        best = package.models.get_model_weights(name).DEFAULT
        spec = best.transforms()
        half = [0.5] * 3  # as TensorFlow had it: torchvision's two bring ImageNet's numbers to these inside
        mean, std = (half, half) if name in AUXILIARY else (spec.mean, spec.std)
        facts = {"size": spec.crop_size[0], "mean": mean, "std": std,
                 "interpolation": spec.interpolation.value, "crop": spec.crop_size[0] / spec.resize_size[0],
                 "top1": best.meta["_metrics"]["ImageNet-1K"]["acc@1"], "licence": "BSD-3-Clause"}  # fmt: skip
        return model, {**facts, "ignored": AUXILIARY.get(name, "")}
    torchvision()
    import timm

    model = timm.create_model(name, pretrained=False)
    spec = model.pretrained_cfg
    return model, {
        "size": spec["input_size"][-1], "mean": list(spec["mean"]), "std": list(spec["std"]),
        "interpolation": spec["interpolation"], "crop": spec["crop_pct"], "licence": "Apache-2.0", "ignored": "",
        "weights": spec.get("hf_hub_id") or "",
    }  # fmt: skip


def fill(model: nn.Module) -> None:
    """Numbers of its own in every array, so that none is taken for another, and outputs stay of one size."""
    with torch.no_grad():
        for name, one in model.state_dict().items():
            if one.is_floating_point():
                one.copy_(torch.from_numpy(drawn(name, tuple(one.shape))))


def export(library: str, name: str, folder: Path) -> None:
    """Write the three files of a network."""
    model, facts = opened(library, name)
    model.eval()
    fill(model)
    size, file = facts["size"], folder / f"{library}-{name}"
    x = torch.from_numpy(images(size))
    with torch.no_grad():
        y = model(x)
    torch.onnx.export(
        model, x, f"{file}.onnx", dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        input_names=["data"], output_names=["logits"], dynamic_axes={"data": {0: "N"}, "logits": {0: "N"}},
        opset_version=17,
    )  # fmt: skip
    arrays = {key: one.contiguous() for key, one in model.state_dict().items()}
    save_file(arrays, f"{file}.safetensors")
    state = {key: list(one.shape) for key, one in arrays.items() if not key.endswith("num_batches_tracked")}
    np.savez(f"{file}.npz", y=y.numpy())
    Path(f"{file}.json").write_text(json.dumps({"library": library, "name": name, **facts, "state": state}))


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for library, name in networks(sys.argv[2:]):
        if (folder / f"{library}-{name}.json").exists():
            continue
        started = time.time()
        export(library, name, folder)
        print(f"{library}/{name}: {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
