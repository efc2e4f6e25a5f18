"""The table of supported operators, made from the registry."""

from __future__ import annotations

from .attributes import REQUIRED
from .base import Operator, all_operators
from .refused import REFUSED

_HEAD = (
    "# Operators",
    "",
    "The operators that a network may use, made from `python/mxtune/ops/`: `mxtune.ops.supported.markdown()`.",
    "",
)
_REFUSED = ("", "Refused on purpose:", "", "| operator | why |", "| --- | --- |")
COLUMNS = ("operator", "aliases", "arguments", "roles", "onnx", "caffe")


def table() -> list[dict[str, str]]:
    """One row per operator: ``operator, aliases, arguments, roles, onnx, caffe``, each as text.

    Examples
    --------
    >>> next(row["arguments"] for row in table() if row["operator"] == "clip")
    'a_min (required), a_max (required)'
    """
    return [_row(operator) for operator in all_operators()]


def _row(operator: Operator) -> dict[str, str]:
    arguments = (
        f"{attribute.name} ({'required' if attribute.default is REQUIRED else attribute.default})"
        for attribute in operator.attributes
    )
    cells = (
        operator.name,
        ", ".join(operator.aliases),
        ", ".join(arguments),
        ", ".join(sorted(operator.roles)),
        operator.onnx,
        operator.caffe,
    )
    return dict(zip(COLUMNS, cells))


def markdown() -> str:
    """The page of supported and of refused operators.

    Examples
    --------
    >>> print(markdown().splitlines()[0])
    # Operators
    """
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(row.values())} |" for row in table()]
    refused = [f"| {name} | {why} |" for name, why in sorted(REFUSED.items())]
    return "\n".join([*_HEAD, *lines, *_REFUSED, *refused]) + "\n"
