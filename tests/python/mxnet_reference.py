"""What MXNet itself reports about a graph: asked in a process of its own, which MXNet's native faults may end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from mxtune.graph import Graph, to_json
from processes import PACKAGE

Shape = tuple[int, ...]
Shapes = dict[str, tuple[Shape, ...]]
Arrays = dict[str, np.ndarray]


class Computed(NamedTuple):
    """What a graph gives: its heads; in training the gradient by each argument, and its auxiliary arrays afterwards."""

    heads: list[np.ndarray]
    gradients: Arrays
    auxiliary: Arrays


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

    def compute(
        self, graph: Graph, arrays: Mapping[str, np.ndarray], above: Optional[list[np.ndarray]] = None
    ) -> Union[Computed, str]:
        """What a graph gives for these arrays, or the first line of MXNet's error.

        Parameters
        ----------
        above
            The gradient that each head gets: the graph is run as in training. None: as in prediction.
        """
        with tempfile.TemporaryDirectory() as folder:
            given, file = {f"array:{name}": array for name, array in arrays.items()}, Path(folder, "arrays.npz")
            np.savez(file, **given, **{f"above:{place}": one for place, one in enumerate(above or [])})
            answer = self._ask("predict" if above is None else "learn", to_json(graph), str(file))
            if answer:
                return str(answer)
            with np.load(file) as found:
                return Computed(
                    [found[f"head:{place}"] for place in range(len(graph.heads))],
                    {name[9:]: found[name] for name in found if name.startswith("gradient:")},
                    {name[10:]: found[name] for name in found if name.startswith("auxiliary:")},
                )

    def _ask(self, verb: str, symbol: str, shapes: Union[Mapping[str, Shape], str]) -> Any:
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


def _compute(mx: Any, symbol: Any, file: str, train: bool) -> str:
    with np.load(file) as given:
        arrays = {name[6:]: mx.nd.array(given[name]) for name in given if name.startswith("array:")}
        above = [mx.nd.array(given[name]) for name in given if name.startswith("above:")]
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
    found = {f"head:{place}": head.asnumpy() for place, head in enumerate(bound.forward(is_train=train))}
    if grads is not None:
        bound.backward(above)
        found.update({f"gradient:{name}": gradient.asnumpy() for name, gradient in grads.items()})
    found.update({f"auxiliary:{name}": arrays[name].asnumpy() for name in auxiliary})
    np.savez(file, **found)
    return ""


def _serve() -> None:
    from mxtune.engines.mxnet import load

    mx = load()
    for line in sys.stdin:
        verb, text, shapes = json.loads(line)
        try:
            symbol = mx.sym.load_json(text)
            if verb in ("predict", "learn"):
                answer: Any = _compute(mx, symbol, shapes, verb == "learn")
            else:
                answer = _shapes(symbol, shapes) if verb == "shapes" else _run(mx, symbol, shapes, verb == "train")
        except Exception as error:  # noqa: BLE001 - whatever MXNet raises is its answer
            checks = [line.strip() for line in str(error).splitlines() if "Check failed" in line]
            answer = f"{type(error).__name__}: {(checks or [str(error)[:300]])[0]}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
