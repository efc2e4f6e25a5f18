"""Tables of names from PyTorch, where a parameter is named after its layer: ``"bn1"`` has ``"bn1.running_mean"``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import NameTable

_CONVOLUTION = {"weight": "weight"}
_DENSE = {"weight": "weight", "bias": "bias"}
_BATCHNORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_var": "running_var"}


def table(
    source: str,
    convolutions: Mapping[str, str],
    batchnorms: Mapping[str, str],
    dense: Mapping[str, str],
) -> NameTable:
    """The table of a network's parameters from one of its layers.

    Parameters
    ----------
    source
        Whose names they are.
    convolutions, batchnorms, dense
        For each layer of ours its name there: convolutions without bias, batch normalisations, dense layers with bias.

    Examples
    --------
    >>> table("timm", {"stem_conv": "conv_stem"}, {}, {"classifier": "fc"}).theirs["classifier_bias"]
    'fc.bias'
    """
    kinds = ((convolutions, _CONVOLUTION), (batchnorms, _BATCHNORM), (dense, _DENSE))
    return NameTable(source, dict(pair for layers, parts in kinds for pair in _parameters(layers, parts)))


def _parameters(layers: Mapping[str, str], parts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for ours, theirs in layers.items():
        for our_part, their_part in parts.items():
            yield f"{ours}_{our_part}", f"{theirs}.{their_part}"
