"""What a file holds of a network: some of its graph, weights, preprocessing, classes and origin; or a whole model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Optional

from numpy.typing import NDArray

from ..errors import NetworkError
from ..graph import Graph
from ..images.preprocess import Preprocess
from ..network import Network

Weights = dict[str, NDArray[Any]]
"""Arrays by the names that their file gives them."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds; None for what it lacks.

    Parameters
    ----------
    graph
        With the loss that it may end in.
    weights
        Arrays by the names in the file, which need not be those of the graph.
    theirs
        The same as the library that the network is from has them: under its names, in its shapes.
    weights_file
        The file next to this one that has the weights.
    with_weights
        For a description whose graph is known with its weights only: reads both, given the file of weights.
    preprocess
        How images become the network's input.
    usual
        How images become the input of networks of this format, for a graph without weights.
    usual_is_stated
        Whether the file says so, or it is only what is usual.
    usual_of
        The known network for which that is usual, by whose name the file was taken for it; empty otherwise.
    usual_weights
        Arrays that take the place of those of the same name where images are prepared as usual: the first kernels of a
        network that usually takes blue, green and red.
    levels
        What the outputs mean.
    classifier
        The layer that gives the logits.
    pretrained
        Whether the weights were learned.
    image
        Channels, height and width of the images that the network takes, where the file says no more about them.
    provenance
        Where the network came from, as far as the file states it.
    model
        The rest of a model, as its manifest has it: task, type of labels, settings, metrics, history, versions.
    memory
        The arrays of what a model remembers of its training images, see `mxtune.model.memory`.
    int8
        The arrays of what it needs to predict in int8, see `mxtune.model.quantised`.
    others
        Parts of a model file that only a later version knows, by name.
    limit
        How many times the limits of `mxtune.graph.Limits` the network may need.
    """

    graph: Optional[Graph] = None
    weights: Optional[Weights] = None
    theirs: Optional[Weights] = None
    weights_file: Optional[Path] = None
    with_weights: Optional[Callable[[Path], Contents]] = None
    preprocess: Optional[Preprocess] = None
    usual: Optional[Preprocess] = None
    usual_is_stated: bool = False
    usual_of: str = ""
    usual_weights: Weights = field(default_factory=dict)
    levels: Optional[tuple[str, ...]] = None
    classifier: Optional[str] = None
    pretrained: bool = True
    image: Optional[tuple[int, int, int]] = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    model: Optional[Mapping[str, Any]] = None
    memory: Optional[Weights] = None
    int8: Optional[Weights] = None
    others: Mapping[str, bytes] = field(default_factory=dict)
    limit: float = 1.0

    @classmethod
    def of(
        cls, network: Network, model: Optional[Mapping[str, Any]] = None, memory: Optional[Weights] = None
    ) -> Contents:
        """The contents of a file that holds this network, and for a model the rest."""
        return cls(
            graph=network.graph,
            weights=dict(network.params),
            preprocess=network.preprocess,
            levels=network.levels,
            classifier=network.classifier,
            pretrained=bool(network.pretrained),
            provenance=network.provenance,
            model=model,
            memory=memory,
        )

    @cached_property
    def network(self) -> Network:
        """The network in a file that has all of one, with the weights under the graph's own names.

        Raises
        ------
        NetworkError
            The file lacks the graph, the weights or the preprocessing.
        """
        if self.graph is None or self.weights is None or self.preprocess is None:
            raise NetworkError("The file does not contain a whole network.")
        return Network(
            graph=self.graph,
            params=self.weights,
            provenance=dict(self.provenance),
            preprocess=self.preprocess,
            levels=self.levels,
            classifier=self.classifier,
            pretrained=self.pretrained,
            limit=self.limit,
        )
