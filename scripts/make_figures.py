"""Makes what README.md shows of a first model: two pictures in ``man/figures``, and the printed model.

``make figures`` runs it. Each is kept under 100 kB.
"""

from __future__ import annotations

import re
from pathlib import Path

from mxtune import mxexample, mximages, mxtrain

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "man" / "figures"
PRINTED = re.compile(r"(?<=<!-- make figures: the printed model -->\n```text\n).*?(?=```)", re.DOTALL)


def main() -> None:
    """Trains the model of the README's example, and writes its pictures and what it prints."""
    images = mximages(mxexample("fashion"))
    training, held_out = images.split(0.2, seed=1)
    model = mxtrain(training, seed=1)

    FIGURES.mkdir(exist_ok=True)
    images.sheet(20).quantize(64).save(FIGURES / "contact-sheet.png", optimize=True)
    model.plot(kind="confusion", x=held_out).savefig(FIGURES / "confusion.png", dpi=60)
    readme = ROOT / "README.md"
    text, found = PRINTED.subn(lambda _: f"{model.summary()}\n", readme.read_text(encoding="utf-8"))
    if found != 1:
        raise SystemExit("README.md has no place for the printed model.")
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
