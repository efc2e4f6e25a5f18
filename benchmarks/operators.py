"""Where the time of prediction goes: milliseconds for 32 images of 224 x 224 by kind of operator, as each library says.

By oneDNN's log and onnxruntime's profile of the fastest of 15 batches, and by OpenVINO's counters, which are means, of
the fastest five. Floating-point operations are those of the network, without channels of zeros. What is between
operators is, in ours, also the normalisation of pixels, which the others are handed.
The profiles themselves cost OpenVINO a seventh, the others 4 %: for whole batches see `inference`.

Convolutions of 1 x 1, two thirds of the time of EfficientNet-Lite0, run at the same speed in all three, so none can be
2.5 times as fast as another. Ours was behind by its reorders, which `widen_maps` removes, and its depthwise
convolutions are faster. What is left are some 8 ms between operators: MXNet's own, in four parts of 8 images.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable

from .measure import Figure, fresh, python_of
from .rivals import BATCH, Step, channels_first, export, given

ROUNDS = 15
_LIBRARIES = {
    "mxtune": "mxtune on MXNet", "mxtune_narrow": "mxtune without `widen_maps`", "onnxruntime": "onnxruntime",
    "openvino": "OpenVINO",
}  # fmt: skip
_NETWORKS = ("efficientnet_lite0", "mobilenetv2_100", "resnet50")
_POINTWISE, _DEPTHWISE, _WIDE, _REORDER, _OTHER = (
    "1 x 1", "depthwise", "other convolutions", "reorders", "pooling, dense"
)  # fmt: skip
Batch = tuple[float, Counter[str]]
"""What one batch took, and the kinds of operators in it, in milliseconds."""


def figures() -> list[Figure]:
    """A row for each network and library."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for network in _NETWORKS:
            export(network, Path(folder))
            work = _work(network)
            for library, shown in _LIBRARIES.items():
                if not Path(python := python_of(library)).exists():
                    rows.append(Figure(f"{network}: {shown}", "not installed: make bench-peers"))
                    continue
                total, kinds = fresh(python, "-m", "benchmarks.operators", library, network, folder).said
                parts = [f"{kind} {kinds.get(kind, 0):.1f}{_speed(work[kind], kinds.get(kind, 0))}" for kind in work]
                rest = f"between them {total - sum(kinds.values()):.1f}"
                rows.append(Figure(f"{network}: {shown}", f"{total:.1f} ms: {', '.join([*parts, rest])}"))
    return rows


def _speed(work: float, milliseconds: float) -> str:
    return f" ({work / milliseconds / 1e6:,.0f} GFLOP/s)" if work and milliseconds else ""


def _work(name: str) -> dict[str, float]:
    """Floating-point operations of the convolutions of a batch, by kind."""
    from mxtune import mxnetwork

    net = mxnetwork(name, weights="random")
    work = dict.fromkeys((_POINTWISE, _DEPTHWISE, _WIDE, _REORDER, _OTHER), 0.0)
    for node in net.graph.nodes:
        if node.has_role("convolution"):
            kernels = net.params[node.inputs[1][0]].shape
            places = math.prod(net.shapes[node.name][0][2:])
            work[_kind(kernels)] += 2 * BATCH * places * math.prod(kernels)
    return work


def _kind(kernels: tuple[int, ...]) -> str:
    """What a convolution is by the shape of its kernels (units, inputs of one group, height, width)."""
    if kernels[1] == 1:
        return _DEPTHWISE
    return _POINTWISE if max(kernels[2:]) == 1 else _WIDE


def mxtune(name: str, folder: Path, narrow: bool = False) -> Iterator[Batch]:
    """Ours, by the lines that oneDNN writes past Python."""
    from mxtune import mxnetwork
    from mxtune.engines import Device, Program
    from mxtune.engines.mxnet.executor import MXNetExecutor
    from mxtune.engines.mxnet.passes import PASSES
    from mxtune.engines.mxnet.passes.widen_maps import widen_maps
    from mxtune.zoo import entry

    os.environ["DNNL_VERBOSE"] = "1"
    program = Program.of(mxnetwork(name, weights=None if entry(name).installed() else "random"))
    passes = [one for one in PASSES if not (narrow and one is widen_maps)]
    executor, images = MXNetExecutor(program, [Device("cpu")], passes), given(name, folder)[1]
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as log:
        for _ in range(ROUNDS):
            os.dup2(log.fileno(), 1)
            taken = _timed(lambda: executor.predict(images))
            os.dup2(stdout, 1)
            log.seek(0)
            lines = log.read().decode().splitlines()
            log.seek(0)
            log.truncate()
            yield taken, _added(map(_of_line, lines))


def _of_line(line: str) -> tuple[str, float]:
    """The kind of operator that a line of oneDNN's log is about, and its milliseconds."""
    if not line.startswith("dnnl_verbose,exec"):
        return _OTHER, 0
    _, _, _, primitive, *_, problem, milliseconds = line.split(",")
    kind = {"reorder": _REORDER, "convolution": _WIDE}.get(primitive, _OTHER)
    if kind == _WIDE and problem.startswith("g"):
        kind = _DEPTHWISE
    elif kind == _WIDE and "kh1sh" in problem:
        kind = _POINTWISE
    return kind, float(milliseconds)


def mxtune_narrow(name: str, folder: Path) -> Iterator[Batch]:
    """Ours, and no channels are added to maps."""
    return mxtune(name, folder, narrow=True)


def onnxruntime(name: str, folder: Path) -> Iterator[Batch]:
    """onnxruntime, by its profile."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: channels_first(given(name, folder)[2])}
    taken = [_timed(lambda: session.run(None, inputs)) for _ in range(ROUNDS)]
    events: dict[str, list[Any]] = {}
    for event in json.loads(Path(session.end_profiling()).read_text()):
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            events.setdefault(event["name"], []).append(event)
    for number, milliseconds in enumerate(taken):
        yield milliseconds, _added(_of_event(found[number]) for found in events.values())


def _of_event(event: Any) -> tuple[str, float]:
    told = event["args"]
    kind = _REORDER if "Reorder" in told["op_name"] else _OTHER
    if "Conv" in told["op_name"]:
        kind = _kind(tuple(next(iter(told["input_type_shape"][1].values()))))
    return kind, event["dur"] / 1000


def openvino(name: str, folder: Path) -> Iterator[Batch]:
    """OpenVINO, by its counters."""
    import openvino

    core, x = openvino.Core(), channels_first(given(name, folder)[2])
    model = core.read_model(folder / f"{name}.onnx")
    model.reshape(x.shape)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": True}
    for _ in range(3):  # its counters are means of all batches of a request
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        taken = [_timed(lambda: request.infer([x], share_inputs=True)) for _ in range(ROUNDS // 3)]  # noqa: B023
        yield statistics.mean(taken), _added(map(_of_node, request.profiling_info))


def _of_node(node: Any) -> tuple[str, float]:
    kind = {"Reorder": _REORDER, "GroupConvolution": _DEPTHWISE}.get(node.node_type, _OTHER)
    if node.node_type == "Convolution":
        kind = _POINTWISE if "1x1" in node.exec_type else _WIDE
    return kind, node.real_time.total_seconds() * 1000


def _timed(step: Step) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1000


def _added(operators: Iterable[tuple[str, float]]) -> Counter[str]:
    """Milliseconds by kind."""
    kinds: Counter[str] = Counter()
    for kind, milliseconds in operators:
        kinds[kind] += milliseconds
    return kinds


_PROFILED: dict[str, Callable[[str, Path], Iterator[Batch]]] = {
    "mxtune": mxtune, "mxtune_narrow": mxtune_narrow, "onnxruntime": onnxruntime, "openvino": openvino,
}  # fmt: skip


if __name__ == "__main__":
    fastest = min(_PROFILED[sys.argv[1]](sys.argv[2], Path(sys.argv[3])), key=lambda batch: batch[0])
    print(json.dumps(fastest))
