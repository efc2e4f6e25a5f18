"""Names of nodes, of which each occurs once."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class Names:
    """The names that are taken.

    Parameters
    ----------
    taken
        Those of the beginning.
    reserved
        Others that a numbered name must not be.

    Examples
    --------
    >>> names = Names(["relu"])
    >>> names.new("relu"), names.new("relu"), names.new("pool")
    ('relu_1', 'relu_2', 'pool')
    """

    def __init__(self, taken: Iterable[str] = (), reserved: Collection[str] = ()) -> None:
        self._taken, self._reserved = set(taken), reserved
        self._numbers: dict[str, int] = {}  # not from 1 again each time: all layers of a file may have one name

    def new(self, name: str) -> str:
        """This name, or with the first number that makes it new; it is taken from now on."""
        candidate, number = name, self._numbers.get(name, 1)
        while candidate in self._taken or (candidate != name and candidate in self._reserved):
            candidate, number = f"{name}_{number}", number + 1
        self._numbers[name] = number
        self._taken.add(candidate)
        return candidate
