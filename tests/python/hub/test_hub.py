"""Networks of the Hugging Face hub: as a user sees them, against a hub that is served on this machine."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from hub_server import TOKEN, Repository, environment, serving
from mxtune.errors import HubError
from mxtune.hub import Reference, cached, is_reference
from state_dicts import state_dict

SESSION = Path(__file__).parents[1] / "hub_session.py"
COMMIT = Repository({}).commit
ARRAYS = state_dict("mobilenetv3_small_100", 5)
CONFIG = {
    "architecture": "mobilenetv3_small_100", "num_classes": 5, "num_features": 1024, "global_pool": "avg",
    "pretrained_cfg": {
        "tag": "mine", "custom_load": False, "input_size": [3, 64, 96], "fixed_input_size": False, "crop_pct": 0.9,
        "interpolation": "bilinear", "crop_mode": "squash", "mean": [0.485, 0.456, 0.406], "std": [0.5, 0.5, 0.5],
        "num_classes": 5, "first_conv": "conv_stem", "classifier": "classifier",
    },
    "label_names": ["ash", "birch", "cedar", "douglas fir", "elm"],
}  # fmt: skip


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch owned",)


def text(config: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**config, **changes}).encode()


def repositories() -> dict[str, Repository]:
    weights = {"model.safetensors": save(ARRAYS)}
    half = {"model.safetensors": save({name: array.astype("f2") for name, array in ARRAYS.items()})}
    config = {"config.json": text(CONFIG)}
    card = {"README.md": b"---\ntags:\n- timm\nlicense: apache-2.0\n---\n# Trees\nlicense: not this\n"}
    return {
        "timm/trees": Repository({**config, **weights, **card, "pytorch_model.bin": b"not asked for"}),
        "timm/half": Repository({**config, **half}),
        "timm/evil": Repository({**config, "pytorch_model.bin": pickle.dumps(Evil())}),
        "timm/gated": Repository(config, gated=True),
        "timm/empty": Repository(config),
        "timm/other": Repository({"config.json": text(CONFIG, architecture="mobilenetv3_smal_100")}),
        "timm/wrong": Repository({"config.json": text(CONFIG, architecture="mobilenetv3_large_100"), **weights}),
        "torch/vision": Repository({"resnet18.pth": b"x"}),
        "some/bert": Repository({"config.json": b'{"architectures": ["ResNetForImageClassification"]}'}),
        "timm/lies": Repository({**config, **weights}, claims={"model.safetensors": 1 << 40}),
        "timm/elsewhere": Repository({**config, **weights}, stored_elsewhere=True),
        "timm/slow": Repository({**config, **weights}, pause=0.1),
    }


def opened(home: Path, *calls: Any, **more: str) -> list[dict[str, Any]]:
    """What a new process sees that opens these: names, or arguments of `mxnetwork`."""
    listed = [{"name_or_path": one} if isinstance(one, str) else one for one in calls]
    run = subprocess.run(
        [sys.executable, str(SESSION), json.dumps(listed)], env=environment(home, **more), cwd=home, check=True,
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert run.stderr == ""  # no bar of another's
    return [json.loads(line) for line in run.stdout.splitlines()]


NAMES = ("trees", "half", "evil", "gated", "nowhere", "empty", "other", "wrong", "lies", "trees@v9", "trees@v1")


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One session with a hub, what it asked, and the cache that it filled; the hub answers no more."""
    home = tmp_path_factory.mktemp("home")
    names = [f"hf:timm/{name}" for name in NAMES] + ["hf:torch/vision", "hf:some/bert", "hf:../x"]
    with serving() as hub:
        hub.repositories.update(repositories())
        small = {"name_or_path": "hf:timm/trees", "image_size": 32, "classes": 3}
        answers = opened(home, *names, small, HF_ENDPOINT=hub.endpoint)
        asked, endpoint = list(hub.asked), hub.endpoint
        hub.tokens.clear()
        with_token = opened(home, "hf:timm/gated", "hf:timm/elsewhere", HF_ENDPOINT=endpoint, HF_TOKEN=TOKEN)
        tokens = set(hub.tokens)
    named = dict(zip([*NAMES, "torch", "bert", "climbs", "small"], answers))
    yield named, asked, home, endpoint, (*with_token, tokens)


def test_a_repository_of_timm_opens_as_its_configuration_says(online: Any) -> None:
    trees = online[0]["trees"]
    assert trees["preprocess"] == {
        "size": [64, 96], "channels": 3, "mean": [123.675, 116.28, 103.53], "std": [127.5] * 3, "fit": "stretch",
        "crop": 0.9, "interpolation": "bilinear",
    }  # fmt: skip
    assert trees["levels"] == CONFIG["label_names"] and trees["classifier"] == "classifier"
    assert trees["sum"] == pytest.approx(sum(array.sum(dtype="f8") for array in ARRAYS.values()))
    kept = trees["provenance"]
    assert (kept["name"], kept["source"]) == ("mobilenetv3_small_100", "hf:timm/trees")
    assert (kept["revision"], kept["licence"], kept["tag"]) == (COMMIT, "apache-2.0", "mine")
    assert kept["url"].endswith("/timm/trees") and len(kept["sha256"]) == 64
    assert trees["messages"] == [f"hf:timm/trees was downloaded: commit {COMMIT[:10]}, licence apache-2.0."]
    assert online[0]["half"]["sum"] == pytest.approx(trees["sum"], rel=1e-3)


def test_progress_is_ours_and_nothing_is_told_of_this_machine(online: Any) -> None:
    answers, asked, *_ = online
    assert answers["trees"]["bytes"] > sum(array.nbytes for array in ARRAYS.values())
    assert {agent.partition("/")[0] for _, _, agent in asked} == {"mxtune"}
    assert all("/resolve/" in path for _, path, _ in asked)
    assert not any("pytorch_model.bin" in path for _, path, _ in asked if "trees" in path)


def test_what_was_downloaded_once_needs_no_network(online: Any) -> None:
    answers, _, home, endpoint, _ = online
    assert "from the cache of the Hugging Face hub: v1, commit" in answers["trees@v1"]["messages"][0]
    assert answers["small"]["preprocess"]["size"] == [32, 32] and answers["small"]["levels"] is None
    wanted = ("hf:timm/trees", f"hf:timm/trees@{COMMIT}", "hf:timm/unknown")
    for more in ({"HF_ENDPOINT": endpoint}, {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "1"}):
        *found, lacking = opened(home, *wanted, **more)
        assert [one["sum"] for one in found] == [answers["trees"]["sum"]] * 2
        assert f": main, commit {COMMIT[:10]}." in found[0]["messages"][0] and found[0]["bytes"] == 0
        assert lacking["error"] == "HubError" and lacking["seconds"] < 3
        assert lacking["text"].startswith(f"Can't reach the Hugging Face hub at {endpoint}.\nx ")
        assert f"download config.json and model.safetensors from {endpoint}/timm/unknown/tree/main" in lacking["text"]
        assert 'open mxnetwork("folder/model.safetensors")' in lacking["text"]
    assert "as HF_HUB_OFFLINE is set" in lacking["text"]
    left = {path.name for path in home.rglob("*")}
    assert not [name for name in left if "incomplete" in name] and "owned" not in left


def test_a_hub_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        (answer,) = opened(tmp_path, "hf:timm/trees", HF_ENDPOINT=f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert "x no answer within 2.5 seconds" in answer["text"] and answer["seconds"] < 3.5
    assert answer["bytes"] == 0


@pytest.mark.parametrize(
    ("which", "first", "then"),
    [
        ("nowhere", "There is no repository timm/nowhere on the Hugging Face hub, or it is private.", "HF_TOKEN"),
        ("gated", "The owner of timm/gated decides who may have its files.", "without a token"),
        ("empty", "The repository timm/empty has no file of weights that is read here.", "pytorch_model.bin"),
        (
            "torch",
            "The repository torch/vision has no config.json, as timm's have.",
            'mxnetwork("name", weights="file")',
        ),
        ("bert", "hf:some/bert holds no network of timm", '"ResNetForImageClassification" of transformers'),
        ("trees@v9", "The repository timm/trees has no revision v9.", "commits"),
        ("other", "hf:timm/other is a network of the architecture mobilenetv3_smal_100,", "mobilenetv3_small_100"),
        ("other", "hf:timm/other is a network of", 'timm.create_model("hf_hub:timm/other", pretrained=True)'),
        ("wrong", "The weights in hf:timm/wrong don't match this network.", "not in the"),
        ("climbs", "A repository of the Hugging Face hub has an owner and a name.", "it is 'hf:../x'"),
        ("lies", "model.safetensors of timm/lies has 1100 GB.", "at most"),
        ("evil", "mxtune does not read ", "its format is Python's pickle"),
    ],
)
def test_what_can_not_be_had_is_told_at_once_with_the_way_round(online: Any, which: str, first: str, then: str) -> None:
    answer = online[0][which]
    assert answer["text"].startswith(first) and then in answer["text"]
    assert answer["seconds"] < 3 and "\ni " in answer["text"]


def test_an_architecture_that_can_not_be_built_costs_no_download(online: Any) -> None:
    assert not [path for _, path, _ in online[1] if "timm/other" in path and "config.json" not in path]


def test_a_token_is_used_and_no_other_host_gets_it(online: Any) -> None:
    gated, elsewhere, tokens = online[4]
    assert gated["text"].startswith("The repository timm/gated has no file of weights")
    assert elsewhere["sum"] == online[0]["trees"]["sum"]
    assert tokens == {("127.0.0.1", f"Bearer {TOKEN}"), ("localhost", "")}


def test_without_the_package_the_extra_is_named(tmp_path: Path) -> None:
    (answer,) = opened(tmp_path, "hf:timm/trees", WITHOUT_HUB="1")
    assert answer["error"] == "HubError" and 'pip install huggingface_hub; the extra "hub"' in answer["text"]
    assert not list(tmp_path.iterdir())


def test_an_old_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda repo_id, filename: f"{repo_id}/{filename}")
    with pytest.raises(HubError, match=r"needs huggingface_hub 1\.3 or later\.\nx version \d.* is installed"):
        cached(Reference("timm/trees"), ["config.json"])


def test_an_interrupted_download_leaves_no_half_file(tmp_path: Path) -> None:
    with serving() as hub:
        hub.repositories.update(repositories())
        call = json.dumps([{"name_or_path": "hf:timm/slow"}])
        process = subprocess.Popen(
            [sys.executable, str(SESSION), call], env=environment(tmp_path, HF_ENDPOINT=hub.endpoint),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        while not any(asked[0] == "GET" and asked[1].endswith("model.safetensors") for asked in hub.asked):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    names = [path.name for path in tmp_path.rglob("*")]
    assert "config.json" in names and not [name for name in names if "incomplete" in name or "safetensors" in name]


@pytest.mark.parametrize(
    "name",
    ["hf:", "hf:timm", "hf:timm/", "hf:/etc/passwd", "hf:../x", "hf:a/../b", "hf:a/b/c", "hf:a/b@../c", "hf:a/b@",
     "hf:a--b/c", "hf:a/.git", "hf:a/b\n", "hf:a/b@x/../y", "hf:a/b@/x", "hf:ä/b", f"hf:a/{'b' * 300}", "hf:a/b.git"],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert is_reference(name)
    with pytest.raises(HubError, match="has an owner and a name"):
        Reference.of(name)


def test_a_name_says_owner_name_and_revision() -> None:
    assert Reference.of("hf:timm/resnet18.a1_in1k") == Reference("timm/resnet18.a1_in1k", "main")
    assert Reference.of("hf:timm/x@refs/pr/2").revision == "refs/pr/2"
    assert str(Reference.of("hf:timm/x@v1")) == "hf:timm/x@v1" and str(Reference("a/b")) == "hf:a/b"
    assert not is_reference("timm/resnet18") and not is_reference(Path("hf:a")) and not is_reference(np)
