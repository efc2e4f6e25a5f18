"""NVIDIA's GPUs are looked for by the driver alone."""

from __future__ import annotations

from mxtune.engines import nvidia


def test_looking_for_gpus_never_fails() -> None:
    found = nvidia.gpus()
    assert [gpu.index for gpu in found] == list(range(len(found)))


def test_a_gpu_reads_with_its_capability() -> None:
    assert str(nvidia.Gpu(0, "NVIDIA A10", (8, 6))) == "NVIDIA A10 (compute capability 8.6)"
