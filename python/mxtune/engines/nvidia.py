"""The GPUs that NVIDIA's driver shows; no engine, no nvidia-smi."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

NONE = "the NVIDIA driver shows no GPU here"
REMEDY = "if there is one, nvidia-smi must list it and CUDA_VISIBLE_DEVICES must not hide it"
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True)
class Gpu:
    """A GPU that the driver shows; ``capability`` is NVIDIA's compute capability, such as (8, 6)."""

    index: int
    name: str
    capability: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.name} (compute capability {self.capability[0]}.{self.capability[1]})"


def gpus() -> tuple[Gpu, ...]:
    """The GPUs in the driver's order, or those of ``CUDA_VISIBLE_DEVICES``; none without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if driver.cuInit(0) != 0:
            return ()
        count = ctypes.c_int()
        if driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return ()
        return tuple(_gpu(driver, index) for index in range(count.value))
    except (OSError, AttributeError):
        return ()


def _gpu(driver: Any, index: int) -> Gpu:
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    major, minor = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGet(ctypes.byref(device), index)
    driver.cuDeviceGetName(name, len(name), device)
    driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
    return Gpu(index, name.value.decode("utf-8", "replace"), (major.value, minor.value))
