"""The networks of MXNet's own zoo, architectures for weights that users bring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from ..graph import Graph, Node, rename, replace_node
from ..graph.data import is_true
from . import Entry, imagenet, register

_PAPERS = {
    "alexnet": "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
    "densenet": "Huang et al. 2017, Densely connected convolutional networks",
    "inception": "Szegedy et al. 2016, Rethinking the inception architecture for computer vision",
    "mobilenetv2": "Sandler et al. 2018, MobileNetV2: inverted residuals and linear bottlenecks",
    "mobilenet": "Howard et al. 2017, MobileNets: efficient convolutional neural networks for mobile vision",
    "resnet_v1": "He et al. 2016, Deep residual learning for image recognition",
    "resnet_v2": "He et al. 2016, Identity mappings in deep residual networks",
    "squeezenet": "Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters",
    "vgg": "Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition",
}
# name: parameters, macs; for 1000 classes and the network's own size. A test computes them again.
_COUNTS: Mapping[str, tuple[int, int]] = {
    "alexnet": (61_100_840, 714_188_480),
    "densenet121": (7_978_856, 2_834_161_664),
    "densenet161": (28_681_000, 7_727_907_072),
    "densenet169": (14_149_480, 3_359_843_328),
    "densenet201": (20_013_928, 4_291_365_888),
    "inceptionv3": (23_834_568, 5_713_216_096),
    "mobilenet0.25": (470_072, 41_030_272),
    "mobilenet0.5": (1_331_592, 149_497_088),
    "mobilenet0.75": (2_585_560, 325_400_448),
    "mobilenet1.0": (4_231_976, 568_740_352),
    "mobilenetv2_0.25": (1_516_392, 30_480_864),
    "mobilenetv2_0.5": (1_964_736, 92_271_040),
    "mobilenetv2_0.75": (2_627_592, 186_650_528),
    "mobilenetv2_1.0": (3_504_960, 313_619_328),
    "resnet101_v1": (44_589_800, 7_570_194_432),
    "resnet101_v2": (44_541_614, 7_801_405_440),
    "resnet152_v1": (60_252_648, 11_282_415_616),
    "resnet152_v2": (60_185_262, 11_513_626_624),
    "resnet18_v1": (11_689_512, 1_814_073_344),
    "resnet18_v2": (11_687_854, 1_814_073_344),
    "resnet34_v1": (21_797_672, 3_663_761_408),
    "resnet34_v2": (21_796_014, 3_663_761_408),
    "resnet50_v1": (25_575_912, 3_857_973_248),
    "resnet50_v2": (25_549_486, 4_089_184_256),
    "squeezenet1.0": (1_248_424, 818_924_576),
    "squeezenet1.1": (1_235_496, 349_151_936),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg11_bn": (132_868_840, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg13_bn": (133_053_736, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg16_bn": (138_365_992, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "vgg19_bn": (143_678_248, 19_632_062_464),
}
_SIZES = {"inceptionv3": 299}
_URL = "https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/gluon/model_zoo/index.html"
_NAMES = (
    (re.compile(r"_fwd$"), ""),
    (re.compile(r"^(.*flatten\d+)_flatten\d+$"), r"\1"),
    (re.compile(r"relu6(\d+)_relu6$"), r"relu6_\1"),
    (re.compile(r"__plus(\d+)$"), r"_add\1"),
    (re.compile(r"_elemwise_add(\d+)$"), r"_add"),
)


def build(name: str, classes: int, size: tuple[int, int], channels: int) -> Graph:  # noqa: ARG001
    """The graph with readable names, and its last average over all of the map whatever the picture's size.

    Gluon writes that last pooling of DenseNet, Inception and SqueezeNet for one size of picture only.
    """
    from ..engines.mxnet import symbols

    graph = symbols.gluon_graph(name, classes)
    graph = Graph(tuple(_bare(node) for node in graph.nodes), graph.heads)
    graph = rename(graph, _readable(graph))
    last = [node for node in graph.nodes if node.op == "Pooling"][-1]
    attrs = last.attrs
    whole = attrs.get("pool_type") == "avg" and attrs.get("kernel") == attrs.get("stride")
    if whole and not is_true(attrs.get("global_pool", "False")):
        node = replace(last, attrs={"pool_type": "avg", "kernel": "(1, 1)", "global_pool": "True"})
        graph = replace_node(graph, last.name, node)
    return graph


def _bare(node: Node) -> Node:
    """A variable without Gluon's notes on how to initialise and train it, which hold unknown shapes."""
    return Node(node.name) if node.op == "null" else node


def _readable(graph: Graph) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == "null":
            continue
        name = node.name
        for pattern, text in _NAMES:
            name = pattern.sub(text, name)
        if name != node.name:
            names[node.name] = graph.fresh(name, list(names.values()))
    return names


def aliases(name: str) -> Mapping[str, str]:
    """The names of Gluon's ``save_parameters`` (``"features.0.weight"``) to ours."""
    from ..engines.mxnet import symbols

    return symbols.gluon_aliases(name)


def _paper(name: str) -> str:
    """The paper of the family whose name begins as this one does, and ends in the same version."""
    family = f"resnet_{name[-2:]}" if name.startswith("resnet") else name
    return next(paper for start, paper in _PAPERS.items() if family.startswith(start))


for _name, (_parameters, _macs) in _COUNTS.items():
    register(
        Entry(
            name=_name,
            build=partial(build, _name),
            preprocess=imagenet((_SIZES.get(_name, 224),) * 2),
            parameters=_parameters,
            macs=_macs,
            licence="Apache-2.0",
            url=_URL,
            paper=_paper(_name),
            aliases=partial(aliases, _name),
        )
    )
