"""Which arrays of a file are those of which layer, in both layouts.

The old one (``.h5``) has a group for each layer of the network, with a list of the names of its arrays; those of a
network inside are all in one list, the trained ones before the others; each layer's own keep their order. The new one
(``.keras``, ``.weights.h5``) has a group for each layer by its class and its number: ``layers/conv2d_3/vars/0``; those
inside of another network lie in its group.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from ...words import counted
from ..untrusted import FaultError, shown
from .config import Net
from .hdf5 import Array, Tree

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second of Keras 2.12


@dataclass(frozen=True)
class Place:
    """Where a layer lies: in which networks, and under which name there.

    Parameters
    ----------
    names
        Of the networks around it but the outermost, and of itself.
    classes
        The same as the new layout has it: class and number.
    """

    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def within(self, net: Net) -> dict[str, Place]:
        """The places of a network's layers, where this is that of the network."""
        count: Counter[str] = Counter()
        places = {}
        for layer in net.layers:
            if layer.is_operation:
                continue
            plain = _snake(layer.kind)
            number = count[plain]
            count[plain] += 1
            name = f"{plain}_{number}" if number else plain
            places[layer.name] = Place((*self.names, layer.name), (*self.classes, name))
        return places


class Arrays:
    """The arrays of a file by layer.

    Parameters
    ----------
    tree
        The open file.
    renamed
        Of layers of the outermost network that have another name in the file.
    """

    def __init__(self, tree: Tree, renamed: Optional[Mapping[str, str]] = None) -> None:
        self.tree, self.renamed = tree, renamed or {}
        self.root = "model_weights" if "model_weights" in tree.groups else ""
        self.old = bool(self.root) or bool(tree.texts("", "layer_names"))
        self.container = next((one for one in _CONTAINERS if one in tree.groups), "")
        if not self.old and not self.container:
            raise FaultError(
                "it holds no network of Keras",
                "Files that other programs write as HDF5 are not read: save arrays as .safetensors or .npz.",
            )

    def of(self, place: Place, slots: Sequence[str]) -> list[Array]:
        """The arrays of a layer that has these.

        Raises
        ------
        FaultError
            There are more or fewer.
        """
        paths = self._listed(place) if self.old else self._numbered(place, len(slots))
        if paths is None or len(paths) != len(slots):
            found = counted(len(paths or ()), "array")
            raise FaultError(f"it has {found} in the file, and needs {len(slots)}: {', '.join(slots)}")
        return [self.tree.array(path) for path in paths]

    def width(self, place: Place) -> int:
        """The last side of a layer's first array: of a kernel, the number of its filters; 0 without one."""
        paths = (self._listed(place) if self.old else self._numbered(place, 1)) or [""]
        shape = self.tree.arrays[paths[0]].shape if paths[0] in self.tree.arrays else ()
        return int(shape[-1]) if shape else 0

    def fitted(self, layout: Sequence[tuple[Place, int]]) -> Arrays:
        """These arrays for a network that has so many in each place, whose layers may have other names in the file.

        Raises
        ------
        FaultError
            It has more or fewer.
        """
        if not self.fits(layout):
            raise FaultError("its arrays are those of another network", "Use the description of that one.")
        if not self.old:
            return self
        names, own = [name for name, _ in _by_layer(layout)], [name for name, _ in self._counted()]
        return self if set(names) <= set(own) else Arrays(self.tree, dict(zip(names, own)))

    def fits(self, layout: Sequence[tuple[Place, int]]) -> bool:
        """Whether there are so many arrays in each place: by their paths, or layer by layer."""
        if not self.old:
            return {self._path(place): count for place, count in layout} == self._counted_paths
        wanted = _by_layer(layout)
        return [count for _, count in wanted] == [count for _, count in self._counted()] or dict(wanted) == dict(
            self._counted()
        )

    def _counted(self) -> list[tuple[str, int]]:
        """Each layer of the outermost network that has arrays, and how many."""
        groups = {name: self._group(name) for name in self.tree.texts(self.root, "layer_names")}
        counts = (
            (name, len(self.tree.texts(at, "weight_names"))) for name, at in groups.items() if at in self.tree.groups
        )
        return [(name, count) for name, count in counts if count]

    @cached_property
    def _counted_paths(self) -> dict[str, int]:
        """The places in the new layout, and how many arrays they have."""
        own = re.compile(rf"((?:{self.container}/[^/]+/)*{self.container}/[^/]+)/vars/\d+")
        return dict(Counter(match[1] for path in self.tree.arrays if (match := own.fullmatch(path))))

    def _group(self, layer: str) -> str:
        name = self.renamed.get(layer, layer)
        return f"{self.root}/{name}" if self.root else name

    def _path(self, place: Place) -> str:
        return "/".join(f"{self.container}/{name}" for name in place.classes)

    def _numbered(self, place: Place, count: int) -> Optional[list[str]]:
        path = self._path(place)
        found = [f"{path}/vars/{number}" for number in range(count)]
        more = f"{path}/vars/{count}" in self.tree.arrays
        return [one for one in found if one in self.tree.arrays] + [""] * more

    def _listed(self, place: Place) -> Optional[list[str]]:
        """The paths of a layer's arrays, which the group of the outermost layer lists by name."""
        group = self._group(place.names[0])
        if group not in self.tree.groups:
            return None
        names = self.tree.texts(group, "weight_names")
        if len(place.names) > 1:
            names = _of_layer(names, place.names[-1])
        paths = [f"{group}/{name}" for name in names]
        if missing := [path for path in paths if path not in self.tree.arrays]:
            raise FaultError(f"the array {shown(missing[0])} is not in the file")
        return paths


def _by_layer(layout: Sequence[tuple[Place, int]]) -> list[tuple[str, int]]:
    """How many arrays each layer of the outermost network has, in order."""
    counts: dict[str, int] = {}
    for place, count in layout:
        counts[place.names[0]] = counts.get(place.names[0], 0) + count
    return list(counts.items())


def _snake(name: str) -> str:
    """A class as Keras writes it in paths: ``Conv2D`` is ``conv2d``, ``InputLayer`` is ``input_layer``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _of_layer(names: Sequence[str], layer: str) -> list[str]:
    """The names of a layer's arrays: ``conv1/kernel:0``, or behind those of networks around it: ``body/conv1/kernel``.

    A layer's own name may have parts, too: ``conv1/bn``.
    """
    parts = [name.split("/") for name in names]
    for around in range(max(map(len, parts), default=0) - 1):
        found = [name for name, own in zip(names, parts) if "/".join(own[around:-1]) == layer]
        if found:
            return found
    return []
