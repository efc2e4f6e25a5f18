"""A converter for rpy2's own ways: ``localconverter`` and ``%%R`` cells."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import rpy2.rinterface as ri
import rpy2.robjects as ro
from rpy2.rinterface_lib import callbacks
from rpy2.robjects import conversion

from .objects import RObject
from .sexp import into_r, out_of_r

_before: dict[str, Any] = {}


@lru_cache(maxsize=1)
def converter() -> Any:
    """rpy2's default rules, and over them the table of `mxtune.border`."""
    made = conversion.Converter("mxtune", template=ro.default_converter)
    for kind in (object, int, str, list, bytes):  # all but the first have a rule of rpy2's own
        made.py2rpy.register(kind, into_r)
    made.rpy2py_nc_map.clear()
    for name in ("SexpVector", "SexpEnvironment", "SexpClosure", "ListSexpVector", "IntSexpVector", "FloatSexpVector"):
        made.rpy2py.register(getattr(ri, name), _or_as_before)
    for name in ("BoolSexpVector", "StrSexpVector", "ByteSexpVector", "ComplexSexpVector"):
        made.rpy2py.register(getattr(ri, name), _or_as_before)  # NULL stays: rpy2's own code looks for it
    return made


def _or_as_before(sexp: Any) -> Any:
    """Ours, but vectors of length one stay vectors; what has no equivalent in Python as rpy2 shows it."""
    value = out_of_r(sexp, singles=False)
    return ro.default_converter.rpy2py(value) if isinstance(value, RObject) else value


def activate() -> None:
    """See `mxtune.rhost.activate`."""
    shell = _shell()
    if shell is not None and "RMagics" not in shell.magics_manager.registry:
        shell.extension_manager.load_extension("rpy2.ipython")
        with callbacks.obj_in_module(callbacks, "consolewrite_warnerror", _ignored):  # warnings of the loading itself
            ro._print_deferred_warnings()
    _before.setdefault("conversion", conversion.get_conversion())
    conversion.set_conversion(converter())
    if shell is not None:
        magics = _magics(shell)
        _before.setdefault("magics", magics.converter)
        magics.converter = converter()


def deactivate() -> None:
    """See `mxtune.rhost.deactivate`."""
    if "conversion" in _before:
        conversion.set_conversion(_before.pop("conversion"))
    if "magics" in _before:
        _magics(_shell()).converter = _before.pop("magics")


def _magics(shell: Any) -> Any:
    """What holds the converter of ``%%R`` cells; from rpy2 3.6 on the options do."""
    magics = shell.magics_manager.registry["RMagics"]
    return getattr(magics, "options", magics)


def _ignored(_: str) -> None:
    """Not printed."""


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
