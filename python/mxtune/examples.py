"""Example images that come with the package: folders of class folders, found wherever it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Union, overload

from .errors import ArgumentError, MxtuneError

_HERE = Path(__file__).resolve().parent


def _folder() -> Path:
    """Where the examples are: in a wheel, in the repository, or in an R package that carries this source."""
    root = _HERE.parents[1]
    for place in (_HERE / "extdata", root / "inst" / "extdata", root / "extdata"):
        if place.is_dir():
            return place
    raise MxtuneError(
        "The example images are missing from this installation of mxtune.",
        hint="Install the package again: its wheel carries them.",
    )


@overload
def mxexample() -> list[str]: ...
@overload
def mxexample(name: str) -> str: ...
def mxexample(name: Optional[str] = None) -> Union[str, list[str]]:
    """Where example images are: the path of a folder of class folders; without a name, the names there are.

    Parameters
    ----------
    name
        ``"fashion"``: 400 grey images of 28 x 28 pixels, 40 in each of 10 classes of clothes and shoes,
        from Fashion-MNIST (Xiao, Rasul and Vollgraf 2017; MIT licence, included).

    Raises
    ------
    ArgumentError
        There are no examples of this name.

    Examples
    --------
    >>> mxexample()
    ['fashion']
    >>> from pathlib import Path
    >>> sorted(folder.name for folder in Path(mxexample("fashion")).iterdir())[:3]
    ['ankle_boot', 'bag', 'coat']
    """
    folder = _folder()
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if name is None:
        return names
    if name not in names:
        raise ArgumentError(f'No example images are called "{name}".', hint=f"There are: {', '.join(names)}.")
    return str(folder / name)
