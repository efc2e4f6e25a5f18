"""Write the signatures of R's verbs into ``R/``, from Python's."""

from __future__ import annotations

from pathlib import Path

from mxtune.border.signatures import VERBS, written

for file in sorted({verb.file for verb in VERBS.values()}):
    path = Path(__file__).resolve().parents[1] / "R" / f"{file}.R"
    path.write_text(written(path.read_text(encoding="utf-8"), file), encoding="utf-8")
