"""Values carried between Python and R by rpy2: vectors are copied, objects stay the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import rpy2.rinterface as ri
from rpy2.rinterface_lib import openrlib
from rpy2.rinterface_lib.sexp import NULLType

from .. import OURS, from_r, to_r
from ..parts import Stuck, crossing, part
from ..vector import ATTRIBUTES, DTYPES, Vector
from . import callables, session, signals
from .objects import bare, give, handle, wrap

_TYPES = {
    "logical": ri.BoolSexpVector,
    "integer": ri.IntSexpVector,
    "double": ri.FloatSexpVector,
    "complex": ri.ComplexSexpVector,
    "raw": ri.ByteSexpVector,
    "character": ri.StrSexpVector,
    "list": ri.ListSexpVector,
}
_BYTES = 3  # of R's encodings of text
_HELD = {*OURS.values(), "python.builtin.object"}  # R's classes of what Python made


def into_r(value: Any) -> Any:
    """R's object for a value of Python."""
    if isinstance(value, ri.Sexp):
        return bare(value)
    with crossing("into R"), signals.held():
        return _write(to_r.to_r(value))


def out_of_r(value: Any, singles: bool = True) -> Any:
    """Python's value for an object of R; what is not from R stays. ``singles``: see `mxtune.border.from_r.from_r`."""
    with signals.held():
        return from_r.from_r(_read(value), singles)


def _write(value: Any) -> Any:
    if isinstance(value, Vector):
        sexp = _written(value)
        for name, attribute in value.attributes.items():
            if name == "class":
                sexp.rclass = _write(attribute)  # which also marks it as an object in R
            else:
                sexp.do_slot_assign(name, _write(attribute))
        return sexp
    if value is None:
        return NULLType()
    if isinstance(value, ri.Sexp):
        return bare(value)
    if type(value).__name__ in OURS and type(value).__module__.partition(".")[0] == "mxtune":
        return handle(value, "from_host")
    if callable(value) and not isinstance(value, type):
        return callables.function(value, into_r, out_of_r)
    return handle(value, "object_from_host")


def _written(vector: Vector) -> Any:
    kind = _TYPES[vector.type]
    if vector.inherits("integer64") and not ri.baseenv["requireNamespace"]("bit64", quietly=True)[0]:
        raise Stuck("whole numbers beyond 2^53, for which R needs bit64", 'In R: install.packages("bit64").')
    if vector.type == "list":
        names, items = vector.texts("names"), []
        for place, item in enumerate(vector.values):
            signals.check()
            with part(names[place] if names else f"[[{place + 1}]]"):
                items.append(_write(item))
        return kind(items)
    if vector.type == "character":
        return kind([ri.NA_Character if text is None else text for text in vector.values])
    if vector.type == "complex":
        return kind(vector.values.tolist())
    return kind.from_memoryview(np.ascontiguousarray(vector.values).data) if len(vector.values) else kind([])


def _read(value: Any) -> Any:  # noqa: PLR0911 - one return a kind
    sexp = bare(value) if isinstance(value, ri.Sexp) else value
    if not isinstance(sexp, ri.Sexp):
        return sexp
    if sexp.typeof == ri.RTYPES.NILSXP:
        return None
    classes = list(sexp.rclass)
    if not _HELD.isdisjoint(classes):
        return give(sexp)
    if "POSIXlt" in classes:
        return _read(ri.baseenv["as.POSIXct"](sexp))
    kind = _kind(sexp)
    if not kind:
        return wrap(value)
    vector = Vector(kind, [], _attributes(sexp))
    if kind == "list" and not from_r.becomes_python(vector):
        return wrap(value)
    return Vector(kind, _values(sexp, kind), vector.attributes)


def _attributes(sexp: Any) -> dict[str, Any]:
    slots = {name: sexp.do_slot(name) for name in sexp.list_attrs() if name in ATTRIBUTES}
    return {name: Vector(_kind(part), _values(part, _kind(part)), _attributes(part)) for name, part in slots.items()}


def _kind(sexp: Any) -> str:
    """R's type, as `Vector` has it; "" for what is not a vector."""
    return next((kind for kind, vectors in _TYPES.items() if isinstance(sexp, vectors)), "")


def _values(sexp: Any, kind: str) -> Any:
    if kind == "list":
        return [_item(item) for item in sexp]
    if kind == "character":
        return [None if text is ri.NA_Character else text for text in _texts(sexp)]
    if not len(sexp):
        return np.empty(0, DTYPES[kind])
    # not rpy2's memoryview(), which takes a reference to None with each call: 30,000 vectors later Python 3.11 ends
    memory = openrlib.ffi.buffer(sexp._R_GET_PTR(sexp.__sexp__._cdata), len(sexp) * sexp._R_SIZEOF_ELT)
    return np.frombuffer(memory, DTYPES[kind]).copy()  # R's memory is only borrowed


def _item(sexp: Any) -> Any:
    signals.check()
    return _read(sexp)


def _texts(sexp: Any) -> list[Any]:
    """R's text, also what is none in its encoding (see ``as_utf8()``)."""
    if not _has_bytes(sexp):
        try:
            return list(sexp)
        except UnicodeDecodeError:
            pass
    return list(session.function("as_utf8")(sexp))


def _has_bytes(sexp: Any) -> bool:
    """Whether some of the text is marked as bytes, which R does not translate: rpy2 3.6 ends the process of it."""
    text, library = sexp.__sexp__._cdata, openrlib.rlib
    return any(library.Rf_getCharCE(library.STRING_ELT(text, place)) == _BYTES for place in range(len(sexp)))
