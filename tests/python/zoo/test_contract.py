"""What every network of the zoo must do; a new one gets these tests when its file registers it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mxtune import Model
from mxtune.errors import NetworkError
from mxtune.graph import from_json, to_json
from mxtune.network import Network, layers
from mxtune.zoo import entries, entry
from running import NETWORKS, outputs

NAMES = [one.name for one in entries()]
LIGHT = [one.name for one in entries() if one.parameters < 2_000_000]
TOKENS = [one.name for one in entries() if one.name.startswith(("vit_", "deit_"))]  # for images of one size alone
CLASSES = 5


def bare(name: str, size: int, classes: int) -> Network:
    """The network without parameters, for images of this size."""
    one = entry(name)
    preprocess = replace(one.preprocess, size=(size, size))
    return Network(one.build(classes, preprocess.size, preprocess.channels), {}, one.provenance(), preprocess)


@cache
def own(name: str) -> Network:
    """The network as its entry describes it."""
    return bare(name, entry(name).preprocess.size[0], entry(name).classes)


def small(name: str) -> Network:
    """The network for the smallest images that it takes, of a few classes."""
    for size in (28, 32, 64, 96):
        net = bare(name, size, CLASSES)
        try:
            net.shapes  # noqa: B018 - asks if the image is large enough
        except NetworkError:
            continue
        return net
    raise AssertionError(f"{name} takes no small images")


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_counts_rightly(name: str) -> None:
    net, one = own(name), entry(name)
    assert layers.count(net.graph, net.shapes) == one.parameters
    assert net.macs() == one.macs
    assert net.graph.inputs == ("data",) and net.shapes[net.output][0] == (1, one.classes)
    assert one.paper and one.licence


@pytest.mark.parametrize("name", NAMES)
def test_classifier_features_and_resolution_stages_are_found(name: str) -> None:
    net = own(name)
    body, pooled = net.body, net.pooled()
    assert net.classifier not in body.graph and (net.classifier or name.endswith("dinov2"))
    assert len(body.shapes[body.output][0]) == 2
    if name in TOKENS:
        assert pooled.shapes[pooled.output][0][1] > body.shapes[body.output][0][1]
        return
    maps = [net.shapes[stage][0] for stage in net.stages]
    sizes = [shape[2:] for shape in maps]
    assert len(maps) >= 2 and sizes == sorted(set(sizes), reverse=True)
    assert pooled.shapes[pooled.output][0][1] >= 2 * sum(channels for _, channels, *_ in maps)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_comes_back_from_symbol_json(name: str) -> None:
    graph = own(name).graph
    assert from_json(to_json(graph)) == graph


@pytest.mark.parametrize("name", NETWORKS)
def test_small_pictures_are_predicted_by_drawn_weights(name: str) -> None:
    net = small(name).initialise(seed=1)
    pictures = np.random.default_rng(0).normal(size=(2, *net.shapes[net.input][0][1:])).astype("float32")
    logits = outputs(net.graph, net.params, pictures)
    assert logits.shape == (2, CLASSES) and np.isfinite(logits).all() and logits.std() > 0
    assert net.replace_head(3, stages=True).shapes["head"][0] == (1, 3)


@pytest.mark.parametrize("name", LIGHT)
def test_a_model_comes_back_from_its_file(name: str) -> None:
    net = small(name).replace_head(CLASSES, seed=1)
    again = Model.from_bytes(Model(net, "classification", tuple("abcde")).to_bytes()).network
    assert again.graph == net.graph and again.preprocess == net.preprocess and again.classifier == net.classifier
    assert {key: array.tobytes() for key, array in again.params.items()} == {
        key: array.tobytes() for key, array in net.params.items()
    }
