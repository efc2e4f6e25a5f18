"""Edits of a network's layers, of what is trained, and of the images that it takes; each returns a new one."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Optional, TypeVar, Union

from .. import graph as graphs
from ..arguments import height_and_width, user_path, whole
from ..calls import value_text
from ..errors import NetworkError
from ..graph import Graph
from . import layers
from .channels import adapted, preprocess_of
from .described import Described
from .difference import difference
from .initialise import initial_value
from .place import Edit, insert_after, insert_before, replaced, unfit
from .plot import Drawing, draw
from .positions import resampled
from .select import Layers, What, chosen, layers_of, of_stages

if TYPE_CHECKING:
    import pandas as pd

N = TypeVar("N", bound="Editing")


@dataclass(frozen=True, eq=False, repr=False)
class Editing(Described):
    """A network that can be edited; `Network` adds its parts: the body and the head."""

    def freeze(self: N, what: Optional[What] = None, stages: Union[int, Sequence[int], None] = None) -> N:
        """The network with more of it frozen.

        Parameters
        ----------
        what
            The name of a layer (its BatchNorm statistics too) or of one parameter; a pattern such as
            ``"block1*"``; an operator or kind of layer, such as ``"batch_norm"``; a list of these; or a number of
            layers with parameters from the input on, negative for all but the last ones.
        stages
            Stages of the body by number: 1 for the finest resolution, -1 for the coarsest.

        Raises
        ------
        NetworkError
            Nothing of that name has parameters, or there is no such stage; near matches are named.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("lenet").freeze(stages=[1, 2]).trainable
        ['fc1_weight', 'fc1_bias', 'classifier_weight', 'classifier_bias']
        """
        return replace(self, frozen=self.frozen | self._chosen(what, stages))

    def unfreeze(self: N, what: Optional[What] = None, stages: Union[int, Sequence[int], None] = None) -> N:
        """The network with less of it frozen; arguments as for `freeze`, everything by default."""
        everything = "*" if what is None and stages is None else what
        return replace(self, frozen=self.frozen - self._chosen(everything, stages))

    def _chosen(self, what: Optional[What], stages: Union[int, Sequence[int], None]) -> frozenset[str]:
        by_stage = frozenset[str]() if stages is None else of_stages(self.graph, self.params, self.stages, stages)
        return by_stage if what is None and stages is not None else by_stage | chosen(self.graph, self.params, what)

    def insert_after(
        self: N,
        after: Layers,
        operator: Union[str, Graph],
        name: Optional[str] = None,
        seed: int = 0,
        **attrs: object,
    ) -> N:
        """The network with a layer, or a small graph, after a layer, or after each of several.

        Parameters
        ----------
        after
            The layer; what used it now uses the new one. A pattern, an operator or kind of layer (``"relu"``), or a
            list choose several.
        operator
            An operator of MXNet, such as ``"Dropout"``; a kind of layer, such as ``"silu"`` or ``"max_pool"`` (see
            `mxtune.ops.kinds`); or a graph with one input and one output.
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
        return self._edited(insert_after, after, operator, name, seed, attrs)

    insert = insert_after

    def insert_before(
        self: N,
        before: Layers,
        operator: Union[str, Graph],
        name: Optional[str] = None,
        seed: int = 0,
        **attrs: object,
    ) -> N:
        """The network with a layer, or a small graph, before a layer, which takes the new one; see `insert_after`.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> net = mxnetwork("lenet")
        >>> net.insert_before(net.classifier, "Dropout", p=0.5).layers["layer"].tolist()[-2:]
        ['classifier_dropout', 'classifier']
        """
        return self._edited(insert_before, before, operator, name, seed, attrs)

    def replace(
        self: N,
        what: Layers,
        operator: Union[str, Graph],
        seed: int = 0,
        **attrs: object,
    ) -> N:
        """The network with other layers in the place of some, under the same names.

        Parameters
        ----------
        what
            A layer, a pattern such as ``"stage3*"``, an operator or kind of layer such as ``"relu"``, or a list.
        operator, seed, **attrs
            As of `insert_after`. Where the operator stays the same, so do arguments that are not given and values of
            parameters whose shapes don't change: an average pooling becomes a maximum one of the same window.

        Raises
        ------
        NetworkError
            Nothing of that name exists, or shapes no longer fit.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> net = mxnetwork("lenet").replace("tanh", "relu").replace("max_pool", "avg_pool")
        >>> net.graph.node("pool1").attrs["pool_type"], net.graph.node("pool1").attrs["kernel"]
        ('avg', '(2, 2)')
        """
        return self._edited(replaced, what, operator, None, seed, attrs)

    def _edited(
        self: N,
        edit: Edit,
        what: Layers,
        operator: Union[str, Graph],
        name: Optional[str],
        seed: int,
        attrs: Mapping[str, object],
    ) -> N:
        """The network after the same edit at each of the layers that `what` means."""
        layers = layers_of(self.graph, what)
        if name is not None and len(layers) > 1:
            raise NetworkError(f"{len(layers)} layers can't all be called {name}.", hint="Leave out name=.")
        graph = self.graph
        for layer in layers:
            graph = edit(graph, layer, operator, name, attrs)
        edited = self._with(graph)
        if edit is replaced:
            values = {key: array.shape for key, array in self.params.items()}
            edited = edited._without(unfit(graph, layers, values, edited.shapes))
            edited = replace(edited, levels=None) if self.classifier in layers else edited
        return edited.initialise(seed).check()

    def remove(self: N, layer: Layers) -> N:
        """The network without a layer, or several; what used it now uses the layer's input.

        Parameters
        ----------
        layer
            A layer, a pattern, an operator or kind of layer such as ``"Dropout"``, or a list.

        Raises
        ------
        NetworkError
            There is no such layer, or what follows does not fit what comes before.
        """
        graph = self.graph
        for name in layers_of(graph, layer):
            graph = graphs.remove(graph, name)
        return self._with(graph).check()

    def with_channels(self: N, channels: int) -> N:
        """The network for images of another number of channels, with its weights kept.

        Kernels that take the image are added up for one channel; for four the first one is repeated, and all are scaled
        so that their output keeps its size, as timm does. The mean and deviation of `preprocess` follow.

        Parameters
        ----------
        channels
            1 (grey), 3 (colour), or 4: arrays (N, H, W, 4), and pictures with their transparency (RGBA).

        Raises
        ------
        NetworkError
            The first layers can't take as many.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("resnet18_v1").with_channels(1).params["conv0_weight"].shape
        (64, 1, 7, 7)
        """
        old, spec = self.preprocess.channels, preprocess_of(self.preprocess, whole("channels", channels, 1))
        if spec.channels == old:
            return self
        changed = replace(self, preprocess=spec)
        shapes = {name: changed.shapes[name][0] for name in self.params}
        params = {
            name: array
            if array.shape == shapes[name]
            else adapted(self.graph, name, array, shapes[name], (old, spec.channels))
            for name, array in self.params.items()
        }
        return replace(changed, params=params).check()

    def with_image_size(self: N, image_size: Union[int, Sequence[int]]) -> N:
        """The network for images of another size; embeddings of positions are resampled to it.

        Parameters
        ----------
        image_size
            Pixels: height and width, or one number for both.

        Raises
        ------
        NetworkError
            A layer depends on the size, such as a dense one on a map; it is named. `mxnetwork` makes networks of the
            zoo for any size.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("resnet18_v1").with_image_size((96, 160)).shapes["stage4_activation1"]
        ((1, 512, 3, 5),)
        """
        size = height_and_width("image_size", image_size)
        picture = self.input, (1, self.preprocess.channels, *size)
        graph, params = resampled(self.graph, self.params, self.shapes, picture, self.limits)
        spec = replace(self.preprocess, size=size)
        return replace(self, graph=graph, params={**self.params, **params}, preprocess=spec).check()

    def diff(self, other: Described) -> pd.DataFrame:
        """What `other` has that this network has not, and the reverse: ``layer, change, before, after``, as text.

        ``change`` is ``"added"``, ``"removed"``, ``"operator"``, ``"argument <name>"``, ``"inputs"``,
        ``"output_shape"``, or about a parameter: ``"parameter <name>"`` (its shape), ``"values of <name>"``,
        ``"frozen <name>"``. Rows without a layer are about outputs, levels and preprocessing. Without a difference
        there are no rows.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> net = mxnetwork("lenet")
        >>> net.diff(net.replace("tanh3", "relu")).iloc[0].tolist()
        ['tanh3', 'argument act_type', 'tanh', 'relu']
        """
        return difference(self, other)

    def plot(self, path: Union[str, os.PathLike[str], None] = None) -> Drawing:
        """A picture of the network (SVG), which notebooks show: a column for each resolution, from top to bottom.

        A convolution, its BatchNorm and its activation are one box; pointed at, it tells its layers and the shape of
        its output. What is frozen has a dashed edge.

        Parameters
        ----------
        path
            A file to write it to; ends in .svg.

        Raises
        ------
        ArgumentError
            The name of the file ends otherwise.
        StoreError
            It can't be written.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("lenet").plot()
        <Drawing of lenet: 6 boxes>
        """
        drawing = draw(self)
        if path is not None:
            drawing.save(user_path("path", path))
        return drawing

    def rename(self: N, layer: str, name: str) -> N:
        """The network with a layer, and its parameters, renamed.

        Raises
        ------
        NetworkError
            There is no such layer, or the new name is empty or taken.
        """
        if not isinstance(name, str) or not name:
            raise NetworkError(f"A layer can't be called {value_text(name)}.")
        own = layers.parameters_of(self.graph, layer)
        names = {old: name + old[len(layer) :] for old in own if old.startswith(f"{layer}_")} | {layer: name}
        return replace(
            self,
            graph=graphs.rename(self.graph, names),
            params={names.get(key, key): value for key, value in self.params.items()},
            frozen=frozenset(names.get(key, key) for key in self.frozen),
            classifier=names.get(self.classifier or "", self.classifier),
        )

    def _without(self: N, params: Collection[str]) -> N:
        """This network without the values of these parameters."""
        kept = {name: array for name, array in self.params.items() if name not in params}
        return replace(self, params=kept, frozen=self.frozen.difference(params))

    def _with(self: N, graph: Graph, classifier: Optional[str] = None) -> N:
        """This network with another graph, and those of its parameters that the graph has."""
        params = {name: array for name, array in self.params.items() if name in graph}
        frozen = frozenset(name for name in self.frozen if name in graph)
        levels = self.levels if graph.heads[:1] == self.graph.heads[:1] else None  # of another layer they say nothing
        return replace(self, graph=graph, params=params, frozen=frozen, classifier=classifier, levels=levels)

    def initialise(self: N, seed: int = 0) -> N:
        """The network with initial values for the parameters that have none; see `initialise.initial_value`."""
        missing = [name for name in self._needed if name not in self.params]
        if not missing:
            return self
        seed, shapes = whole("seed", seed), self.shapes
        added = {name: initial_value(self.graph, name, shapes[name][0], seed) for name in missing}
        return replace(self, params={**self.params, **added})

    def check(self: N) -> N:
        """The network itself, if every parameter has a value of the shape that its graph needs.

        Raises
        ------
        WeightsError
            Parameters are missing or of another shape; each is named.
        NetworkError
            The layers do not fit together.
        """
        self._check()
        return self
