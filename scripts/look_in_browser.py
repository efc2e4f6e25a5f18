"""Drives the page of ``mxtune look`` in a real browser, as a user would; `make web` runs it.

    .venv/bin/python scripts/look_in_browser.py FOLDER      (FOLDER: where PNG files go)

Keys keep, relabel, drop and take back; the table must say what was pressed, and `mximages` must read it. In each way
(wide, phone, light, dark) the page must keep its own policy, fit into the window and have the contrast of level AA.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from report_in_browser import WIDTHS, faults
from web import Browser

from mxtune import Model, mxexample, mximages, mxlook, mxtrain


def photos(folder: Path) -> Path:
    """Some clothes: four in the wrong folder, a copy, and a file that is none."""
    classes = ("ankle_boot", "bag", "coat", "dress", "sandal", "shirt")
    for level in classes:
        (folder / level).mkdir(parents=True)
        for file in sorted((Path(mxexample("fashion")) / level).glob("*.png"))[:24]:
            shutil.copy(file, folder / level)
    for level, wrong in zip(classes, classes[1:5]):
        file = sorted((folder / level).glob("*.png"))[3]
        file.rename(folder / wrong / f"planted from {level}.png")
    shutil.copy(sorted((folder / "bag").glob("*.png"))[7], folder / "dress" / "copy.png")
    (folder / "shirt" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    return folder


class Looking:
    """`mxlook` in a thread, since the browser is driven from here."""

    def __init__(self, x: Any, table: Path, **settings: Any) -> None:
        self.address, self.result = "", pd.DataFrame()
        self._ready = threading.Event()

        def ready(address: str) -> None:
            self.address = address
            self._ready.set()

        def run() -> None:
            self.result = mxlook(x, decisions=table, show=ready, **settings)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        self._ready.wait(60)

    def ended(self) -> pd.DataFrame:
        self._thread.join(20)
        return self.result


def press(browser: Browser, key: str) -> None:
    text = {"text": {"Enter": "\r"}.get(key, key)} if len(key) == 1 or key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {}))


def shows(browser: Browser, image: str, decided: int) -> None:
    """Wait until the page shows this image, and says how many are decided."""
    browser.wait(f"document.getElementById('name').textContent.startsWith({image!r})")
    browser.wait(f"document.getElementById('under').textContent.includes('{decided} decided')")


def work(browser: Browser, looking: Looking, table: Path) -> list[str]:
    """Look through the suspects by keys; what is wrong with what comes of it."""
    found = []
    browser.open(looking.address)
    browser.wait("!!document.querySelector('#grid [aria-current]')")
    suspects = browser.value("state.suggested.map(one => state.names[one[0]])")
    planted = [name for name in suspects if "planted" in name]
    if len(planted) < 3:
        found.append(f"suspects are {suspects}")
    first, second, third = suspects[:3]
    press(browser, "s")
    shows(browser, second, 1)
    press(browser, "d")
    shows(browser, third, 2)
    press(browser, "u")
    shows(browser, second, 1)
    press(browser, "k")
    shows(browser, third, 2)
    press(browser, "ArrowLeft")
    shows(browser, second, 2)
    press(browser, "ArrowRight")
    shows(browser, third, 2)
    for label in ("a name mistyped", "<b>new</b> class"):
        browser.value(f"go(rows.find(row => state.names[row] === {third!r}))")
        press(browser, "/")
        browser.ask("Input.insertText", text=label)
        press(browser, "Enter")
        browser.wait(f"document.getElementById('said').textContent.includes({label!r})")
    browser.wait("document.getElementById('under').textContent.includes('3 decided')")
    keys = browser.value("[...document.querySelectorAll('#classes button')].map(one => one.dataset.label)")
    if "<b>new</b> class" not in keys or "a name mistyped" in keys:
        found.append(f"there are keys for {keys}")
    browser.value(
        "[...document.querySelectorAll('#views button')].find(b => b.textContent.startsWith('Copies')).click()"
    )
    press(browser, "d")
    browser.wait("document.getElementById('under').textContent.includes('4 decided')")
    said = browser.value("document.getElementById('said').textContent")
    if "dropped, saved" not in said:
        found.append(f"a screen reader hears {said!r}")
    heard = "[...document.querySelectorAll('button, input')].filter(e => e.offsetParent && !e.disabled && " \
        "!(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"  # fmt: skip
    if browser.value(heard):
        found.append("a button has no name")
    written = pd.read_csv(table).dropna(subset=["decision"]).set_index("file")
    words = written["decision"].to_dict()
    names = {Path(file).name: decision for file, decision in words.items()}
    wanted = {Path(first).name: "relabel", Path(second).name: "keep", Path(third).name: "relabel"}
    if wanted.items() - names.items() or sorted(names.values()) != ["drop", "keep", "relabel", "relabel"]:
        found.append(f"the table says {names}")
    images = mximages(table)
    if "<b>new</b> class" not in images.levels or len(images) != len(pd.read_csv(table)) - 1:
        found.append(f"mximages reads {images}")
    return found


def several(browser: Browser, looking: Looking, table: Path) -> list[str]:
    """Set and clear labels by keys; what is wrong with what comes of it."""
    found = []
    browser.open(looking.address)
    browser.wait("!!document.querySelector('#grid [aria-current]')")
    first, second = browser.value("rows.slice(0, 2).map(row => state.names[row])")
    level, other = browser.value("state.levels.slice(0, 2)")
    before = browser.value("state.labels[current]")
    press(browser, "1")
    shows(browser, first, 1)
    browser.wait("state.decisions[current] === 'relabel'")
    press(browser, "1")
    browser.wait("state.decisions[current] === 'keep'")
    press(browser, "2")
    browser.wait("state.decisions[current] === 'relabel'")
    shows(browser, first, 1)
    pressed = browser.value("[...document.querySelectorAll('#classes [aria-pressed=true]')].map(b => b.dataset.label)")
    wanted = [one for one in (level, other) if (one in before) != (one == other)]
    if [one for one in pressed if one in (level, other)] != wanted:
        found.append(f"the keys show {pressed} of {before}")
    press(browser, "/")
    browser.ask("Input.insertText", text="new, label")
    press(browser, "Enter")
    browser.wait("state.labels[current].includes('new, label')")
    press(browser, "k")
    shows(browser, second, 1)
    row = pd.read_csv(table).iloc[0]
    if row["decision"] != "relabel" or bool(row[other]) == (other in before) or not row["new, label"]:
        found.append(f"the table says {row.to_dict()}")
    return found


def main() -> None:
    pictures = Path(sys.argv[1]).absolute()
    pictures.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folder, table = photos(Path(home) / "photos"), Path(home) / "decisions.csv"
        model: Model = mxtrain(mximages(folder, on_bad="skip"), tune="head", image_size=48, verbose=0)
        looking = Looking(folder, table, model=model)
        browser, found = Browser(Path(home) / "profile"), []
        try:
            found += work(browser, looking, table)
            ready = "!!document.querySelector('#grid [aria-current]') && [...document.images].every(i => i.complete)"
            for name, width in WIDTHS.items():
                for scheme in ("light", "dark"):
                    where = pictures / f"look-{name}-{scheme}.png"
                    found += faults(browser, looking.address, width, scheme, ready, where, allowed=looking.address)
            browser.value("document.getElementById('done').click()")
            if len(looking.ended()) != len(pd.read_csv(table)):
                found.append("mxlook() gives another table than it wrote")
            files, table = sorted(folder.rglob("*.png"))[:-1:6], Path(home) / "several.csv"
            labels = [["clothes", *([file.parent.name] if number % 3 else [])] for number, file in enumerate(files)]
            looking = Looking(mximages(list(map(str, files)), labels), table)
            found += several(browser, looking, table)
            for name, width in WIDTHS.items():
                where = pictures / f"look-several-{name}.png"
                found += faults(browser, looking.address, width, "light", ready, where, allowed=looking.address)
            browser.value("document.getElementById('done').click()")
            looking.ended()
        finally:
            browser.process.terminate()
            browser.process.wait()
    print(f"look: {'fine' if not found else f'{len(found)} faults'}")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
