"""PyTorch as an engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from ... import progress
from ...arguments import one_of
from ...errors import EngineError
from ..base import Executor, Program
from ..devices import Device, DeviceReport
from . import gpus
from .load import load, version

if TYPE_CHECKING:
    from ..parallel.team import Start
    from ..parallel.told import Told


class Torch:
    """PyTorch, on CPUs and on every GPU that it has code for: NVIDIA's, AMD's, Apple's and Intel's."""

    name = "torch"
    precisions = ("float32", "bfloat16")

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes that `bind` applies, in their order."""
        from .passes import PASSES  # late, here and below: mxinfo() must work where Pillow is missing

        return (*(rewrite.__name__ for rewrite in PASSES), "attention")  # which the runner fuses

    def installed(self) -> bool:
        """Whether its package is installed; it may still be broken."""
        return importlib.util.find_spec("torch") is not None

    def version(self) -> Optional[str]:
        """The version of its package; None if it is not installed."""
        return version()

    def load(self) -> Any:
        """PyTorch, imported; see `mxtune.engines.torch.load`."""
        return load()

    def devices(self) -> tuple[DeviceReport, ...]:
        """The CPU, and each GPU with the reason why PyTorch can't use it; loaded only where there may be one."""
        return gpus.reports()

    def default_precision(self, devices: Sequence[Device]) -> str:
        """What ``"auto"`` stands for: bfloat16 on GPUs that compute in it, float32 elsewhere.

        A head that was fitted in bfloat16 on 2,000 images of Fashion-MNIST was right on .879 of others, one in float32
        on .876; and on .876 where its features came in float32.
        """
        low = all(device.kind == "gpu" for device in devices) and gpus.build().low
        return "bfloat16" if low else "float32"

    def bind(
        self, program: Program, devices: Sequence[Device], precision: str = "float32", passes: bool = True
    ) -> Executor:
        """The program, ready to run; see `Engine.bind`."""
        one_of("precision", precision, self.precisions)
        load()
        from . import parallel
        from .executor import TorchExecutor
        from .passes import passes_for

        if parallel.pays(program, devices):
            try:
                return self.replicate(program, devices, precision, passes)
            except EngineError as error:
                why = "; ".join(error.bullets) or error.message
                text = f"One process computes on all GPUs, as there can't be one for each: {why}"
                progress.current().event("message", text=text)
        return TorchExecutor(program, devices, passes_for(devices) if passes else (), precision)

    def replicate(
        self,
        program: Program,
        devices: Sequence[Device],
        precision: str,
        passes: bool,
        start: Optional[Start] = None,
    ) -> Executor:
        """The program in a process for each device; see `Engine.replicate`."""
        from .parallel.replicas import TorchApart, TorchReplicas

        one_of("precision", precision, self.precisions)
        return (TorchApart if start else TorchReplicas)(program, devices, precision, passes, start)

    def replica(self, told: Told, place: int) -> Any:
        """What one of these processes computes with."""
        load()
        if told.store is None:
            from .parallel.apart import Apart

            return Apart(told, place)
        from .parallel.replica import Replica

        return Replica(told, place)
