"""`mxnetwork`: a network by its name in the zoo, or from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Optional, Union

from .. import formats, progress, zoo
from ..arguments import height_and_width, number, user_path, whole
from ..calls import value_text
from ..errors import ArgumentError, NetworkError, WeightsError
from ..formats import Contents, Weights
from ..formats.given import Arrays, arrays_given
from ..formats.matching import as_parameters, in_shape, under_our_names, without
from ..formats.npz import is_ordered
from ..formats.ordered import in_order
from ..formats.untrusted import naming
from ..graph import Graph, without_loss
from ..images.preprocess import Preprocess
from ..network.data import Network
from ..network.positions import misfits
from ..network.values import half_precision_hint, unusable
from ..spec import settings
from ..words import bullets, listing
from . import Entry
from .assumed import assumed_preprocess
from .source import AnyPath, File, Source, open_source
from .twin import fits, fitting, own_parameters, parameters, tables_of_twin

RANDOM = "random"
Given = Union[Path, Weights, str, None]  # the argument `weights`: a file, arrays, `RANDOM`, or the network's own
Found = tuple[Contents, dict[str, str]]
"""Weights with what their file says, and their origin."""


def mxnetwork(
    name_or_path: AnyPath,
    weights: Union[AnyPath, Arrays, None] = None,
    classes: Optional[int] = None,
    image_size: Union[int, Iterable[int], None] = None,
    seed: int = 0,
    channels: Optional[int] = None,
    preprocess: Union[Preprocess, Mapping[str, Any], None] = None,
    limit: float = 1,
) -> Network:
    """A network with its weights, by its name in the zoo or from a file.

    Parameters
    ----------
    name_or_path
        A name that `mxzoo` lists; or a file that holds a network: a ``.mxt`` model, a ``.keras`` or ``.h5`` file of
        Keras, an ``.onnx`` file of any framework, a ``-symbol.json`` of MXNet, or a ``.prototxt`` of Caffe; a loss or
        softmax at its end is taken off, and a normalisation that a file of Keras or an ``.onnx`` file begins with
        becomes `preprocess`. A file of weights alone (``.pth``, ``.safetensors``, ``.bin``, ``.h5``) leads to the
        network of torchvision, timm, keras.applications or the zoo whose names and shapes it has; `config.json` of timm
        beside it says which, and how images are prepared. The ``.json`` of a network of Keras (``model.to_json()``)
        needs its `weights`. ``"hf:timm/resnet18.a1_in1k"`` is a repository of timm on the Hugging Face hub,
        ``"@revision"`` may follow: it is downloaded once, and then opened from the hub's cache without a network
        (extra ``hub``).
    weights
        None: the zoo's own where it has any (otherwise initial values drawn from `seed`), or the file next to the one
        with the network: ``.params``, ``.caffemodel``. A file of MXNet, PyTorch, Caffe or safetensors: these, under the
        network's own names or those that Gluon, timm and others have for it. Arrays by name (a state dict) or in the
        order of Theano's and Lasagne's programs (``.npz``, or a list), whose kernels are turned. ``"random"``: initial
        values.
    classes
        Number of outputs. If it is not that of the weights, the classifier is a new one.
    image_size
        Pixels: height and width, or one number for both; the network's own if None.
    seed
        Of initial values.
    channels
        1, 3 or 4, for networks that have no weights yet; the network's own if None. `Network.with_channels` changes
        their number and keeps the weights.
    preprocess
        How images become numbers: a `Preprocess`, or some of its settings by name. What is not named stays the
        network's own; if a file does not specify it, that of ImageNet. Networks of Keras that usually take blue, green
        and red take red first, with their usual mean and std; with both given, colours are not turned.
    limit
        How many times the limits of `mxtune.graph.Limits` the network may need, in memory and work for one image. The
        networks of the zoo need half or less of it.

    Raises
    ------
    NetworkError
        No such name (near matches are named), or the file holds no network that can be trusted.
    HubError
        The repository does not exist, is not reachable, or access to it needs a token.
    MissingFileError, FormatError, UnsupportedFormatError
        There is no such file; or it is of no known format, or of one that is not read on purpose.
    WeightsError
        The weights are missing, damaged, or those of another network; the parameters are named.

    Examples
    --------
    >>> from mxtune import mxnetwork
    >>> mxnetwork("lenet", classes=10)
    <Network lenet: 431,080 parameters, 8 of 8 arrays trainable, images of 28 x 28, output classifier>
    """
    source = open_source(name_or_path, limit)
    return network_of(source, weights, classes, image_size, seed, channels, preprocess, limit)


def _naming_files(build: Callable[..., Network]) -> Callable[..., Network]:
    """What is wrong with a network names one of the files that it is made of."""

    @wraps(build)
    def network_of(source: Source, weights: Any = None, *arguments: Any, **named: Any) -> Network:
        own = [Path(source.origin.get("source", source.path))] if isinstance(source, File) else []
        given = source.contents.weights_file if weights is None and isinstance(source, File) else weights
        files = [Path(given)] if isinstance(given, (str, os.PathLike)) and given != RANDOM else []
        with naming(*files, *own):
            return build(source, weights, *arguments, **named)

    return network_of


@_naming_files
def network_of(
    source: Source,
    weights: Union[AnyPath, Arrays, None] = None,
    classes: Optional[int] = None,
    image_size: Union[int, Iterable[int], None] = None,
    seed: int = 0,
    channels: Optional[int] = None,
    preprocess: Union[Preprocess, Mapping[str, Any], None] = None,
    limit: float = 1,
) -> Network:
    """The network of what `open_source` found; arguments and errors are those of `mxnetwork`."""
    given = _weights(weights)
    classes = None if classes is None else whole("classes", classes, 1)
    limit = number("limit", limit, 0.01, 1_000_000)
    requested = _requested(preprocess, image_size, channels)
    source, given = _with_weights(source, given)
    own_file = source if isinstance(source, File) and source.contents.graph is None else None
    if own_file is not None:  # of weights alone, whose network is known by them
        source = _owner(own_file, given)
    if isinstance(source, Entry):
        found = (own_file.contents, _origin(own_file)) if own_file is not None else None
        if given is not None:
            found = None if isinstance(given, str) else _weights_of(given)
        network = _of_zoo(source, found, isinstance(given, str), classes, requested, seed, limit)
    elif source.contents.preprocess is not None or source.contents.graph is None:
        network = _of_model(source, given, requested.get("channels"))
    else:
        network = _of_graph(source, source.contents.graph, given, requested, seed, limit)
    if requested:
        network = replace(network, preprocess=replace(network.preprocess, **requested))
    if requested and isinstance(source, Entry):
        network = replace(network, provenance={**network.provenance, **_as_given(requested, network, source)})
    if classes is not None and classes != _units(network):
        network = network.replace_head(classes, seed=seed, stages=False)
    return network.check()


def _weights(weights: Any) -> Given:
    """The argument: a file's path, arrays by name, `RANDOM`, or None."""
    if weights is None or (isinstance(weights, str) and weights == RANDOM):
        return weights
    if isinstance(weights, (Mapping, Sequence)) and not isinstance(weights, (str, bytes, bytearray)):
        return arrays_given(weights)
    if not isinstance(weights, (str, os.PathLike)):
        text = "`weights` must be a file, or arrays in a list or by name."
        raise ArgumentError(text, [f"it is {value_text(weights)}"])
    return user_path("weights", weights)


def _with_weights(source: Source, given: Given) -> tuple[Source, Given]:
    """A description of a network that is read together with its weights; the rest as it is."""
    if not isinstance(source, File) or source.contents.with_weights is None:
        return source, given
    if not isinstance(given, Path):
        hint = "Set `weights` to the file in which they were saved."
        raise WeightsError(f"{source.path} describes a network, and has no weights.", hint=hint)
    return File(given, source.contents.with_weights(given)), None


def _requested(preprocess: Any, image_size: Any, channels: Any) -> dict[str, Any]:
    """The settings of `Preprocess` that the user named, by whichever argument."""
    if isinstance(preprocess, Preprocess):
        preprocess = preprocess.to_dict()
    elif not isinstance(preprocess, (Mapping, type(None))):
        text = "`preprocess` must be settings by name."
        raise ArgumentError(text, [f"it is {value_text(preprocess)}"])
    requested = settings(Preprocess, preprocess or {})
    if image_size is not None:
        requested["size"] = height_and_width("image_size", image_size)
    if channels is not None or "channels" in requested:
        requested["channels"] = whole("channels", requested.get("channels") if channels is None else channels, 1)
    return requested


def _as_given(requested: Mapping[str, Any], network: Network, entry: Entry) -> dict[str, str]:
    """Which settings the user chose although they are the zoo's own: training leaves these as they are."""
    same = [name for name in requested if getattr(network.preprocess, name) == getattr(entry.preprocess, name)]
    return {"preprocess": f"{', '.join(same)} as given"} if same else {}


def _owner(file: File, weights: Given) -> Entry:
    """The network of the zoo to which a file of weights belongs, by their names and shapes; it is said which.

    Raises
    ------
    NetworkError
        There is none.
    """
    arrays, stated = file.contents.weights or {}, file.contents.provenance.get("name", "")
    if file.config is not None and weights is None:
        entries = file.config.entries()
        if not entries:
            raise file.config.no_entry(str(file.path))
        return next((entry for entry in entries if fits(entry, arrays)), entries[0])
    names = [stated] if zoo.has(stated) and fits(zoo.entry(stated), arrays) else fitting(arrays)
    if not names or not (weights is None or isinstance(weights, str)):
        call = 'mxnetwork("{}", weights="{}")'.format(names[0] if names else "name", file.path)
        hint = f"Use {call}." if names else f"Name the network that they belong to: {call}; mxzoo() lists the names."
        raise NetworkError(f"{file.path} holds weights, and no network to put them into.", hint=hint)
    called = zoo.normalised(file.path.name)
    name = max((one for one in names if zoo.normalised(one) in called), key=len, default=names[0])
    others = [one for one in names if one != name]
    more = f" They fit {listing(others)} too: name one, with weights=, if that is meant." if others else ""
    progress.current().event("message", text=f"{file.path.name} holds weights of {name}.{more}")
    return zoo.entry(name)


def _of_model(file: File, weights: Given, channels: Optional[int]) -> Network:
    if weights is not None:
        raise NetworkError(f"{file.path} has weights of its own.", hint="Leave out `weights`.")
    network = file.contents.network
    if channels not in (None, network.preprocess.channels):
        raise NetworkError(f"{file.path} takes images of {network.preprocess.channels} channels, not {channels}.")
    return network


def _of_zoo(
    entry: Entry,
    found: Optional[Found],
    is_random: bool,
    classes: Optional[int],
    requested: Mapping[str, Any],
    seed: int,
    limit: float,
) -> Network:
    """The network of an entry, with the weights of a file if there is one, prepared as that says."""
    arrays: Optional[Weights] = None
    stated: Optional[Preprocess] = None
    if found is not None:
        contents, origin = found
        arrays = contents.weights or {}
        entry = _namesake(entry, arrays) or entry
        stated = contents.preprocess if contents.graph is None else None
    elif entry.weights is not None and not is_random:
        arrays, digest = entry.weights()
        origin = {"source": entry.source, "sha256": digest}
    size, channels = (requested.get(key, getattr(stated, key, None)) for key in ("size", "channels"))
    preprocess = entry.preprocess_for(size, channels)
    if stated is not None:
        preprocess = replace(stated, size=preprocess.size)
    if arrays is not None and "size" in requested and entry.weights is None:
        network = Network(entry.build(entry.classes, size, preprocess.channels), {}, {}, preprocess, limit=limit)
        if misfits(network.graph, under_our_names(arrays, parameters(network.graph)), network.shapes):
            others = {key: value for key, value in requested.items() if key != "size"}
            return _of_zoo(entry, found, is_random, classes, others, seed, limit).with_image_size(size)

    def build(units: int) -> Network:
        graph = entry.build(units, preprocess.size, preprocess.channels)
        return Network(graph, {}, entry.provenance(), preprocess, limit=limit)

    if arrays is None:
        network = build(classes or entry.classes)
        origin = {"source": f"initial values, seed {seed}", "licence": entry.licence}
        return replace(network, provenance={**network.provenance, **origin}).initialise(seed)
    network = build(entry.classes)
    tables = entry.names()
    arrays = without(arrays, entry.ignored)
    arrays = _named(arrays, network.graph) or under_our_names(arrays, parameters(network.graph), tables)
    outputs = next((arrays[name] for name in own_parameters(network) if name in arrays), None)
    if outputs is not None and outputs.ndim and len(outputs) != entry.classes:
        network = build(len(outputs))
    shapes = network.shapes
    arrays = {name: in_shape(array, shapes[name][0]) if name in shapes else array for name, array in arrays.items()}
    sources = listing(["the network's own", *(f"those of {table.source}" for table in tables)])
    network = _filled(network, arrays, origin, f"Supported names: {sources}.")
    levels = contents.levels if found is not None else entry.levels()
    return replace(network, levels=_levels(network, levels))


def _namesake(entry: Entry, arrays: Weights) -> Optional[Entry]:
    """The network of the same name in another library to which these weights belong: ``vgg11.torchvision``."""
    start = f"{entry.name}."
    if not any(one.name.startswith(start) for one in zoo.entries()) or fits(entry, arrays):
        return None
    names = fitting(arrays, start)
    return zoo.entry(names[0]) if names else None


def _of_graph(
    file: File, graph: Graph, weights: Given, requested: Mapping[str, Any], seed: int, limit: float
) -> Network:
    bare = without_loss(graph)
    arrays: Weights = {}
    origin: dict[str, str] = {}
    if weights is None and file.contents.weights is not None:
        arrays, origin = file.contents.weights, _origin(file)
    elif not isinstance(weights, str):
        taken = file.contents.weights_file if weights is None else weights
        if taken is None:
            hint = 'Set `weights` to a file, or to "random".'
            raise WeightsError(f"There is no file of weights next to {file.path}.", hint=hint)
        found, origin = _weights_of(taken)
        arrays = found.weights or {}
        arrays = _under_names_of(bare, arrays)
        others = {node.name for node in graph.nodes} - parameters(bare, arrays)  # the loss, or a part of a larger graph
        arrays = {name: array for name, array in arrays.items() if name not in others}
    usual = file.contents.usual
    stated = {**_stated_size(file.contents), **requested}
    preprocess = replace(usual, **requested) if usual else assumed_preprocess(bare, arrays, stated)
    is_users_own = {"mean", "std"} <= set(requested)
    if weights is None and not is_users_own:
        arrays = {**arrays, **file.contents.usual_weights}
    if not (file.contents.usual_is_stated or is_users_own):
        known = file.contents.usual_of
        why = f" By its name it is {known}, whose images are prepared so:" if known else ""
        unsaid = f"{file.path.name} does not specify how images are prepared.{why}"
        text = f"{unsaid} {preprocess} Set `preprocess` to change this."
        progress.current().event("message", text=text)
    network = Network(bare, {}, dict(file.contents.provenance), preprocess, limit=limit)
    if isinstance(weights, str):
        return network.initialise(seed)
    return replace(_filled(network, arrays, origin), levels=_levels(network, file.contents.levels))


def _stated_size(contents: Contents) -> dict[str, Any]:
    """Channels and size of the images that a file says it takes, as settings of `Preprocess`."""
    if contents.image is None:
        return {}
    channels, *size = contents.image
    return {"channels": channels, "size": tuple(size)}


def _levels(network: Network, levels: Optional[tuple[str, ...]]) -> Optional[tuple[str, ...]]:
    """What a file says that the outputs mean, if it says so of each."""
    return levels if levels is not None and _units(network) == len(levels) else None


def _under_names_of(graph: Graph, arrays: Weights) -> Weights:
    """The arrays under the names of a graph; Gluon's ``save_parameters`` and its ``export`` differ in these."""
    needed = parameters(graph, arrays)
    named = _named(arrays, graph) or under_our_names(arrays, needed)
    return named if needed <= set(named) else under_our_names(arrays, needed, tables_of_twin(graph))


def _named(arrays: Weights, graph: Graph) -> Weights:
    """Arrays that have only numbers under the names of a graph's parameters; empty for arrays that have names."""
    return in_order(list(arrays.values()), graph, parameters(graph)) if arrays and is_ordered(arrays) else {}


def _weights_of(given: Union[Path, Weights]) -> Found:
    """What a file of weights holds, or the arrays that are given, and their origin.

    Raises
    ------
    WeightsError
        The file has no weights.
    """
    if not isinstance(given, Path):
        return Contents(weights=given), {"source": "memory", "licence": "unknown"}
    contents = formats.read(given)
    if contents.weights is None:
        raise WeightsError(f"{given} contains no weights.")
    return contents, _origin(File(given, contents))


def _origin(file: File) -> dict[str, str]:
    licence = file.contents.provenance.get("licence", "unknown")
    return {"source": str(file.path), "sha256": formats.sha256(file.path), "licence": licence, **file.origin}


def _filled(bare: Network, arrays: Weights, origin: Mapping[str, str], hint: Optional[str] = None) -> Network:
    """The network with these arrays as its parameters, if they fit."""
    params = as_parameters(arrays, parameters(bare.graph, arrays), origin["source"], hint)
    wrong = unusable(bare.graph, params)
    if wrong:
        words = f"The weights in {origin['source']} contain unusable numbers."
        raise WeightsError(words, bullets(wrong, 8), half_precision_hint(arrays))
    return replace(bare, params=params, provenance={**bare.provenance, **origin}, pretrained=True).check()


def _units(network: Network) -> int:
    if not network.classifier:
        return -1
    node = network.graph.node(network.classifier)
    return int(node.attrs.get("num_hidden") or node.attrs["num_filter"])
