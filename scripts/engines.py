"""Compares what PyTorch computes with what MXNet does, for every network of the zoo; `make engines` runs it.

    .venv/bin/python scripts/engines.py [NAME ...]

Weights are drawn from a fixed seed, all networks see four photographs, and BatchNorms have the statistics of these.
Printed are how far outputs are apart; gradients by all parameters with statistics that are kept, as behind a trained
head; and gradients with the statistics of the batch; with the limit where rounding decides: see `beside_mxnet`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mxtune.errors import NetworkError
from mxtune.graph import to_json
from mxtune.zoo import entries

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from beside_mxnet import GRADIENTS, OUTPUTS, gradients_apart, outputs_apart, prepared

SIDE = 128  # pixels: what is computed is the same, in a third of the time


def main() -> None:
    same: dict[str, str] = {}
    failed: list[str] = []
    furthest = [0.0, 0.0]
    print(f"{'':30s} outputs  gradients            in training", flush=True)
    for name in sys.argv[1:] or [one.name for one in entries()]:
        try:
            network, images = prepared(name, SIDE)
        except NetworkError:  # it takes no images of this size
            network, images = prepared(name, None)
        text = to_json(network.graph)
        if same.setdefault(text, name) != name:
            print(f"{name:30s} as {same[text]}", flush=True)
            continue
        output = outputs_apart(network, images)
        pairs = [gradients_apart(network, images, training=False)]
        if network.graph.auxiliary:
            pairs.append(gradients_apart(network, images, training=True))
        bad = not output <= OUTPUTS or any(not far <= limit for far, limit in pairs)
        furthest = [
            max(furthest[0], output),
            max(furthest[1], *(far for far, limit in pairs if limit == GRADIENTS), 0.0),
        ]
        cells = "  ".join(f"{far:.1e} {'' if limit == GRADIENTS else f'of {limit:.1e}':11s}" for far, limit in pairs)
        print(f"{name:30s} {output:.1e}  {cells}{'too far' if bad else ''}", flush=True)
        failed += [name] if bad else []
    print(f"The largest differences: outputs {furthest[0]:.1e}; gradients {furthest[1]:.1e}, but for rounding's.")
    if failed:
        sys.exit(f"Too far: {', '.join(failed)}")


if __name__ == "__main__":
    main()
