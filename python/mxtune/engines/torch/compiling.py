"""A network as a program of PyTorch's compiler, where so much is to come that its start pays within this very job.

On 2 CPUs it never does, so that it is for GPUs alone: predictions of ResNet-18, ViT-Tiny and EfficientNet-Lite0 ran at
1.00, .88 and .99 of the speed that they have without it, after 56, 28 and 59 s; at 1.08 and .86 with weights packed.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Callable, Optional

import torch
from torch import Tensor

from ... import progress
from .operators import Run
from .operators.base import RULES
from .runner import Runner

Compute = Callable[[Mapping[str, Tensor]], "tuple[list[Tensor], list[Tensor]]"]

BACKEND = "inductor"
START = {False: 60.0, True: 120.0}
"""Seconds that the compiler takes, of predictions and of training with its gradients: what it took on 2 CPUs, twice."""
GAIN = 0.2
"""The share of the time that it is believed to save on a GPU, where nobody has measured it."""
_NEAR = {"float32": 1e-3, "bfloat16": 5e-2}  # of the largest value; half the bits are rounded at other places


def can_compile(device: torch.device) -> bool:
    """Whether PyTorch's compiler has what it needs for a device: Triton, and a GPU of NVIDIA's or AMD's."""
    if device.type != "cuda":
        return False
    try:
        from torch.utils._triton import has_triton
    except ImportError:  # another version of PyTorch, which may have moved it
        return False
    return bool(has_triton())


class Compiling:
    """A runner, whose compiled form takes its place once that pays; what fails goes on without it.

    Parameters
    ----------
    runner
        What computes.
    learns
        Whether training is compiled, and not prediction.
    precision
        One of `settings.KINDS`.
    able
        Whether it may ever be compiled.
    """

    def __init__(self, runner: Runner, learns: bool, precision: str, able: bool) -> None:
        self._runner, self._learns, self._precision, self._able = runner, learns, precision, able
        self._to_come = self._last = 0
        self._rows: Optional[int] = None  # of the batches that are compiled
        self._compiled: Optional[Compute] = None
        self._moved: list[Tensor] = []

    def expect(self, rows: int) -> None:
        """So many rows are to come."""
        self._to_come = rows

    def took(self, rows: int, seconds: float, training: bool) -> None:
        """A batch was computed: if it was the second of its size, it tells whether the compiler's start pays."""
        if training != self._learns or not self._able:
            return
        self._to_come -= rows
        if self._rows is None and rows == self._last and self._to_come * seconds / rows * GAIN > START[self._learns]:
            self._rows = rows
        self._last = rows

    def __call__(self, variables: Mapping[str, Tensor], run: Run, rows: int) -> list[Tensor]:
        """The heads; see `Runner`."""
        if not self._able or run.training != self._learns or rows != self._rows:
            return self._runner(variables, run)
        if self._compiled is None:
            try:
                return self._start(variables, run)
            except Exception as error:  # noqa: BLE001 - the compiler can raise anything
                self._able, self._compiled = False, None
                cause = getattr(error, "inner_exception", error)
                first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
                text = f"PyTorch can't compile the network, which goes on as before: {first}"
                progress.current().event("message", text=text)
                run.moved.clear()
                return self._runner(variables, run)
        return self._run(self._compiled, variables, run)

    def _start(self, variables: Mapping[str, Tensor], run: Run) -> list[Tensor]:
        """Compile, and compare with what is computed without it."""
        with torch.no_grad():
            plain = Run(run.training)
            expected = self._runner(variables, plain)
        text = f"PyTorch compiles the network, as {self._to_come:,} images are to come: a minute or two."
        progress.current().event("message", text=text)
        self._moved = [to for to, _ in plain.moved]
        self._compiled = self._made()
        heads = self._run(self._compiled, variables, run)
        for found, one in zip(heads, expected):
            apart = float((found.detach() - one).abs().max())
            if not apart <= _NEAR[self._precision] * float(one.abs().max()):
                raise ArithmeticError(f"its outputs are {apart:.1e} apart")
        return heads

    def _run(self, compiled: Compute, variables: Mapping[str, Tensor], run: Run) -> list[Tensor]:
        heads, moved = compiled(variables)
        run.moved.extend(zip(self._moved, (new.detach() for new in moved)))
        return heads

    def _made(self) -> Compute:
        runner, training = self._runner, self._learns

        def compute(variables: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            run = Run(training)
            heads = runner(variables, run)
            return heads, [new for _, new in run.moved]

        for rule in RULES:
            torch.compiler.assume_constant_result(rule)
        # with code of its own: PyTorch keeps no more than eight programs of one
        own = types.FunctionType(compute.__code__.replace(), globals(), "compute", None, compute.__closure__)
        # in this process: others would be started by sys.executable, which may be R
        options: Any = {"compile_threads": 1} if BACKEND == "inductor" else None
        compiled: Compute = torch.compile(own, fullgraph=True, dynamic=False, backend=BACKEND, options=options)
        return compiled
