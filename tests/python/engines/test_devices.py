"""A GPU is used where an engine can; otherwise one sentence says why not."""

from __future__ import annotations

import re

import pytest

from mxtune import engines
from mxtune.engines import Device, Request, choose, nvidia
from mxtune.engines.devices import Choice, DeviceReport, pick
from mxtune.engines.info import gpu_sentence
from mxtune.engines.mxnet import cuda, gpus, load
from mxtune.engines.mxnet.gpus import Build, reports_of
from mxtune.engines.nvidia import Gpu
from mxtune.errors import ArgumentError, DeviceError

CPU = (Device("cpu"),)
A10 = Gpu(0, "NVIDIA A10", (8, 6))
L4 = Gpu(1, "NVIDIA L4", (8, 9))
H100 = Gpu(0, "NVIDIA H100", (9, 0))
K80 = Gpu(0, "Tesla K80", (3, 7))
WITH_CUDA, WITHOUT = Build("11.7"), Build()


def picked(request: Request, build: Build, seen: tuple[Gpu, ...]) -> Choice:
    """What is chosen on a machine with this MXNet and these GPUs."""
    return pick(request, reports_of(build, seen))


@pytest.mark.parametrize(
    ("request_", "seen", "found"),
    [
        ("auto", (A10, L4), ["gpu:0"]),
        ("gpu", (A10, L4), ["gpu:0"]),
        ("auto", (H100, L4), ["gpu:1"]),
        ("gpu", (H100, L4), ["gpu:1"]),
        ("gpu:1", (A10, L4), ["gpu:1"]),
        (["gpu:1", "gpu:0"], (A10, L4), ["gpu:1", "gpu:0"]),
        ("cpu", (A10,), ["cpu"]),
        (["cpu"], (A10,), ["cpu"]),
        (Device("gpu", 1), (A10, L4), ["gpu:1"]),
    ],
)
def test_usable_gpus_are_chosen(request_: Request, seen: tuple[Gpu, ...], found: list[str]) -> None:
    choice = picked(request_, WITH_CUDA, seen)
    assert [str(device) for device in choice.devices] == found
    assert choice.reason is None


@pytest.mark.parametrize(
    ("build", "seen", "reason", "remedy"),
    [
        (WITH_CUDA, (), "the NVIDIA driver shows no GPU here", "nvidia-smi must list it"),
        (WITHOUT, (A10,), "MXNet is installed without CUDA, which NVIDIA A10 needs", "mxnet-cu117==1.9.1"),
        (
            WITH_CUDA,
            (H100,),
            "MXNet 1.9.1 has machine code for compute capability 5.0 to 8.9, not for "
            "NVIDIA H100 (compute capability 9.0)",
            "PyTorch has code for newer GPUs",
        ),
        (WITHOUT, (H100,), "compute capability 9.0", "PyTorch"),
        (
            WITHOUT,
            (H100, L4),
            "not for NVIDIA H100 (compute capability 9.0); MXNet is installed without",
            "mxnet-cu117",
        ),
        (WITH_CUDA, (K80,), "Tesla K80 (compute capability 3.7)", "a GPU of 2014 or later"),
        (Build("10.2"), (A10,), "compute capability 5.0 to 7.5, not for NVIDIA A10", "mxnet-cu117==1.9.1"),
        (
            Build("11.7", "MXNet can't be loaded: the shared library libcudnn.so.8 is missing."),
            (A10,),
            "the shared library libcudnn.so.8 is missing",
            "mxinfo()",
        ),
    ],
)
def test_each_reason_against_a_gpu_is_told_with_what_would_help(
    build: Build, seen: tuple[Gpu, ...], reason: str, remedy: str
) -> None:
    automatic = picked("auto", build, seen)
    assert automatic.devices == CPU
    assert reason in str(automatic.reason)
    assert remedy in str(automatic.remedy)
    asked = picked("gpu", build, seen)
    assert asked.devices == ()
    assert (asked.reason, asked.remedy) == (automatic.reason, automatic.remedy)


def test_a_gpu_that_fails_when_tried_is_passed_over() -> None:
    old = Build("11.7", fault=lambda index: "CUDA driver version is insufficient" if index == 0 else None)
    assert [str(device) for device in picked("auto", old, (A10, L4)).devices] == ["gpu:1"]
    assert picked("auto", old, (A10,)).devices == CPU
    choice = picked("gpu:0", old, (A10, L4))
    assert choice.devices == ()
    assert choice.reason == "MXNet can't compute on NVIDIA A10: CUDA driver version is insufficient"
    assert "newer NVIDIA driver" in str(choice.remedy)


@pytest.mark.mxnet
def test_a_gpu_is_tried_by_computing_on_it() -> None:
    assert load().runtime.Features().is_enabled("CUDA") or "GPU" in str(gpus.fault(0))


def test_gpu_that_is_not_there_is_told_with_those_that_are() -> None:
    choice = picked("gpu:3", WITH_CUDA, (A10, L4))
    assert choice.devices == ()
    assert choice.reason == "there is no gpu:3"
    assert choice.remedy == "this machine has gpu:0 NVIDIA A10, gpu:1 NVIDIA L4"
    assert picked("gpu:3", WITH_CUDA, ()).reason == "the NVIDIA driver shows no GPU here"


def test_one_unusable_gpu_of_a_list_is_an_error() -> None:
    choice = picked(["gpu:0", "gpu:1"], WITH_CUDA, (H100, L4))
    assert choice.devices == ()
    assert "H100" in str(choice.reason)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "GPU",
        "gpu:",
        "gpu:-1",
        "gpu:x",
        "cuda",
        "cpu:0",
        [],
        ["gpu:0", "gpu:0"],
        ["cpu", "gpu:0"],
        1,
        None,
    ],
)
def test_what_is_no_device_is_named(wrong: object) -> None:
    with pytest.raises(ArgumentError, match=re.escape(repr(wrong))):
        choose(wrong)  # type: ignore[arg-type]


def test_without_a_gpu_auto_is_the_cpu_and_gpu_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "gpus", lambda: ())
    assert choose() == choose("auto") == choose("cpu")
    assert choose().devices == CPU
    with pytest.raises(DeviceError) as caught:
        choose("gpu")
    assert str(caught.value) == (
        "No GPU can be used: the NVIDIA driver shows no GPU here.\n"
        "i If there is one, nvidia-smi must list it and CUDA_VISIBLE_DEVICES must not hide it."
    )
    assert gpu_sentence().startswith("No GPU is used: the NVIDIA driver shows no GPU here. If")
    unused = choose().unused
    assert unused is not None and not unused.present


def test_a_precision_that_no_engine_offers_is_told_with_those_that_one_does() -> None:
    with pytest.raises(ArgumentError) as caught:
        choose("cpu", "float16")
    offers = [f"{', '.join(engines.get(name).precisions)} ({name})" for name in engines.installed()]
    assert str(caught.value) == f"`precision` must be \"auto\" or {' or '.join(offers)}.\nx it is 'float16'"
    assert choose("cpu", "float32").precision == choose("cpu").precision == "float32"


def test_a_report_reads_as_one_says_it() -> None:
    assert str(DeviceReport(Device("gpu", 1), "NVIDIA L4")) == "gpu:1 NVIDIA L4"
    assert str(choose("cpu")) == f"{engines.installed()[0]}, cpu, float32"


def test_every_cuda_library_has_its_wheel() -> None:
    for library, _, wheel in cuda.LIBRARIES:
        assert cuda.wheel_of(library) == wheel
        assert wheel in gpus.gpu_command()
    assert cuda.wheel_of("libgomp.so.1") is None
