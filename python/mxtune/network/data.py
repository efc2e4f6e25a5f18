"""Network: a graph, its parameters, what images it takes and where it came from. Edits return a new one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Union

from .. import graph as graphs
from .. import late
from ..arguments import user_path, whole, yes_or_no
from ..calls import option
from ..errors import NetworkError
from ..graph import Builder, Entry, Graph
from . import features, structure
from .editing import Editing
from .select import Layers, layers_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Network(Editing):
    """A convolutional network that can be read, cut, edited and frozen; each edit returns a new one.

    Parameters
    ----------
    graph
        Its first output are the logits; nodes that its outputs don't need are left out.
    params
        For each parameter an array, float32, C-contiguous; BatchNorm's moving statistics among them.
    provenance
        Where it came from: name, source, licence, url, paper, sha256.
    preprocess
        How an image becomes its input.
    frozen
        Names of parameters that training leaves alone. A BatchNorm whose moving statistics are among them
        uses these statistics in training too, as all do behind a head that was trained under them.
    levels
        What the outputs mean, or None.
    classifier
        The layer that gives the logits; found in the graph if None, ``""`` if there is none.
    pretrained
        Whether its values were learned: a head can then be trained on them as they are. If None, true if
        there are values; those that `initialise` draws do not count.
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

    @cached_property
    def deepest(self) -> int:
        """The column of the features at which those of the last stage begin; 0 where there are no others."""
        return features.deepest(self.body.graph, self.body.shapes)

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

    # ---- predictions

    def predict(
        self,
        x: Any,
        type: str = "class",  # noqa: A002 - the word in R
        on_bad: str = "na",
        batch_size: int = 32,
        path: Optional[str] = None,
        root: Union[str, os.PathLike[str], None] = None,
        level: float = 0.9,
        abstain: Optional[float] = None,
        top: Optional[int] = None,
        novelty: bool = False,
    ) -> pd.DataFrame:
        """One row an image, in the order given, as `Model.predict`: ``file`` and what the network says as it is.

        Networks with ImageNet's weights know its 1,000 classes, those from files the classes that the file names.
        An edit after which outputs mean something else forgets them.

        Parameters
        ----------
        x, type, on_bad, batch_size, path, root, level, abstain, top, novelty
            As of `Model.predict`; without images that it was validated on, a network has no sets, and nothing is novel.

        Raises
        ------
        NetworkError
            It does not know what its outputs mean; ``type="logit"`` and ``type="features"`` need no classes.

        Examples
        --------
        >>> from mxtune import mxexample, mxnetwork
        >>> table = mxnetwork("efficientnet_lite0").predict(mxexample("fashion"), top=5)
        >>> list(table.columns), len(table)
        (['file', 'pred_class', 'pred_prob'], 1600)
        """
        if type in ("class", "prob") and self.levels is None:
            text = "The network does not know what its outputs mean."
            raise NetworkError(
                text, hint=f"Train it on labelled images, or use {option('type', 'logit')} for its outputs."
            )
        asked = (type, on_bad, batch_size, path, root, level, abstain, top, novelty)
        answer: pd.DataFrame = self._model.predict(x, *asked)
        return answer

    @cached_property
    def _model(self) -> Any:
        """The network as a model, which is bound to an engine once."""
        return late.load("Model").of_network(self)

    # ---- edits

    def replace_head(self, units: int, seed: int = 0, name: str = "head", stages: bool = False) -> Network:
        """The network with a new dense classifier on its features, or on those of every stage.

        Dropout that was inserted directly before the old classifier comes before the new one; the network's own does
        not, which is made for features of other images.

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
        builder, entry = self._head_input(yes_or_no("stages", stages))
        base = builder.graph(entry)
        if name in base or f"{name}_weight" in base:
            raise NetworkError(f"The network already has a layer {name}.", hint="Give the head another name.")
        for dropout in structure.kept_before(self.graph, self.classifier) if self.classifier else ():
            entry = builder.add_node(dropout.op, dropout.name, [entry], **dropout.attrs)
        graph = graphs.beside(builder.graph(builder.dense(entry, name, units)), self.graph, self.graph.heads[1:])
        body = self._without([f"{name}_weight", f"{name}_bias"])._with(graph)  # those of an older head of this name
        return replace(body, classifier=name, levels=None).initialise(seed)

    def attach(self, layer: Layers) -> Network:
        """The network with the output of a layer as an output of its own, behind those that it has.

        `mxtrain` trains the first output and keeps the others; ``model.predict(x, type="<layer>")`` gives them,
        averaged over the image where they are maps or tokens.

        Parameters
        ----------
        layer
            A layer, a pattern, an operator or kind of layer, or a list.

        Raises
        ------
        NetworkError
            There is no such layer, or it is an output already.

        Examples
        --------
        >>> from mxtune import mxnetwork
        >>> mxnetwork("lenet").attach("tanh3").outputs
        ('classifier', 'tanh3')
        """
        layers = layers_of(self.graph, layer)
        if taken := [name for name in layers if name in self.outputs]:
            raise NetworkError(f"The network has the output {taken[0]} already.")
        heads = (*self.graph.heads, *((name, 0) for name in layers))
        return replace(self, graph=Graph(self.graph.nodes, heads)).check()

    @cached_property
    def main(self) -> Network:
        """The network with its first output alone."""
        if len(self.graph.heads) == 1:
            return self
        return self._with(graphs.subgraph(self.graph, self.graph.heads[:1]), self.classifier)

    def averaged(self, layer: str) -> Network:
        """The network that ends in what a layer gives, (N, d), averaged over the image if necessary."""
        return self._ending(*features.of_body(self.graph, (layer, 0), self.shapes))

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Write the network to a file, in the format of its suffix.

        ``.onnx``: normalised images (N, C, H, W) float32 in, logits out. ``-symbol.json``: for MXNet itself, with the
        weights beside it in ``-0000.params``. ``.safetensors`` or ``.params``: the weights alone; the former under the
        names that torchvision or timm has for a network of theirs, whatever its number of classes, so that they load
        them. A network that is another one by now, such as one with a head on every stage, has its own names.

        Raises
        ------
        FormatError
            No format of this suffix is written, or it has no equivalent of a layer, which is named.
        StoreError
            The file can't be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from mxtune import mxnetwork
        >>> file = Path(tempfile.mkdtemp()) / "lenet.onnx"
        >>> mxnetwork("lenet").save(file)
        >>> mxnetwork(file).classifier
        'classifier'
        """
        late.load("save_network")(self, user_path("path", path))


Network.__module__ = "mxtune"  # as of `Model`
