"""The names of EfficientNet-PyTorch (Melas-Kyriazi) for networks whose parameters have timm's names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import NameTable

_OUTSIDE = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
_STEPS = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
_BLOCK = re.compile(r"(blocks\.(\d+)\.(\d+))\.(conv_pwl?|conv_dw|bn\d)\.(\w+)")


def table(parameters: Iterable[str]) -> NameTable:
    """What EfficientNet-PyTorch calls the parameters of an EfficientNet-Lite: it numbers blocks throughout.

    Examples
    --------
    >>> names = ["bn1.weight", "blocks.0.0.conv_dw.weight", "blocks.0.0.conv_pw.weight", "blocks.0.0.bn2.bias"]
    >>> list(table(names).theirs.values())[:3]
    ['_blocks.0._depthwise_conv.weight', '_blocks.0._project_conv.weight', '_blocks.0._bn2.bias']
    """
    names = list(parameters)
    found = [match for name in names if (match := _BLOCK.fullmatch(name))]
    blocks = sorted({(int(match[2]), int(match[3])) for match in found})
    expanded = {match[1] for match in found if match[4] == "conv_pwl"}
    theirs = {}
    for match in found:
        steps = _STEPS if match[1] in expanded else _STEPS[1:]
        order = ("conv_pw", "conv_dw", "conv_pwl") if match[1] in expanded else ("conv_dw", "conv_pw")
        is_norm = match[4].startswith("bn")
        place = int(match[4][2:]) - 1 if is_norm else order.index(match[4])
        block = blocks.index((int(match[2]), int(match[3])))
        theirs[match[0]] = f"_blocks.{block}.{steps[place][is_norm]}.{match[5]}"
    for name in names:
        layer, _, part = name.rpartition(".")
        if layer in _OUTSIDE:
            theirs[name] = f"{_OUTSIDE[layer]}.{part}"
    return NameTable("EfficientNet-PyTorch", theirs)
