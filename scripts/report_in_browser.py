"""Looks at reports in a real browser: light, dark, on a phone, and printed; `make web` runs it.

    .venv/bin/python scripts/report_in_browser.py FOLDER      (FOLDER: where reports, PNG and PDF files go)

In each way the page must load nothing and break no rule of its own policy, fit into the window, show its images, and
have the contrast that WCAG 2 asks of level AA. What no rule tells, whether it is good to read, the files are for.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from web import Browser

from mxtune import Model, mxexample, mximages, mxtrain

WIDTHS = {"wide": 1280, "phone": 360}
WATCH = """
window.faults = [];
addEventListener("securitypolicyviolation", e => faults.push(`policy: ${e.violatedDirective} ${e.blockedURI}`));
addEventListener("error", e => faults.push(`error: ${e.message}`), true);
"""
FAULTS = """(allowed => {
  const found = [...faults];
  const own = name => /^(data|blob):/.test(name) || (allowed && name.startsWith(allowed));
  const loaded = performance.getEntriesByType("resource").map(r => r.name).filter(name => !own(name));
  found.push(...loaded.map(name => `loads ${name}`));
  if (document.documentElement.scrollWidth > innerWidth) found.push(`is ${document.documentElement.scrollWidth} wide`);
  const drawn = [...document.images].filter(i => i.offsetParent && i.loading !== "lazy");
  found.push(...drawn.filter(i => !i.naturalWidth).map(i => `no image: ${i.alt}`));
  const parse = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const over = (top, below) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map(k => a * top[k] + (1 - a) * below[k]);
  };
  const ground = e => {
    const layers = [];
    for (let one = e; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    const unseen = e.closest("title, desc, .heard, details:not([open]) > :not(summary)");
    if (!texts.currentNode.data.trim() || unseen) continue;
    const style = getComputedStyle(e), below = ground(e);
    const drawn = over(parse(e.closest("svg") ? style.fill : style.color), below);
    const [dark, bright] = [light(drawn), light(below)].sort((a, b) => a - b);
    const contrast = (bright + .05) / (dark + .05), size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const name = `${e.localName}.${e.getAttribute("class") || ""}`;
    if (contrast < least && !seen.has(name)) {
      seen.add(name);
      found.push(`contrast ${contrast.toFixed(2)} of ${name}: ${texts.currentNode.data.trim().slice(0, 30)}`);
    }
  }
  return found;
})"""


def models() -> dict[str, Model]:
    """One of each kind, and one of many classes."""
    images = mximages(mxexample("fashion"))
    count = len(images)
    shade = np.asarray([np.asarray(image).mean() for image in images])
    rank = np.argsort(np.argsort(shade)) * 10 // count
    few = [row for row in range(count) if images.label_of(row) in ("coat", "dress")]
    named = [images.label_of(row) for row in range(count)]
    sets = [["dark", "light", "of many words and none that breaks"][: place % 4] for place in range(count)]

    def trained(x: Any, y: Any = None, **settings: Any) -> Model:
        return mxtrain(x, y, **{"tune": "head", "image_size": 64, "seed": 1, "verbose": 0, **settings})

    return {
        "ten": trained(images, meta={"title": "Clothes", "author": "A. Lovelace", "notes": "The first."}),
        "two": trained(images[few], [named[row] for row in few]),
        "hundred": trained(images, [f"{name}, shade {number}" for name, number in zip(named, rank.tolist())]),
        "labels": trained(images, sets, task="multilabel"),
        "numbers": trained(images, shade / 255, task="regression"),
        "layers": trained(images, net="lenet", tune="all", epochs=5, image_size=None),
        "unknown": trained(images, valid=None, folds=None),
    }


def look(browser: Browser, page: Path) -> list[str]:
    """What is wrong with a page in any of the ways; its screenshots and its print go beside it."""
    found = []
    browser.open("about:blank")
    ready = "document.readyState === 'complete' && !!document.querySelector('footer')"
    for name, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            shot = page.with_name(f"{page.stem}-{name}-{scheme}.png")
            found += faults(browser, page.as_uri(), width, scheme, ready, shot)
    printed = browser.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
    page.with_suffix(".pdf").write_bytes(base64.b64decode(printed))
    return found


def faults(
    browser: Browser, address: str, width: int, scheme: str, ready: str, shot: Path, allowed: str = ""
) -> list[str]:
    """What is wrong with a page in a window of this width, light or dark, once it is ``ready``; its picture is written.

    Without an address it is the page that is open. It may load from addresses that begin as ``allowed`` says.
    """
    browser.ask("Page.enable")
    kept = browser.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH)["identifier"]
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    if address:
        browser.ask("Page.navigate", url=address)
    browser.wait(f"window.faults && ({ready})")
    found = [f"{shot.stem}: {fault}" for fault in browser.value(f"{FAULTS}({json.dumps(allowed)})")]
    height = browser.value("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    picture = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
    shot.write_bytes(base64.b64decode(picture))
    browser.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=kept)
    return found


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser, found = Browser(Path(profile)), []
        try:
            for name, model in models().items():
                wrong = look(browser, model.report(folder / f"{name}.html"))
                print(f"{name}: {'fine' if not wrong else f'{len(wrong)} faults'}", flush=True)
                found += wrong
        finally:
            browser.process.terminate()
            browser.process.wait()
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
