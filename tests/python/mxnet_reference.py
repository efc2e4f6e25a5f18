"""What MXNet itself reports about a graph: asked in a process of its own, which MXNet's native faults may end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mxtune.graph import Graph, to_json
from processes import PACKAGE

Shape = tuple[int, ...]
Shapes = dict[str, tuple[Shape, ...]]


class Reference:
    """A child process with MXNet, started again where a question ended the last one.

    Attributes
    ----------
    deaths
        The questions that ended a process.
    """

    def __init__(self) -> None:
        self.child: Optional[subprocess.Popen[str]] = None
        self.deaths: list[Any] = []

    def shapes(self, graph: Graph, inputs: Mapping[str, Shape]) -> Union[Shapes, str]:
        """The shapes of all visible outputs by node, or the first line of MXNet's error."""
        answer = self._ask("shapes", to_json(graph), inputs)
        if isinstance(answer, str):
            return answer
        return {name: tuple(tuple(shape) for shape in outputs) for name, outputs in answer.items()}

    def run(self, graph: Graph, shapes: Mapping[str, Shape], train: bool = False) -> str:
        """Compute a graph on random numbers of these shapes; "" or the first line of MXNet's error."""
        return str(self._ask("train" if train else "run", to_json(graph), shapes))

    def _ask(self, verb: str, symbol: str, shapes: Mapping[str, Shape]) -> Any:
        if self.child is None:
            self.child = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(PACKAGE), str(Path(__file__).parent)))},
            )
        assert self.child.stdin is not None and self.child.stdout is not None
        try:
            print(json.dumps([verb, symbol, shapes]), file=self.child.stdin, flush=True)
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.deaths.append((verb, symbol, shapes))
            self.close()
            return f"the process ended: {symbol}"
        return json.loads(line)

    def close(self) -> None:
        """End the child process."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None


def _shapes(symbol: Any, shapes: Mapping[str, Shape]) -> dict[str, list[Shape]]:
    internals = symbol.get_internals()
    _, outputs, _ = internals.infer_shape_partial(**{k: tuple(v) for k, v in shapes.items()})
    found: dict[str, list[Shape]] = {}
    for output, shape in zip(internals, outputs):
        found.setdefault(output.name, []).append(tuple(shape))
    return found


def _run(mx: Any, symbol: Any, shapes: Mapping[str, Shape], train: bool) -> str:
    rng = np.random.default_rng(0)
    arrays = {name: mx.nd.array(rng.uniform(-9, 9, shape)) for name, shape in shapes.items()}
    arguments, auxiliary = symbol.list_arguments(), symbol.list_auxiliary_states()
    args = {name: arrays[name] for name in arguments}
    grads = {name: mx.nd.zeros_like(array) for name, array in args.items()} if train else None
    bound = symbol.bind(
        mx.cpu(),
        args,
        args_grad=grads,
        grad_req="write" if train else "null",
        aux_states={name: arrays[name] for name in auxiliary},
    )
    outputs = bound.forward(is_train=train)
    if train:
        bound.backward([mx.nd.ones_like(output) for output in outputs])
        for grad in grads.values():  # type: ignore[union-attr]
            grad.wait_to_read()
    for output in outputs:
        output.asnumpy()
    return ""


def _serve() -> None:
    from mxtune.engines.mxnet import load

    mx = load()
    for line in sys.stdin:
        verb, text, shapes = json.loads(line)
        try:
            symbol = mx.sym.load_json(text)
            answer = _shapes(symbol, shapes) if verb == "shapes" else _run(mx, symbol, shapes, verb == "train")
        except Exception as error:  # noqa: BLE001 - whatever MXNet raises is its answer
            checks = [line.strip() for line in str(error).splitlines() if "Check failed" in line]
            answer = f"{type(error).__name__}: {(checks or [str(error)[:300]])[0]}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
