"""Where its first weights come from, and under which licence."""

from __future__ import annotations

from ..elements import facts, note
from ..markup import Node, link, named, tag
from ..section import Section, section
from ..subject import Subject

_NAMES = {"name": "Network", "source": "Source", "licence": "Licence", "url": "Address", "paper": "Paper",
          "sha256": "SHA-256 of the weights"}  # fmt: skip


@section("weights", 80)
def weights(subject: Subject) -> Section:
    origin = {str(name): str(value) for name, value in subject.model.network.provenance.items() if value}
    rows: list[tuple[Node, Node]] = []
    for name in (*_NAMES, *sorted(set(origin) - set(_NAMES))):
        if name in origin:
            value = origin[name]
            written = link(value) if name == "url" else tag("code", value) if name == "sha256" else named(value, 200)
            rows.append((_NAMES.get(name) or named(name), written))
    if "licence" not in origin:
        rows.append(("Licence", "not stated"))
    said = (
        "What was learned from the images above stands under whatever terms those images have: they are not known here."
    )
    return Section("Licence and origin of the weights", (facts(rows), note(said)))
