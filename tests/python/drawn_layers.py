"""Operators drawn at random, within or outside their bounds: whatever is in the registry, also what comes later."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mxtune.graph import Graph, Node
from mxtune.ops import Operator, spell
from mxtune.ops.attributes import REQUIRED, Attribute, Choice, Flag, Integer, Integers, Real
from mxtune.ops.misfit import MisfitError

Shape = tuple[int, ...]


def _whole(low: int, high: int) -> st.SearchStrategy[int]:
    small = [n for n in (0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, -1, -1, -2, -3, -4) if low <= n <= high]
    return st.sampled_from(small or [low])


def values(attribute: Attribute, first: Shape) -> st.SearchStrategy[Any]:
    """Values of an attribute within its bounds, mostly small, for data of a shape."""
    kind = attribute.kind
    if isinstance(kind, Integer):
        drawn: st.SearchStrategy[Any] = _whole(kind.low, kind.high)
    elif isinstance(kind, Real):
        drawn = st.sampled_from([x for x in (0.0, 0.25, 0.5, 1.0, 2.0, -1.0) if kind.low <= x <= kind.high])
    elif isinstance(kind, Flag):
        drawn = st.booleans()
    elif isinstance(kind, Choice):
        drawn = st.sampled_from(kind.words)
    else:
        assert isinstance(kind, Integers)
        one: st.SearchStrategy[Any] = _whole(kind.low, kind.high)
        one = st.sampled_from([None, None, 0, 1, 2, 4, 8, -1, -2]) if kind.gaps else one
        usual = (min(2, len(first)),) if kind.gaps else (1, 2, 2, len(first), len(first))
        lengths = [n for n in usual if kind.shortest <= n <= kind.longest]
        drawn = st.sampled_from(lengths or [kind.shortest]).flatmap(
            lambda n: st.lists(one, min_size=n, max_size=n).map(tuple)
        )
        if kind.shortest > 4:  # pairs for each axis, of which the first two are left alone
            drawn = drawn.map(lambda sides: (*(0 for _ in sides[:4]), *sides[4:]))
        elif kind.shortest <= len(first) <= kind.longest and kind.low <= 0:
            drawn = st.one_of(drawn, st.just(first), st.just((*(0 for _ in first[1:]), first[-1])))
    if attribute.default is REQUIRED:
        return drawn
    return st.sampled_from([True, True, False]).flatmap(lambda usual: st.just(attribute.default) if usual else drawn)


_SIDES = st.sampled_from([1, 2, 3, 4, 4, 6, 8, 12])
_AXES = st.sampled_from([4, 4, 4, 3, 2, 1, 5])


def shapes() -> st.SearchStrategy[Shape]:
    """Shapes of arrays, mostly (N, C, H, W)."""
    return _AXES.flatmap(lambda n: st.lists(_SIDES, min_size=n, max_size=n)).map(tuple)


@st.composite
def partners(draw: st.DrawFn, first: Shape) -> Shape:
    """Shapes that often fit beside another."""
    way = draw(st.sampled_from(["same", "same", "ones", "swapped", "fewer", "one side", "any"]))
    if way == "ones":
        return tuple(draw(st.sampled_from([1, side])) for side in first)
    if way == "swapped":
        return (*first[:-2], *reversed(first[-2:]))
    if way == "fewer":
        return first[draw(st.integers(0, len(first) - 1)) :]
    if way == "one side":
        axis = draw(st.integers(0, len(first) - 1))
        return (*first[:axis], draw(_SIDES), *first[axis + 1 :])
    return first if way == "same" else draw(shapes())


_SLIDING = {"kernel": (1, 4), "stride": (1, 3), "pad": (0, 2), "dilate": (1, 2), "adj": (0, 1)}


@st.composite
def _windows(draw: st.DrawFn, operator: Operator, first: Shape) -> dict[str, Any]:
    """Arguments of an operator that slides windows, which mostly fit (N, C, ...)."""
    sides = len(first) - 2
    chosen: dict[str, Any] = {}
    for attribute in operator.attributes:
        bounds = _SLIDING.get(attribute.name)
        if bounds and (attribute.default is REQUIRED or attribute.name == "kernel" or draw(st.booleans())):
            chosen[attribute.name] = tuple(draw(st.lists(st.integers(*bounds), min_size=sides, max_size=sides)))
        elif attribute.name == "num_group":
            chosen["num_group"] = draw(st.sampled_from([n for n in (1, 1, 2, 3, first[1]) if first[1] % n == 0]))
        elif attribute.name == "num_filter":
            chosen["num_filter"] = chosen.get("num_group", 1) * draw(st.integers(1, 4))
    if "num_filter" in chosen:
        chosen["num_filter"] = draw(st.integers(1, 3)) * chosen["num_group"]
    if "target_shape" in {attribute.name for attribute in operator.attributes} and draw(st.booleans()):
        stride, dilate = (chosen.get(name, (1,) * sides) for name in ("stride", "dilate"))
        cut = [draw(st.integers(0, 2)) for _ in range(sides)]
        spread = zip(first[2:], chosen["kernel"], stride, dilate, cut)
        chosen["target_shape"] = tuple(s * (n - 1) + 1 + (k - 1) * d - c for n, k, s, d, c in spread)
        chosen["pad"] = tuple((c + 1) // 2 for c in cut)  # MXNet 1.9 would refuse another, or cut by it
    return chosen


@st.composite
def layers(draw: st.DrawFn, operator: Operator, fitting: bool = False) -> tuple[Graph, dict[str, Shape]]:
    """A graph of one layer of this operator, its arguments within bounds, and the shapes of its data.

    Parameters
    ----------
    fitting
        Whether windows are drawn that mostly fit, instead of any.
    """
    slides = fitting and any(attribute.name == "kernel" for attribute in operator.attributes)
    first = draw(shapes().filter(lambda shape: len(shape) in (3, 4)) if slides else shapes())
    chosen = draw(_windows(operator, first)) if slides else {}
    written = {}
    for attribute in operator.attributes:
        value = chosen[attribute.name] if attribute.name in chosen else draw(values(attribute, first))
        if value is not attribute.default:
            written[attribute.name] = spell(value)
    try:
        slots = operator.slots_of(operator.parse(written))
    except MisfitError:
        slots = ()
    known: dict[str, Shape] = {}
    for slot in slots:
        if slot.role == "data":
            known[f"layer_{slot.name}"] = draw(partners(first)) if known else first
    variables = [Node(f"layer_{slot.name}") for slot in slots]
    layer = Node("layer", operator.name, written, tuple((node.name, 0) for node in variables))
    return Graph((*variables, layer), (("layer", 0),)), known
