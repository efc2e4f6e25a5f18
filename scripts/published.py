"""Writes `python/mxtune/zoo/published.json`: what libraries state of their weights: accuracy, licence, repository.

    python scripts/published.py RESULTS      (in the environment of `make parity`; RESULTS: timm's results-imagenet.csv)

For a network of timm and torchvision it is that of the weights which the library takes by default. What documentation
alone states, of Gluon and EfficientNet-Lite, stays as it is in the file.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import timm
import torchvision

ZOO = Path(__file__).parents[1] / "python" / "mxtune" / "zoo"
SPDX = {one.lower(): one for one in ("Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-NC-4.0")}


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def of_torchvision(name: str) -> dict[str, Any]:
    """The default weights, and their top-1 accuracy."""
    known = {plain(one): one for one in torchvision.models.list_models(module=torchvision.models)}
    weights = torchvision.models.get_model_weights(known[plain(name)]).DEFAULT
    return {"weights": weights.name, "top1": weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]}


def of_timm(name: str, results: dict[tuple[str, str], float]) -> dict[str, Any]:
    """The tag of the default weights, their top-1 accuracy at the size of training, and whence they come."""
    config = timm.get_pretrained_cfg(name)
    top1 = results.get((f"{name}.{config.tag}", str(config.input_size[-1])))
    return {
        "weights": config.tag,
        "top1": top1,
        "repository": f"hf:{config.hf_hub_id}",
        "licence": SPDX[config.license],
    }


def main() -> None:
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        results = {(row["model"], row["img_size"]): float(row["top1"]) for row in csv.DictReader(file)}
    file = ZOO / "published.json"
    published = json.loads(file.read_text(encoding="utf-8"))
    for row in json.loads((ZOO / "graphs" / "manifest.json").read_text(encoding="utf-8")):
        name = row["name"].removesuffix(".timm").removesuffix(".torchvision")
        stated = of_torchvision(name) if row["library"] == "torchvision" else of_timm(name, results)
        published["networks"][row["name"]] = {"source": row["library"], **stated}
    lines = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in sorted(published["networks"].items())]
    sources = json.dumps(published["sources"], indent=1).replace("\n", "\n ")
    file.write_text(
        f'{{\n "sources": {sources},\n "networks": {{\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
