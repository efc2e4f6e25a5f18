"""A model card (Mitchell et al., 2019: Model cards for model reporting), of what is known."""

from __future__ import annotations

from ..elements import facts, note
from ..markup import Node, named, tag
from ..numbers import many
from ..section import Section, section
from ..subject import GIVEN, OUT_OF_FOLD, Subject

NOT_STATED = "Not stated."
_LEVELS = 12


@section("card", 90)
def card(subject: Subject) -> Section:
    model = subject.model
    meta = {name: named(text, 2000) for name, text in subject.meta.items()}
    origin = model.network.provenance
    details: list[Node] = [
        f"A network of convolutions ({origin.get('name', 'of its own')}), fine-tuned by mxtune ",
        f"{model.versions.get('mxtune', '')} for {subject.task.name}. ",
        ["Made by ", meta["author"], ". "] if "author" in meta else "Who made it: not stated. ",
        ["Date: ", meta["date"], ". "] if "date" in meta else "Date: not stated. ",
        [f"Licence of the first weights: {origin.get('licence', 'not stated')}."],
    ]
    said: dict[str, Node] = {name: [named(text, 4000), " "] for name, text in subject.card.items()}
    unsaid = f"{NOT_STATED} "
    unknown = "The model does not know of which subjects, instruments or surroundings its images are."
    rows: list[tuple[Node, Node]] = [
        ("Model", [details, " Licence of the model: ", said.get("licence", "not stated.")]),
        ("Notes", meta.get("notes", NOT_STATED)),
        ("Intended use", [said.get("intended_use", unsaid), "By its making: ", _made_for(subject)]),
        ("Out of scope", said.get("out_of_scope", NOT_STATED)),
        ("Factors", said.get("factors", unsaid + unknown)),
        ("Metrics", [_metrics(subject), " See ", tag("a", "How good it is", href="#figures"), "."]),
        ("Evaluation data", _evaluation(subject)),
        ("Training data", [said.get("data"), _training(subject)]),
        ("Ethical considerations", said.get("ethics", NOT_STATED)),
        ("Caveats", [said.get("caveats"), _caveats(subject)]),
    ]
    form = (
        "The form is that of Mitchell et al. (2019), Model cards for model reporting. What is not stated, nobody told."
    )
    return Section("Model card", (facts(rows), note(form)))


def _made_for(subject: Subject) -> list[Node]:
    levels = subject.task.shown_levels
    if subject.task.name == "regression":
        return ["to predict ", ", ".join(levels) or "a number", " from an image."]
    shown: list[Node] = []
    for number, level in enumerate(levels[:_LEVELS]):
        shown += [", " if number else None, named(level, 28)]
    more = f" and {len(levels) - _LEVELS} more" if len(levels) > _LEVELS else None
    what = (
        "to tell one of these classes from the others"
        if subject.task.name == "classification"
        else "to find these labels"
    )
    return [f"{what}: ", shown, more, "."]


def _metrics(subject: Subject) -> str:
    if not subject.figures:
        return "None was measured."
    sure = "with intervals at 95 % by a bootstrap." if subject.judged is not None else "without intervals."
    return f"{many(len(subject.figures) - ('n' in subject.figures), 'metric')}, {sure}"


def _evaluation(subject: Subject) -> list[Node]:
    if subject.judged is None:
        return ["None that is remembered."]
    why = {
        OUT_OF_FOLD: "They are the training images, so that all of them count. ",
        GIVEN: "They were chosen by who made this report. ",
    }.get(subject.judged_on, "They were drawn from the images, or given, before training. ")
    return [f"{subject.described.capitalize() if not subject.described[0].isdigit() else subject.described}. ", why,
            "See ", tag("a", "The images", href="#data"), "."]  # fmt: skip


def _training(subject: Subject) -> list[Node]:
    count = subject.told.get("training")
    known = f"{many(count, 'image')}. " if isinstance(count, int) else ""
    said = "Where they come from, who is in them, and whether that was agreed to: not stated. "
    origin = tag("a", "the origin of the weights", href="#weights")
    return [
        known,
        None if "data" in subject.card else said,
        "The first weights come from other images: see ",
        origin,
        ".",
    ]


def _caveats(subject: Subject) -> list[Node]:
    said = ["The figures hold for images like those it was judged by; from another camera, place or time they may not."]
    if subject.task.name == "classification":
        said.append("It names one of its classes for any image.")
    if subject.judged is None:
        said.append("It was not judged by any images that are remembered.")
    elif len(subject.judged.names) < 100:
        said.append(f"It was judged by {many(len(subject.judged.names), 'image')} only.")
    if subject.model.validation.resembling.any():
        said.append("Some images that it was judged by resemble some that it was trained on.")
    if not len(subject.model.validation.group):
        said.append(
            "Nobody told which images belong together (one patient, animal, site): if some do, figures are too high."
        )
    return [" ".join(said)]
