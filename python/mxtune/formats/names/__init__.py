"""Other frameworks' names for the parameters of a network: tables that work both ways.

``NameTable`` is one such table, of one network. ``torch`` makes them from the names of layers, since PyTorch derives a
parameter's name from its layer's. An entry of the zoo carries the tables of its network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class NameTable:
    """What another framework, or another implementation, calls the parameters of one network.

    Parameters
    ----------
    source
        Whose names they are, for messages: ``"timm"``.
    theirs
        For each parameter of ours its name there; no name twice.

    Raises
    ------
    ValueError
        Two parameters have one name.

    Examples
    --------
    >>> table = NameTable("timm", {"stem_conv_weight": "conv_stem.weight"})
    >>> table.to_theirs({"stem_conv_weight": 1}), table.ours["conv_stem.weight"]
    ({'conv_stem.weight': 1}, 'stem_conv_weight')
    """

    source: str
    theirs: Mapping[str, str]

    def __post_init__(self) -> None:
        if len(self.ours) < len(self.theirs):
            raise ValueError(f"the table of {self.source} gives two parameters the same name")

    @cached_property
    def ours(self) -> Mapping[str, str]:
        """For each of their names, the parameter."""
        return {theirs: ours for ours, theirs in self.theirs.items()}

    def to_theirs(self, values: Mapping[str, _Value]) -> dict[str, _Value]:
        """The same values under their names; a name that the table lacks stays as it is."""
        return {self.theirs.get(name, name): value for name, value in values.items()}
