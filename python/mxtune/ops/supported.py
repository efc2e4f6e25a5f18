"""The table of supported operators, made from the registry."""

from __future__ import annotations

from .attributes import REQUIRED
from .base import Operator, all_operators

COLUMNS = ("operator", "family", "aliases", "arguments", "roles", "onnx", "caffe")


def table() -> list[dict[str, str]]:
    """One row an operator: ``operator, family, aliases, arguments, roles, onnx, caffe``, each as text.

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
        operator.shapes.__module__.rpartition(".")[2],
        ", ".join(operator.aliases),
        ", ".join(arguments),
        ", ".join(sorted(operator.roles)),
        operator.onnx,
        operator.caffe,
    )
    return dict(zip(COLUMNS, cells))


def markdown() -> str:
    """The table as a page of the manual.

    Examples
    --------
    >>> print(markdown().splitlines()[0])
    | operator | family | aliases | arguments | roles | onnx | caffe |
    """
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row.values())} |" for row in table())]) + "\n"
