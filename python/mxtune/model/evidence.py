"""What each place of an image adds to a logit: a network in two parts, up to its maps and from these to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..calls import option
from ..engines import Executor, InputSpec, Program, Target, choose, picture_input
from ..errors import ArgumentError, NetworkError
from ..graph import Entry, behind, subgraph
from ..network import Network
from ..network.evidence import Source, source_at, sources
from .landing import Span, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

METHODS = ("auto", "cam", "gradcam")
_LINEAR = 1e-4
Asked = Callable[[Any], Sequence[Sequence[int]]]
"""Of the outputs (N, K) for images: for each the positions of those that are explained."""


@dataclass(frozen=True, eq=False)
class Found:
    """What is found of one answer for one image; of an image that can't be read, nothing.

    Parameters
    ----------
    label
        The position of the output that is explained.
    row
        Of the image.
    outputs
        All, (K,).
    logit
        What is explained: an output, or its distance from another one.
    rest
        What no place adds to it.
    stages
        What the places of each layer add.
    view
        What each place adds, (H, W) of what the network takes in.
    """

    label: Optional[int]
    row: int = -1
    outputs: Optional[Array] = None
    logit: float = np.nan
    rest: float = np.nan
    stages: tuple[float, ...] = ()
    view: Optional[NDArray[np.float32]] = None


class Evidence:
    """A network bound in two parts: up to its maps, and from these to the logits.

    Parameters
    ----------
    network
        With one output.
    method, layer
        As of `Explaining.explain`.
    target
        Where it runs; chosen if None.
    usual
        (d,): the features that the head takes, on average over training images. What is exact is told as the
        difference from them.

    Attributes
    ----------
    layers
        Those whose maps are used, the finest first.
    """

    def __init__(
        self,
        network: Network,
        method: str = "auto",
        layer: Optional[str] = None,
        target: Optional[Target] = None,
        usual: Optional[Array] = None,
    ) -> None:
        graph, shapes = network.graph, network.shapes
        found = sources(graph, shapes) if method != "gradcam" or layer is None else []
        if layer is not None and method == "cam":
            raise ArgumentError("`layer` is for Grad-CAM.", hint=f"Use {option('method', 'gradcam')}.")
        self._averages = method == "gradcam" or layer is not None
        if self._averages:
            found = [source_at(graph, shapes, layer or found[-1].map[0])]
        self._sources: list[Source] = found
        self.layers = tuple(dict.fromkeys(source.map[0] for source in found))
        self._size = network.preprocess.size
        maps = list(dict.fromkeys(source.map for source in found))
        self._taken = list(dict.fromkeys(source.taken for source in found))
        self._order = {entry: place for place, entry in enumerate(dict.fromkeys([*maps, *self._taken]))}
        picture = {network.input: picture_input(network)}
        front = subgraph(graph, [graph.heads[0], *self._order])
        rest, names = behind(graph, self._taken)
        inputs = {name: InputSpec(tuple(shapes[at][index][1:])) for name, (at, index) in zip(names, self._taken)}
        self._names, self._picture = names, network.input if network.input in rest else None
        target, params = target or choose(), network.params
        self._front: Executor = target.bind(Program(front, {n: params[n] for n in params if n in front}, picture))
        wanted = inputs | (picture if self._picture else {})
        self._back: Executor = target.bind(Program(rest, {n: params[n] for n in params if n in rest}, wanted))
        self._bias = None if self._averages or self._picture else self._constant(inputs)
        self._usual: dict[Entry, Array] = {}
        if self.exact and usual is not None:
            self._usual = self._shares_of(network, usual, target)
            if self._usual:
                self._bias = self._back.predict({n: self._usual[at][None] for n, at in zip(names, self._taken)})[0]
        if method == "cam" and not self.exact:
            text = "The evidence of a place can't be told exactly: the layers behind the maps are not linear."
            raise NetworkError(text, hint=f"Use {option('method', 'gradcam')}.")

    @property
    def exact(self) -> bool:
        """Whether what the places add, and the bias, are the logit."""
        return self._bias is not None

    @property
    def centred(self) -> bool:
        """Whether places are told as differences from the average training image."""
        return bool(self._usual)

    def _constant(self, inputs: Mapping[str, InputSpec]) -> Optional[Array]:
        """The outputs (K,) where nothing is taken, if they are a linear function of what is: seen in the values."""
        rng = np.random.default_rng(0)
        batch = {}
        for name, spec in inputs.items():
            value = rng.normal(size=spec.shape)
            batch[name] = np.stack([0 * value, value, -value, 3 * value]).astype(np.float32)
        zero, one, opposite, thrice = self._back.predict(batch).astype(np.float64)
        scale = np.abs(thrice - zero).max() + np.abs(zero).max()
        apart = max(np.abs(one + opposite - 2 * zero).max(), np.abs(thrice - 3 * one + 2 * zero).max())
        return np.asarray(zero) if apart <= _LINEAR * scale else None

    def _shares_of(self, network: Network, usual: Array, target: Target) -> dict[Entry, Array]:
        """Of features, what is taken of each map; nothing where features are more than that in its order."""
        body = network.body
        rest, names = behind(body.graph, self._taken)
        shapes = [network.shapes[name][index][1:] for name, index in self._taken]
        counts = [int(np.prod(shape)) for shape in shapes]
        if body.input in rest or set(rest.arguments) != set(names) or sum(counts) != len(usual):
            return {}

        def split(values: Array) -> list[Array]:
            parts = np.split(values.astype(np.float32), np.cumsum(counts)[:-1])
            return [part.reshape(shape) for part, shape in zip(parts, shapes)]

        numbers = np.arange(len(usual))
        inputs = {name: InputSpec(tuple(shape)) for name, shape in zip(names, shapes)}
        found = target.bind(Program(rest, {}, inputs)).predict(
            {name: part[None] for name, part in zip(names, split(numbers))}
        )
        return dict(zip(self._taken, split(usual))) if np.array_equal(found[0], numbers) else {}

    def of(self, rows: Array, batch: Array, asked: Asked, other: Optional[int]) -> list[Found]:
        """What is found in a batch of images, for each that ``asked(outputs)`` says."""
        outputs, *arrays = self._front.predict(batch)
        pairs = [(place, label) for place, labels in enumerate(asked(outputs)) for label in labels]
        found: list[Found] = []
        for start in range(0, len(pairs), len(batch)):
            places, labels = map(np.asarray, zip(*pairs[start : start + len(batch)]))
            weights = np.zeros((len(places), outputs.shape[1]), np.float32)
            weights[np.arange(len(places)), labels] = 1
            if other is not None:
                weights[:, other] -= 1
            chosen = {entry: arrays[place][places] for entry, place in self._order.items()}
            taken: dict[str, Array] = {name: chosen[entry] for name, entry in zip(self._names, self._taken)}
            gradients = self._back.gradient(taken | ({self._picture: batch[places]} if self._picture else {}), weights)
            by_entry = {entry: gradients[name] for name, entry in zip(self._names, self._taken)}
            stages = self._stages(chosen, by_entry)
            sums = np.stack([values.sum(axis=(1, 2), dtype=np.float64) for values in stages.values()], axis=1)
            logits = (outputs[places] * weights).sum(axis=1, dtype=np.float64)
            rest = logits - sums.sum(axis=1) if self._bias is None else (self._bias * weights).sum(axis=1)
            for number, (place, label) in enumerate(zip(places.tolist(), labels.tolist())):
                view = self._view({layer: values[number] for layer, values in stages.items()})
                parts = float(logits[number]), float(rest[number]), tuple(map(float, sums[number]))
                found.append(Found(label, int(rows[place]), outputs[place], *parts, view))
        return found

    def _stages(
        self, arrays: Mapping[Entry, Array], gradients: Mapping[Entry, Array]
    ) -> dict[str, NDArray[np.float32]]:
        """What each position of each layer adds, (P, h, w)."""
        stages: dict[str, NDArray[np.float32]] = {}
        for source in self._sources:
            values = self._added(source, arrays[source.map], gradients[source.taken])
            layer = source.map[0]
            stages[layer] = stages[layer] + values if layer in stages else values
        return stages

    def _added(self, source: Source, maps: Array, gradient: Array) -> NDArray[np.float32]:
        usual = self._usual.get(source.taken)
        if maps.ndim == 3:  # tokens, of which the last are on the grid
            return _on_grid(self._of_tokens(source, maps, gradient, usual), source.grid, self.exact)
        if source.how == "map":
            if self.exact:
                return np.asarray((gradient * (maps if usual is None else maps - usual)).sum(axis=1), np.float32)
            return _weighted(maps, gradient.mean(axis=(2, 3)))
        weights, count = gradient.reshape(len(gradient), -1), maps.shape[2] * maps.shape[3]
        before = np.zeros(maps.shape[1], np.float32) if usual is None else usual.reshape(-1)
        if source.how == "average":
            return np.asarray(_weighted(maps, weights / count) - ((weights @ before) / count)[:, None, None])
        highest = maps.max(axis=(2, 3), keepdims=True)
        at = maps == highest  # several share: ReLU6 has many sixes
        above = highest[:, :, 0, 0] - before
        lacking = 0 if usual is None else np.minimum(above, 0)  # what is nowhere has no place
        added = _weighted(at, weights * (above - lacking) / at.sum(axis=(2, 3)))
        even = np.asarray((weights * lacking).sum(axis=1) / count, np.float32)
        return np.asarray(added + even[:, None, None])

    def _of_tokens(self, source: Source, tokens: Array, gradient: Array, usual: Optional[Array]) -> Array:
        """What each token (P, T, C) adds, (P, T)."""
        apart = tokens if usual is None else tokens - usual
        if source.how == "average":
            return np.asarray(np.einsum("ptc,pc->pt", apart, gradient.reshape(len(gradient), -1)) / tokens.shape[1])
        if self.exact:
            return np.asarray((gradient * apart).sum(axis=2))
        weights = gradient[:, -source.grid[0] * source.grid[1] :].mean(axis=1)
        return np.asarray(np.einsum("ptc,pc->pt", tokens, weights))

    def _view(self, stages: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The stages' maps added up, (H, W) of what the network takes in."""
        steps = {source.map[0]: source.step for source in self._sources}
        view = np.zeros(self._size, np.float32)
        for layer, values in stages.items():
            lengths = [count * step for count, step in zip(values.shape, steps[layer])]
            down, across = (Span((side - length) / 2, length) for side, length in zip(self._size, lengths))
            view += spread(values, (down, across), self._size, beyond=True)
        return view


def _on_grid(values: Array, grid: tuple[int, int], whole: bool) -> NDArray[np.float32]:
    """What tokens add (P, T), (P, h, w); what those without a place do is spread evenly where the ``whole`` counts."""
    count = grid[0] * grid[1]
    placed = values[:, -count:]
    if whole:
        placed = placed + values[:, :-count].sum(axis=1, keepdims=True) / count
    return np.asarray(placed, np.float32).reshape(len(values), *grid)


def _weighted(maps: Array, weights: Array) -> NDArray[np.float32]:
    """The channels (P, C, h, w) added up with weights (P, C)."""
    flat = maps.reshape(*maps.shape[:2], -1).astype(np.float32, copy=False)
    return np.asarray(np.matmul(weights[:, None].astype(np.float32), flat)[:, 0]).reshape(len(maps), *maps.shape[2:])
