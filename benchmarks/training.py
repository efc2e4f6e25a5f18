"""Training all layers, in batches of 32 images of 224 x 224, float32, with AdamW.

Each library is a process of its own and takes its turn. Ours trains as `mxtrain(tune="all")` does behind a head, with
BatchNorm's statistics as they were; and once more with moving ones, as the others do. Memory is that of the whole
process. `make bench-peers` installs the others.
"""

from __future__ import annotations

from .measure import Figure
from .rivals import compare

_LIBRARIES = {"mxtune": "mxtune", "mxtune_moving": "mxtune, moving", "torch": "PyTorch", "keras": "Keras"}
_WANTED = {
    "efficientnet_lite0": "2 x PyTorch",
    "mobilenetv2_100": "1.4 x Keras",
    "resnet50": "2 x PyTorch, 1.4 x Keras",
}


def figures() -> list[Figure]:
    """A row for each network and library."""
    return compare("train", _LIBRARIES, _WANTED)
