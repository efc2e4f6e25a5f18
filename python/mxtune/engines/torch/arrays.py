"""Between NumPy's arrays and PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base import InputSpec

Array = NDArray[Any]


def tensor_of(array: Array) -> Tensor:
    """An array as a tensor on the CPU, which may share its memory: it is for reading."""
    array = np.require(array, requirements="C")
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def array_of(tensor: Tensor) -> NDArray[np.float32]:
    """A copy of a tensor."""
    return np.array(tensor.detach().to("cpu", torch.float32).contiguous().numpy())


def parameter_of(array: Array, device: torch.device, learned: bool) -> Tensor:
    """A copy of a parameter on a device; kernels in the layout of the maps."""
    tensor = torch.from_numpy(np.array(array, np.float32)).to(device)
    if tensor.ndim == 4:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    return tensor.requires_grad_(learned)


def sent(array: Array, device: torch.device) -> Tensor:
    """An array on a device; one of NVIDIA's or AMD's fetches it by itself, while we go on."""
    tensor = tensor_of(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Scale:
    """How one input of a graph is prepared on a device: see `InputSpec`."""

    def __init__(self, spec: InputSpec, device: torch.device) -> None:
        self._device, self._images = device, bool(spec.mean)
        self._mean, self._factor = (self._by_channel(values) for values in (spec.mean, [1 / one for one in spec.std]))

    def _by_channel(self, values: Sequence[float]) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(self._device).view(-1, 1, 1)

    def __call__(self, rows: Array) -> Tensor:
        """Rows as the graph takes them: of images, (N, C, H, W) normalised, with channels last in memory."""
        tensor = sent(rows, self._device)
        if not self._images:
            return tensor
        return tensor.permute(0, 3, 1, 2).to(torch.float32).sub_(self._mean).mul_(self._factor)
