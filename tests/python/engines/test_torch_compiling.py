"""Where much is to come a network is compiled, gives the same, and goes on without where that fails.

No GPU is needed: the CPU is said to be worth it, and PyTorch's compiler ends before it would write code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mxtune import engines, progress
from mxtune.engines import AdamW, Device, Program
from mxtune.graph import Builder, Graph, Node
from mxtune.tasks.losses import CrossEntropy
from running import program

RNG = np.random.default_rng(6)
MAPS = RNG.normal(size=(8, 3, 9, 9)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
MUCH = 10**9


def small(learns: bool = True, dropout: float = 0.0) -> Program:
    b, rng = Builder(), np.random.default_rng(0)
    x = b.act(b.batchnorm(b.conv(b.data(), "one", 4, kernel=3, pad=1), "bn"), "relu6")
    y = b.act(b.add(b.conv(x, "two", 4, kernel=3, pad=1), x), "relu")
    graph = b.graph(b.dense(b.dropout(b.global_pool(y, "avg"), dropout), "head", 3))
    sizes = {"one_weight": (4, 3, 3, 3), "two_weight": (4, 4, 3, 3), "head_weight": (3, 4), "head_bias": (3,)}
    names = [name for name in (*graph.arguments, *graph.auxiliary) if name != "data"]
    params = {
        name: rng.normal(size=sizes.get(name, 4)) if "weight" in name else rng.random(sizes.get(name, 4)) + 0.5
        for name in names
    }
    arrays = {name: array.astype("float32") for name, array in params.items()}
    return program(graph, arrays, MAPS, names if learns else (), optimiser=AdamW(weight_decay=0.1))


class Heard:
    """What the user is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, kind: str, **fields: Any) -> None:
        self.texts += [fields["text"]] if kind == "message" else []


@pytest.fixture(params=[name for name in engines.installed() if name == "torch"], autouse=True)
def compiling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001
    """The module, with a CPU that is worth compiling for."""
    engines.get("torch").load()
    from mxtune.engines.torch import compiling, executor

    monkeypatch.setattr(executor, "can_compile", lambda _: True)
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    return compiling


@pytest.fixture
def heard() -> Iterator[list[str]]:
    reporter = Heard()
    with progress.using(reporter):
        yield reporter.texts


def bound(one: Program, rows: int = MUCH) -> Any:
    executor = engines.get("torch").bind(one, [Device("cpu")])
    executor.expect(rows)
    return executor


def stepped(executor: Any) -> tuple[list[float], dict[str, np.ndarray]]:
    cross = CrossEntropy(3)
    return [executor.step(MAPS, LABELS, np.ones(8), cross, 0.01) for _ in range(6)], executor.parameters()


def test_predictions_are_compiled_once_that_pays_and_are_the_same(heard: list[str]) -> None:
    expected = bound(small(learns=False), 0).predict(MAPS)
    executor = bound(small(learns=False))
    for _ in range(2):
        executor.predict(MAPS)
    assert not heard
    for count in (8, 8, 5):  # of another size they go on as before
        np.testing.assert_allclose(executor.predict(MAPS[:count]), expected[:count], rtol=1e-4, atol=1e-5)
    assert [text.partition(",")[0] for text in heard] == ["PyTorch compiles the network"]
    assert executor._compiling._compiled is not None


def test_a_training_is_compiled_and_learns_the_same_also_statistics(heard: list[str]) -> None:
    losses, parameters = stepped(bound(small(), 0))
    executor = bound(small())
    found = stepped(executor)
    assert len(heard) == 1
    assert executor._compiling._compiled is not None
    np.testing.assert_allclose(found[0], losses, rtol=1e-4)
    for name, array in parameters.items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert np.abs(parameters["bn_moving_mean"] - small().params["bn_moving_mean"]).max() > 0.01


def test_shapes_that_a_rule_decides_are_compiled_too(heard: list[str]) -> None:
    resized = Node("large", "_contrib_BilinearResize2D", {"height": "18", "width": "12"}, (("data", 0),))
    nodes = (Node("data"), resized, Node("rows", "Reshape", {"shape": "(0, 0, -3)"}, (("large", 0),)))
    one = program(Graph(nodes, (("rows", 0),)), {}, MAPS)
    expected, executor = bound(one, 0).predict(MAPS), bound(one)
    for _ in range(4):
        np.testing.assert_allclose(executor.predict(MAPS), expected, rtol=1e-5, atol=1e-6)
    assert len(heard) == 1
    assert executor._compiling._compiled is not None


@pytest.mark.parametrize("images", [0, 10, 10_000])
def test_few_images_are_not_worth_it(heard: list[str], images: int) -> None:
    executor = bound(small(learns=False), images)
    for _ in range(4):
        executor.predict(MAPS)
    assert not heard
    assert executor._compiling._compiled is None


@pytest.mark.parametrize("one", [replace(small(), deterministic=True), small(dropout=0.5)], ids=["bytes", "dropout"])
def test_what_the_clock_must_not_decide_is_not_compiled(heard: list[str], one: Program) -> None:
    stepped(bound(one))
    assert not heard


def fails(*_: Any) -> Any:
    raise RuntimeError("no compiler")


def lies(module: Any, _: Any) -> Any:
    return lambda *inputs: [out + 1 if out.is_floating_point() else out for out in module(*inputs)]


@pytest.mark.parametrize(("backend", "reason"), [(fails, "no compiler"), (lies, "outputs are .* apart")])
@pytest.mark.parametrize("learns", [False, True])
def test_what_the_compiler_gets_wrong_goes_on_without(
    compiling: Any, monkeypatch: pytest.MonkeyPatch, heard: list[str], backend: Any, reason: str, learns: bool
) -> None:
    monkeypatch.setattr(compiling, "BACKEND", backend)
    plain, executor = bound(small(learns), 0), bound(small(learns))
    if learns:
        (losses, parameters), found = stepped(plain), stepped(executor)
        assert found[0] == losses
        assert all(np.array_equal(found[1][name], array) for name, array in parameters.items())
    else:
        for _ in range(4):
            np.testing.assert_array_equal(executor.predict(MAPS), plain.predict(MAPS))

    assert len(heard) == 2
    assert re.search(f"(?s)can't compile the network, which goes on as before.*{reason}", heard[1])
    assert executor._compiling._compiled is None


def test_a_cpu_alone_is_never_worth_it() -> None:
    from mxtune.engines.torch.compiling import can_compile

    torch = engines.get("torch").load()
    assert not can_compile(torch.device("cpu"))
