"""What is wrong with an installation of MXNet, and the one command that fixes it."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Sequence

from ...errors import EngineError
from . import cuda

_PACKAGES = {  # the Debian package of each system library that the wheels of MXNet expect
    "libquadmath.so.0": "libquadmath0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libgfortran.so.3": "libgfortran3",
}
_WHEELS = (("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64"))


def explain(error: BaseException) -> EngineError:
    """The failed import of MXNet in words, with the one command that fixes it."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    library = re.search(r"(lib[\w+.-]+\.so[\w.]*): cannot open shared object file", text)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "mxnet":
        lost = cuda.installed("mxnet") is not None  # a build for GPUs was in the same folder, and was uninstalled
        return EngineError("MXNet, which computes the networks, is not installed.", hint=install_hint(lost))
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return EngineError(f"MXNet needs the Python package {package}.", hint=f"Run: pip install {package}")
    if library:
        missing = (cuda.missing() if cuda.wheel_of(library[1]) else ()) or (library[1],)
        libraries = f"libraries {', '.join(missing)} are" if len(missing) > 1 else f"library {missing[0]} is"
        return EngineError(f"MXNet can't be loaded: the shared {libraries} missing.", hint=library_hint(missing))
    return EngineError(
        f"MXNet is installed but can't be loaded: {text}",
        hint=install_hint(force=True),
    )


def library_hint(missing: Sequence[str]) -> str:
    """The command that brings missing shared libraries."""
    wheels = [wheel for wheel in map(cuda.wheel_of, missing) if wheel]
    if wheels:
        return f"Run: pip install {' '.join(dict.fromkeys(wheels))}"
    if missing[0].startswith("libcuda.so"):
        command = f"pip uninstall -y {cuda.distribution()} && {_install_command(force=True)}"
        return f"This MXNet is built for GPUs and needs NVIDIA's driver. Without one, run: {command}"
    package = _PACKAGES.get(missing[0])
    if package:
        return f"On Debian or Ubuntu run: apt-get install {package}"
    return f"Install the system package that holds {missing[0]}."


def install_hint(force: bool = False) -> str:
    """The command that installs MXNet for this Python and NumPy, or why no wheel of it fits this machine."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) not in _WHEELS:
        return f"There is no wheel of MXNet 1.9.1 for {system} on {machine}; PyTorch takes its place: pip install torch"
    return f"Run: {_install_command(force)}"


def _install_command(force: bool = False) -> str:
    if force:
        return "pip install --force-reinstall --no-deps mxnet==1.9.1"
    return f"pip install {'--no-deps ' if _beside_new() else ''}mxnet==1.9.1"


def _beside_new() -> bool:
    """Whether the wheel's own requirement, NumPy below 2, can't or need not be met here."""
    if sys.version_info >= (3, 13):  # NumPy 1 has no wheels for it
        return True
    if importlib.util.find_spec("numpy") is None:
        return False
    import numpy

    return int(numpy.__version__.split(".")[0]) >= 2
