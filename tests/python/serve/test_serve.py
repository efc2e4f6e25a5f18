"""The service as a user meets it: a process that is started by its command, and asked over HTTP."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

import pytest
from PIL import Image

from mxtune import Model, mxexample, mxload, mxserve, mxtrain
from mxtune.errors import ArgumentError, ModelFileError

FORM = b'--x\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\nan image\r\n'
PHOTOS = sorted(Path(mxexample("fashion")).rglob("*.png"))
KEY = "a key of more than sixteen letters"


class Service:
    """A service under way, and its address."""

    def __init__(self, model: Path, *options: str) -> None:
        command = [sys.executable, "-m", "mxtune.cli", "serve", str(model), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert " at http://" in line, line + self.process.stderr.read()
        self.address = line.split(" at ")[1].split(",")[0].strip()

    def ask(
        self, path: str, body: Optional[bytes] = None, kind: str = "image/png", **headers: str
    ) -> tuple[int, Any, Any]:
        request = urllib.request.Request(  # noqa: S310
            self.address + path, body, {"Content-Type": kind, **headers}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("served") / "fashion.mxt"
    mxtrain(mxexample("fashion"), image_size=32, tune="head", verbose=0).save(target)
    return target


@pytest.fixture(scope="module")
def model(file: Path) -> Model:
    return mxload(file)


@pytest.fixture(scope="module")
def service(file: Path) -> Iterator[Service]:
    started = Service(file, "--timeout", "20")
    yield started
    started.end()


def form(files: dict[str, bytes]) -> tuple[bytes, str]:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="images"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in files.items()
    ]
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


def as_json(images: list[dict[str, str]]) -> tuple[bytes, str]:
    return json.dumps({"images": images}).encode(), "application/json"


@pytest.mark.parametrize("type_", ["class", "prob", "set", "logit"])
def test_answers_are_those_of_predict(service: Service, model: Model, type_: str) -> None:
    status, text, _ = service.ask(f"/predict?type={type_}", *form({one.name: one.read_bytes() for one in PHOTOS[:5]}))
    assert status == 200, text
    wanted = model.predict([str(one) for one in PHOTOS[:5]], type=type_)
    for row, (_, told) in zip(json.loads(text)["predictions"], wanted.iterrows()):
        for name, value in list(told.items())[1:]:
            assert row[name] == (pytest.approx(value, abs=1e-5) if isinstance(value, float) else value)


def test_each_kind_of_body_has_the_same_answer(service: Service) -> None:
    content = PHOTOS[0].read_bytes()
    bodies = [
        (content, "image/png"),
        (content, "application/octet-stream"),
        form({"a.png": content}),
        as_json([{"data": base64.b64encode(content).decode()}]),
    ]
    answers = [json.loads(service.ask("/predict?type=prob", *body)[1])["predictions"][0] for body in bodies]
    for answer in answers:
        del answer["file"]
    assert all(answer == answers[0] for answer in answers)


def test_csv_novelty_and_explanation(service: Service) -> None:
    content = PHOTOS[0].read_bytes()
    _, text, headers = service.ask("/predict?format=csv&top=2", content)
    assert headers["content-type"].startswith("text/csv")
    assert text.splitlines()[0] == "file,pred_class,pred_prob"
    assert len(text.splitlines()) == 3
    answer = json.loads(service.ask("/predict?novelty=true&explain=true", content)[1])
    assert {"novelty", "is_novel"} <= set(answer["predictions"][0])
    assert base64.b64decode(answer["explanations"][0]["png"]).startswith(b"\x89PNG")


def test_a_training_image_is_told_and_is_not_its_own_neighbour(service: Service, model: Model) -> None:
    new = io.BytesIO()
    Image.open(PHOTOS[0]).save(new, "JPEG", quality=60)
    body = form({"known.png": PHOTOS[0].read_bytes(), "new.jpg": new.getvalue()})
    answer = json.loads(service.ask("/predict?nearest=true", *body)[1])
    assert answer["trained_on"] == [{"file": "known.png"}]
    own, wanted = Path(*PHOTOS[0].parts[-2:]).as_posix(), model.nearest([PHOTOS[0], new])
    assert [row["neighbour"] for row in answer["nearest"]] == wanted["neighbour"].tolist()
    assert [row["similarity"] for row in answer["nearest"]] == pytest.approx(wanted["similarity"].tolist(), abs=1e-5)
    assert own not in wanted["neighbour"].tolist()[:5] and wanted["neighbour"].tolist()[5] == own


def test_a_bad_image_is_one_422_and_spoils_no_other(service: Service) -> None:
    good, hostile = PHOTOS[0].read_bytes(), PHOTOS[1].read_bytes()[:200]

    def ask(place: int) -> int:
        return service.ask("/predict", hostile if place % 4 == 0 else good)[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(24))) == [422 if place % 4 == 0 else 200 for place in range(24)]
    body = form({"good.png": good, "bad.png": hostile})
    status, text, _ = service.ask("/predict", *body)
    assert status == 422
    assert [line.split(":")[0] for line in json.loads(text)["details"]] == ["bad.png"]
    answer = json.loads(service.ask("/predict?on_bad=na", *body)[1])
    assert [row["pred_class"] is None for row in answer["predictions"]] == [False, True]
    assert answer["bad"][0]["file"] == "bad.png"


def test_a_bomb_is_refused_by_its_claim(service: Service) -> None:
    huge = b"P5 60000 60000 255\n" + bytes(100)
    status, text, _ = service.ask("/predict", huge)
    assert status == 422
    assert "too large" in text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "image/png", 422),
        (b"text", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"images": [{"data": "%%"}]}', "application/json", 422),
        (b'{"images": [], "type": "prob"}', "application/json", 422),
        (b'{"images": [{"data": ""}], "images": []}', "application/json", 400),
        (b'{"images": [{"data": "", "label": "bag"}]}', "application/json", 422),
        (b'{"images": [{"url": "file:///etc/passwd"}]}', "application/json", 422),
        (b'{"images": [{"url": "http://localhost/a.png"}]}', "application/json", 422),
        (b"no form", "multipart/form-data", 400),
        (b"no form", "multipart/form-data; boundary=x", 400),
        (FORM, "multipart/form-data; boundary=x", 400),
        (FORM.replace(b'; filename="a"', b"") + b"--x--", "multipart/form-data; boundary=x", 422),
        (FORM * 70 + b"--x--", "multipart/form-data; boundary=x", 422),
        (b'{"images": [], "\\ud800": 1}', "application/json", 422),
        (b'{"images": [{"data": "", "\\ud800": 1}]}', "application/json", 422),
        (b'{"images": [{"url": "http://\\ud800/a.png"}]}', "application/json", 422),
        (bytes(33_000_000), "image/png", 413),
    ],
)
def test_what_is_no_request_is_told_so(service: Service, body: bytes, kind: str, status: int) -> None:
    try:
        assert service.ask("/predict", body, kind)[0] == status
    except urllib.error.URLError:  # closed while it is sent
        assert status == 413
    assert service.ask("/health")[0] == 200


def test_what_ends_well_is_read(service: Service) -> None:
    content = PHOTOS[0].read_bytes()
    body, kind = form({"a.png": content})
    lines = base64.encodebytes(content).decode()  # as the command base64 writes them
    for sent in ((body + b"an epilogue", kind), as_json([{"data": lines}])):
        assert service.ask("/predict", *sent)[0] == 200
    status, text, _ = service.ask("/predict", *as_json([{"data": f"data:image/png;base64,{lines}"}]))
    assert (status, json.loads(text)["details"]) == (422, ["image 1 is no base64 but for what stands before its comma"])
    assert service.ask("/predict", content, **{"Content-Encoding": "gzip"})[0] == 415
    for path, body, status in (("/predict", None, 405), ("/health", b"", 405), ("/docs", None, 404)):
        answer = service.ask(path, body)
        assert answer[0] == status and "POST /predict" in json.loads(answer[1])["details"][0]


class Elsewhere(BaseHTTPRequestHandler):
    """Another service, which has an image, and one that never ends."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/none.png" else 200)
        self.end_headers()
        with contextlib.suppress(OSError):
            if self.path == "/endless.png":
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.1)
            self.wfile.write(PHOTOS[0].read_bytes())


def test_nothing_takes_longer_than_a_request_may(file: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{other.server_port}"
        started = Service(file, "--timeout", "2", "--allow-url", host)
        urls = [{"url": f"http://{host}/{name}"} for name in ("a b-\u00fc.png", "none.png", "endless.png")]
        try:
            status, text, _ = started.ask("/predict?on_bad=na", *as_json(urls[:2]))
            assert status == 200
            told = json.loads(text)
            assert [row["pred_class"] is None for row in told["predictions"]] == [False, True]
            assert "can't be fetched" in told["bad"][0]["reason"] and "404" in told["bad"][0]["reason"]
            assert started.ask("/predict", *as_json(urls[1:2]))[0] == 422
            place = started.address.rpartition("/")[2].split(":")
            silent, late = (socket.create_connection((place[0], int(place[1])), 30) for _ in range(2))
            late.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert late.recv(9) == b"HTTP/1.1 "
            late.sendall(b"GET /hea")  # the head of a second request, which never ends
            began = time.monotonic()
            assert started.ask("/predict", *as_json(urls[2:]))[0] == 408
            for connection in (silent, late):
                with connection:
                    while connection.recv(1000):
                        pass
            assert time.monotonic() - began < 10
        finally:
            started.end()
            other.shutdown()


def test_who_wants_no_body_gets_none(service: Service) -> None:
    for path in ("/health", "/"):
        request = urllib.request.Request(service.address + path, method="HEAD")  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            assert (answer.status, answer.read()) == (200, b"") and int(answer.headers["Content-Length"]) > 0


def test_options_that_mean_nothing_are_named(service: Service) -> None:
    status, text, _ = service.ask("/predict?level=2", PHOTOS[0].read_bytes())
    assert status == 422
    assert json.loads(text)["details"][0].startswith("level")


def test_what_would_be_passed_over_is_refused(service: Service) -> None:
    content = PHOTOS[0].read_bytes()
    for asked, told in (
        ("tpye=prob", "tpye: Did you mean type?"),
        ("type=prob&wanted=5", "wanted: There are type, level,"),
        ("top=3&top=4", "top: it has several"),
        ("level=0.8", "`type` is 'class'"),
    ):
        status, text, _ = service.ask(f"/predict?{asked}", content)
        assert status == 422
        assert json.loads(text)["details"][0].startswith(told)
    body, kind = form({"a.png": content})
    field = b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nprob\r\n'
    status, text, _ = service.ask("/predict", field + body, kind)
    assert status == 422
    assert json.loads(text)["details"] == [
        "type: it has no file name; parameters are in the address, as in /predict?type=prob"
    ]


def test_figures_and_the_description_are_there(service: Service) -> None:
    service.ask("/predict", PHOTOS[0].read_bytes())
    assert 'mxtune_requests_total{status="200"}' in service.ask("/metrics")[1]
    described = json.loads(service.ask("/openapi.json")[1])
    assert {"200", "413", "415", "422", "503"} <= set(described["paths"]["/predict"]["post"]["responses"])


def test_a_key_is_needed_where_there_are_keys_and_requests_are_answered_at_sigterm(file: Path, tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(f"# ours\n{KEY}\n")
    started = Service(file, "--key-file", str(tmp_path / "keys.txt"))
    content = PHOTOS[0].read_bytes()
    allowed = {"Authorization": f"Bearer {KEY}"}
    try:
        assert [started.ask(path, content)[0] for path in ("/predict", "/metrics")] == [401, 405]
        assert started.ask("/metrics")[0] == 401
        assert started.ask("/predict", content, Authorization="Bearer wrong")[0] == 401
        assert started.ask("/health")[0] == 200
        assert started.ask("/predict", content, **allowed)[0] == 200
        host, _, port = started.address.rpartition("/")[2].partition(":")
        kind = f"Content-Type: image/png\r\nContent-Length: {len(content)}"
        head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\n{kind}\r\n"
        with socket.create_connection((host, int(port)), 30) as connection:
            connection.sendall(f"{head}Expect: 100-continue\r\nX-API-Key: {KEY}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100")  # it is under way
            started.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):  # until nobody is let in any more
                while True:
                    socket.create_connection((host, int(port)), 30).close()
            connection.sendall(content)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer.lower()
        assert b"pred_class" in answer
        assert started.process.wait(30) == -signal.SIGTERM
    finally:
        started.process.kill()


def test_a_full_queue_is_a_503_that_says_when(file: Path) -> None:
    started = Service(file, "--queue", "1")
    content = PHOTOS[0].read_bytes()
    try:
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: started.ask("/predict?explain=true", content), range(32)))
        refused = [headers for status, _, headers in answers if status == 503]
        assert refused
        assert all(int(headers["retry-after"]) >= 1 for headers in refused)
        assert {status for status, *_ in answers} == {200, 503}
    finally:
        assert started.end() == -signal.SIGTERM


def test_several_processes_answer_and_add_up_their_figures(file: Path) -> None:
    started = Service(file, "--workers", "2")
    try:
        for _ in range(6):
            assert started.ask("/predict", PHOTOS[0].read_bytes())[0] == 200
        assert 'mxtune_requests_total{status="200"} 6.0' in started.ask("/metrics")[1]
        children = Path(f"/proc/{started.process.pid}/task/{started.process.pid}/children").read_text().split()
        workers = [one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
        assert len(workers) == 2
        body = form({photo.name: photo.read_bytes() for photo in PHOTOS[:64]})
        with ThreadPoolExecutor(16) as pool:  # images wait in the queue of each
            asked = [pool.submit(started.ask, "/predict?explain=true", *body) for _ in range(8)]
            while "mxtune_queue_images 0.0" in started.ask("/metrics")[1]:
                assert not all(one.done() for one in asked)
            for worker in workers:
                os.kill(int(worker), signal.SIGKILL)  # though they have just started, others follow
        for _ in range(20):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):  # one was on its way to them
                assert started.ask("/predict", PHOTOS[0].read_bytes())[0] == 200
            time.sleep(0.05)
        assert started.process.poll() is None
        assert "mxtune_queue_images 0.0" in started.ask("/metrics")[1]  # those who waited there have gone
    finally:
        started.end()
    assert started.process.returncode == 0


def test_a_short_key_a_taken_port_and_a_missing_model_are_told(file: Path, tmp_path: Path, service: Service) -> None:
    (tmp_path / "keys.txt").write_text("short\n")
    port = service.address.rpartition(":")[2]
    for options, told in (
        ([str(file), "--key-file", str(tmp_path / "keys.txt")], "can be guessed"),
        ([str(file), "--port", port], "Choose another port"),
        ([str(tmp_path / "none.mxt"), "--port", "0"], "none.mxt"),
        ([str(tmp_path / "none.mxt"), "--port", "0", "--workers", "2"], "there is no such file"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "mxtune.cli", "serve", *options], capture_output=True, text=True, check=False
        )
        assert ended.returncode in (1, 2)
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr


def test_the_page_loads_and_runs_nothing_but_its_own(service: Service) -> None:
    status, text, headers = service.ask("/")
    policy = headers["content-security-policy"]
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for tag in ("script", "style"):
        code = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() in policy
    assert "://" not in text
    assert "/" not in json.loads(service.ask("/openapi.json")[1])["paths"]


def test_the_page_is_there_for_those_who_have_a_key_to_give(file: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(KEY)
    guarded = Service(file, "--key-file", str(tmp_path / "keys"))
    try:
        assert guarded.ask("/")[0] == 200
        assert guarded.ask("/predict?top=3", PHOTOS[0].read_bytes())[0] == 401
    finally:
        guarded.end()


def test_a_model_is_served_in_the_background_until_it_is_stopped(model: Model, tmp_path: Path) -> None:
    with mxserve(model, max_mb=1) as service:
        request = urllib.request.Request(  # noqa: S310
            f"{service.url}/predict", PHOTOS[0].read_bytes(), {"Content-Type": "image/png"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            (row,) = json.load(answer)["predictions"]
        assert row["pred_class"] == model.predict([str(PHOTOS[0])])["pred_class"].iloc[0]
        assert service.running
    assert not service.running
    assert repr(service) == f"<A service that was at {service.url}>"
    with pytest.raises(ModelFileError, match=r"none\.mxt"):
        mxserve(tmp_path / "none.mxt", workers=2)
    for wrong, words in (
        ({"workers": 0}, "`workers` must be a whole number from 1 to 256"),
        ({"device": "tpu"}, "`device` must be"),
        ({"engine": "tf"}, "`engine` must be one of auto, mxnet, torch"),
        ({"host": 3}, "`host` must be a name or an address"),
        ({"host": "no such host"}, "Can't serve at no such host, port 0"),
        ({"host": "long" * 20}, "Can't serve at longlong"),
        ({"allow_url": 3}, "`allow_url` must be a host, or a list"),
        ({"allow_url": "http://example.org/a"}, "hosts that are named.\nx it is 'http://example.org/a'"),
    ):
        with pytest.raises(ArgumentError, match=words):
            mxserve(model, **wrong)
    with pytest.raises(ArgumentError, match="`model` must be a model, or the file of one"):
        mxserve(None)  # type: ignore[arg-type]


def test_a_service_ends_with_the_process_that_started_it_and_leaves_nothing(file: Path, tmp_path: Path) -> None:
    code = f"import mxtune, os; s = mxtune.mxserve(mxtune.mxload({str(file)!r})); print(s.url, flush=True); os._exit(0)"
    temporary = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=temporary, capture_output=True, text=True, check=True)
    where = run.stdout.strip().rpartition("/")[2].split(":")
    for _ in range(600):
        try:
            socket.create_connection((where[0], int(where[1])), 1).close()
        except OSError:
            if not list(tmp_path.iterdir()):
                return
        time.sleep(0.05)
    pytest.fail(f"it goes on, or leaves {list(tmp_path.iterdir())}")
