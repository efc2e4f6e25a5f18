"""MXNet as an engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from ... import machine
from ...arguments import one_of
from ...calls import option
from ...errors import EngineError
from ..base import Program
from ..devices import Device, DeviceReport
from . import cuda, gpus
from .int8 import refuse_int8
from .load import load

if TYPE_CHECKING:
    from ..base import Executor
    from ..parallel.team import Start
    from ..parallel.told import Told
    from ..passes import Pass
    from .executor import MXNetExecutor


class MXNet:
    """Apache MXNet 1.9.1, on CPUs through oneDNN and on NVIDIA's GPUs up to compute capability 8.9."""

    name = "mxnet"

    @property
    def precisions(self) -> tuple[str, ...]:
        """float32; and int8 on a CPU whose sums hold it."""
        return ("float32", "int8") if machine.has_vnni() else ("float32",)

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes that `bind` applies, in their order."""
        from .passes import PASSES  # late, here and below: mxinfo() must work where Pillow is missing

        return tuple(rewrite.__name__ for rewrite in PASSES)

    def installed(self) -> bool:
        """Whether its package is installed; it may still be broken."""
        return importlib.util.find_spec("mxnet") is not None

    def version(self) -> Optional[str]:
        """The version of its package, or of the build for GPUs that is in its place; None if none is installed."""
        return cuda.installed(cuda.distribution())

    def load(self) -> Any:
        """MXNet, imported; see `mxtune.engines.mxnet.load`."""
        return load()

    def devices(self) -> tuple[DeviceReport, ...]:
        """The CPU, and each GPU with the reason why MXNet can't use it; it is loaded only where there is a GPU."""
        return gpus.reports()

    def default_precision(self, devices: Sequence[Device]) -> str:  # noqa: ARG002 - it is the same on all
        """What ``"auto"`` stands for: float32."""
        return self.precisions[0]

    def bind(
        self, program: Program, devices: Sequence[Device], precision: str = "float32", passes: bool = True
    ) -> MXNetExecutor:
        """The program, ready to run; see `Engine.bind`."""
        low = one_of("precision", precision, self.precisions) == "int8"
        on_gpu = any(device.kind == "gpu" for device in devices)
        if program.deterministic and on_gpu:
            raise EngineError(
                "MXNet can't promise the same bytes each time on a GPU.",
                hint=f"Use {option('engine', 'torch')} or {option('device', 'cpu')}, which can.",
            )
        from .executor import MXNetExecutor

        if low:
            refuse_int8(program, devices)
        shared = passes and [device.kind for device in devices] == ["cpu"]
        return MXNetExecutor(program, devices, _rewrites(program, on_gpu, low) if passes else (), low, shared)

    def replicate(
        self,
        program: Program,
        devices: Sequence[Device],
        precision: str,
        passes: bool,
        start: Optional[Start] = None,
    ) -> Executor:
        """The program in a process for each device; see `Engine.replicate`."""
        from .parallel.replicas import MXNetReplicas

        return MXNetReplicas(program, devices, one_of("precision", precision, self.precisions[:1]), passes, start)

    def replica(self, told: Told, place: int) -> Any:
        """What one of these processes computes with."""
        from .parallel.replica import Replica

        program = told.program
        return Replica(told, place, program, _rewrites(program) if told.passes else ())


def _rewrites(program: Program, on_gpu: bool = False, low: bool = False) -> tuple[Pass, ...]:
    """The passes for a program."""
    from .passes import FOR_ONEDNN, NOT_IN_INT8, PASSES, PASSES_IN_INT8

    in_int8 = low and not program.trainable
    left = (*(FOR_ONEDNN if on_gpu else ()), *(NOT_IN_INT8 if in_int8 else ()))
    return (*(rewrite for rewrite in PASSES if rewrite not in left), *(PASSES_IN_INT8 if in_int8 else ()))
