"""What this machine lets the process use."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
import platform
from pathlib import Path
from typing import Optional

_shared = math.inf  # the CPUs that this process was given, where it is one of several


def share(cpus: int) -> None:
    """From now on this process uses at most so many CPUs: others on this machine have the rest."""
    global _shared  # noqa: PLW0603 - it is the process that shares
    _shared = cpus


def usable_cpus() -> int:
    """The number of CPUs this process may use, at least 1.

    The machine's, less what affinity and the container's quota exclude, and `share` leaves to others; a quota of 1.5
    CPUs counts as 2.

    Examples
    --------
    >>> from mxtune.machine import usable_cpus
    >>> usable_cpus() >= 1
    True
    """
    try:
        cpus = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on macOS and Windows
        cpus = os.cpu_count() or 1
    quota = _quota()
    return int(max(1, min(cpus, math.ceil(quota or cpus), _shared)))


def processor() -> str:
    """The name of the processor, or of its kind where the system does not tell more.

    Examples
    --------
    >>> from mxtune.machine import processor
    >>> bool(processor())
    True
    """
    return _told("model name") or platform.processor() or platform.machine() or "unknown"


def has_vnni() -> bool:
    """Whether the CPU sums products of bytes in 32 bits (VNNI); False where the system does not tell.

    Without, oneDNN sums two of them in 16 bits, and cuts off what does not fit.

    Examples
    --------
    >>> has_vnni() in (True, False)
    True
    """
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(_told("flags").split())


@functools.cache
def _told(what: str) -> str:
    """What Linux tells of the first CPU; "" elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == what:
                return value.strip()
    return ""


def instructions() -> frozenset[str]:
    """What the processor can do beside its kind's oldest instructions, as Linux names it; nothing on other systems.

    Examples
    --------
    >>> from mxtune.machine import instructions
    >>> "AVX2" in instructions()  # they are in small letters
    False
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()


def free_memory() -> Optional[int]:
    """Bytes that this process may still take before the machine runs short; None where the system does not tell.

    Examples
    --------
    >>> from mxtune.machine import free_memory
    >>> free_memory() != 0
    True
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def return_freed_memory() -> None:
    """Return freed memory to the system: glibc keeps it, for each thread separately."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _quota(root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> Optional[float]:
    """The CPUs that the control groups of this process allow together, or None where there is no limit."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    quotas = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            quotas += [_quota_v2(folder) for folder in _upwards(root, group)]
        elif "cpu" in controllers.split(","):
            for base in (root / controllers, root / "cpu"):
                quotas += [_quota_v1(folder) for folder in _upwards(base, group)]
    limits = [quota for quota in quotas if quota]
    return min(limits) if limits else None


def _upwards(root: Path, group: str) -> list[Path]:
    """The folder of a control group and those above it, whose limits hold for it too."""
    parts = [part for part in group.split("/") if part not in ("", "..")]
    return [root.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]


def _quota_v2(folder: Path) -> Optional[float]:
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(quota) / int(period)  # "max 100000" is no limit
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(folder: Path) -> Optional[float]:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
