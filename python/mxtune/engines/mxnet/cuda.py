"""NVIDIA's libraries, the wheels that carry them, and the build of MXNet that needs them; MXNet is not loaded."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import sys
from pathlib import Path
from typing import Optional

# what mxnet-cu112 and mxnet-cu117 1.9.1 link to, each after what it needs itself:
# library, folder below site-packages/nvidia, wheel
LIBRARIES = (
    ("libcudart.so.11.0", "cuda_runtime", "nvidia-cuda-runtime-cu11"),
    ("libnvToolsExt.so.1", "nvtx", "nvidia-nvtx-cu11"),
    ("libnvrtc.so.11.2", "cuda_nvrtc", "nvidia-cuda-nvrtc-cu11"),
    ("libcublasLt.so.11", "cublas", "nvidia-cublas-cu11"),
    ("libcublas.so.11", "cublas", "nvidia-cublas-cu11"),
    ("libcudnn.so.8", "cudnn", "nvidia-cudnn-cu11~=8.9"),
    ("libcufft.so.10", "cufft", "nvidia-cufft-cu11"),
    ("libcurand.so.10", "curand", "nvidia-curand-cu11"),
    ("libcusparse.so.11", "cusparse", "nvidia-cusparse-cu11"),
    ("libcusolver.so.11", "cusolver", "nvidia-cusolver-cu11"),
    ("libnccl.so.2", "nccl", "nvidia-nccl-cu11"),
)
_VERSIONS = ("11.7", "11.2", "11.0", "10.2", "10.1", "10.0", "9.2")  # of CUDA that MXNet has had wheels for


def build() -> Optional[str]:
    """The CUDA version, such as "11.7", of the installed MXNet wheel; None for one without CUDA."""
    return next((version for version in _VERSIONS if installed(_wheel(version))), None)


def installed(package: str) -> Optional[str]:
    """The version of an installed package; None if it is not."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def distribution() -> str:
    """The PyPI package that MXNet comes from: "mxnet", or that of a build for GPUs such as "mxnet-cu117"."""
    version = build()
    return _wheel(version) if version else "mxnet"


def _wheel(version: str) -> str:
    return f"mxnet-cu{version.replace('.', '')}"


def wheel_of(library: str) -> Optional[str]:
    """The PyPI package that carries a CUDA library, or None."""
    return next((wheel for name, _, wheel in LIBRARIES if name == library), None)


def missing() -> tuple[str, ...]:
    """Those of `LIBRARIES` that can't be opened."""

    def opens(name: str) -> bool:
        with contextlib.suppress(OSError):
            return bool(ctypes.CDLL(name))
        return False

    return tuple(name for name, _, _ in LIBRARIES if not opens(name))


def preload() -> tuple[str, ...]:
    """The CUDA libraries loaded from ``nvidia-*-cu11`` wheels, for an MXNet with CUDA to find."""
    if build() is None:
        return ()
    loaded = []
    for name, folder, _ in LIBRARIES:
        for root in sys.path:
            path = Path(root or ".") / "nvidia" / folder / "lib" / name
            if path.is_file():
                with contextlib.suppress(OSError):  # MXNet's own import then reports what is wrong
                    ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
                    loaded.append(name)
                break
    return tuple(loaded)
