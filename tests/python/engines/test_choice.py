"""MXNet where it has code for the device, otherwise PyTorch; otherwise the CPU, with what would use the GPU."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import pytest

from mxtune import engines
from mxtune import machine as machine_told
from mxtune.engines import Device, DeviceReport, choose, nvidia
from mxtune.engines.info import gpu_sentence
from mxtune.engines.mxnet import gpus as of_mxnet
from mxtune.engines.mxnet.gpus import Build
from mxtune.engines.nvidia import Gpu
from mxtune.engines.torch import gpus as of_torch
from mxtune.engines.torch.gpus import Build as Torch
from mxtune.engines.torch.gpus import Seen
from mxtune.errors import ArgumentError, DeviceError
from processes import only_numpy, passes

A10 = Gpu(0, "NVIDIA A10", (8, 6))
L4 = Gpu(1, "NVIDIA L4", (8, 9))
H100 = Gpu(0, "NVIDIA H100", (9, 0))
DRIVES = Torch("CUDA 13.0", "cuda", ("NVIDIA GPU",))
OLD_DRIVER, CPU_ALONE = Torch("CUDA 13.0"), Torch()
CPU = (Device("cpu"),)
GPU = (Device("gpu"),)
NO_TORCH = "PyTorch, which could use it, is not installed"
REFUSED = "MXNet 1.9.1 has machine code for compute capability 5.0 to 8.9, not for NVIDIA H100 (compute capability 9.0)"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine with these GPUs, MXNet and PyTorch: None for none."""

    def make(seen: Sequence[Union[Gpu, Seen]], mxnet: Optional[Build], torch: Optional[Torch]) -> None:
        monkeypatch.delenv(engines.SETTING, raising=False)
        nvidias = tuple(gpu for gpu in seen if isinstance(gpu, Gpu))
        shown = tuple(gpu if isinstance(gpu, Seen) else Seen(gpu.name, "CUDA") for gpu in seen)
        monkeypatch.setattr(nvidia, "gpus", lambda: nvidias)
        monkeypatch.setattr(of_torch, "seen_here", lambda: shown)
        monkeypatch.setattr(of_mxnet, "_build", lambda: mxnet or Build(None, "MXNet is not installed."))
        monkeypatch.setattr(of_torch, "version", lambda: None if torch is None else "2.13.0")
        monkeypatch.setattr(of_torch, "build", lambda: torch)
        monkeypatch.setattr(type(engines.get("mxnet")), "installed", lambda *_: mxnet is not None)
        monkeypatch.setattr(type(engines.get("torch")), "installed", lambda *_: torch is not None)

    return make


@pytest.mark.parametrize(
    ("seen", "mxnet", "torch", "engine", "devices"),
    [
        ((), Build(), None, "mxnet", CPU),
        ((), Build(), OLD_DRIVER, "mxnet", CPU),
        ((), None, OLD_DRIVER, "torch", CPU),
        ((A10,), Build("11.7"), DRIVES, "mxnet", GPU),
        ((A10,), Build(), DRIVES, "torch", GPU),
        ((A10,), None, DRIVES, "torch", GPU),
        ((H100,), Build("11.7"), DRIVES, "torch", GPU),
        ((H100,), Build("11.7"), OLD_DRIVER, "mxnet", CPU),
        ((H100,), Build("11.7"), None, "mxnet", CPU),
        ((Seen("the AMD GPU", "ROCm"),), Build(), Torch("ROCm 7.0", "cuda", ("MI300",)), "torch", GPU),
        ((Seen("the Intel GPU", "XPU"),), Build(), Torch("XPU", "xpu", ("Arc",)), "torch", GPU),
        ((Seen("this Mac's GPU", "MPS"),), None, Torch("MPS", "mps", ("Apple M2",)), "torch", GPU),
    ],
)
def test_mxnet_computes_where_it_has_code_and_otherwise_pytorch(
    machine: Any,
    seen: Sequence[Gpu],
    mxnet: Optional[Build],
    torch: Optional[Torch],
    engine: str,
    devices: tuple[Device, ...],
) -> None:
    machine(seen, mxnet, torch)
    target = choose()
    assert (target.engine.name, target.devices) == (engine, devices)
    assert choose("cpu").engine.name == ("mxnet" if mxnet else "torch")
    if devices == GPU:
        assert choose("gpu") == choose("gpu:0") == target
        assert target.unused is None


def test_the_gpu_in_use_is_named_with_what_uses_it(machine: Any) -> None:
    machine((Seen("this Mac's GPU", "MPS"),), None, Torch("MPS", "mps", ("Apple M2",)))
    assert gpu_sentence() == "gpu:0 is used, Apple M2, by torch."
    machine((Seen("this Mac's GPU", "MPS"),), None, CPU_ALONE)
    reason = "PyTorch is installed without MPS, which this Mac's GPU needs"
    assert gpu_sentence().startswith(f"No GPU is used: {reason}. ")  # and nothing of NVIDIA
    machine((H100, L4), Build("11.7"), None)
    assert gpu_sentence() == "gpu:1 is used, NVIDIA L4, by mxnet."


@pytest.mark.parametrize(
    ("seen", "mxnet", "torch", "told"),
    [
        (
            (H100,),
            Build("11.7"),
            None,
            f"{REFUSED}; {NO_TORCH}. Run: pip install torch",
        ),
        (
            (H100,),
            Build(),
            CPU_ALONE,
            f"{REFUSED}; PyTorch is installed without CUDA, which NVIDIA H100 needs. "
            "Run: pip install --force-reinstall torch",
        ),
        (
            (H100,),
            Build(),
            OLD_DRIVER,
            f"{REFUSED}; PyTorch does not find NVIDIA H100. A newer driver",
        ),
        (
            (A10,),
            Build(),
            None,
            f"MXNet is installed without CUDA, which NVIDIA A10 needs; {NO_TORCH}. Run: pip",
        ),
    ],
)
def test_a_gpu_that_stays_unused_is_told_once_with_what_would_use_it(
    machine: Any, seen: Sequence[Gpu], mxnet: Build, torch: Optional[Torch], told: str
) -> None:
    machine(seen, mxnet, torch)
    unused = choose().unused
    assert unused is not None and unused.present
    assert str(unused).startswith(f"No GPU is used: {told}")
    assert gpu_sentence() == str(unused)
    with pytest.raises(DeviceError) as caught:
        choose("gpu")
    assert str(caught.value).startswith("No GPU can be used: ")
    assert str(caught.value.hint) in str(unused)


def test_mxnets_own_command_is_told_where_it_could_use_the_gpu(machine: Any) -> None:
    machine((A10,), Build(), None)
    assert str(choose().unused).endswith("&& pip install --force-reinstall --no-deps mxnet-cu117==1.9.1")


def test_a_gpu_on_which_pytorch_fails_is_passed_over(machine: Any) -> None:
    machine((H100,), None, Torch("CUDA 13.0", "cuda", ("NVIDIA H100",), fault=lambda _: "no kernel image"))
    assert choose().devices == CPU
    assert "PyTorch can't compute on NVIDIA H100: no kernel image" in str(choose().unused)


def test_an_engine_that_is_asked_for_is_taken_or_says_why_not(machine: Any) -> None:
    machine((H100,), Build("11.7"), DRIVES)
    assert choose("cpu", engine="torch").engine.name == "torch"
    assert choose("cpu", engine="torch").why == "`engine` asks for it"
    assert (choose(engine="mxnet").engine.name, choose(engine="mxnet").devices) == ("mxnet", CPU)
    assert str(choose(engine="mxnet").unused).startswith(f"No GPU is used: {REFUSED}. PyTorch has code for newer GPUs.")
    assert choose().why == "it can use gpu:0"
    machine((A10,), Build("11.7"), DRIVES)
    assert choose(engine="torch").devices == GPU


def test_the_environment_may_choose_the_engine(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine((), Build(), OLD_DRIVER)
    monkeypatch.setenv("MXTUNE_ENGINE", "torch")
    assert (choose().engine.name, choose().why) == ("torch", "MXTUNE_ENGINE asks for it")
    assert choose(engine="mxnet").engine.name == "mxnet"
    monkeypatch.setenv("MXTUNE_ENGINE", "")
    assert choose().engine.name == "mxnet"
    monkeypatch.setenv("MXTUNE_ENGINE", "pytorch")
    with pytest.raises(ArgumentError) as caught:
        choose()
    assert str(caught.value) == (
        "The environment variable MXTUNE_ENGINE names no engine.\nx it is pytorch\nx it must be mxnet, torch or auto"
    )
    assert gpu_sentence() == "The environment variable MXTUNE_ENGINE names no engine."


@pytest.mark.parametrize("wrong", ["", "pytorch", "MXNet", "tensorflow", 1, None, ["mxnet"]])
def test_what_is_no_engine_is_named(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match=re.escape(repr(wrong))):
        choose(engine=wrong)


@pytest.mark.parametrize("name", ["mxnet", "torch"])
def test_an_engine_that_is_asked_for_and_missing_says_how_to_install_it(tmp_path: Path, name: str) -> None:
    code = (
        "from mxtune import engines, errors\n"
        f"try:\n    engines.choose('cpu', engine='{name}')\nexcept errors.EngineError as error:\n    print(error)\n"
    )
    told = passes(code, "-S", path=only_numpy(tmp_path)).stdout
    assert "is not installed." in told
    assert re.search(rf"i Run: pip install .*{name}", told)


def test_choosing_imports_no_engine() -> None:
    passes(
        "import sys\nfrom mxtune.engines import choose\nchoose(), choose('cpu', engine='torch')\n"
        "assert not {'mxnet', 'torch'} & set(sys.modules)"
    )


def test_features_of_engines_and_kinds_of_devices_are_kept_apart() -> None:
    made = {
        engines.Target(engines.get(name), devices, "float32").arithmetic
        for name in ("mxnet", "torch")
        for devices in (CPU, GPU)
    }
    assert len(made) == 4
    two = (Device("gpu"), Device("gpu", 1))
    assert engines.Target(engines.get("torch"), two, "float32").arithmetic in made
    fixed = [
        engines.Target(engines.get("torch"), devices, "float32", deterministic=True).arithmetic
        for devices in (CPU, GPU)
    ]
    assert [one in made for one in fixed] == [True, False]


def test_a_report_of_a_gpu_that_is_there_says_so() -> None:
    assert DeviceReport(Device("gpu"), "NVIDIA L4").present
    assert not DeviceReport(Device("gpu")).present


@pytest.mark.parametrize(
    ("flags", "holds"),
    [("fpu avx2 avx512f avx512bw", False), ("fpu avx2 avx_vnni", True), ("avx512f avx512_vnni", True), ("", False)],
)
def test_int8_is_offered_where_sums_of_it_are_not_cut_off(
    flags: str, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_told, "_told", {"flags": flags}.get)
    assert ("int8" in engines.get("mxnet").precisions) == holds
    if not holds:
        assert choose("cpu", ranges={"a": (0.0, 1.0)}).precision == "float32"
        with pytest.raises(ArgumentError, match=r"`precision` must be .*\nx it is 'int8'\ni In int8 .* VNNI"):
            choose("cpu", "int8")
