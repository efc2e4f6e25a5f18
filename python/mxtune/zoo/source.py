"""What a name stands for that users give for a network: an entry of the zoo, a file, or a repository of the hub."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Optional, Union

from .. import formats, hub, zoo
from ..arguments import number, user_path
from ..calls import value_text
from ..errors import ArgumentError, HubError, MissingFileError
from ..formats import Contents
from . import Entry, timm_config
from .repository import open_repository
from .timm_config import Config

AnyPath = Union[str, "os.PathLike[str]"]
_ADDRESS = re.compile(r"hf[-_]hub:|https?://[^/]+/")  # how others, and browsers, begin the name of a repository


class File(NamedTuple):
    """A file and its contents; of weights alone also what timm's configuration says, and where they are from."""

    path: Path
    contents: Contents
    config: Optional[Config] = None
    origin: Mapping[str, str] = {}


Source = Union[Entry, File]


def open_source(name_or_path: AnyPath, limit: float = 1.0) -> Source:
    """What this name stands for: an entry of the zoo, or a file with its contents.

    Parameters
    ----------
    limit
        As of `mxnetwork`, for a graph in a file.

    Raises
    ------
    NetworkError
        There is neither; near matches are named.

    Examples
    --------
    >>> open_source("LeNet").name
    'lenet'
    """
    if not isinstance(name_or_path, (str, os.PathLike)) or not os.fspath(name_or_path):
        text = "A network is opened by its name or from a file."
        raise ArgumentError(text, [f"it is {value_text(name_or_path)}"], "mxzoo() lists the names.")
    if hub.is_reference(name_or_path):
        weights, config, origin = open_repository(str(name_or_path))
        return _configured(File(weights, formats.read(weights, limit), config, origin))
    path = user_path("name_or_path", name_or_path)
    name = os.fspath(name_or_path)
    suffixes = tuple(suffix for one in formats.formats() for suffix in one.suffixes)
    is_path = os.sep in name or name.lower().endswith(suffixes)
    symbol = path.parent / f"{path.name}-symbol.json"  # the prefix that MXNet's own functions take
    if not path.exists() and not zoo.has(name) and symbol.is_file():
        path, is_path = symbol, True
    if is_path or (path.exists() and not zoo.has(name)):
        try:
            contents = formats.read(path, number("limit", limit, 0.01, 1_000_000))
        except MissingFileError as fault:
            raise _perhaps_of_the_hub(name, fault, suffixes) from None
        beside = timm_config.beside(path) if path.name in hub.WEIGHTS else None
        return _configured(File(path, contents, beside, beside.facts if beside else {}))
    return zoo.entry(name)


def _configured(file: File) -> File:
    """The file of weights with what timm's configuration says of them, unless it says so itself."""
    if file.config is None or file.contents.preprocess is not None:
        return file._replace(config=None)
    stated = replace(file.contents, preprocess=file.config.preprocess, levels=file.config.levels)
    return file._replace(contents=stated)


def _perhaps_of_the_hub(name: str, fault: MissingFileError, suffixes: tuple[str, ...]) -> MissingFileError:
    """The error for a file that there is not, where its name is that of a repository of the hub."""
    repository = _ADDRESS.sub("", name, count=1)
    try:
        reference = hub.Reference.of(f"{hub.PREFIX}{repository}")
    except HubError:
        return fault
    if name.lower().endswith(suffixes):
        return fault
    return MissingFileError(fault.message, fault.bullets, f'A repository of the Hugging Face hub is "{reference}".')
