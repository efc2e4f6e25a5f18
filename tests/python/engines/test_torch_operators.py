"""PyTorch computes every operator as MXNet does: outputs, gradients, moved statistics, for drawn arguments and shapes.

Drawn around: what MXNet 1.9 crashes on (see `mxtune.ops`), poles, and what it gets wrong itself:

* the gradient of selu, whose slope below 0 it takes from the output; of SoftmaxActivation by instance in maps, which it
  takes along the channels; of SoftmaxOutput with ``out_grad``, which it multiplies by the output; of LRN over more
  channels than there are; of products that have zeros, which it takes for no numbers; of means over windows that reach
  over the edge ("full"), of which it loses some;
* where it contradicts itself: SoftmaxOutput of maps without ``preserve_shape``; clip from a higher to a lower bound;
  Deconvolution with a target shape and a padding that is not its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drawn_layers import Shape, layers
from mxnet_reference import Computed, Reference
from mxtune import ops
from mxtune.engines.torch.operators import Run, computes, known
from mxtune.engines.torch.runner import Runner
from mxtune.errors import NetworkError
from mxtune.graph import Graph, Node, shapes_of
from processes import passes

OPERATORS = list(ops.all_operators())
_LARGEST = 5_000  # values of an array
_POLES = {
    "gamma", "gammaln", "_power", "broadcast_power", "_power_scalar", "_rpower_scalar", "rcbrt", "rsqrt",
}  # fmt: skip
_INDICES = {("take", "indices"), ("one_hot", "indices"), ("pick", "index")}


def test_every_operator_is_computed() -> None:
    assert list(known()) == [operator.name for operator in OPERATORS]


def test_an_operator_is_computed_in_one_place() -> None:
    with pytest.raises(ValueError, match="two functions compute clip"):
        computes("clip")(torch.clamp)
    with pytest.raises(ValueError, match="there is no operator clap"):
        computes("clap")(torch.clamp)


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    asked = Reference()
    yield asked
    asked.close()


def _drawn_around(node: Node, shape: Shape, train: bool) -> bool:
    values = node.values
    return {
        "Dropout": lambda: values.p > 0 and (train or values.mode == "always"),
        "SoftmaxOutput": lambda: (
            (train and values.out_grad) or (len(shape) > 2 and not values.multi_output and not values.preserve_shape)
        ),
        "SoftmaxActivation": lambda: train and values.mode == "instance" and len(shape) > 2,
        "LeakyReLU": lambda: train and values.act_type == "selu",
        "BatchNorm": lambda: math.prod(shape) == shape[1] and values.eps == 0,  # one value for each channel
        "BatchNorm_v1": lambda: math.prod(shape) == shape[1] and values.eps == 0,
        "LayerNorm": lambda: shape[values.axis] <= 2,  # the gradient is rounding
        "LRN": lambda: train and (shape[1] < values.nsize or values.knorm <= 0),
        "Pooling": lambda: train and values.pool_type == "avg" and values.pooling_convention == "full",
        "_rpower_scalar": lambda: values.scalar <= 0,
        "clip": lambda: values.a_min > values.a_max,
    }.get(node.op, lambda: False)()


def _array(operator: ops.Operator, slot: ops.Slot, shape: Shape, rng: np.random.Generator, even: bool) -> np.ndarray:
    """Values for an input; where they are even many are equal, or lie where a function has an edge."""
    if slot.role == "label":
        return rng.integers(-1, 5, shape).astype(np.float32)
    if operator.name == "Embedding" and slot.name == "data":
        return np.zeros(shape, np.float32)  # MXNet refuses rows that are not there, and one is
    if (operator.name, slot.name) in _INDICES:
        return rng.integers(-2, 6, shape).astype(np.float32)
    if operator.name.endswith("prod"):
        return (rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)).astype(np.float32)
    values = rng.uniform(-3, 3, shape)
    if even and operator.name not in _POLES:
        values = np.round(2 * values) / 2
        if operator.name == "nansum":
            values[values == 1] = np.nan
    return (np.abs(values) + 0.1 if slot.role == "auxiliary" else values).astype(np.float32)


def _ours(graph: Graph, arrays: dict[str, np.ndarray], above: list[np.ndarray]) -> Computed:
    """What PyTorch gives; without gradients from above as in prediction."""
    auxiliary = set(graph.auxiliary)
    tensors = {
        name: torch.from_numpy(array.copy()).requires_grad_(bool(above) and name not in auxiliary)
        for name, array in arrays.items()
    }
    run = Run(bool(above))
    heads = Runner(graph)(tensors, run)
    moved = {id(array): new for array, new in run.moved}
    gradients: dict[str, np.ndarray] = {}
    if above:
        learned = {name: tensor for name, tensor in tensors.items() if name not in auxiliary}
        derived = [(head, torch.from_numpy(one)) for head, one in zip(heads, above) if head.requires_grad]
        found: Any = [torch.zeros_like(tensor) for tensor in learned.values()]
        if derived:
            outputs, weights = zip(*derived)
            found = torch.autograd.grad(outputs, list(learned.values()), weights, materialize_grads=True)
        gradients = {name: gradient.numpy() for name, gradient in zip(learned, found)}
    kept = {name: moved.get(id(tensors[name]), tensors[name]).numpy() for name in auxiliary}
    return Computed([head.detach().numpy() for head in heads], gradients, kept)


def _near(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> bool:
    """Equal to a share of the largest value; what is no finite number is the same one."""
    if ours.shape != theirs.shape:
        return False
    finite = np.isfinite(theirs)
    scale = np.abs(theirs[finite]).max(initial=0.05)
    return bool(
        np.array_equal(ours[~finite], theirs[~finite], equal_nan=True)
        and (np.abs(ours[finite] - theirs[finite]) <= tolerance * scale).all()
    )


@pytest.mark.mxnet
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
@pytest.mark.mxnet
def test_outputs_and_gradients_are_those_of_mxnet(operator: ops.Operator, reference: Reference) -> None:
    compared, wanted = 0, 6
    plain = not operator.attributes and operator.slots == (ops.base.DATA,)
    for examples in (8 if plain else 40, 250):  # of some operators few of what is drawn fit

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(layers(operator, fitting=True), st.integers(0, 99), st.booleans(), st.booleans())
        def holds(drawn: tuple[Graph, dict[str, Shape]], seed: int, even: bool, train: bool) -> None:
            nonlocal compared
            compared += _holds(operator, reference, drawn, seed, even, train)

        if compared < wanted:
            holds()
    assert compared >= wanted


def _holds(
    operator: ops.Operator,
    reference: Reference,
    drawn: tuple[Graph, dict[str, Shape]],
    seed: int,
    even: bool,
    train: bool,
) -> bool:
    """Whether MXNet can compute it; then PyTorch has computed the same."""
    graph, inputs = drawn
    node = graph.nodes[-1]
    try:
        graph = Graph(graph.nodes, tuple((node.name, place) for place in range(node.n_outputs)))
        shapes = shapes_of(graph, inputs)
    except NetworkError:
        return False
    sides = [shape for outputs in shapes.values() for shape in outputs]
    if max(map(math.prod, sides)) > _LARGEST or _drawn_around(node, sides[0], train):
        return False
    rng = np.random.default_rng(seed)
    arrays = {
        name: _array(operator, slot, shapes[name][0], rng, even) for (name, _), slot in zip(node.inputs, node.slots)
    }
    above = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes[node.name]] if train else []
    theirs = reference.compute(graph, arrays, above or None)
    if isinstance(theirs, str):  # an error of MXNet's, but never its end
        assert theirs.startswith("MXNetError"), theirs
        return False
    ours = _ours(graph, arrays, above)
    for place, head in enumerate(theirs.heads):
        assert _near(ours.heads[place], head, 1e-4), f"output {place}"
    for name, gradient in theirs.gradients.items():
        assert _near(ours.gradients[name], gradient, 1e-3), f"the gradient by {name}"
    for name, array in theirs.auxiliary.items():
        assert _near(ours.auxiliary[name], array, 1e-4), name
    return True


@pytest.mark.mxnet
@pytest.mark.parametrize(
    ("axes", "mode", "train"), [((), "training", True), ((2, 3), "training", True), ((1,), "always", False)]
)
@pytest.mark.mxnet
def test_dropout_drops_the_share_and_along_the_axes_that_mxnet_does(
    axes: Shape, mode: str, train: bool, reference: Reference
) -> None:
    attrs = {"p": "0.25", "mode": mode, "axes": str(axes)}
    graph = Graph((Node("data"), Node("out", "Dropout", attrs, (("data", 0),))), (("out", 0),))
    data, above = np.ones((60, 50, 4, 5), np.float32), np.full((60, 50, 4, 5), 2, np.float32)
    theirs = reference.compute(graph, {"data": data}, [above] if train else None)
    assert isinstance(theirs, Computed)
    for found in (theirs, _ours(graph, {"data": data}, [above] if train else [])):
        (out,) = found.heads
        assert np.allclose(np.unique(out), [0, 4 / 3])
        assert abs(out.mean() - 1) < 0.15
        assert all((out == out.take([0], axis)).all() == (axis in axes) for axis in range(4))
        if train:
            assert np.allclose(found.gradients["data"], 2 * out)


def test_dropout_draws_from_the_generator_of_the_run_alone() -> None:
    dropout = Node("out", "Dropout", {"mode": "always"}, (("data", 0),))
    runner = Runner(Graph((Node("data"), dropout), (("out", 0),)))
    torch.manual_seed(3)
    untouched = torch.rand(1)
    torch.manual_seed(3)
    first, again, other = (
        runner({"data": torch.ones(99)}, Run(generator=torch.Generator().manual_seed(seed)))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.rand(1), untouched)


@pytest.mark.parametrize("side", [64, 128, 224])
def test_a_small_kernel_with_strides_has_its_gradient_in_maps_with_channels_last(side: int) -> None:
    """As RepVGG's first; oneDNN would write beyond its memory, which ends the process sooner or later."""
    passes(
        "import sys, torch\n"
        "from mxtune.engines.torch.operators.convolution import convolution\n"
        "arguments = dict(stride=(2, 2), pad=(), dilate=(), num_group=1)\n"
        "for _ in range(20):\n"
        "    data = torch.randn(4, 3, int(sys.argv[1]), int(sys.argv[1]))\n"
        "    found = []\n"
        "    for layout in (torch.channels_last, torch.contiguous_format):\n"
        "        torch.manual_seed(0)\n"
        "        weight = torch.randn(48, 3, 1, 1).contiguous(memory_format=layout).requires_grad_()\n"
        "        out = convolution(data.contiguous(memory_format=layout), weight, **arguments)\n"
        "        found += torch.autograd.grad(out, [weight], torch.randn(out.shape))\n"
        "    assert torch.allclose(*found, rtol=1e-3, atol=1e-3)\n"
        "    junk = [bytearray(n) for n in range(10, 200_000, 4_001)]",
        arguments=[str(side)],
    )
