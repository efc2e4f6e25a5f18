"""The CPUs of a container are counted, not those of the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mxtune import machine
from mxtune.engines.mxnet import threads


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
