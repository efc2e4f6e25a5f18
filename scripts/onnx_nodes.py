"""ONNX's own tests of its operators, for `make parity`: those whose first input can be images.

    python scripts/onnx_nodes.py FOLDER      (in the environment that `make parity` sets up)

``nodes.npz`` has each as a whole model, with its input and what ONNX says must come out. An image of one channel is
first brought to the shape that the test wants; its other inputs become constants.
"""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path
from typing import Any, Optional

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.filterwarnings("ignore")


def model_of(case: Any) -> Optional[tuple[bytes, np.ndarray, np.ndarray]]:
    """The model of a test with its input and output; None for one that takes no images, gives none, or trains."""
    graph = case.model.graph
    inputs, outputs = case.data_sets[0]
    if (
        len(graph.node) != 1
        or "training_mode" in case.name
        or not inputs
        or not all(isinstance(one, np.ndarray) for one in (*inputs, outputs[0]))
    ):
        return None
    x, y = inputs[0], outputs[0]
    used = [name for name in graph.node[0].input if name]
    takes_images = x.dtype == y.dtype == np.float32 and x.ndim >= 2 and len(x) > 0 and used[:1] == [graph.input[0].name]
    if not takes_images or y.ndim < 1 or len(y) != len(x) or 0 in (x.size, y.size) or x.ndim > 5:
        return None
    arrays = dict(zip((one.name for one in graph.input[1:]), inputs[1:]))
    arrays["its_shape"] = np.array([-1, *x.shape[1:]], np.int64)
    nodes = [helper.make_node("Reshape", ["image", "its_shape"], [graph.input[0].name]), *graph.node]
    nodes.append(helper.make_node("Flatten", [graph.output[0].name], ["flat_output"]))
    whole = helper.make_graph(
        nodes, "case", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, math.prod(x.shape[1:]), 1])],
        [helper.make_tensor_value_info("flat_output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )  # fmt: skip
    model = helper.make_model(whole, opset_imports=case.model.opset_import, ir_version=10)
    return model.SerializeToString(), x.reshape(len(x), 1, -1, 1), y.reshape(len(y), -1)


def main() -> None:
    stored: dict[str, np.ndarray] = {}
    for case in collect_testcases(None):
        found = model_of(case)
        if found is not None:
            stored[f"{case.name}.onnx"] = np.frombuffer(found[0], np.uint8)
            stored[f"{case.name}.x"], stored[f"{case.name}.y"] = found[1:]
    np.savez_compressed(Path(sys.argv[1]) / "nodes.npz", **stored)
    print(f"{len(stored) // 3} tests of ONNX's operators", flush=True)


if __name__ == "__main__":
    main()
