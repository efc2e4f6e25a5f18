"""Network: a graph, its parameters, what images it takes and where it came from. Edits return a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Optional, Union

import numpy as np
from numpy.typing import NDArray

from .. import graph as graphs
from ..arguments import height_and_width, whole
from ..errors import NetworkError, WeightsError
from ..graph import LIMITS, Builder, Entry, Graph, Limits, Shapes, shapes_of
from ..graph.limits import check_picture
from ..images.preprocess import Preprocess
from ..words import bullets, listing, shape_text
from . import features, layers, structure
from .initialise import initial_value
from .insert import layer as new_layer
from .insert import spliced
from .select import What, chosen

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Network:
    """A convolutional network that can be read, cut, edited and frozen; each edit returns a new one.

    Parameters
    ----------
    graph
        Its heads are the logits; nodes that they don't need are left out.
    params
        For each parameter an array, float32, C-contiguous; BatchNorm's moving statistics among them.
    provenance
        Where it came from: name, source, licence, url, paper, sha256.
    preprocess
        How an image becomes its input.
    frozen
        Names of parameters that training leaves alone. A BatchNorm whose moving statistics are among them
        uses these statistics in training too.
    levels
        What the outputs mean, or None.
    classifier
        The layer that gives the logits; found in the graph if None, ``""`` if there is none.
    pretrained
        Whether its values were learned, so that a head can be trained on them as they are. If None, true where
        there are values: those that `initialise` draws do not count.
    limit
        How many times the limits of `mxtune.graph.Limits` it may need, in memory and work for one image.

    Examples
    --------
    >>> from mxtune import mxnetwork
    >>> net = mxnetwork("lenet")
    >>> net.layers["layer"].tolist()[:3]
    ['conv1', 'tanh1', 'pool1']
    >>> net.freeze("conv*").trainable
    ['fc1_weight', 'fc1_bias', 'classifier_weight', 'classifier_bias']
    """

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
        """The name of the layer whose output is the network's."""
        return self.graph.heads[0][0]

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
        """One row a layer: ``layer, operator, output_shape, parameters, trainable``; see `layers.table`."""
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

    # ---- parts

    def cut(self, layer: str) -> Network:
        """The network that ends in this layer.

        Raises
        ------
        NetworkError
            There is no such layer; near matches are named.
        """
        self.graph.node(layer)
        return self._with(graphs.subgraph(self.graph, [layer]), classifier="")

    @cached_property
    def body(self) -> Network:
        """The network before its classifier; it ends in the features, (N, d), pooled if necessary."""
        return self._ending(*self._head_input(stages=False))

    @property
    def features(self) -> str:
        """The name of the layer that ends the body."""
        return self.body.output

    def pooled(self) -> Network:
        """The body that ends in the features of every stage, (N, d): its average and its maximum over the image.

        Features that come from a dense layer (LeNet, VGG) follow. The idea is that of Head2Toe (Evci
        et al., 2022).
        """
        return self._ending(*self._head_input(stages=True))

    def _head_input(self, stages: bool) -> tuple[Builder, Entry]:
        entry = self._before_classifier
        if stages and self.stages:
            return features.of_stages(self.graph, entry, self.shapes, self.stages)
        return features.of_body(self.graph, entry, self.shapes)

    def _ending(self, builder: Builder, entry: Entry) -> Network:
        return self._with(builder.graph(entry), classifier="")

    # ---- edits

    def replace_head(self, units: int, seed: int = 0, name: str = "head", stages: bool = False) -> Network:
        """The network with a new dense classifier on its features, or on those of every stage.

        Parameters
        ----------
        units
            How many outputs.
        seed
            Of the initial values of ``<name>_weight`` (units, d); ``<name>_bias`` starts at zero.
        name
            Of the new layer.
        stages
            True: the head takes the average and maximum of every stage (see `pooled`), not only the last
            features.

        Raises
        ------
        ArgumentError
            `units` is not a whole number of at least 1.
        NetworkError
            `name` is taken.
        """
        units = whole("units", units, 1)
        builder, entry = self._head_input(stages)
        base = builder.graph(entry)
        if name in base or f"{name}_weight" in base:
            raise NetworkError(f"The network already has a layer {name}.", hint="Give the head another name.")
        body = self._with(base)  # without the values of an older head of this name
        graph = builder.graph(builder.dense(entry, name, units))
        return replace(body, graph=graph, classifier=name, levels=None).initialise(seed)

    def freeze(self, what: What) -> Network:
        """The network with more of it frozen.

        Parameters
        ----------
        what
            The name of a layer (its BatchNorm statistics too) or of one parameter; a pattern such as
            ``"block1*"``; a list of these; or a number of layers with parameters from the input on, negative
            for all but the last ones.

        Raises
        ------
        NetworkError
            Nothing of that name has parameters; near matches are named.
        """
        return replace(self, frozen=self.frozen | chosen(self.graph, self.params, what))

    def unfreeze(self, what: What = "*") -> Network:
        """The network with less of it frozen; `what` as for `freeze`, everything by default."""
        return replace(self, frozen=self.frozen - chosen(self.graph, self.params, what))

    def insert(
        self,
        after: str,
        operator: Union[str, Graph],
        name: Optional[str] = None,
        seed: int = 0,
        **attrs: object,
    ) -> Network:
        """The network with a layer, or a small graph, inserted after a layer.

        Parameters
        ----------
        after
            A layer; what used it now uses the new one.
        operator
            An operator of MXNet, such as ``"Dropout"``; or a graph with one input and one output.
        name
            Of the new layer; made from `after` and the operator if None.
        seed
            Of the initial values of its parameters.
        **attrs
            The operator's arguments: ``p=0.2``, ``kernel=(3, 3)``.

        Raises
        ------
        NetworkError
            `after` does not exist, a name is taken, or shapes no longer fit.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> net = mxnetwork("lenet").insert("fc1", "Dropout", p=0.5)
        >>> net.layers["layer"].tolist()[7:9]
        ['fc1', 'fc1_dropout']
        """
        self.graph.node(after)
        if isinstance(operator, Graph):
            nodes, output = spliced(operator, after)
        else:
            name = name or self.graph.fresh(f"{after}_{operator.lower()}")
            nodes, output = new_layer(after, operator, name, attrs), name
        for node in nodes:
            if node.name in self.graph:
                raise NetworkError(f"The network already has a layer {node.name}.", hint="Give another name=.")
        return self._with(graphs.insert(self.graph, after, nodes, output)).initialise(seed).check()

    def remove(self, layer: str) -> Network:
        """The network without a layer; what used it now uses the layer's input.

        Raises
        ------
        NetworkError
            There is no such layer, or what follows does not fit what comes before.
        """
        return self._with(graphs.remove(self.graph, layer)).check()

    def rename(self, layer: str, name: str) -> Network:
        """The network with a layer, and its parameters, renamed.

        Raises
        ------
        NetworkError
            There is no such layer, or the new name is empty or taken.
        """
        if not isinstance(name, str) or not name:
            raise NetworkError(f"A layer can't be called {name!r}.")
        own = layers.parameters_of(self.graph, layer)
        names = {old: name + old[len(layer) :] for old in own if old.startswith(f"{layer}_")} | {layer: name}
        return replace(
            self,
            graph=graphs.rename(self.graph, names),
            params={names.get(key, key): value for key, value in self.params.items()},
            frozen=frozenset(names.get(key, key) for key in self.frozen),
            classifier=names.get(self.classifier or "", self.classifier),
        )

    def _with(self, graph: Graph, classifier: Optional[str] = None) -> Network:
        """This network with another graph, and those of its parameters that the graph has."""
        params = {name: array for name, array in self.params.items() if name in graph}
        frozen = frozenset(name for name in self.frozen if name in graph)
        return replace(self, graph=graph, params=params, frozen=frozen, classifier=classifier)

    # ---- parameters

    @property
    def _needed(self) -> list[str]:
        """The variables that must have a value."""
        return [name for name, role in self.graph.roles.items() if role in ("weight", "auxiliary")]

    def initialise(self, seed: int = 0) -> Network:
        """The network with initial values for the parameters that have none; see `initialise.initial_value`."""
        missing = [name for name in self._needed if name not in self.params]
        if not missing:
            return self
        seed, shapes = whole("seed", seed), self.shapes
        added = {name: initial_value(self.graph, name, shapes[name][0], seed) for name in missing}
        return replace(self, params={**self.params, **added})

    def check(self) -> Network:
        """The network itself, if every parameter has a value of the shape that its graph needs.

        Raises
        ------
        WeightsError
            Parameters are missing or of another shape; each is named.
        NetworkError
            The layers do not fit together.
        """
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
            raise WeightsError("The weights do not fit the network.", bullets=bullets(wrong, 8))
        if self.graph.labels:
            raise NetworkError("The network has a loss inside.", [f"it takes {listing(self.graph.labels)}"])
        self._check_rows()
        return self

    def _check_rows(self) -> None:
        """Refuse a network that mixes images: two must give two rows of each output, with the same parameters."""
        shapes = self._shapes_of(2, self.preprocess.size)
        mixed = [name for name in self._needed if shapes[name] != self.shapes[name]]
        if mixed:
            raise NetworkError("Parameters depend on how many images there are.", bullets(mixed, 8))
        mixed = [name for name, index in self.graph.heads if shapes[name][index][:1] != (2,)]
        if mixed:
            raise NetworkError(
                "The network does not give an output for each image.",
                [f"{name}: {shape_text(shapes[name][0])} for two images" for name in mixed],
            )

    # ---- words

    def __repr__(self) -> str:
        name = self.provenance.get("name", "network")
        height, width = self.preprocess.size
        return (
            f"<Network {name}: {self.n_parameters:,} parameters, {len(self.trainable)} of "
            f"{sum(n in self.params for n in self.graph.arguments)} arrays trainable, "
            f"images of {height} x {width}, output {self.output}>"
        )

    def __str__(self) -> str:
        return f"{self!r}\n{self.layers.to_string(index=False, max_rows=40)}"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(repr(self))}</p>{self.layers.to_html(index=False, max_rows=40)}"
