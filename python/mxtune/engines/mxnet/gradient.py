"""The gradient of an output with respect to what goes in, by MXNet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import EngineError
from ...graph import remove, to_json
from ...words import shape_text
from ..base import Program
from ..passes import applied, freeze_statistics
from .load import load
from .passes import PASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class InputGradient:
    """What `MXNetExecutor.gradient` runs: the program as it predicts, bound so that its inputs have gradients.

    MXNet keeps what a gradient needs only in a forward pass of training. So that this one computes what prediction
    does, nothing is in training, and there is no dropout.

    Parameters
    ----------
    program
        With its parameters as they are now; nothing of it is written to.
    context
        MXNet's name for the device.
    """

    def __init__(self, program: Program, context: Any) -> None:
        self._mx, self._context = load(), context
        self._wanted = [name for name, spec in program.inputs.items() if not spec.mean]
        if not self._wanted:
            raise EngineError(
                "There is no gradient with respect to images of 8 bits.", [f"{name}: uint8" for name in program.inputs]
            )
        graph = program.graph
        for dropout in [node.name for node in graph.nodes if node.has_role("dropout")]:
            graph = remove(graph, dropout)
        # the passes see what has a gradient: one of training is not fused, and needs what they do for it
        moving = replace(program, graph=graph, trainable=frozenset(self._wanted))
        self._program, _ = applied(moving, (freeze_statistics, *PASSES))
        self._symbol = self._mx.sym.load_json(to_json(self._program.graph))
        names = [n for n in (*self._program.graph.arguments, *self._program.graph.auxiliary) if n not in program.inputs]
        params = self._program.params
        self._arrays = {n: self._mx.nd.array(params[n], ctx=context, dtype="float32") for n in names}
        self._bound: dict[int, Any] = {}  # by rows

    def __call__(self, batch: Mapping[str, Array], weights: Array) -> dict[str, NDArray[np.float32]]:
        """See `Executor.gradient`; the batch is checked."""
        count = len(next(iter(batch.values())))
        rows = 1 << (count - 1).bit_length()  # few sizes are ever planned
        executor = self._executor(rows)
        for name, spec in self._program.inputs.items():
            filled = np.zeros((rows, *spec.row), np.float32)
            spec.prepare(batch[name], filled[:count])
            executor.arg_dict[name][:] = filled
        executor.forward(is_train=True)
        head = executor.outputs[0]
        if weights.shape != (count, *head.shape[1:]):
            raise EngineError(
                f"The gradient takes weights of {shape_text((count, *head.shape[1:]))}.",
                [f"they are {shape_text(weights.shape)}"],
            )
        seed = np.zeros(head.shape, np.float32)
        seed[:count] = weights
        others = [self._mx.nd.zeros_like(output) for output in executor.outputs[1:]]
        executor.backward([self._mx.nd.array(seed, ctx=self._context), *others])
        return {name: executor.grad_dict[name].asnumpy()[:count] for name in self._wanted}

    def _executor(self, rows: int) -> Any:
        if rows not in self._bound:
            nd, inputs = self._mx.nd, self._program.inputs
            data = {name: nd.zeros((rows, *spec.row), ctx=self._context) for name, spec in inputs.items()}
            arguments = self._program.graph.arguments
            self._bound[rows] = self._symbol.bind(
                self._context,
                args={n: data[n] if n in data else self._arrays[n] for n in arguments},
                args_grad={n: nd.zeros_like(data[n]) for n in self._wanted},
                grad_req={n: "write" if n in self._wanted else "null" for n in arguments},
                aux_states={n: self._arrays[n] for n in self._program.graph.auxiliary},
            )
        return self._bound[rows]
