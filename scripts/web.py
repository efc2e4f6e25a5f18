"""Classifies images in a real browser with what mxtune writes, and compares; `make web` runs it.

    .venv/bin/python scripts/web.py FOLDER      (FOLDER: onnxruntime-web's dist/)

inst/web/classify.html is served beside the models and opened in Chromium, which is told to choose image files as a user
would. The probabilities on the page must be those of `predict` to 1e-5, where the browser has no resizing to do.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from mxtune import Model, Network, mxexample, mximages, mxnetwork, mxtrain

PAGE = Path(__file__).resolve().parents[1] / "inst" / "web" / "classify.html"
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
TOLERANCE = 1e-5
PATIENCE = 60  # seconds
READY = "document.getElementById('image')?.disabled === false"


class Browser:
    """Chromium without a window, told what to do through a pipe."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()  # what it hears, what it answers
        chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                    f"--user-data-dir={folder}", "about:blank"]  # fmt: skip
        ends = (ours[0], theirs[1])  # it hears on 3, and answers on 4
        command = [
            "bash",
            "-c",
            f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}',
            "bash",
            *chromium,
        ]
        self.process = subprocess.Popen(command, pass_fds=ends, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.to, self.answers = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb", buffering=0)
        self.rest, self.number, self.session = b"", 0, None

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What it answers to one of its commands."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": arguments}
        message |= {"sessionId": self.session} if self.session else {}
        self.to.write(json.dumps(message).encode() + b"\0")
        self.to.flush()
        while True:
            while b"\0" not in self.rest:
                part = self.answers.read(1 << 16)
                if not part:
                    raise RuntimeError("the browser has ended")
                self.rest += part
            first, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(first)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def open(self, address: str) -> None:
        self.session = None
        target = self.ask("Target.createTarget", url=address)["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def value(self, expression: str) -> Any:
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > until:
                raise TimeoutError(f"{expression}; the page says: {self.value('document.body.innerText')}")
            time.sleep(0.1)

    def choose(self, selector: str, file: Path) -> None:
        """Give a file to an input of the page."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing."""

    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm",
    }  # fmt: skip

    def log_message(self, *_: Any) -> None:
        pass


def models() -> dict[str, Model]:
    """Of colour and grey images, stretched, cropped and padded; of several labels, and of numbers."""
    images = mximages(mxexample("fashion"))
    places = list(range(0, len(images), 4))
    few = images[places]

    def fitted(fit: str) -> Network:
        return mxnetwork("efficientnet_lite0", preprocess={"fit": fit, "size": (64, 64)})

    lite, lenet = mxnetwork("efficientnet_lite0", image_size=64), mxnetwork("lenet")
    sets = [["dark", "light"][: place % 3] for place in range(len(few))]
    return {
        "colour": mxtrain(images, net=lite, tune="head", seed=1, verbose=0),
        "cropped": mxtrain(images, net=fitted("crop"), tune="head", seed=1, verbose=0),
        "padded": mxtrain(images, net=fitted("pad"), tune="head", seed=1, verbose=0),
        "grey": mxtrain(images, net=lenet, tune="all", epochs=2, seed=1, verbose=0),
        "labels": mxtrain(few, sets, net=lite, task="multilabel", tune="head", seed=1, verbose=0),
        "numbers": mxtrain(few, np.arange(len(few)) / 10, net=lite, tune="head", seed=1, verbose=0),
    }


def on_the_page(browser: Browser, file: Path) -> dict[str, float]:
    """What the page shows of an image: each label and its number."""
    browser.choose("#image", file)
    browser.wait(f"document.getElementById('status').textContent === {json.dumps(file.name)}")
    rows = "[...document.querySelectorAll('#answers tr')].map(r => [r.cells[0].textContent, +r.cells[1].dataset.value])"
    return dict(browser.value(rows))


def wanted(model: Model, file: Path) -> dict[str, float]:
    """The same from `predict`."""
    if model.task == "regression":
        return {"output 1": float(model.predict(file)["pred"].iloc[0])}
    row = model.predict(file, type="prob").iloc[0]
    return {level: float(row[f"pred_{level}"]) for level in model.levels}


def complaints(browser: Browser, address: str, model: str, no_image: Path) -> list[str]:
    """What the page must say, and does not, of a model that is missing and of a file that is no image."""
    missing, bad = "The model could not be opened.", "That did not work:"
    says = "document.getElementById('status')?.textContent.startsWith({})"
    try:
        browser.open(f"{address}?model=missing.onnx")
        browser.wait(says.format(json.dumps(missing)))
        browser.open(f"{address}?model={model}")
        browser.wait(READY)
        browser.choose("#image", no_image)
        browser.wait(says.format(json.dumps(bad)))
    except TimeoutError as fault:
        return [str(fault)]
    return []


def main() -> None:
    runtime, failed = Path(sys.argv[1]), []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        site = Path(folder) / "site"
        site.mkdir()
        for file in (PAGE, *(runtime / name for name in RUNTIME)):
            shutil.copy(file, site / file.name)
        trained = models()
        for name, model in trained.items():
            model.save(site / f"{name}.onnx")
        trained["network"] = trained["colour"]
        trained["network"].network.save(site / "network.onnx")  # prepared by the page
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = Browser(Path(folder) / "profile")
        address = f"http://127.0.0.1:{server.server_port}/{PAGE.name}"
        photo = next(Path(mxexample("fashion")).rglob("*.png"))
        try:
            for name, model in trained.items():
                browser.open(f"{address}?model={name}.onnx")
                browser.wait(READY)
                preprocess = model.network.preprocess
                exact = Path(folder) / f"{name}.png"
                with Image.open(photo) as image:
                    pixels = preprocess.canvas(image).squeeze()
                Image.fromarray(pixels[12:-12] if preprocess.fit == "pad" else pixels).save(exact)  # bars of 12 pixels
                shown, ours = on_the_page(browser, exact), wanted(model, exact)
                far = max(abs(shown[label] - ours[label]) for label in shown)
                resized, ours = on_the_page(browser, photo), wanted(model, photo)
                by_browser = max(abs(resized[label] - ours[label]) for label in resized)
                print(f"{name}: {far:.1e}; where the browser resizes {by_browser:.1e}", flush=True)
                if not (far <= TOLERANCE * max(1, *map(abs, shown.values())) and len(shown) == len(ours)):
                    failed.append(name)
            failed += complaints(browser, address, "colour.onnx", PAGE)
        finally:
            browser.process.terminate()
            browser.process.wait()
            server.shutdown()
    if failed:
        sys.exit(f"Wrong: {', '.join(failed)}")


if __name__ == "__main__":
    main()
