"""Compares what PyTorch computes with what MXNet does, for every network of the zoo; `make engines` runs it.

    .venv/bin/python scripts/engines.py [NAME ...]

Weights are drawn from a fixed seed, all networks see four photographs, and BatchNorms have the statistics of these.
Printed are how far outputs are apart, and each engine's from those in float64; then how far gradients by all parameters
are apart, with statistics that are kept, as behind a trained head, and with those of the batch. For gradients functions
with a bend are smooth: see `beside_mxnet`. Outputs that are further apart than float32 usually rounds pass where both
engines are equally far from float64, as a deep network makes rounding grow: the line says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mxtune.errors import NetworkError
from mxtune.graph import to_json
from mxtune.zoo import entries

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from beside_mxnet import GRADIENTS, OUTPUTS, gradients_apart, outputs_of, prepared

SIDE = 128  # pixels: what is computed is the same, in a third of the time


def main() -> None:
    same: dict[str, str] = {}
    failed: list[str] = []
    furthest = [0.0, 0.0, 0.0]
    print(f"{'':30s}   outputs    PyTorch      MXNet  gradients  in training", flush=True)
    for name in sys.argv[1:] or [one.name for one in entries()]:
        side = SIDE
        try:
            network, images = prepared(name, side)
        except NetworkError:  # it takes no images of this size
            side = None
            network, images = prepared(name, side)
        if (twin := same.setdefault(to_json(network.graph), name)) != name:
            print(f"{name:30s} as {twin}", flush=True)
            continue
        smooth, _ = prepared(name, side, smooth=True)
        ways = (False, True) if network.graph.auxiliary else (False,)
        outputs, *gradients = outputs_of(network, images), *(gradients_apart(smooth, images, way) for way in ways)
        bad = not outputs.same or any(not far <= GRADIENTS for far in gradients)
        said = "too far" if bad else "" if outputs.apart <= OUTPUTS else "rounding, of both alike"
        furthest = [max(pair) for pair in zip(furthest, (outputs.apart, *gradients, 0.0))]
        numbers = "  ".join(f"{far:9.1e}" for far in (*outputs, *gradients))
        print(f"{name:30s} {numbers}  {said}".rstrip(), flush=True)
        failed += [name] if bad else []
    print(f"The largest differences: {', '.join(f'{far:.1e}' for far in furthest)}")
    if failed:
        sys.exit(f"Too far: {', '.join(failed)}")


if __name__ == "__main__":
    main()
