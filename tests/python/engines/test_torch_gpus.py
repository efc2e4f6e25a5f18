"""What PyTorch reports about GPUs: machines with and without them, and each build of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mxtune import engines
from mxtune.engines import Device, DeviceReport
from mxtune.engines.torch import gpus
from mxtune.engines.torch.gpus import Build, Seen, reports_of

H200, MI300 = Seen("NVIDIA H200", "CUDA"), Seen("the AMD GPU", "ROCm")
MAC, ARC = Seen("this Mac's GPU", "MPS"), Seen("the Intel GPU", "XPU")
WITH = Build("CUDA 13.0", "cuda", ("NVIDIA H200", "NVIDIA H200"))


def test_without_a_gpu_the_words_are_those_of_mxnet() -> None:
    from mxtune.engines.mxnet import gpus as of_mxnet

    assert reports_of(Build(), ()) == of_mxnet.reports_of(of_mxnet.Build(), ())


def test_each_gpu_that_it_drives_can_be_used() -> None:
    assert reports_of(WITH, (H200,)) == (
        DeviceReport(Device("cpu")),
        DeviceReport(Device("gpu", 0), "NVIDIA H200"),
        DeviceReport(Device("gpu", 1), "NVIDIA H200"),
    )


@pytest.mark.parametrize(
    ("made", "seen", "reason", "remedy"),
    [
        (Build(), H200, "PyTorch is installed without CUDA, which NVIDIA H200 needs", "torch"),
        (Build("CUDA 13.0"), MI300, "PyTorch is installed without ROCm, which the AMD GPU needs", "pytorch.org"),
        (Build("CUDA 13.0"), ARC, "PyTorch is installed without XPU, which the Intel GPU needs", "pytorch.org"),
        (Build(), MAC, "PyTorch is installed without MPS, which this Mac's GPU needs", "pytorch.org"),
        (Build("CUDA 13.0"), H200, "PyTorch does not find NVIDIA H200", "driver"),
        (Build(problem="PyTorch is broken."), H200, "PyTorch is broken", "mxinfo()"),
    ],
)
def test_one_that_it_can_not_use_comes_with_reason_and_remedy(
    made: Build, seen: Seen, reason: str, remedy: str
) -> None:
    _, report = reports_of(made, (seen,))
    assert (report.name, report.reason) == (seen.name, reason)
    assert report.remedy is not None
    assert remedy in report.remedy


def test_a_gpu_that_fails_when_it_is_tried_says_how() -> None:
    made = Build("CUDA 9.0", "cuda", ("NVIDIA H200",), fault=lambda _: "no kernel image is available")
    _, report = reports_of(made, (H200,))
    assert report.reason == "PyTorch can't compute on NVIDIA H200: no kernel image is available"


def test_a_machine_that_shows_a_gpu_asks_the_installed_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "seen_here", lambda: (H200,))
    _, report = gpus.reports()
    assert report.name
    assert report.reason is None or "PyTorch" in report.reason


@pytest.mark.parametrize(("low", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_that_has_bfloat16_computes_in_it(monkeypatch: pytest.MonkeyPatch, low: bool, expected: str) -> None:
    engine = engines.get("torch")
    monkeypatch.setattr(gpus, "build", lambda: replace(WITH, low=low))
    assert engine.default_precision([Device("gpu", 0), Device("gpu", 1)]) == expected
    assert engine.default_precision([Device("cpu")]) == "float32"
