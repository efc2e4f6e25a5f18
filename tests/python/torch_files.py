"""Files of PyTorch, written without it: any pickle, honest or not, in both layouts of ``torch.save``."""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from typing import Any

from mxtune.formats.torch import MAGIC, PROTOCOL

MAGIC_PROTOCOL = (MAGIC, PROTOCOL)
MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class Named:
    """Pickles as a global of another module, which need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Called:
    """Pickles as a call of a global."""

    def __init__(self, what: Named, *arguments: Any) -> None:
        self.what, self.arguments = what, arguments


class Storage:
    """Pickles as a persistent id."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.identity = ("storage", Named("torch", kind), key, "cpu", count)


class Pickler(pickle._Pickler):  # the one in Python: globals are written as told
    def __init__(self, file: io.BytesIO, legacy: bool = True) -> None:
        super().__init__(file, protocol=2)
        self.legacy = legacy

    def persistent_id(self, thing: Any) -> Any:
        if not isinstance(thing, Storage):
            return None
        return (*thing.identity, None) if self.legacy else thing.identity

    def save(self, thing: Any, save_persistent_id: bool = True) -> None:
        if isinstance(thing, Named):
            self.write(b"c" + f"{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, Called):
            self.save(thing.what)
            self.save(thing.arguments)
            self.write(b"R")
        else:
            super().save(thing, save_persistent_id)


def pickled(thing: Any, legacy: bool = True) -> bytes:
    file = io.BytesIO()
    Pickler(file, legacy).dump(thing)
    return file.getvalue()


def tensor(
    key: str,
    count: int,
    size: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int = 0,
    kind: str = "Float",
) -> Called:
    storage = Storage(f"{kind}Storage", key, count)
    return Called(
        Named("torch._utils", "_rebuild_tensor_v2"),
        storage,
        offset,
        size,
        strides,
        False,
        collections.OrderedDict(),
    )


def legacy(content: Any, storages: dict[str, bytes], counts: dict[str, int], machine: Any = MACHINE) -> bytes:
    parts = [pickled(thing) for thing in (MAGIC, PROTOCOL, machine, content, list(storages))]
    return b"".join(parts) + b"".join(struct.pack("<q", counts[key]) + raw for key, raw in storages.items())


def zipped(content: Any, storages: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("model/data.pkl", pickled(content, legacy=False))
        archive.writestr("model/byteorder", "little")
        for key, raw in storages.items():
            archive.writestr(f"model/data/{key}", raw)
    return file.getvalue()
