"""Between NumPy's arrays and PyTorch's tensors."""

from __future__ import annotations

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


def input_of(spec: InputSpec, rows: Array, device: torch.device) -> Tensor:
    """Rows as the graph takes them: of images, (N, C, H, W) normalised on the device, with channels last in memory."""
    tensor = tensor_of(rows)
    if device.type == "cuda":
        tensor = tensor.pin_memory()  # so that the GPU fetches it while we go on
    tensor = tensor.to(device, non_blocking=device.type == "cuda")
    if not spec.mean:
        return tensor
    maps = tensor.permute(0, 3, 1, 2).to(torch.float32)
    mean, factor = (_by_channel(values, device) for values in (spec.mean, [1 / scale for scale in spec.std]))
    return maps.sub_(mean).mul_(factor)


def _by_channel(values: Any, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32)).to(device).view(-1, 1, 1)
