"""Networks of anyone's making, drawn at random, opened and run in this process; what happened goes to stdout as JSON.

Run as ``python hostile_session.py graphs 2000`` or ``python hostile_session.py models 1000 model.mxt``.
"""

from __future__ import annotations

import copy
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mxtune import Model, ops
from mxtune.engines import Program, choose
from mxtune.errors import MxtuneError
from mxtune.formats import mxt
from mxtune.graph import from_json
from mxtune.images.preprocess import Preprocess
from mxtune.network import Network
from mxtune.ops.attributes import Attribute, Choice, Flag, Integer, Integers, Real
from mxtune.ops.refused import REFUSED
from mxtune.tasks.losses import CrossEntropy

ODD = (
    "-1", "0", "1", "3", "1000000000", "99999999999999999999", "-2147483648", "nan", "inf", "-1e39", "", "None", "True",
    "x", "()", "(0,)", "(0, 0)", "(1,)", "(-1, 1)", "(1, 2, 3)", "(1000000000, 1)", "(1, 1", "[2, 2]", "\0", "0x10",
)  # fmt: skip


class Drawing:
    """Layers and changes, drawn from one stream."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        return int(np.clip(self.one([0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 7, -1, -2, -3]), low, high))

    def value(self, attribute: Attribute) -> str:
        kind = attribute.kind
        if self.chance(0.15):
            return str(self.one(ODD))
        if isinstance(kind, Integer):
            return str(self.whole(kind.low, kind.high))
        if isinstance(kind, Real):
            return str(self.one([0.0, 0.5, 1.0, 2.0, 1e-7, 1e6, -1.0]))
        if isinstance(kind, Flag):
            return str(self.one(["True", "False"]))
        if isinstance(kind, Choice):
            return str(self.one(kind.words))
        assert isinstance(kind, Integers)
        length = self.one([kind.shortest, min(2, kind.longest), min(4, kind.longest)])
        return f"({', '.join(str(self.whole(kind.low, kind.high)) for _ in range(length))})"

    def layer(self) -> tuple[str, tuple[int, int]]:
        """A symbol of one layer behind an image, a vector or a row of pixels; and the size of the image."""
        operator = self.one(list(ops.all_operators()))
        name = operator.name if self.chance(0.95) else self.one([*REFUSED, "nothing", *operator.aliases])
        attrs = {a.name: self.value(a) for a in operator.attributes if self.chance(0.6)}
        for attribute in operator.attributes:
            if repr(attribute.default) == "required" and self.chance(0.9):
                attrs.setdefault(attribute.name, self.value(attribute))
        if self.chance(0.03):
            attrs[str(self.one(["axis", "kernel", "nonsense", "__lr_mult__"]))] = str(self.one(ODD))
        nodes = [{"op": "null", "name": "data", "inputs": []}]
        before = self.one(["", "", "", "Flatten", "Reshape", "Convolution"])
        if before == "Flatten":
            nodes.append({"op": "Flatten", "name": "before", "inputs": [[0, 0]]})
        elif before == "Reshape":
            nodes.append({"op": "Reshape", "name": "before", "attrs": {"shape": "(0, 0, -1)"}, "inputs": [[0, 0]]})
        elif before == "Convolution":
            kernel = {"kernel": "(1, 1)", "num_filter": "4", "no_bias": "True"}
            nodes.append({"op": "null", "name": "before_weight", "inputs": []})
            nodes.append({"op": "Convolution", "name": "before", "attrs": kernel, "inputs": [[0, 0], [1, 0]]})
        source = len(nodes) - 1
        try:
            slots = operator.slots_of(operator.parse(attrs))
        except ops.MisfitError:
            slots = (ops.Slot("data"),)
        count = len(slots) + (self.one([-1, 1, 2]) if self.chance(0.05) else 0)
        inputs = []
        for number in range(max(count, 0)):
            if number < len(slots) and slots[number].role != "data":
                nodes.append({"op": "null", "name": f"layer_{slots[number].name}", "inputs": []})
                inputs.append([len(nodes) - 1, 0])
            else:
                inputs.append([source, 1 if self.chance(0.01) else 0])
        nodes.append({"op": name, "name": "layer", "attrs": attrs, "inputs": inputs})
        nodes += [
            {"op": "null", "name": "head_weight", "inputs": []},
            {"op": "null", "name": "head_bias", "inputs": []},
            {
                "op": "FullyConnected",
                "name": "head",
                "attrs": {"num_hidden": "2"},
                "inputs": [[len(nodes) - 1, 0], [len(nodes), 0], [len(nodes) + 1, 0]],
            },
        ]
        return json.dumps({"nodes": nodes, "heads": [[len(nodes) - 1, 0]]}), (self.one([1, 4, 7, 8]), self.one([3, 8]))

    def damage(self, tree: Any) -> Any:
        """The same tree of JSON with some of its parts lost, doubled, or of another value."""
        tree = copy.deepcopy(tree)
        for _ in range(self.one([1, 1, 2, 3])):
            places = list(_places(tree))
            place, key = self.one(places)
            way = self.one(["odd", "odd", "odd", "lost", "doubled", "moved"])
            if way == "lost":
                del place[key]
            elif way == "doubled" and isinstance(place, list):
                place.extend([place[key]] * self.one([1, 3, 2000]))
            elif way == "moved":
                other, theirs = self.one(places)
                place[key] = copy.deepcopy(other[theirs])
            else:
                place[key] = self.one([*ODD, None, -1, 0, 1, 2**31, 2**70, 1e300, 0.5, True, [], {}, [[]], "a" * 2000])
        return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in list(keys):
        yield tree, key
        yield from _places(tree[key])


def graphs(drawing: Drawing) -> Callable[[], None]:
    """Opens a drawn graph, gives it weights, runs it and takes a step."""
    text, size = drawing.layer()

    def run() -> None:
        network = Network(from_json(text), {}, {"name": "drawn"}, Preprocess(size=size, mean=(127,), std=(128,)))
        network = network.initialise(1).check()
        assert network.layers is not None and network.body is not None
        pictures = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
        choose().bind(Program.of(network)).predict(pictures)
        trainable = frozenset(network.trainable)
        learner = choose().bind(Program.of(network, trainable))
        learner.step(pictures, np.array([0, 1]), np.ones(2), CrossEntropy(2), 0.01)

    return run


def models(drawing: Drawing, parts: tuple[dict[str, Any], str, dict[str, Any]]) -> Callable[[], None]:
    """Opens a model of which manifest or symbol are changed, with true digests, and predicts."""
    manifest, symbol, arrays = parts
    tree = json.loads(symbol)
    if drawing.chance(0.5):
        manifest = drawing.damage(manifest)
    else:
        tree = drawing.damage(tree)
    stream = io.BytesIO()
    mxt.write(stream, manifest, json.dumps(tree), arrays)

    def run() -> None:
        model = Model.from_bytes(stream.getvalue())
        height, width = model.preprocess.size
        model.predict(np.zeros((1, height, width, model.preprocess.channels), np.uint8))
        assert model.summary() is not None and model.network.layers is not None

    return run


def main(kind: str, count: int, seed: int, file: str = "") -> None:
    """Draw and run, and print how many were accepted, refused, or ended in an error of another kind."""
    drawing, outcomes, foreign = Drawing(seed), Counter[str](), []
    parts = mxt.read(file)[:3] if kind == "models" else None
    for number in range(count):
        run = graphs(drawing) if parts is None else models(drawing, parts)
        print(number, file=sys.stderr, flush=True)
        try:
            run()
            outcomes["accepted"] += 1
        except MxtuneError:
            outcomes["refused"] += 1
        except Exception as error:  # noqa: BLE001 - the others are what is looked for
            foreign.append(f"{number}: {type(error).__name__}: {str(error)[:300]}")
    print(json.dumps({**outcomes, "foreign": foreign}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
