"""Models on the Hugging Face hub, there and back: as a user sees it, against a hub that is served on this machine."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub_server import TOKEN, Hub, Repository, environment, serving
from mxtune import Model, mxexample, mxtrain

SESSION = Path(__file__).parents[1] / "hub_push_session.py"
NAME = "hf:me/clothes"


@pytest.fixture(scope="module")
def model() -> Model:
    meta = {"title": "<b>Clothes</b> | all", "author": "me"}
    return mxtrain(mxexample("fashion"), net="lenet", epochs=1, seed=1, verbose=0, meta=meta)


@pytest.fixture(scope="module")
def file(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "clothes.mxt"
    model.save(path)
    return path


@pytest.fixture(name="hub")
def _hub() -> Iterator[Hub]:
    with serving() as hub:
        yield hub


def session(file: Path, home: Path, *calls: Any, **more: str) -> list[dict[str, Any]]:
    run = subprocess.run(
        [sys.executable, str(SESSION), str(file), json.dumps([[*call, {}][:3] for call in calls])],
        env=environment(home, **more), cwd=home, check=True, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert run.stderr == "" and TOKEN not in run.stdout
    assert not [path for path in home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    return [json.loads(line) for line in run.stdout.splitlines()[1:]]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_model_goes_there_and_comes_back(file: Path, hub: Hub, tmp_path: Path) -> None:
    card = {"licence": "MIT", "intended_use": "Sorting *my* wardrobe", "data": "a shop's"}
    calls = (["push", NAME, {"card": card}], ["mxload", NAME], ["mxnetwork", NAME], ["push", NAME])
    push, load, network, again = session(file, tmp_path, *calls, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    repository = hub.repositories["me/clothes"]
    assert repository.private and set(repository.files) == {"model.mxt", "README.md"}
    assert repository.files["model.mxt"] == file.read_bytes()
    assert load["digest"] == digest(file.read_bytes()) and len(network["levels"]) == 10
    assert push["url"].startswith(f"{hub.endpoint}/me/clothes/commit/") and push["bytes"] >= file.stat().st_size
    assert re.fullmatch(rf"{NAME} has the model: commit [0-9a-f]{{10}}, private\.", push["messages"][-1])
    assert again["url"].endswith(repository.commit)
    assert {agent.partition("/")[0] for _, path, agent in hub.asked if "/store/" not in path} == {"mxtune"}
    assert all("telemetry" not in path for _, path, _ in hub.asked)


def test_the_card_says_what_the_file_knows(model: Model, file: Path, hub: Hub, tmp_path: Path) -> None:
    card = {"licence": "MIT License", "intended_use": "Sorting *my*\n## wardrobe"}
    session(file, tmp_path, ["push", NAME, {"card": card}], HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    text = hub.repositories["me/clothes"].files["README.md"].decode()
    head, body = text.split("\n---\n", 1)
    assert head.splitlines()[:4] == [
        "---", 'library_name: "mxtune"', 'license: "mit-license"', 'pipeline_tag: "image-classification"'
    ]  # fmt: skip
    assert f'mxload("{NAME}")' in body and body.count("```") == 4
    assert f"{model.metrics['accuracy']:.4g}" in body
    assert all(level in body for level in ("bag", "sandal", "trouser"))
    assert r"\<b\>Clothes\</b\> \| all" in body and r"Sorting \*my\* \#\# wardrobe" in body


def test_a_card_of_somebody_else_stays(file: Path, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["me/clothes"] = Repository({"README.md": b"My words."}, private=False)
    (push,) = session(file, tmp_path, ["push", NAME], HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    assert hub.repositories["me/clothes"].files["README.md"] == b"My words."
    assert hub.repositories["me/clothes"].files["model.mxt"] == file.read_bytes()
    assert push["messages"][0] == "README.md of me/clothes is kept: it is not by mxtune."
    assert push["messages"][-1].endswith(", public.")


def test_the_newest_model_is_loaded_and_the_cache_where_there_is_no_network(
    file: Path, hub: Hub, tmp_path: Path
) -> None:
    repository = hub.repositories["me/clothes"] = Repository({"model.mxt": file.read_bytes()})
    first, there = repository.commit, {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN}
    session(file, tmp_path, ["mxload", NAME], **there)
    newer = mxtrain(mxexample("fashion"), net="lenet", epochs=1, seed=2, verbose=0).to_bytes()
    repository.files["model.mxt"], repository.commit = newer, "f" * 40
    new, old = session(file, tmp_path, ["mxload", NAME], ["mxload", f"{NAME}@{first}"], **there)
    assert (new["digest"], old["digest"]) == (digest(newer), digest(file.read_bytes()))
    hub.refusing["/me/clothes/resolve"] = (503, "")
    (cached,) = session(file, tmp_path, ["mxload", NAME], **there)
    assert cached["digest"] == digest(newer) and f"is opened from its cache: commit {'f' * 10}" in cached["messages"][0]
    (offline,) = session(file, tmp_path, ["mxload", NAME], HF_HUB_OFFLINE="1", **there)
    assert offline["digest"] == digest(newer)


@pytest.mark.parametrize(
    ("where", "answer", "words"),
    [
        ("/api/models/me/clothes", (401, "Invalid credentials"), "status 401: Invalid credentials\ni The hub"),
        ("/api/repos/create", (403, "You don't have the rights"), "status 403: You don't have the rights\ni The"),
        ("/preupload/", (403, f"no rights with {TOKEN}"), r"status 403: no rights with \*\*\*\ni"),
        ("/objects/batch", (402, "storage limit reached"), "status 402: storage limit reached\ni More of that needs"),
        ("/store/", (413, "too large"), "status 413(: too large)?\ni Files of that size"),
        ("/commit/", (429, "slow down"), "status 429: slow down\ni Too much"),
        ("/commit/", (500, "oh"), "status 500: oh\ni Try again later"),
    ],
)  # fmt: skip
def test_a_push_that_is_refused_says_why_and_leaves_nothing(
    file: Path, hub: Hub, tmp_path: Path, where: str, answer: tuple[int, str], words: str
) -> None:
    hub.refusing[where] = answer
    hub.repositories["me/theirs"] = Repository({"a.txt": b"a"})
    calls = (["push", NAME], ["push", "hf:me/theirs"])
    new, old = session(file, tmp_path, *calls, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    assert new["error"] == "HubError" and new["text"].startswith(f"Nothing was pushed to {NAME}.\nx the hub answers")
    assert re.search(words, new["text"])
    assert "me/clothes" not in hub.repositories
    if "me/clothes" not in where and "create" not in where:
        assert old["error"] == "HubError" and set(hub.repositories["me/theirs"].files) == {"a.txt"}


def test_an_unknown_branch_or_name_is_told(file: Path, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["me/clothes"] = Repository({"model.safetensors": b"x"})
    calls = (["push", f"{NAME}@nowhere"], ["push", 3], ["mxload", NAME], ["mxload", "hf:me/none"])
    branch, name, load, none = session(file, tmp_path, *calls, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    assert "status 404: Invalid rev id: nowhere" in branch["text"]
    assert "has an owner and a name.\nx it is 3" in name["text"]
    assert load["text"].startswith("The repository me/clothes has no model.mxt, as mxtune's have.")
    assert none["text"].startswith("There is no repository me/none")


def test_without_a_token_a_network_or_the_package_it_is_told_at_once(file: Path, hub: Hub, tmp_path: Path) -> None:
    (answer,) = session(file, tmp_path, ["push", NAME], HF_ENDPOINT=hub.endpoint)
    assert "needs a token that may write.\ni Log in (hf auth login)" in answer["text"] and hub.asked == []
    (answer,) = session(file, tmp_path, ["push", NAME], HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in answer["text"] and hub.asked == []
    (answer,) = session(file, tmp_path, ["push", NAME], WITHOUT_HUB="1")
    assert 'pip install huggingface_hub; the extra "hub"' in answer["text"]
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        (silent,) = session(file, tmp_path, ["push", NAME], HF_ENDPOINT=address, HF_TOKEN=TOKEN)
    (closed,) = session(file, tmp_path, ["push", NAME], HF_ENDPOINT=address, HF_TOKEN=TOKEN)
    (load,) = session(file, tmp_path, ["mxload", NAME], HF_ENDPOINT=address)
    assert "download model.mxt from" in load["text"] and "safetensors" not in load["text"]
    for answer in (silent, closed):
        assert f"the Hugging Face hub at {address} is not reached" in answer["text"] and answer["seconds"] < 5


def test_the_command_pushes_and_says_in_its_own_words_why_not(file: Path, hub: Hub, tmp_path: Path) -> None:
    def mx(code: int, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        run = subprocess.run(
            [sys.executable, "-m", "mxtune.cli", "push", *words], env=environment(tmp_path, **more), cwd=tmp_path,
            check=False, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert run.returncode == code and "Traceback" not in run.stderr, run.stderr
        return run

    there = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN}
    run = mx(0, str(file), NAME, "--public", "--card", "licence=MIT", **there)
    repository = hub.repositories["me/clothes"]
    assert run.stdout == f"{hub.endpoint}/me/clothes/commit/{repository.commit}\n"
    assert f"{NAME} has the model" in run.stderr and not repository.private
    assert repository.files["model.mxt"] == file.read_bytes() and b'license: "mit"' in repository.files["README.md"]
    mx(0, str(file), NAME, "--forget", "-q", **there)
    assert Model.from_bytes(repository.files["model.mxt"]).memory is None
    assert "Log in (hf auth login)" in mx(1, str(file), NAME, HF_ENDPOINT=hub.endpoint).stderr
    assert "has an owner and a name.\nx it is 'me/clothes'" in mx(1, str(file), "me/clothes", **there).stderr
    assert "--card" in mx(2, str(file), NAME, "--card", "MIT", **there).stderr
    assert "license" in mx(2, str(file), NAME, "--card", "license=MIT", **there).stderr
    assert "none.mxt" in mx(1, "none.mxt", NAME, **there).stderr
    info = subprocess.run(
        [sys.executable, "-m", "mxtune.cli", "info", NAME], env=environment(tmp_path, **there), cwd=tmp_path,
        check=True, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert info.stdout.startswith("Model lenet: 10 classes")


def test_an_interrupted_push_leaves_nothing(file: Path, hub: Hub, tmp_path: Path) -> None:
    hub.slow = 0.05
    process = subprocess.Popen(
        [sys.executable, str(SESSION), str(file), json.dumps([["push", NAME, {}]])],
        env=environment(tmp_path, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN), cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not any("/store/" in path for _, path, _ in hub.asked):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    hub.slow = 0.0
    assert "me/clothes" not in hub.repositories and hub.stored == {}
    assert not any("/commit/" in path for _, path, _ in hub.asked)
