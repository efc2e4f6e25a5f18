"""Every operator's rule tells the shapes that MXNet tells, for drawn arguments and shapes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from drawn_layers import Shape, layers
from mxnet_reference import Reference
from mxtune import ops
from mxtune.errors import NetworkError
from mxtune.graph import Graph, shapes_of

pytestmark = pytest.mark.mxnet

OPERATORS = list(ops.all_operators())


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    asked = Reference()
    yield asked
    asked.close()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_shapes_are_those_of_mxnet(operator: ops.Operator, reference: Reference) -> None:
    accepted = 0

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(layers(operator))
    def holds(drawn: tuple[Graph, dict[str, Shape]]) -> None:
        nonlocal accepted
        graph, inputs = drawn
        try:
            shapes = shapes_of(graph, inputs)
        except NetworkError:
            return
        accepted += 1
        assert reference.shapes(graph, inputs) == shapes

    holds()
    assert accepted >= 2  # of 60
