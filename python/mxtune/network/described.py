"""What a network is: its fields, and what can be read off them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Optional, Union

import numpy as np
from numpy.typing import NDArray

from .. import graph as graphs
from ..arguments import height_and_width
from ..errors import NetworkError, WeightsError
from ..graph import LIMITS, Entry, Graph, Limits, Shapes, shapes_of
from ..graph.limits import check_picture
from ..images.preprocess import Preprocess
from ..tasks.base import shown
from ..words import bullets, counted, listing, shape_text
from . import layers, structure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Described:
    """What a network is, and what it knows of itself; `Network` adds the edits and explains the fields."""

    graph: Graph
    params: dict[str, NDArray[np.float32]]
    provenance: dict[str, str]
    preprocess: Preprocess
    frozen: frozenset[str] = frozenset()
    levels: Optional[tuple[str, ...]] = None
    classifier: Optional[str] = None
    pretrained: Optional[bool] = None
    limit: float = 1.0

    def __post_init__(self) -> None:
        if self.pretrained is None:
            object.__setattr__(self, "pretrained", bool(self.params))
        needed = graphs.subgraph(self.graph, self.graph.heads)
        declared = graphs.declare(needed, {name: array.shape for name, array in self.params.items()})
        if declared != self.graph:
            object.__setattr__(self, "graph", declared)
        if self.classifier is None:
            object.__setattr__(self, "classifier", structure.classifier(self.graph) or "")

    # ---- what it is

    @cached_property
    def input(self) -> str:
        """The name of the variable that takes the images, (N, C, H, W) float32.

        Raises
        ------
        NetworkError
            There is none, or more than one.
        """
        inputs = [name for name in self.graph.inputs if name not in self.params]
        if len(inputs) != 1:
            raise NetworkError("The network must have one input for images.", bullets=[f"it has {listing(inputs)}"])
        return inputs[0]

    @property
    def output(self) -> str:
        """The name of the layer whose output is the network's: the first, where it has several."""
        return self.graph.heads[0][0]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all layers whose outputs are the network's."""
        return tuple(name for name, _ in self.graph.heads)

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes of all outputs of each node, for one image of the size of `preprocess`."""
        return self._shapes_at(self.preprocess.size)

    def _shapes_at(self, size: tuple[int, int]) -> Shapes:
        return self._shapes_of(1, size)

    def _shapes_of(self, n_pictures: int, size: tuple[int, int]) -> Shapes:
        spec = self.preprocess
        check_picture(size, spec.crop if spec.fit == "crop" else 1.0, self.limits)
        return shapes_of(self.graph, {self.input: (n_pictures, spec.channels, *size)}, self.limits.times(n_pictures))

    @property
    def limits(self) -> Limits:
        """What it may need at most."""
        return LIMITS.times(self.limit)

    @property
    def layers(self) -> pd.DataFrame:
        """One row per layer: ``layer, operator, output_shape, parameters, trainable``; see `layers.table`."""
        return layers.table(self.graph, self.shapes, frozenset(self.trainable))

    @property
    def trainable(self) -> list[str]:
        """The parameters that training changes, in order."""
        return [name for name in self.graph.arguments if name in self.params and name not in self.frozen]

    @property
    def n_parameters(self) -> int:
        """How many numbers training could change, frozen or not, without moving statistics."""
        auxiliary = set(self.graph.auxiliary)
        return sum(int(array.size) for name, array in self.params.items() if name not in auxiliary)

    def macs(self, image_size: Union[int, tuple[int, int], None] = None) -> int:
        """Multiply-accumulates (MACs) for one image, in convolutions and dense layers.

        Parameters
        ----------
        image_size
            Height and width in pixels, or one number for both; that of `preprocess` if None.
        """
        if image_size is None:
            return layers.macs(self.graph, self.shapes)
        return layers.macs(self.graph, self._shapes_at(height_and_width("image_size", image_size)))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """The last layer of each resolution of the body, from the finest to the coarsest.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("lenet").stages
        ('tanh1', 'tanh2')
        """
        graph = graphs.subgraph(self.graph, [self._before_classifier])
        return structure.stages(graph, self.shapes)

    @property
    def _before_classifier(self) -> Entry:
        return structure.before(self.graph, self.classifier) if self.classifier else self.graph.heads[0]

    # ---- parameters

    @property
    def _needed(self) -> list[str]:
        """The variables that must have a value."""
        return [name for name, role in self.graph.roles.items() if role in ("weight", "auxiliary")]

    def _check(self) -> None:
        shapes = self.shapes
        wrong = []
        for name in self._needed:
            if name not in self.params:
                wrong.append(f"{name}: missing")
            elif self.params[name].shape != shapes[name][0]:
                wrong.append(
                    f"{name}: {shape_text(self.params[name].shape)} where {shape_text(shapes[name][0])} is needed"
                )
        if wrong:
            raise WeightsError("The weights don't match the network.", bullets=bullets(wrong, 8))
        if self.graph.labels:
            raise NetworkError("The network contains a loss.", [f"it takes {listing(self.graph.labels)}"])
        self._check_rows()

    def _check_rows(self) -> None:
        """Refuse a network that mixes images: two must give two rows of each output, with the same parameters."""
        shapes = self._shapes_of(2, self.preprocess.size)
        mixed = [name for name in self._needed if shapes[name] != self.shapes[name]]
        if mixed:
            raise NetworkError("Parameters depend on the number of images.", bullets(mixed, 8))
        mixed = [name for name, index in self.graph.heads if shapes[name][index][:1] != (2,)]
        if mixed:
            raise NetworkError(
                "The network does not give one output per image.",
                [f"{name}: {shape_text(shapes[name][0])} for two images" for name in mixed],
            )

    # ---- words

    def __repr__(self) -> str:
        name = self.provenance.get("name", "network")
        height, width = self.preprocess.size
        labels = (
            ""
            if self.levels is None
            else f", {counted(len(self.levels), 'class', 'classes')} ({shown(self.levels, 3)})"
        )
        return (
            f"<Network {name}: {self.n_parameters:,} parameters, {len(self.trainable)} of "
            f"{sum(n in self.params for n in self.graph.arguments)} arrays trainable, "
            f"images of {height} x {width}, output {self.output}{labels}>"
        )

    def __str__(self) -> str:
        return f"{self!r}\n{self.layers.to_string(index=False, max_rows=40)}"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(repr(self))}</p>{self.layers.to_html(index=False, max_rows=40)}"
