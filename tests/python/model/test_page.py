"""The report: a page that says what `evaluate` says, holds hostile names as text, and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest

from mxtune import ImageSet, Model, mxexample, mximages, mxload, mxnetwork, mxtrain, progress
from mxtune.errors import ArgumentError, LabelError, PictureWarning, StoreError
from mxtune.model.page import page, section, subject
from mxtune.model.page.shown import answer_of, shown
from mxtune.model.page.thumbnails import small
from mxtune.model.validation import Validation

LEVELS = "bag", "coat", "shirt"
VOID = {"meta", "img", "br", "hr"}
HOSTILE = (
    "<script>alert(1)</script>", '" onload="alert(1)', "</title></style><b>", "&amp;", "\u202egnp.exe",
    "\u0634\u062c\u0631\u0629", "\U0001f9e6 sock", "a" * 500, "line\nbreak", "\x00\x1b[31m", "{{ 7 * 7 }}",
    "javascript:alert(1)",
)  # fmt: skip


class Page(HTMLParser):
    """What a page consists of; elements must be closed in the order in which they were opened."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(content.decode("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(words for tag, words in self.texts if tag != "style").split())

    def all(self, tag: str) -> list[dict[str, Optional[str]]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def numbers(self) -> set[float]:
        return {float(one["value"]) for one in self.all("data") if one["value"]}

    @property
    def sections(self) -> list[Optional[str]]:
        return [one["id"] for one in self.all("section")]


def report(model: Model, x: Any = None, y: Any = None) -> Page:
    """The page of a model, as it is written; of all that is asked of every page, that it is there."""
    content = page(subject(model, None if x is None else model.labelled_images(x, y, on_bad="skip")))
    read = Page(content)
    check(read)
    return read


def check(read: Page) -> None:
    """What holds for every page."""
    used = Counter(one["id"] for _, one in read.elements if "id" in one)
    assert max(used.values()) == 1
    for name, attributes in read.elements:
        assert name not in {"script", "iframe", "object", "embed", "link", "base", "form", "foreignobject", "use"}
        assert not [key for key in attributes if key.startswith("on") or key in {"style", "srcset", "xlink:href"}]
        for key in ("href", "src"):
            address = attributes.get(key) or ""
            inside = address.startswith("#") and address[1:] in used
            assert (
                not address or inside or (name, key) == ("a", "href") or address.startswith("data:image/jpeg;base64,")
            )
            assert not address.startswith("javascript:")
        for label in (attributes.get("aria-labelledby") or "").split():
            assert label in used
    ((_, style),) = [one for one in read.texts if one[0] == "style"]
    assert not re.search(r"url\(|@import|https?:", style)
    (policy,) = [one["content"] or "" for one in read.all("meta") if one.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")
    assert read.all("html") == [{"lang": "en"}]
    assert all(one["alt"] for one in read.all("img"))
    assert all(one.get("scope") in {"row", "col"} for one in read.all("th"))
    drawn = [one for one in read.all("svg") if one.get("role") == "img"]
    assert len(drawn) <= len(read.all("desc"))
    assert all(one.get("role") == "img" or one.get("aria-hidden") == "true" for one in read.all("svg"))
    assert "nan" not in read.text.lower().split()


def made_up(levels: Sequence[str], count: int, names: Optional[Sequence[str]] = None, **meta: str) -> Model:
    """A classifier that was judged by made-up outputs, right for most images."""
    rng = np.random.default_rng(1)
    y = np.arange(count) % len(levels)
    outputs = rng.normal(size=(count, len(levels))).astype(np.float32)
    outputs[np.arange(count), y] += 3
    files = [f"{number}.png" for number in range(count)] if names is None else names
    digests = [bytes([number % 256]) * 16 for number in range(count)]
    validation = Validation(files, digests, y, outputs, np.zeros(count, bool))
    network = mxnetwork("lenet").replace_head(len(levels))
    model = Model(network, "classification", levels, settings={"meta": meta}, validation=validation)
    model.metrics = model._task.measure(y, outputs)
    return model


@pytest.fixture(scope="module")
def few() -> ImageSet:
    """Thirty images of three classes."""
    files = sorted(file for level in LEVELS for file in (Path(mxexample("fashion")) / level).glob("*.png"))[::4]
    return mximages([str(file) for file in files], [file.parent.name for file in files])


@pytest.fixture(scope="module")
def folded(few: ImageSet) -> Model:
    return mxtrain(few, tune="head", image_size=48, folds=3, seed=1, verbose=0, meta={"title": "Clothes"})


@pytest.fixture(scope="module")
def told(folded: Model) -> Page:
    """The report on it, in the session that trained."""
    return report(folded)


def test_numbers_are_those_of_evaluate(folded: Model, told: Page) -> None:
    read, measured = told, folded.evaluate()
    assert {value for name, value in measured.items() if name != "n"} <= read.numbers
    low, high = measured.intervals["accuracy"]
    assert f"{100 * low:.1f} to {100 * high:.1f}" in read.text
    frame = folded.per_class()
    assert set(frame["recall"]) | set(frame["precision"]) | set(frame["f1"]) <= read.numbers
    right = round(100 * measured["accuracy"])
    assert read.text.count(f"It is right for {right} of 100 images ({round(100 * low)} to {round(100 * high)}).") == 1


def test_sections_stand_in_their_order_and_the_contents_lead_to_them(told: Page) -> None:
    assert told.sections == [name for name in section.names() if name in told.sections]
    assert {
        "figures",
        "classes",
        "confusion",
        "calibration",
        "pictures",
        "suspects",
        "data",
        "making",
        "weights",
        "card",
    } <= set(told.sections)
    links = [one["href"] for one in told.all("a")]
    assert [f"#{name}" for name in told.sections] == links[1 : len(told.sections) + 1]
    assert ("title", "Clothes") in told.texts


def test_confusion_is_a_table_with_each_count(folded: Model, told: Page) -> None:
    counts = folded.confusion().to_numpy()
    cells = [one["class"] for one in told.all("td") if re.match(r"h\d+", one.get("class") or "")]
    assert len(cells) == counts.size
    assert sum("right" in (one or "") for one in cells) == len(counts)


def test_images_of_the_session_show_and_those_of_a_file_where_they_are_given(
    folded: Model, few: ImageSet, tmp_path: Path, told: Page
) -> None:
    count = len(told.all("img"))
    assert count >= 24
    folded.save(tmp_path / "clothes.mxt")
    again = mxload(tmp_path / "clothes.mxt")
    bare = report(again)
    assert bare.all("img") == []
    assert "The images are not at hand" in bare.text
    assert "This shows where all images that the model was made of are given" in bare.text
    shown = report(again, few)
    assert len(shown.all("img")) == count
    assert shown.numbers >= {
        value for name, value in folded.evaluate().items() if name != "n"
    }  # out of fold all the same
    assert sum(len(one["src"] or "") for one in shown.all("img")) < 200_000


def test_other_images_judge_the_model(folded: Model) -> None:
    files = sorted(file for level in LEVELS for file in (Path(mxexample("fashion")) / level).glob("*.png"))[1::4]
    others = mximages([str(file) for file in files], [file.parent.name for file in files])
    read, measured = report(folded, others), folded.evaluate(others)
    assert {value for name, value in measured.items() if name != "n"} <= read.numbers
    assert "on the 30 images given for this report" in read.text
    assert measured.novel in read.numbers
    assert re.search(r"Of the images given [\d.]+ % are novel", read.text)


def test_what_can_not_be_read_and_what_is_a_copy_is_listed(folded: Model, few: ImageSet, tmp_path: Path) -> None:
    for row in range(len(few)):
        (tmp_path / few.label_of(row)).mkdir(exist_ok=True)
        few.open(row).save(tmp_path / few.label_of(row) / f"{row}.png")
    (tmp_path / "bag" / "<i>.png").write_bytes(b"no image")
    (tmp_path / "bag" / "twin.png").write_bytes((tmp_path / "bag" / "0.png").read_bytes())
    with pytest.warns(PictureWarning):
        read = report(folded, tmp_path)
    assert "Left out: 1 file that can't be read" in read.text
    assert "bag/<i>.png" in read.text
    assert "exact copies: " in read.text


def test_the_same_model_gives_the_same_bytes(folded: Model, few: ImageSet, tmp_path: Path) -> None:
    once = folded.report(tmp_path / "one.html")
    folded.save(tmp_path / "clothes.mxt")
    again = mxload(tmp_path / "clothes.mxt").report(tmp_path / "two.html", few)
    assert once.read_bytes() == again.read_bytes()


def test_progress_is_told_one_thing_after_the_other(folded: Model) -> None:
    events: list[tuple[str, dict[str, Any]]] = []

    class Listener:
        def event(self, kind: str, **info: Any) -> None:
            events.append((kind, info))

    with progress.using(Listener()):
        report(folded)
    starts = [info["title"] for kind, info in events if kind == "start"]
    kinds = [kind for kind, _ in events if kind in ("start", "end")]
    assert kinds[: 2 * len(starts)] == ["start", "end"] * len(starts)
    assert "Explaining" in starts
    assert starts[-1] == "Writing the report"


def test_hostile_names_are_text() -> None:
    files = [f"{name}/{number}\udcff.png" for number, name in enumerate(HOSTILE * 4)]
    model = made_up(HOSTILE, len(files), files, title=HOSTILE[0], author=HOSTILE[2], notes=HOSTILE[1])
    model.network.provenance["url"] = "javascript:alert(1)"
    read = report(model)
    for name in HOSTILE:
        clean = re.sub("[\x00-\x08\x1b]", "\ufffd", " ".join(name.split()))
        assert any(clean in words or words == f"{clean[:12]}...{clean[-12:]}" for _, words in read.texts), name
    assert all("title" not in one or len(one["title"] or "") <= 1000 for one in read.all("bdi"))
    assert ("title", HOSTILE[0]) in read.texts
    assert [one["href"] for one in read.all("a") if not (one["href"] or "").startswith("#")] == []


@pytest.mark.parametrize(("classes", "count", "most"), [(2, 40, 60_000), (100, 1000, 400_000), (300, 600, 600_000)])
def test_few_and_many_classes_have_their_form(classes: int, count: int, most: int) -> None:
    model = made_up([f"class {number}" for number in range(classes)], count)
    content = page(subject(model, None))
    check(read := Page(content))
    assert len(content) < most
    assert len([one for one in read.all("svg") if one.get("class") == "matrix"]) == (classes == 100)
    assert ("A matrix of 300 classes shows nothing" in read.text) == (classes == 300)
    assert ("Do not trust it for single classes" in read.text) == (classes == 300)


def test_labels_that_may_be_wrong_are_listed_and_shown(few: ImageSet) -> None:
    labels = [few.label_of(row) for row in range(len(few))]
    labels[0] = "shirt"  # of a bag
    model = mxtrain(few, labels, tune="head", image_size=48, folds=3, seed=1, verbose=0)
    read, table = report(model), model.suspects().table
    suspect = table[table["suspect"]]
    assert few.names[0] in set(suspect["file"])
    assert re.search(
        rf"\b{len(suspect)} of 30 images ha(s a label|ve labels) that the model finds ten times", read.text
    )
    assert set(suspect["suggested_prob"]) <= read.numbers
    assert "labelled shirt bag ?" in read.text


def test_evidence_for_the_answers_lies_beneath_the_images(folded: Model, few: ImageSet, told: Page) -> None:
    about = subject(folded, None)
    chosen = shown(about)
    assert [*chosen.evidence] == [*chosen.worst, *chosen.best]
    assert {few.label_of(row) for row in chosen.best[:3]} == set(LEVELS)
    row = chosen.worst[0]
    assert answer_of(about, row) != about.judged.y[row]
    why = folded.explain(few[[row]], label=folded.levels[answer_of(about, row)]).overlay(0)
    apart = np.abs(np.asarray(chosen.evidence[row], int) - small(why))  # alone and among others: the last bits differ
    assert apart.max() <= 2
    assert sum((one["alt"] or "").startswith("Evidence in ") for one in told.all("img")) == 12
    assert "The share of each place is told exactly" in told.text


def test_what_the_model_does_not_know_is_told(told: Page, folded: Model) -> None:
    assert folded.memory is not None and folded.memory.novelty is not None
    assert f"It remembers {len(folded.memory)} images." in told.text
    assert "Distances of images that it had not seen" in told.text
    assert "it remembers too little of those" in report(made_up(["cat", "dog"], 40)).text


def test_more_images_are_weighed_where_all_of_the_training_are_at_hand(
    folded: Model, few: ImageSet, told: Page
) -> None:
    read, curve = told, folded.learning_curve(few)
    now, twice = (100 * curve.expected(images) for images in (30, 60))
    assert f"with 30 images accuracy {now:.1f} %, with twice as many {twice:.1f} %" in read.text
    assert set(curve.table["accuracy"]) <= read.numbers


def test_several_labels_have_their_form(few: ImageSet) -> None:
    labels = [["coat"] * (row % 2) + ["<i>light"] * (row % 3 > 0) for row in range(len(few))]
    model = mxtrain(few, labels, task="multilabel", tune="head", image_size=48, folds=3, seed=1, verbose=0)
    read, measured = report(model), model.evaluate()
    assert {value for name, value in measured.items() if name != "n"} <= read.numbers
    assert "All labels are right for " in read.text
    assert len(shown(subject(model, None)).evidence) == 12
    assert "confusion" not in read.sections
    assert "Label by label" in read.text


def test_numbers_have_their_form(few: ImageSet) -> None:
    heights = np.stack([np.arange(len(few)) / 7, -np.arange(len(few), dtype=float)], axis=1)
    model = mxtrain(few, heights, task="regression", tune="head", image_size=48, folds=3, seed=1, verbose=0)
    read, measured = report(model), model.evaluate()
    assert {value for name, value in measured.items() if name != "n"} <= read.numbers
    assert {"classes", "confusion"}.isdisjoint(read.sections)
    assert "Predicted and observed" in read.text
    assert "Its numbers are off by " in read.text
    assert len(shown(subject(model, None)).evidence) == 12


def test_a_model_without_validation_says_that_nobody_knows(few: ImageSet) -> None:
    read = report(mxtrain(few, tune="head", image_size=48, valid=None, folds=None, seed=1, verbose=0))
    assert "How good it is, nobody knows" in read.text
    assert {"classes", "confusion", "calibration", "pictures"}.isdisjoint(read.sections)
    network = report(Model.of_network(mxnetwork("lenet")))
    assert "nobody knows" in network.text


def test_training_of_layers_has_curves(few: ImageSet) -> None:
    with pytest.warns(match="no pretrained weights"):
        model = mxtrain(few, net="lenet", epochs=3, seed=1, verbose=0)
    read = report(model)
    assert "Loss by epoch" in read.text
    assert set(model.history["valid_loss"]) <= read.numbers
    assert "Grad-CAM, an estimate" in read.text


def test_images_that_resemble_training_are_told_on_top() -> None:
    model = made_up(["cat", "dog"], 40)
    model.validation.resembling[:7] = True
    assert "That is too optimistic: 7 of the images resemble some it was trained on." in report(model).text


def test_what_a_card_states_is_shown_and_what_nobody_stated_is_told(folded: Model, tmp_path: Path, told: Page) -> None:
    stated = Page(
        folded.report(
            tmp_path / "x.html", card={"intended_use": "To sort <laundry>.", "ethics": ["A", "B"]}
        ).read_bytes()
    )
    assert "To sort <laundry>." in stated.text
    assert "Ethical considerations A, B" in stated.text
    assert stated.text.count("Not stated.") == told.text.count("Not stated.") - 2
    with pytest.raises(ArgumentError, match="`card` has fields that are not known"):
        folded.report(tmp_path / "x.html", card={"intended": "x"})


def test_what_can_not_be_is_refused(folded: Model, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="written as"):
        folded.report(tmp_path / "x.txt")
    with pytest.raises(ArgumentError, match="no images"):
        folded.report(tmp_path / "x.html", y=["bag"])
    with pytest.raises(LabelError, match="no labels"):
        folded.report(tmp_path / "x.html", mxexample("fashion") + "/bag")
    with pytest.raises(StoreError):
        folded.report(tmp_path / "missing" / "x.html")
    assert list(tmp_path.iterdir()) == []
