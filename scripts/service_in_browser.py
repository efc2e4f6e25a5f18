"""Drives the page of ``mxtune serve`` in a real browser, as a user would; `make web` runs it.

    .venv/bin/python scripts/service_in_browser.py FOLDER      (FOLDER: where PNG files go)

An image is chosen, dropped and pasted; what the page shows must be what `predict` says. A file that is none, a key and
a service that has ended are told in words. Wide, phone, light and dark, the page must keep its own policy, fit into the
window and have the contrast of level AA.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from report_in_browser import WIDTHS, faults
from web import Browser

from mxtune import Model, mxexample, mximages, mxtrain

KEY = "a-key-of-more-than-sixteen-letters"
ANSWERED = "!document.getElementById('result').hidden && !document.getElementById('evidence').disabled"


def models() -> dict[str, Model]:
    """One of each kind."""
    images = mximages(mxexample("fashion"))
    shade = np.asarray([np.asarray(image).mean() for image in images])
    sets = [["dark", "light", "of many words"][: place % 4] for place in range(len(images))]
    settings = {"tune": "head", "image_size": 64, "seed": 1, "verbose": 0}
    return {
        "classes": mxtrain(images, **settings),
        "labels": mxtrain(images, sets, task="multilabel", **settings),
        "numbers": mxtrain(images, shade / 255, task="regression", **settings),
    }


@contextlib.contextmanager
def serving(model: Path, *options: str) -> Iterator[str]:
    """The address of a service."""
    command = [sys.executable, "-m", "mxtune.cli", "serve", str(model), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stderr is not None  # noqa: S101
        line = process.stderr.readline()
        yield line.split(" at ")[1].split(",")[0].strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def give(browser: Browser, how: str, file: Path, *others: str) -> None:
    """Drop or paste a file, and others of these names, as the browser tells a page of it."""
    content = base64.b64encode(file.read_bytes()).decode()
    event = {
        "drop": "new DragEvent('drop', {dataTransfer: box, bubbles: true, cancelable: true})",
        "paste": "new ClipboardEvent('paste', {clipboardData: box, bubbles: true, cancelable: true})",
    }[how]
    browser.value(f"""(() => {{
      const bytes = Uint8Array.from(atob({json.dumps(content)}), c => c.charCodeAt(0)), box = new DataTransfer();
      for (const name of {json.dumps([file.name, *others])})
        box.items.add(new File([bytes], name, {{type: 'image/png'}}));
      document.body.dispatchEvent({event});
    }})()""")


def work(browser: Browser, address: str, model: Model, photos: list[Path], no_image: Path) -> list[str]:
    """What is wrong with the answers of the page to a model of classes."""
    found = []
    browser.open(address)
    browser.wait("!!document.getElementById('made').textContent")
    for how, photo in zip(("choose", "drop", "paste"), photos):
        browser.value("document.getElementById('result').hidden = true")
        if how == "choose":
            browser.choose("#file", photo)
        else:
            give(browser, how, photo)
        browser.wait(ANSWERED)
        browser.wait("!document.getElementById('near').hidden && !document.getElementById('set').hidden")
        top = model.predict(photo, top=8)
        wanted = [str(level) for level in top["pred_class"]]
        shown = browser.value("[...document.querySelectorAll('#bars bdi')].map(e => e.textContent)")
        widths = browser.value(
            "[...document.querySelectorAll('#bars .track span')].map(e => parseFloat(e.style.width))"
        )
        if shown != wanted or not np.allclose(widths, 100 * top["pred_prob"], atol=1e-3):
            found.append(f"{how}: the page says {shown}, {widths}; predict() {wanted}, {list(top['pred_prob'])}")
        near = browser.value("[...document.querySelectorAll('#near-rows tr')].map(r => r.cells[0].textContent)")
        known = browser.value("!document.getElementById('known').hidden")
        if near != list(model.nearest(photo)["neighbour"]) or not known:
            found.append(f"{how}: the nearest are {near}")
        said = browser.value("document.getElementById('said').textContent")
        if not said.startswith(wanted[0]) or browser.value("document.activeElement.id") != "answer":
            found.append(f"{how}: a screen reader hears {said!r}")
    before = browser.value("document.getElementById('picture').src")
    browser.value("document.getElementById('evidence').click()")
    browser.wait("document.getElementById('picture').src.startsWith('data:image/png') && picture.complete")
    browser.value("document.getElementById('evidence').click()")
    if browser.value("document.getElementById('picture').src") != before:
        found.append("the evidence does not go away")
    browser.choose("#file", no_image)
    browser.wait("!document.getElementById('alert').hidden")
    told = browser.value("document.getElementById('alert').textContent")
    if not told.startswith("Can't read 1 of 1 images."):
        found.append(f"of a file that is no image it says {told!r}")
    browser.choose("#file", photos[0])
    browser.wait("document.getElementById('alert').hidden")
    give(browser, "drop", photos[1], "another.png")
    browser.wait(
        f"document.getElementById('alert').textContent.startsWith('Of these 2 files this is {photos[1].name}')"
    )
    return found


def with_key(browser: Browser, address: str, photo: Path) -> list[str]:
    """What is wrong where a key is asked for."""
    browser.open(address)
    browser.wait("!!document.getElementById('made').textContent")
    browser.choose("#file", photo)
    browser.wait("!document.getElementById('key-form').hidden && document.activeElement.id === 'key'")
    browser.ask("Input.insertText", text=KEY)
    browser.value("document.querySelector('#key-form button').click()")
    browser.wait(ANSWERED)
    return [] if browser.value("document.getElementById('key-form').hidden") else ["the key is asked for again"]


def looked_at(browser: Browser, name: str, address: str, photo: Path, pictures: Path) -> list[str]:
    """What is wrong with the look of an answer; pictures of it are written."""
    found = []
    for width_name, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            shot = pictures / f"{name}-{width_name}-{scheme}.png"
            ready = "!!document.getElementById('made')?.textContent"
            found += faults(browser, address, width, scheme, ready, shot.with_stem(f"{shot.stem}-empty"), address)
            browser.choose("#file", photo)
            browser.wait(ANSWERED)
            browser.wait("!document.getElementById('near').hidden")
            if width_name == "wide" and scheme == "light":
                browser.value("document.getElementById('evidence').click()")
            found += faults(browser, "", width, scheme, ANSWERED, shot, address)
    return found


def main() -> None:
    pictures = Path(sys.argv[1]).absolute()
    pictures.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    photos = sorted(Path(mxexample("fashion")).rglob("*.png"))[::70]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        no_image = Path(home) / "no image.png"
        no_image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
        browser, found = Browser(Path(home) / "profile"), []
        try:
            for name, model in models().items():
                file = Path(home) / f"{name}.mxt"
                model.save(file)
                with serving(file) as address:
                    if name == "classes":
                        found += work(browser, address, model, photos, no_image)
                    browser.open("about:blank")
                    found += looked_at(browser, name, address, photos[1], pictures)
                browser.choose("#file", photos[0])
                browser.wait("document.getElementById('alert').textContent.includes('be reached')")
                if name == "classes":
                    keys = Path(home) / "keys.txt"
                    keys.write_text(f"{KEY}\n")
                    with serving(file, "--key-file", str(keys)) as address:
                        found += with_key(browser, address, photos[0])
        finally:
            browser.process.terminate()
            browser.process.wait()
    print(f"service: {'fine' if not found else f'{len(found)} faults'}")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
