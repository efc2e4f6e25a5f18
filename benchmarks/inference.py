"""Prediction from pixels or normalised images to logits, in batches of 32 images of 224 x 224, float32.

Each library is a process of its own and takes its turn; EfficientNet-Lite0 has the same weights everywhere, the others
random ones (in Keras its own). Memory is that of the whole process. `make bench-peers` installs the others.
"""

from __future__ import annotations

from .measure import Figure
from .rivals import compare

_LIBRARIES = {
    "mxtune": "mxtune", "torch": "PyTorch", "keras": "Keras", "onnxruntime": "onnxruntime", "openvino": "OpenVINO",
}  # fmt: skip
_WANTED = {
    "efficientnet_lite0": "3 x PyTorch, 2.5 x onnxruntime, .85 x OpenVINO",
    "mobilenetv2_100": "1.7 x Keras",
    "resnet50": "1.8 x PyTorch, 1.1 x Keras",
}


def figures() -> list[Figure]:
    """A row for each network and library."""
    return compare("predict", _LIBRARIES, _WANTED)
