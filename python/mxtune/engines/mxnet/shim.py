"""A shim: NumPy as MXNet 1.9.1 knew it, seen by MXNet alone.

MXNet 1.9.1 uses names that NumPy has since removed (``np.bool``, ``np.trapz``, ...) and for
``distutils``, while it is imported and again inside its functions later. Nobody else in the process may see
them: pandas or scikit-learn would behave differently or warn. So NumPy and ``sys.modules`` stay as they are.
Each module of MXNet gets builtins of its own, whose ``__import__`` hands it a copy of NumPy's namespace with
the old names added. Functions of its operators are made when they are first called.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.machinery
import importlib.util
import re
import sys
import threading
import types
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional

_TYPES: dict[str, type] = {
    "bool": bool, "object": object, "float": float, "int": int, "complex": complex, "str": str,
}  # fmt: skip
# each with its successor in today's NumPy
_HEIRS = {
    "alltrue": "all", "sometrue": "any", "trapz": "trapezoid", "round_": "round",
    "product": "prod",
}  # fmt: skip
_CONSTANTS = {
    "PZERO": 0.0, "NZERO": -0.0, "NINF": -float("inf"), "PINF": float("inf"),
    "NAN": float("nan"), "NaN": float("nan"), "Inf": float("inf"),
}  # fmt: skip
_GONE = ("mirr", "npv", "pmt", "ppmt", "pv", "rate")  # finance left NumPy for good in 1.20
_LOCK = threading.RLock()


def _gone(name: str) -> Callable[..., Any]:
    def function(*_args: Any, **_kwargs: Any) -> Any:
        raise AttributeError(f"NumPy has no function {name!r} any more")

    function.__name__ = name
    return function


def _numpy() -> types.ModuleType:
    """NumPy's own namespace, and the removed names that it lacks."""
    import numpy as np

    numpy = types.ModuleType("numpy", np.__doc__)
    numpy.__dict__.update(np.__dict__)
    # what NumPy itself loads lazily; its own deprecations are for authors who can still answer them
    numpy.__dict__["__getattr__"] = lambda name: getattr(np, name)
    names: dict[str, Any] = {**_TYPES, **_CONSTANTS, **{name: _gone(name) for name in _GONE}}
    names["msort"] = lambda a: np.sort(a, axis=0)
    names["in1d"] = lambda a, b, **how: np.isin(np.ravel(a), b, **how)
    for name, value in names.items():
        numpy.__dict__.setdefault(name, value)
    # these in place of what is still there as well: the old ones warn
    numpy.__dict__.update({old: np.__dict__[new] for old, new in _HEIRS.items() if new in np.__dict__})
    return numpy


class LooseVersion:
    """A version that compares by its numbers, as ``distutils`` had it before Python 3.12."""

    def __init__(self, version: str) -> None:
        self.version = [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]

    def __eq__(self, other: object) -> bool:
        return self.version == _version(other).version

    def __lt__(self, other: object) -> bool:
        return self.version < _version(other).version

    def __le__(self, other: object) -> bool:
        return self.version <= _version(other).version

    def __gt__(self, other: object) -> bool:
        return self.version > _version(other).version

    def __ge__(self, other: object) -> bool:
        return self.version >= _version(other).version

    def __hash__(self) -> int:
        return hash(tuple(self.version))


def _version(other: object) -> LooseVersion:
    return other if isinstance(other, LooseVersion) else LooseVersion(str(other))


def _distutils() -> types.ModuleType:
    package, module = types.ModuleType("distutils"), types.ModuleType("distutils.version")
    module.__dict__.update(LooseVersion=LooseVersion, StrictVersion=LooseVersion)
    package.__dict__["version"] = module
    return package


class _IsCsr(type):
    def __instancecheck__(cls, instance: object) -> bool:
        sparse = sys.modules.get("scipy.sparse")
        return sparse is not None and isinstance(instance, sparse.csr_matrix)


class _CsrMatrix(metaclass=_IsCsr):
    """For the ``isinstance`` in MXNet's way to an array: needs neither SciPy nor SciPy's old name."""


class _Later(types.ModuleType):
    """A package that MXNet imports for rarely used functions; truly imported at the first use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


class _Shim:
    """What MXNet's modules see as ``builtins``; made once, at the first import."""

    def __init__(self) -> None:
        import numpy

        self._real = numpy
        self._numpy = _numpy()
        self._distutils = _distutils()
        self._scipy = types.ModuleType("scipy")
        self._scipy.__dict__.update(stats=_Later("scipy.stats"), sparse=_Later("scipy.sparse"))
        self._scipy.sparse.__dict__["csr"] = types.SimpleNamespace(csr_matrix=_CsrMatrix)
        self._requests = _Later("requests")
        self.builtins = dict(vars(builtins), __import__=self._import)

    def _stand_in(self, name: str) -> Optional[types.ModuleType]:
        if name == "distutils.version":
            return self._distutils
        if name in ("scipy", "scipy.stats", "scipy.sparse") and importlib.util.find_spec("scipy"):
            return self._scipy  # for sparse arrays and calibration by entropy: half a second and 40 MB
        if name == "requests":
            return self._requests  # for downloads from addresses that no longer answer
        if name == "sklearn.base":  # for a class deprecated since 1.0: a second and 100 MB
            raise ImportError("scikit-learn is left out of MXNet's import")
        return None

    def _import(
        self,
        name: str,
        globals: Any = None,  # noqa: A002 - the names of builtins.__import__
        locals: Any = None,  # noqa: A002
        fromlist: Optional[Sequence[str]] = (),
        level: int = 0,
    ) -> Any:
        if level == 0:
            module = self._stand_in(name)
            if module is not None:
                last = name.rpartition(".")[2]
                return getattr(module, last) if fromlist and "." in name else module
        if level == 0 and name != "mxnet" and not name.startswith("mxnet."):
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
            return self._numpy if module is self._real else module
        with shimmed():  # a part of MXNet, which MXNet may import late
            return builtins.__import__(name, globals, locals, fromlist or (), level)


_shim: Optional[_Shim] = None


def _at_first_call(*args: Any, _become: Callable[[], Callable[..., Any]], **kwargs: Any) -> Any:
    return _become()(*args, **kwargs)


def _at_first(make: Callable[..., types.FunctionType]) -> Callable[..., types.FunctionType]:
    """What gives the function of an operator as ``make`` does, but makes it when it is first called.

    MXNet writes and compiles the text of 3,000 of them, which took .27 of the .4 s of its import on 2 CPUs; we call a
    handful. Before its first call a function has no documentation, and takes anything.
    """

    def made(handle: Any, name: str, func_name: str) -> types.FunctionType:
        function = types.FunctionType(_at_first_call.__code__, make.__globals__, func_name)

        def become() -> types.FunctionType:
            real = make(handle, name, func_name)
            function.__doc__ = function.__doc__ or real.__doc__
            function.__defaults__ = real.__defaults__
            function.__code__ = real.__code__  # last: another thread calls the one or the other
            return function

        function.__kwdefaults__, function.__doc__ = {"_become": become}, ""
        return function

    return made


def _with_operators_at_first(base: types.ModuleType) -> None:
    """Let the module that gives MXNet its operators make the function of each at its first call."""
    one, other = base._init_op_module, base._init_np_op_module
    base.__dict__.update(
        _init_op_module=lambda root, name, make_op_func: one(root, name, _at_first(make_op_func)),
        _init_np_op_module=lambda make_op_func, **where: other(make_op_func=_at_first(make_op_func), **where),
    )


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: types.ModuleType) -> None:
        if _shim is not None:
            module.__dict__["__builtins__"] = _shim.builtins
        super().exec_module(module)
        if module.__name__ == "mxnet.base":
            _with_operators_at_first(module)


class _Finder:
    """Finds ``mxnet`` and its parts where Python would, and lets ``_Loader`` run them."""

    @staticmethod
    def find_spec(
        fullname: str, path: Optional[Sequence[str]] = None, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname != "mxnet" and not fullname.startswith("mxnet."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


_depth = 0


@contextlib.contextmanager
def shimmed() -> Iterator[None]:
    """Inside, modules of MXNet are imported with the old names of NumPy; afterwards no trace is left.

    Safe in threads and when nested. Warnings that MXNet's sources raise while they are compiled and run are
    dropped; the filters of the user are as before when it ends.
    """
    global _shim, _depth  # noqa: PLW0603 - one process, one MXNet
    with _LOCK:
        if _depth:
            yield
            return
        if _shim is None:
            _shim = _Shim()
        sys.meta_path.insert(0, _Finder)
        _depth = 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            _depth = 0
            with contextlib.suppress(ValueError):
                sys.meta_path.remove(_Finder)


def imported(name: str = "mxnet") -> types.ModuleType:
    """The module ``name`` of MXNet, imported with NumPy as it knew it.

    A module that is in ``sys.modules`` already comes back as it is, whoever imported it. When the import
    fails, no half of it stays in ``sys.modules``.
    """
    if name in sys.modules:
        return sys.modules[name]
    before = set(sys.modules)
    with shimmed():
        try:
            return importlib.import_module(name)
        except BaseException:
            for new in set(sys.modules) - before:
                if new == "mxnet" or new.startswith("mxnet."):
                    del sys.modules[new]
            raise
