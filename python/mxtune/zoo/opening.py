"""`mxnetwork`: a network by its name in the zoo, or from a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

from .. import progress, zoo
from ..arguments import height_and_width, user_path, whole
from ..errors import ArgumentError, NetworkError, WeightsError
from ..formats import Weights, mxnet, read_weights
from ..graph import Graph, without_loss
from ..graph.data import integers
from ..images.preprocess import Preprocess
from ..network.data import Network
from ..network.matching import match, plain
from ..network.values import half_precision_hint, unusable
from ..spec import settings
from ..words import bullets
from . import Entry

AnyPath = Union[str, "os.PathLike[str]"]
RANDOM = "random"


def mxnetwork(
    name_or_path: AnyPath,
    weights: Optional[AnyPath] = None,
    classes: Optional[int] = None,
    image_size: Union[int, Iterable[int], None] = None,
    seed: int = 0,
    channels: Optional[int] = None,
    preprocess: Union[Preprocess, Mapping[str, Any], None] = None,
) -> Network:
    """A network with its weights, by its name in the zoo or from a file.

    Parameters
    ----------
    name_or_path
        A name that `mxzoo` lists; a ``.mxt`` model; or a ``-symbol.json`` of MXNet, whose loss layer is
        taken off.
    weights
        None: the zoo's own where it has any (else first values drawn from `seed`), or the ``.params`` beside
        the symbol file. A file (``.params``, ``.pth``): these. ``"random"``: first values.
    classes
        Number of outputs. If it is not that of the weights, the classifier is a new one.
    image_size
        Pixels: height and width, or one number for both; the network's own if None.
    seed
        Of first values.
    channels
        3 or 1, for networks that have no weights yet; the network's own if None.
    preprocess
        How pictures become numbers: a `Preprocess`, or some of its settings by name. What is not named stays the
        network's own; where a file does not say, that of ImageNet.

    Raises
    ------
    NetworkError
        No such name or file (near matches are named), or the file is no symbol graph that can be trusted.
    WeightsError
        The weights are missing, damaged, or those of another network; the parameters are named.

    Examples
    --------
    >>> from mxtune import mxnetwork
    >>> mxnetwork("lenet", classes=10)
    <Network lenet: 431,080 parameters, 8 of 8 arrays trainable, pictures of 28 x 28, output classifier>
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        text = "A network is opened by its name or from a file."
        raise ArgumentError(text, [f"it is {name_or_path!r}"], "mxzoo() lists names.")
    path = user_path("name_or_path", name_or_path)
    weights = weights if weights in (None, RANDOM) else user_path("weights", weights)
    classes = None if classes is None else whole("classes", classes, 1)
    wished = _wished(preprocess, image_size, channels)
    if path.suffix.lower() == ".mxt":
        opened = _of_model(path, weights, wished.get("channels"))
    elif path.suffix.lower() == ".json":
        opened = _of_symbol(path, weights, wished, seed)
    else:
        opened = _of_zoo(zoo.entry(str(path)), weights, classes, wished.get("size"), wished.get("channels"), seed)
    opened = replace(opened, preprocess=replace(opened.preprocess, **wished))
    if classes is not None and classes != _units(opened):
        opened = opened.replace_head(classes, seed=seed, stages=False)
    return opened.check()


network = mxnetwork


def _wished(preprocess: Any, image_size: Any, channels: Any) -> dict[str, Any]:
    """The settings of `Preprocess` that the user named, in one way or another."""
    if isinstance(preprocess, Preprocess):
        preprocess = preprocess.to_dict()
    elif not isinstance(preprocess, (Mapping, type(None))):
        text = "`preprocess` must be a Preprocess, or its settings by name."
        raise ArgumentError(text, [f"it is {preprocess!r}"])
    found = settings(Preprocess, preprocess or {})
    if image_size is not None:
        found["size"] = height_and_width("image_size", image_size)
    if channels is not None or "channels" in found:
        found["channels"] = whole("channels", found.get("channels") if channels is None else channels, 1)
    return found


def _of_model(path: Path, weights: Optional[AnyPath], channels: Optional[int]) -> Network:
    if weights is not None:
        raise NetworkError("A .mxt model has weights of its own.", hint="Leave out weights=.")
    from mxtune import mxload

    found: Network = mxload(path).network
    if channels not in (None, found.preprocess.channels):
        raise NetworkError(f"{path} takes pictures of {found.preprocess.channels} channels, not {channels}.")
    return found


def _of_zoo(
    entry: Entry,
    weights: Optional[AnyPath],
    classes: Optional[int],
    size: Optional[tuple[int, int]],
    channels: Optional[int],
    seed: int,
) -> Network:
    preprocess = entry.preprocess_for(size, channels)

    def build(units: int) -> Network:
        graph = entry.build(units, preprocess.size, preprocess.channels)
        return Network(graph, {}, entry.provenance(), preprocess)

    if weights is None and entry.weights is not None:
        opened = build(entry.classes)
        arrays, digest = entry.weights()
        return _filled(opened, arrays, {}, entry.source, {"sha256": digest})
    if weights is None or weights == RANDOM:
        opened = build(classes or entry.classes)
        told = {"source": f"first values, seed {seed}", "licence": entry.licence}
        return replace(opened, provenance={**opened.provenance, **told}).initialise(seed)
    arrays = read_weights(weights)
    opened = build(entry.classes)
    aliases = entry.aliases()
    units = _units_in(opened, arrays, aliases)
    if units not in (None, entry.classes):
        opened = build(units)
    return _filled(opened, arrays, aliases, str(weights), _origin(Path(weights)))


def _of_symbol(
    path: Path,
    weights: Optional[AnyPath],
    wished: Mapping[str, Any],
    seed: int,
) -> Network:
    graph = without_loss(mxnet.read_symbol(path))
    channels = wished.get("channels") or _channels(graph) or 3
    preprocess = replace(zoo.imagenet(channels=channels), **wished)
    if not {"mean", "std"} <= set(wished):
        text = f"{path.name} does not say how pictures are prepared. {preprocess} Change it by preprocess=."
        progress.current().event("message", text=text)
    bare = Network(graph, {}, {"name": path.name.replace("-symbol.json", "")}, preprocess)
    if weights == RANDOM:
        return bare.initialise(seed)
    file = Path(weights) if weights is not None else mxnet.params_beside(path)
    if file is None:
        raise WeightsError(f"There is no .params file beside {path}.", hint='Give weights=, or weights="random".')
    arrays = read_weights(file)
    needed = _needed(bare)
    if any(plain(name) not in needed for name in arrays):  # the loss layer taken off, or a part of a larger graph
        whole = {node.name for node in mxnet.read_symbol(path).nodes}
        arrays = {name: array for name, array in arrays.items() if name not in whole or name in needed}
    return _filled(bare, arrays, {}, str(file), _origin(file), spelling=str)


def _filled(
    bare: Network,
    arrays: Weights,
    aliases: Mapping[str, str],
    source: str,
    told: Mapping[str, str],
    spelling: Callable[[str], str] = plain,
) -> Network:
    """The network with these arrays as its parameters, if they fit."""
    names = {spelling(name): name for name in _needed(bare)}
    params = match(arrays, names, aliases, source)
    named = {names[name]: array for name, array in params.items()}
    wrong = unusable(bare.graph, named)
    if wrong:
        words = f"The weights in {source} hold numbers that nothing can be computed with."
        raise WeightsError(words, bullets(wrong, 8), half_precision_hint(arrays))
    return replace(bare, params=named, provenance={**bare.provenance, **told}, pretrained=True).check()


def _needed(bare: Network) -> set[str]:
    data = set(bare.graph.inputs)
    return {node.name for node in bare.graph.nodes if node.op == "null" and node.name not in data}


def _units_in(opened: Network, arrays: Weights, aliases: Mapping[str, str]) -> Optional[int]:
    """How many outputs the classifier has whose weight is among these arrays."""
    weight = f"{opened.classifier}_weight"
    for name, array in arrays.items():
        if aliases.get(name, name) == weight or name.endswith(f"_{weight}"):
            return int(array.shape[0])
    return None


def _units(opened: Network) -> int:
    if not opened.classifier:
        return -1
    node = opened.graph.node(opened.classifier)
    return int(node.attrs.get("num_hidden") or node.attrs["num_filter"])


def _channels(graph: Graph) -> Optional[int]:
    """The channels of the pictures, where the input's own attribute says."""
    for name in graph.inputs:
        shape = graph.node(name).attrs.get("__shape__", "")
        numbers = integers(shape) if shape else ()
        if len(numbers) == 4 and numbers[1] in (1, 3):
            return numbers[1]
    return None


def _origin(file: Path) -> dict[str, str]:
    return {
        "source": str(file),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "licence": "unknown",
    }
