"""The CPUs of a container are counted, not those of the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mxtune import machine
from mxtune.engines import threads
from processes import passes


def quota(root: Path, membership: str, **files: str) -> object:
    """The quota of control groups with these files; ``__`` stands for a folder, ``DOT`` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    own = root / "membership"
    own.write_text(membership)
    return machine._quota(root, own)


def test_quota_of_version_two_holds_from_any_group_above(tmp_path: Path) -> None:
    assert quota(tmp_path, "0::/a/b\n", a__cpuDOTmax="150000 100000\n", a__b__cpuDOTmax="max 100000\n") == 1.5


def test_quota_of_version_two_at_the_root_of_a_container(tmp_path: Path) -> None:
    assert quota(tmp_path, "0::/\n", cpuDOTmax="200000 100000\n") == 2.0


def test_quota_of_version_one(tmp_path: Path) -> None:
    found = quota(
        tmp_path,
        "4:cpu,cpuacct:/docker/1\n1:name=systemd:/\n",
        **{"cpu,cpuacct__cpuDOTcfs_quota_us": "50000\n", "cpu,cpuacct__cpuDOTcfs_period_us": "100000\n"},
    )
    assert found == 0.5


@pytest.mark.parametrize("text", ["max 100000", "", "nonsense", "100 0"])
def test_no_quota_is_no_limit(tmp_path: Path, text: str) -> None:
    assert quota(tmp_path, "0::/\n", cpuDOTmax=text) is None


def test_part_of_a_cpu_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_quota", lambda: 0.2)
    assert machine.usable_cpus() == 1


def test_quota_above_the_cpus_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_quota", lambda: 1e6)
    assert machine.usable_cpus() == len(os.sched_getaffinity(0))


def test_setting_of_the_user_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    monkeypatch.delenv("MXNET_OMP_MAX_THREADS", raising=False)
    assert threads.mxnet_threads() == 3
    with threads.announced():
        assert "MXNET_OMP_MAX_THREADS" not in os.environ
    monkeypatch.setenv("MXNET_OMP_MAX_THREADS", "1")
    assert threads.mxnet_threads() == 1
    with threads.announced():
        assert os.environ["MXNET_OMP_MAX_THREADS"] == "1"
    assert os.environ["MXNET_OMP_MAX_THREADS"] == "1"


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_a_users_way_of_waiting_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv(name, "active" if name == "OMP_WAIT_POLICY" else "7")
    before = dict(os.environ)
    with threads.announced():
        assert {n: v for n, v in os.environ.items() if n in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")} == {
            name: before[name]
        }
    assert dict(os.environ) == before


@pytest.mark.mxnet
def test_threads_that_wait_go_to_sleep_and_no_child_is_told() -> None:
    """Libgomp says itself what it has read when asked by OMP_DISPLAY_ENV."""
    done = passes(
        "import os, subprocess\nfrom mxtune.engines.mxnet import load\nload()\n"
        "assert not {'GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'} & set(os.environ)\n"
        "print('SPIN' in subprocess.run(['env'], capture_output=True, text=True).stdout)",
        OMP_DISPLAY_ENV="verbose",
    )
    assert "GOMP_SPINCOUNT = '1000'" in done.stderr
    assert done.stdout == "False\n"


@pytest.mark.mxnet
def test_threads_of_a_libgomp_that_came_before_go_to_sleep_as_soon() -> None:
    """As R's does. What its threads burn while they wait is CPU time of the process."""
    passes(
        "import ctypes, time\n"
        "libgomp, free = ctypes.CDLL('libgomp.so.1'), ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)\n"
        "from mxtune.machine import usable_cpus\n"
        "def burned():\n"
        "    before = time.process_time()\n"
        "    for _ in range(20):\n"
        "        libgomp.GOMP_parallel(free, None, usable_cpus(), 0)\n"
        "        time.sleep(0.02)\n"
        "    return time.process_time() - before\n"
        "as_it_came = burned()\n"
        "from mxtune.engines.mxnet import load\nload()\n"
        "assert burned() < max(as_it_came / 2, 0.02), (as_it_came, burned())"
    )
