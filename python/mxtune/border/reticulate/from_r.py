"""What comes from R, as Python wants it. Vectors of numbers arrive as addresses of R's memory."""

from __future__ import annotations

import ctypes
import inspect
import re
from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt

from mxtune.border.reticulate.pictures import pictures
from mxtune.border.reticulate.reporter import Callback

Tagged = dict[str, Any]
TAG = "..r"
NA_INTEGER = -(2**31)
CTYPES: dict[str, Any] = {
    "double": ctypes.c_double,
    "integer": ctypes.c_int32,
    "logical": ctypes.c_int32,
    "raw": ctypes.c_uint8,
}


def from_r(value: Any, name: str = "") -> Any:
    """What R sent, as Python wants it."""
    if isinstance(value, (list, tuple)):
        return [from_r(item, name) for item in value]
    if not isinstance(value, dict):
        return Callback({"on_epoch": value}) if name == "callbacks" and callable(value) else value
    if TAG not in value:
        items = {key: from_r(item) for key, item in value.items()}
        functions = name == "callbacks" and all(callable(item) for item in items.values())
        return Callback(items) if functions else items
    return _FROM_R[value[TAG]](value)


def _vector(sent: Tagged) -> npt.NDArray[Any]:
    """A view of R's memory, in R's column-major order, valid while R holds the vector."""
    length = int(sent["length"])
    shape = tuple(int(n) for n in sent["dim"]) if sent.get("dim") else (length,)
    if length == 0:
        return np.zeros(shape, np.dtype(CTYPES[sent["type"]]))
    buffer = (CTYPES[sent["type"]] * length).from_address(int(sent["address"]))
    return np.frombuffer(buffer, dtype=np.dtype(CTYPES[sent["type"]])).reshape(shape, order="F")


def _numbers(sent: Tagged) -> npt.NDArray[Any]:
    view = _vector(sent)
    if sent["type"] in ("integer", "logical"):
        missing = view == NA_INTEGER
        if missing.any():
            return np.where(missing, np.nan, view.astype(np.float64))
        return np.ascontiguousarray(view.astype(bool if sent["type"] == "logical" else np.int64))
    return np.array(view, order="C")


def _options(sent: Tagged) -> Any:
    values = [None if isinstance(v, float) and np.isnan(v) else v for v in _numbers(sent["vector"]).tolist()]
    return dict(zip(sent["names"], values)) if sent.get("names") else values


def _strings(sent: Tagged) -> list[Optional[str]]:
    values: list[Optional[str]] = list(sent["values"])
    for position in sent["missing"]:
        values[int(position)] = None
    return values


def _factor(sent: Tagged) -> Any:
    import pandas as pd

    codes = _vector(sent["codes"])
    return pd.Categorical.from_codes(np.where(codes == NA_INTEGER, 0, codes) - 1, categories=list(sent["levels"]))


def _frame(sent: Tagged) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(zip(sent["names"], (from_r(column) for column in sent["columns"]))))


def _day(sent: Tagged) -> npt.NDArray[Any]:
    seconds = np.array(_vector(sent["vector"]), dtype=np.float64) * float(sent["seconds"])
    known = np.isfinite(seconds)
    whole = np.where(known, seconds * 1e6, 0).astype(np.int64).astype("datetime64[us]")
    return np.where(known, whole, np.datetime64("NaT"))


def _picture(sent: Tagged) -> Any:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(bytes(sent["bytes"])))
    image.load()
    return image


_FROM_R: dict[str, Callable[[Tagged], Any]] = {
    "numbers": _numbers,
    "options": _options,
    "strings": _strings,
    "factor": _factor,
    "frame": _frame,
    "time": _day,
    "picture": _picture,
    "pictures": lambda sent: pictures(_vector(sent["vector"]), sent["layout"], sent["vector"]["type"]),
    "bytes": lambda sent: _vector(sent).tobytes(),
    "dict": lambda sent: dict(zip(sent["names"], (from_r(item) for item in sent["values"]))),
}


def fitted(value: Any, name: str, declared: Optional[inspect.Parameter]) -> Any:
    """``value`` as the argument's declared type wants it: R knows no scalars, whole numbers are doubles."""
    if name in ("x", "y"):
        return value
    wanted = str(declared.annotation) if declared is not None else ""
    if "float" not in wanted or re.search(r"\bint\b", wanted):
        value = _whole(value)
    if isinstance(value, list) and re.search(r"\btuple\[", wanted):
        value = tuple(value)
    only_many = re.match(r"(Optional\[)?(Sequence|Iterable|list|tuple)\b", wanted)
    return [value] if only_many and isinstance(value, (str, int, float, Callback)) else value


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [int(item) for item in value] if all(map(_is_whole, value)) else value
    return int(value) if _is_whole(value) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()
