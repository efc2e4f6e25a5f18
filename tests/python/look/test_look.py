"""Looking through images: what is decided is in a table that `mximages` takes, and nobody but the page may decide."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

import pandas as pd
import pytest
from PIL import Image

import mxtune
from hearing import listening
from mxtune import Model, mxexample, mximages, mxlook, mxtrain
from mxtune.errors import ArgumentError, MxtuneError
from mxtune.look.decisions import Decisions
from mxtune.look.moving import move

CLASSES = ("ankle_boot", "bag", "dress")
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six images in each of three class folders."""
    for level in CLASSES:
        (tmp_path / "photos" / level).mkdir(parents=True)
        for file in sorted((Path(mxexample("fashion")) / level).glob("*.png"))[:6]:
            shutil.copy(file, tmp_path / "photos" / level)
    return tmp_path / "photos"


class Page:
    """`mxlook` in a thread, and what a browser does with its page."""

    def __init__(self, x: Any, **settings: Any) -> None:
        self.address, self.frame = "", pd.DataFrame()
        self.error: Optional[BaseException] = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(x,), kwargs=settings, daemon=True)
        self._thread.start()
        assert self._ready.wait(60)
        if self.error is not None:
            raise self.error
        self.state = self.ask("GET", "state")

    def _run(self, x: Any, **settings: Any) -> None:
        try:
            self.frame = mxlook(x, show=self._open, **settings)
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            self.error = error
        finally:
            self._ready.set()

    def _open(self, address: str) -> None:
        self.address = address
        self._ready.set()

    def answer(
        self, method: str, path: str, body: Any = None, headers: Optional[dict[str, str]] = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers; the path starts behind the random part unless it starts with a slash."""
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(place.netloc, timeout=20)
        path = path if path.startswith("/") else f"{place.path}{path}"
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, (JSON if body is not None else {}) if headers is None else headers)
        answered = connection.getresponse()
        told = answered.status, answered.read(), dict(answered.getheaders())
        connection.close()
        return told

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, content, _ = self.answer(method, path, body)
        assert status == 200, content
        return json.loads(content)

    def row(self, name: str) -> int:
        return int(self.state["names"].index(name))

    def decide(self, name: str, decision: str, label: Optional[str] = None) -> Any:
        return self.ask("POST", "decide", {"row": self.row(name), "decision": decision, "label": label})

    def end(self) -> pd.DataFrame:
        if self._thread.is_alive():
            self.ask("POST", "done", {})
            self._thread.join(20)
        if self.error is not None:
            raise self.error
        return self.frame


def leave(address: str) -> None:
    place = urlsplit(address)
    page = http.client.HTTPConnection(place.netloc)
    page.request("POST", f"{place.path}done", "{}", JSON)
    page.close()  # before there is an answer


@pytest.fixture
def names(photos: Path) -> list[str]:
    return mximages(photos).names


@pytest.fixture
def page(photos: Path, tmp_path: Path) -> Iterator[Page]:
    opened = Page(photos, decisions=tmp_path / "decisions.csv")
    yield opened
    opened.end()


# ---- what is decided


def test_each_decision_is_in_the_table_at_once_and_mximages_takes_it(
    page: Page, names: list[str], tmp_path: Path
) -> None:
    table = tmp_path / "decisions.csv"
    assert not table.exists()
    page.decide(names[0], "relabel", "bag")
    assert pd.read_csv(table)["decision"].tolist()[0] == "relabel"
    page.decide(names[1], "keep")
    page.decide(names[2], "drop")
    page.decide(names[7], "relabel", 'a "new", class')
    before = mximages(tmp_path / "photos")
    with listening() as heard, pytest.warns(match="single image"):
        images = mximages(table)
    assert any("Left out 1 image that was dropped." in text for text in heard)
    assert len(images) == len(before) - 1
    labels = {Path(file).name: images.label_of(row) for row, file in enumerate(images.names)}
    wanted = {Path(name).name: before.label_of(row) for row, name in enumerate(before.names)}
    wanted |= {Path(names[0]).name: "bag", Path(names[7]).name: 'a "new", class'}
    del wanted[Path(names[2]).name]
    assert labels == wanted
    assert all((tmp_path / "photos" / name).is_file() for name in names)
    frame = page.end()
    with pytest.warns(match="single image"):
        assert mximages(frame).counts().equals(images.counts())
    assert frame.loc[0, ["decision", "was"]].tolist() == ["relabel", "ankle_boot"]


def test_a_change_is_taken_back(page: Page, names: list[str], tmp_path: Path) -> None:
    page.decide(names[0], "relabel", "bag")
    page.decide(names[0], "drop")
    assert page.ask("POST", "undo", {})["label"] == "bag"
    assert page.ask("POST", "undo", {}) == {
        "row": 0, "steps": 0, "levels": list(CLASSES), "decision": "", "label": "ankle_boot"
    }  # fmt: skip
    assert page.ask("POST", "undo", {})["row"] is None
    assert pd.read_csv(tmp_path / "decisions.csv")["decision"].isna().all()


def test_it_goes_on_where_it_was_left(photos: Path, names: list[str], tmp_path: Path) -> None:
    table = tmp_path / "decisions.csv"
    first = Page(photos, decisions=table)
    first.decide(names[0], "relabel", "bag")
    first.decide(names[1], "drop")
    first.decide(names[2], "keep")
    first.end()
    before = table.read_bytes()
    (photos / names[1]).unlink()  # dropped ones stay dropped, also where they are gone
    second = Page(photos, decisions=table)
    assert second.state["decisions"][:3] == ["relabel", "keep", ""]
    assert (second.state["labels"][0], second.state["was"][0]) == ("bag", "ankle_boot")
    second.decide(second.state["names"][1], "keep")
    second.end()
    assert sorted(table.read_bytes().splitlines()) == sorted(before.splitlines())
    again = Page(table, decisions=table)  # the table itself is looked through
    assert again.state["was"][0] == "ankle_boot"
    again.end()


def test_what_the_table_says_of_other_images_stays(photos: Path, tmp_path: Path) -> None:
    images, table = mximages(photos), tmp_path / "decisions.csv"
    first = Decisions(images.take(range(9)), table)
    for row, decision, label in ((0, "relabel", "dress"), (1, "keep", None), (2, "drop", None)):
        first.decide(row, decision, label)
    second = Decisions(images.take(range(9, 18)), table)
    second.decide(0, "drop")
    assert second.elsewhere == 9
    whole = Decisions(images, table)
    decided = {row: tuple(state) for row, state in enumerate(whole.now) if state.decision}
    levels = [images.label_of(row) for row in range(18)]
    assert decided == {
        0: ("relabel", "dress"),
        1: ("keep", levels[1]),
        2: ("drop", levels[2]),
        9: ("drop", levels[9]),
    }

    def mended() -> tuple[int, str]:
        """Images that are not dropped, and the label of the one that was given another."""
        found = mximages(table)
        return len(found), str(found.label_of([*map(str, found.files)].index(str(images.files[0]))))

    assert mended() == (16, "dress")
    without = Decisions(mximages(Path(str(images.files[17])).parent).take([5]), table)  # which has no labels
    without.decide(0, "relabel", "dress")
    assert mended() == (16, "dress")
    Path(str(images.files[3])).unlink()
    assert Decisions(images.take(range(9, 18)), table).elsewhere == 8


@pytest.mark.parametrize("decision", ["", "keep", "relabel"])
def test_a_label_that_was_mended_by_hand_counts(decision: str, photos: Path, names: list[str], tmp_path: Path) -> None:
    table = tmp_path / "decisions.csv"
    table.write_text(f'file,label,decision\n"photos/{names[0]}","dress",{decision}\n')
    page = Page(photos, decisions=table)
    assert (page.state["decisions"][0], page.state["labels"][0]) == ("relabel", "dress")
    page.end()


def test_what_others_say_in_the_table_meanwhile_is_not_written_over(photos: Path, tmp_path: Path) -> None:
    images, table = mximages(photos), tmp_path / "decisions.csv"
    one, other = Decisions(images, table), Decisions(images, table)
    one.decide(0, "drop")
    before = table.read_bytes()
    for change in (lambda: other.decide(1, "drop"), lambda: move(other, photos)):
        with pytest.raises(MxtuneError, match=r"decisions.csv was changed elsewhere"):
            change()
    assert (len(other), table.read_bytes()) == (0, before)
    one.decide(2, "keep")
    table.unlink()  # whoever removes it loses nothing that others said
    one.decide(3, "keep")
    assert len(Decisions(images, table)) == 3


def test_columns_that_others_have_put_in_the_table_stay(photos: Path, names: list[str], tmp_path: Path) -> None:
    images, table = mximages(photos), tmp_path / "decisions.csv"
    Decisions(images, table).decide(0, "drop")
    lines = table.read_text().splitlines()
    notes = ["note", '"blurred, and dark"', *[""] * 16, "fine"]
    table.write_text("\n".join(f"{line},{note}" for line, note in zip(lines, notes)))
    again = Decisions(images.take(range(9)), table)
    again.decide(1, "keep")
    written = pd.read_csv(table, keep_default_na=False).set_index("file")
    assert written["note"][f"photos/{names[0]}"] == "blurred, and dark"
    assert written["note"][f"photos/{names[17]}"] == "fine"
    assert sorted(written["note"])[:-2] == [""] * 16
    assert mximages(table).counts().equals(images.take(range(1, 18)).counts())


def test_decisions_of_one_class_and_of_several_labels_are_not_mixed(
    photos: Path, names: list[str], tmp_path: Path
) -> None:
    files = [str(photos / name) for name in names]
    one, several = mximages(photos), mximages(files, [["a", "b"], ["a"]] * 9)
    for first, second, words in ((one, several, "one class, and these have several labels"), (several, one, "several")):
        table = tmp_path / f"{len(first.levels)}.csv"
        Decisions(first, table).decide(0, "keep")
        before = table.read_bytes()
        with pytest.raises(ArgumentError, match=words):
            Decisions(second, table)
        assert table.read_bytes() == before


def test_a_name_that_no_table_keeps_is_told_before_anything_is_decided(photos: Path, tmp_path: Path) -> None:
    for name in (b"\xff.png", b"a\rb.png"):
        odd = os.fsencode(photos / "bag") + b"/" + name
        shutil.copy(next((photos / "dress").glob("*.png")), odd)
        with pytest.warns(match="duplicates"):
            images = mximages(photos)
        with pytest.raises(ArgumentError, match=r"does not keep.\nx bag/"):
            Decisions(images, tmp_path / "decisions.csv")
        Path(os.fsdecode(odd)).unlink()


def test_an_image_that_is_there_twice_has_two_decisions(photos: Path, names: list[str], tmp_path: Path) -> None:
    images, table = mximages([str(photos / names[0])] * 2), tmp_path / "decisions.csv"
    first = Decisions(images, table)
    first.decide(0, "keep")
    first.decide(1, "drop")
    assert [state.decision for state in Decisions(images, table).now] == ["keep", "drop"]


def test_images_of_an_archive_are_found_by_the_table(
    photos: Path, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, table = tmp_path / "photos.zip", tmp_path / "decisions.csv"
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.write(photos / name, name)
    decisions = Decisions(mximages(archive), table)
    decisions.decide(0, "relabel", "bag")
    decisions.decide(1, "drop")
    monkeypatch.chdir(photos)  # paths are relative to the table
    for x in (table, decisions.frame()):
        images = mximages(x)
        assert (len(images), images.label_of(0), images.levels) == (17, "bag", CLASSES)


def test_a_file_that_holds_no_decisions_is_left_alone(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "budget.csv"
    table.write_text("item,price\nbread,3\nmilk,2\n")
    with pytest.raises(ArgumentError, match="holds no decisions"):
        mxlook(photos, decisions=table, show=False)
    assert table.read_text() == "item,price\nbread,3\nmilk,2\n"


def test_what_can_not_be_written_is_not_decided(page: Page, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "decisions.csv").mkdir()
    told = {"row": 0, "decision": "drop", "label": None}
    status, content, _ = page.answer("POST", "decide", told)
    assert status == 500
    assert b"Can't write the table of decisions" in content
    assert page.ask("GET", "state")["decisions"][0] == ""
    (tmp_path / "decisions.csv").rmdir()
    assert page.decide(names[0], "drop")["steps"] == 1


@pytest.mark.parametrize("told", [
    {"row": 99, "decision": "keep"}, {"row": -1, "decision": "keep"}, {"row": 1.5, "decision": "keep"},
    {"row": True, "decision": "keep"}, {"row": 0, "decision": "delete"}, {"row": 0, "decision": "relabel"},
    {"row": 0, "decision": "relabel", "label": " "}, {"row": 0, "decision": "relabel", "label": "a\nb"},
    {"row": 0, "decision": "relabel", "label": "x" * 201}, {"row": 0}, [], "keep", {"row": 0, "decision": ["keep"]},
])  # fmt: skip
def test_what_is_no_decision_is_refused(page: Page, told: Any, tmp_path: Path) -> None:
    assert page.answer("POST", "decide", told)[0] == 400
    assert not (tmp_path / "decisions.csv").exists()


def test_classes_keep_their_type(tmp_path: Path) -> None:
    files = [tmp_path / f"{shade}.png" for shade in range(6)]
    for shade, file in enumerate(files):
        Image.new("L", (8, 8), 40 * shade).save(file)
    kinds: list[Any] = [[1, 2, 3] * 2, [True, False] * 3, ["007", "7", "NA"] * 2, [0.5, 1.5, 2.5] * 2]
    for number, labels in enumerate(kinds):
        images = mximages(list(map(str, files)), labels, task="classification")
        decisions = Decisions(images, tmp_path / f"{number}.csv")
        decisions.decide(0, "relabel", images.label_of(1))
        labels[0] = labels[1]
        read = mximages(tmp_path / f"{number}.csv", task="classification")
        assert [read.labels.task.label_type.value(read.label_of(row)) for row in range(6)] == labels  # type: ignore[union-attr]
        assert decisions.frame()["label"].tolist() == labels


def test_a_new_class_that_is_a_number_is_one_among_numbers(photos: Path, names: list[str], tmp_path: Path) -> None:
    files, table = [str(photos / name) for name in names[:4]], tmp_path / "decisions.csv"
    images = mximages(files, pd.Categorical([1, 1, 2, 2]))
    decisions = Decisions(images, table)
    decisions.decide(0, "relabel", "7")
    read = mximages(table, task="classification")
    assert read.labels.task is not None and read.labels.task.label_type.kind == "integer"
    assert decisions.frame()["label"].tolist() == [7, 1, 2, 2]
    with listening() as heard:
        mxlook(images, decisions=table, show=leave)
    assert heard[-1].endswith("""decisions.csv", task = "classification").""")


def test_images_without_labels_are_given_some(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "decisions.csv"
    page = Page(mximages(photos, recursive=True), decisions=table)
    assert set(page.state["labels"]) == {None}
    page.decide(page.state["names"][0], "drop")
    assert mximages(table).task is None
    for name in page.state["names"][1:]:
        page.decide(name, "relabel", name.split("/")[0])
    frame = page.end()
    assert mximages(table).levels == CLASSES
    assert frame["label"].isna().tolist() == [True] + [False] * 17


def test_several_labels_are_set_and_cleared(tmp_path: Path) -> None:
    files = [tmp_path / f"{shade}.png" for shade in range(6)]
    for shade, file in enumerate(files):
        Image.new("L", (8, 8), 40 * shade).save(file)
    labels = [["big", "red"], ["red"], [], ["big"], ["red, or pink"], ["was"]]
    images, table = mximages(list(map(str, files)), labels), tmp_path / "decisions.csv"
    page = Page(images, decisions=table)
    assert page.state["several"] and page.state["labels"] == [sorted(one) for one in labels]
    names = page.state["names"]
    page.decide(names[0], "relabel", ["red"])
    page.decide(names[1], "relabel", ["red"])  # as it is
    assert page.decide(names[2], "relabel", ["new", "red, or pink"])["label"] == ["red, or pink", "new"]
    page.decide(names[3], "drop")
    assert page.decide(names[4], "relabel", [])["levels"] == ["big", "red", "red, or pink", "was", "new"]
    for wrong in ("red", ["a\nb"], [1], [["red"]], ["x"] * 1001):
        assert page.answer("POST", "decide", {"row": 0, "decision": "relabel", "label": wrong})[0] == 400
    frame = page.end()
    wanted = [["red"], ["red"], ["red, or pink", "new"], [], ["was"]]
    columns = ["big", "red", "red, or pink", "was_", "new"]
    assert frame.columns.tolist() == ["file", *columns, "decision", "was"]
    assert frame["decision"].tolist() == ["relabel", "keep", "relabel", "drop", "relabel", ""]
    for x in (table, frame):
        read = mximages(x, label=columns)
        assert read.labels.user_labels() == [[{"was": "was_"}.get(one, one) for one in row] for row in wanted]
    assert json.loads(frame["was"].tolist()[0]) == ["big", "red"]
    again = Page(images, decisions=table)  # goes on where it was left
    assert again.state["labels"] == [["red"], ["red"], ["red, or pink", "new"], ["big"], [], ["was"]]
    assert again.state["decisions"] == frame["decision"].tolist() and again.state["was"][0] == ["big", "red"]
    before = table.read_bytes()
    again.decide(names[5], "relabel", ["was"])
    assert again.ask("POST", "undo", {})["decision"] == "" and table.read_bytes() == before
    again.end()


def test_how_a_table_of_several_labels_is_trained_on_is_told(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    images = mximages([str(tmp_path / "a.png")], [["red", "big"]])
    decisions = Decisions(images, tmp_path / "decisions.csv")
    decisions.decide(0, "relabel", ["new"])
    with listening() as heard:
        mxlook(images, decisions=tmp_path / "decisions.csv", show=leave)
    assert heard[-1].endswith("""decisions.csv", label = ['big', 'red', 'new']).""")


def test_suspects_among_several_labels_are_mended_at_once(tmp_path: Path) -> None:
    files = sorted(Path(mxexample("fashion")).rglob("*.png"))[::4]
    labels = [[level for level in ("bag", "dress") if level in str(file)] + ["item"] for file in files]
    row = next(row for row, one in enumerate(labels) if "bag" in one)
    labels[row] = ["dress", "item"]
    images = mximages(list(map(str, files)), labels)
    model = mxtrain(images, tune="head", image_size=48, verbose=0)
    page = Page(images, model=model, decisions=tmp_path / "decisions.csv")
    told = {one[0]: one[1] for one in page.state["suggested"]}
    assert told == model.suspects(images).remedies and "dress wrong" in told[row]
    wrong = {part.rpartition(" ")[0] for part in told[row].split(", ")}
    mended = [level for level in ("bag", "dress", "item") if (level in labels[row]) != (level in wrong)]
    assert page.state["mended"][str(row)] == mended
    told = page.ask("POST", "decide", {"row": row, "decision": "relabel", "label": mended})
    assert (told["decision"], told["label"]) == ("relabel", mended)
    page.end()
    read = mximages(tmp_path / "decisions.csv", label=["bag", "dress", "item"])
    assert read.labels.user_labels()[row] == mended


def test_groups_and_parts_stay(photos: Path, tmp_path: Path) -> None:
    parts = ["train", "test", "valid"] * 6
    images = mximages(photos, groups=[f"cat {row // 2}" for row in range(18)], split=parts)
    decisions = Decisions(images, tmp_path / "decisions.csv")
    decisions.decide(4, "drop")
    read = mximages(tmp_path / "decisions.csv", groups="group", split="split")
    assert images.groups is not None
    assert images.parts is not None
    assert read.groups == images.groups[:4] + images.groups[5:]
    assert read.parts == images.parts[:4] + images.parts[5:]


def test_a_column_that_says_something_else_leaves_no_image_out(photos: Path, names: list[str]) -> None:
    files = [str(photos / name) for name in names]
    judges = pd.DataFrame({"file": files, "label": ["a", "b"] * 9, "decision": ["guilty", "drop"] * 9})
    assert len(mximages(judges)) == 18
    judges["decision"] = ["keep", "drop"] * 9
    assert len(mximages(judges)) == 9
    assert mximages(judges, label="decision").levels == ("drop", "keep")  # as labels, where they are asked for


# ---- what is shown


def test_bad_files_copies_and_counts_are_shown(photos: Path, names: list[str], tmp_path: Path) -> None:
    shutil.copy(photos / names[0], photos / "bag" / "copy.png")
    (photos / "dress" / "empty.png").write_bytes(b"")
    with pytest.warns(match="Left out 1 of 20 images|different labels"):
        page = Page(photos, decisions=tmp_path / "decisions.csv")
    assert page.state["bad"] == [["dress/empty.png", "the file is empty"]]
    assert [[page.state["names"][row] for row in rows] for rows in page.state["sets"]] == [[names[0], "bag/copy.png"]]
    assert page.state["levels"] == list(CLASSES)
    status, content, headers = page.answer("GET", f"small/{page.row(names[3])}")
    assert (status, headers["Content-Type"], content[:4]) == (200, "image/png", b"\x89PNG")
    page.end()


def test_a_picture_is_shown_small_and_one_that_has_gone_is_told(photos: Path, tmp_path: Path) -> None:
    place = photos / "bag" / "photo.png"
    Image.radial_gradient("L").resize((3000, 2000)).save(place)
    page = Page(photos, decisions=tmp_path / "decisions.csv")
    row = page.row("bag/photo.png")
    status, content, headers = page.answer("GET", f"large/{row}")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(content)).size == (1280, 853)
    place.unlink()
    status, content, _ = page.answer("GET", f"small/{row}")
    assert (status, content[:24]) == (404, b"It can't be read any mor")
    page.end()


def test_with_a_model_suspect_labels_come_first(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for level in CLASSES:
        (photos / level).mkdir(parents=True)
        for file in sorted((Path(mxexample("fashion")) / level).glob("*.png"))[:20]:
            shutil.copy(file, photos / level)
    planted = sorted((photos / "bag").glob("*.png"))[3].rename(photos / "dress" / "planted.png")
    model: Model = mxtrain(photos, tune="head", image_size=48, verbose=0)
    model.save(tmp_path / "clothes.mxt")
    page = Page(photos, model=tmp_path / "clothes.mxt", decisions=tmp_path / "decisions.csv")
    row, suggested, own, other = page.state["suggested"][0]
    assert (page.state["names"][row], suggested) == ("dress/planted.png", "bag")
    assert own < 0.1 < other
    assert [one[0] for one in page.state["suggested"]] == list(model.suspects(photos).remedies)
    page.decide("dress/planted.png", "relabel", suggested)
    page.end()
    table = pd.read_csv(tmp_path / "decisions.csv").set_index("file")
    assert table.loc["photos/dress/planted.png", ["label", "was", "suggested"]].tolist() == ["bag", "dress", "bag"]
    assert "bag" in mximages(tmp_path / "decisions.csv").levels
    assert planted.is_file()


def test_numbers_are_not_looked_through(photos: Path) -> None:
    files = sorted(map(str, photos.rglob("*.png")))
    with pytest.raises(ArgumentError, match="labels are numbers"):
        mxlook(mximages(files, [0.5 * row for row in range(18)]), show=False)


# ---- who may decide


def test_nobody_gets_in_without_the_whole_address(page: Page) -> None:
    assert urlsplit(page.address).hostname == "127.0.0.1"
    assert len(urlsplit(page.address).path) > 32
    for path in ("/", "/state", "/small/0", f"{urlsplit(page.address).path[:-2]}/state", "/%00/state", "//state"):
        assert page.answer("GET", path)[0] == 404
    assert page.answer("POST", "/decide", {"row": 0, "decision": "drop"})[0] == 404


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
])  # fmt: skip
def test_other_pages_of_the_browser_can_not_decide(page: Page, headers: dict[str, str], tmp_path: Path) -> None:
    told = {"row": 0, "decision": "drop"}
    assert page.answer("POST", "decide", told, {**JSON, **headers})[0] == 403
    assert page.answer("GET", "state", headers=headers)[0] == 403
    assert page.answer("POST", "done", {}, {**JSON, **headers})[0] == 403
    assert not (tmp_path / "decisions.csv").exists()


def test_a_form_of_another_page_can_not_decide(page: Page) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert page.answer("POST", "decide", {"row": 0, "decision": "drop"}, {"Content-Type": kind})[0] == 415


@pytest.mark.parametrize("path", [
    "small/../../../etc/passwd", "small/%2e%2e%2fetc%2fpasswd", "small/-1", "small/99", "small/1.5",
    "huge/0", "small/99999999999999999999999", "small/", "small/0/..", "page.js", "small//etc/passwd",
])  # fmt: skip
def test_images_are_asked_for_by_number_alone(page: Page, path: str) -> None:
    assert page.answer("GET", page_path(page, path))[0] == 404


def page_path(page: Page, path: str) -> str:
    return urlsplit(page.address).path + path.encode("utf-8").decode("latin-1")


def test_a_body_that_is_too_long_or_has_no_length_is_not_read(page: Page) -> None:
    for headers, status in (({"Content-Length": "99999999"}, 413), ({"Transfer-Encoding": "chunked"}, 411)):
        assert page.answer("POST", "decide", None, {**JSON, **headers})[0] == status


def test_the_page_loads_nothing_from_elsewhere(page: Page) -> None:
    status, content, headers = page.answer("GET", "")
    policy = headers["Content-Security-Policy"]
    assert status == 200
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in content
    assert headers["Referrer-Policy"] == "no-referrer"


# ---- moving


def test_files_are_moved_where_it_is_asked_for(photos: Path, names: list[str], tmp_path: Path) -> None:
    table = tmp_path / "decisions.csv"
    page = Page(photos, decisions=table, move=True)
    page.decide(names[0], "relabel", "bag")
    page.decide(names[1], "drop")
    page.decide(names[2], "relabel", "shoe")
    assert all((photos / name).is_file() for name in names)
    frame = page.end()
    first, second, third = (Path(name).name for name in names[:3])
    assert (photos / "bag" / first).is_file()
    assert (tmp_path / "photos-dropped" / "ankle_boot" / second).is_file()
    assert (photos / "shoe" / third).is_file()
    assert len(list(photos.rglob("*.png"))) == 17
    with pytest.warns(match="single image"):
        assert mximages(table).counts().equals(mximages(photos).counts())
    assert frame["decision"].tolist()[:3] == ["keep", "drop", "keep"]


def test_no_file_is_moved_onto_another(photos: Path, names: list[str], tmp_path: Path) -> None:
    shutil.copy(photos / names[8], photos / "bag" / Path(names[0]).name)
    page = Page(photos, decisions=tmp_path / "decisions.csv", move=True)
    page.decide(names[1], "drop")
    page.decide(names[0], "relabel", "bag")
    page.decide(names[2], "relabel", "../outside")
    with pytest.raises(MxtuneError, match="No file was moved") as raised:
        page.end()
    assert len(raised.value.bullets) == 2
    assert all((photos / name).is_file() for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decisions.csv", "photos"]


def test_moving_needs_class_folders(photos: Path) -> None:
    with pytest.raises(ArgumentError, match="class folders"):
        mxlook(mximages(photos), move=True, show=False)


# ---- the command


def test_ctrl_c_ends_the_command_and_the_table_stays(names: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(mxtune.__file__).parents[1])}
    command = [sys.executable, "-m", "mxtune.cli", "look", "photos", "--no-browser"]
    running = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    line = next(text for text in running.stderr if "http://" in text)
    place = urlsplit(line.split(" at ")[1].split()[0])
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    body = json.dumps({"row": 1, "decision": "drop", "label": None})
    connection.request("POST", f"{place.path}decide", body, JSON)
    assert connection.getresponse().status == 200
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 0
    assert "Decided on 1 of 18 images; the table is photos-decisions.csv." in said
    table = pd.read_csv(tmp_path / "photos-decisions.csv")
    assert table.loc[1, ["file", "decision"]].tolist() == [f"photos/{names[1]}", "drop"]


@pytest.mark.parametrize("settings", [{"decisions": "x.txt"}, {"port": 70000}, {"move": "yes"}])
def test_an_argument_that_can_not_be_used_is_refused_before_images_are_read(settings: Any) -> None:
    with pytest.raises(ArgumentError):
        mxlook("no such folder", show=False, **settings)


def test_a_port_that_is_taken_is_told(page: Page, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="Can't serve the page at port"):
        mxlook(photos, decisions=tmp_path / "other.csv", port=urlsplit(page.address).port or 0, show=False)
