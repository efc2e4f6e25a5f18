"""HDF5 files that lead elsewhere, claim more than they hold, or bring code."""

from __future__ import annotations

import base64
import io
import json
import marshal
import random
from typing import Any

import h5py
import numpy as np

from .pickles import CANARY
from .trees import json_changed

_TYPES = ("O", "S9", "c8", "f2", ">f8", "?", "i8", [("a", "f4"), ("b", "f4")], h5py.special_dtype(ref=h5py.Reference))


def hdf5_changed(rng: random.Random, content: bytes) -> bytes:
    """A link, a data set or the description in place of another."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        arrays: list[str] = []
        file.visititems(lambda name, one: arrays.append(name) if isinstance(one, h5py.Dataset) else None)
        if not arrays:
            raise ValueError("no arrays")
        name = rng.choice(arrays)
        shape = file[name].shape
        del file[name]
        _put(rng, file, name, shape, rng.choice([one for one in arrays if one != name] or [name]))
    return stream.getvalue()


def _put(rng: random.Random, file: Any, name: str, shape: tuple[int, ...], other: str) -> None:
    what = rng.randrange(11)
    size = int(np.prod(shape)) * 4
    if what == 0:
        file[name] = h5py.ExternalLink(rng.choice(["/etc/passwd", "other.h5", "../x.h5"]), "/a")
    elif what == 1:
        file[name] = h5py.SoftLink(rng.choice(["/" + name, "/", "/none", "/" + other]))
    elif what == 2:
        file[name] = file["/"]  # a ring
    elif what == 3:
        file.create_dataset(name, shape, "f4", external=[(rng.choice(["/etc/passwd", "x.bin"]), 0, size)])
    elif what == 4:
        layout = h5py.VirtualLayout(shape, "f4")
        layout[...] = h5py.VirtualSource("/etc/passwd", "a", shape=shape)
        file.create_virtual_dataset(name, layout)
    elif what == 5:
        file.create_dataset(name, (1 << 20, 1 << 12), "f4", chunks=(64, 64))
    elif what == 6:
        file.create_dataset(name, (1 << 24,), "f4", chunks=(1 << 20,), compression="gzip", data=np.zeros(1 << 24, "f4"))
    elif what == 7:
        file.create_dataset(name, shape, rng.choice(_TYPES))
    elif what == 8:
        file[name] = np.zeros(rng.choice([(), (0,), (1,) * 32, (2, 3), shape[::-1], (*shape, 1)]), "f4")
    elif what == 9:
        file.create_group(name)["a"] = np.zeros(shape, "f4")
    else:
        for number in range(2_000):
            file.create_group(f"{name}/{number}")


def description_changed(rng: random.Random, content: bytes) -> bytes:
    """Another description of the network."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        if "model_config" not in file.attrs:
            raise ValueError("no description")
        text = file.attrs["model_config"]
        text = text.encode() if isinstance(text, str) else bytes(text)
        del file.attrs["model_config"]
        changed = rng.choice([config_changed, json_changed])(rng, text)[:60_000]
        odd: list[Any] = [b"", b"\xff", np.zeros(3), np.array([b"{}"] * 3), 7, h5py.Empty("S1")]
        file.attrs["model_config"] = rng.choice(odd) if rng.random() < 0.1 else np.bytes_(changed)
    return stream.getvalue()


def config_changed(rng: random.Random, content: bytes) -> bytes:
    """A layer that brings code, is of no known class, or leads back to itself."""
    document = json.loads(content)
    layers = document["config"]["layers"]
    code = compile(f"open({CANARY!r}, 'w')", "x", "eval")
    packed = base64.b64encode(marshal.dumps(code)).decode()
    evil = rng.choice([{"class_name": "Lambda", "config": {"name": "evil", "function": [packed, None, None],
                      "function_type": "lambda"}}, {"class_name": "Lambda", "config": {"name": "evil",
                      "function": {"class_name": "__lambda__", "config": {"code": packed}}}}, {"class_name": "Popen",
                      "module": "subprocess", "config": {"args": ["touch", CANARY]}, "registered_name": None},
                      {"class_name": "TFOpLambda", "config": {"name": "evil", "function": "os.system"}},
                      {"class_name": "Custom>Mine", "registered_name": "Custom>Mine", "config": {"name": "evil"}},
                      {"class_name": "Functional", "config": {"name": "evil", "layers": layers}},
                      {"class_name": "Sequential", "config": document["config"]}, {"class_name": "TorchModuleWrapper",
                      "config": {"name": "evil", "module": packed}},])  # fmt: skip
    layers.insert(rng.randrange(len(layers) + 1), evil)
    return json.dumps(document).encode()
