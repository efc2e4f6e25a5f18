"""What a model says of itself: nothing by default, and a digest of its data."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mxtune import Model, mxexample, mximages, mxtrain
from mxtune.errors import ArgumentError
from mxtune.model.meta import checked

FEW = mximages(mxexample("fashion")).take(range(0, 400, 20))


def small(**settings: Any) -> Model:
    return mxtrain(FEW, net="lenet", epochs=1, verbose=0, valid=None, **settings)


@pytest.mark.filterwarnings("ignore:lenet has no pretrained weights")
def test_meta_is_kept_and_shown_and_changes_nothing_else() -> None:
    plain = small()
    told = small(meta={"notes": "night shots", "title": "Clothes", "author": ["A", "B"], "date": dt.date(2026, 5, 4)})
    assert plain.meta == {} and "meta" not in plain.settings
    assert plain.to_bytes() == small(meta={}).to_bytes() == small(meta={"title": None}).to_bytes()
    again = Model.from_bytes(told.to_bytes())
    assert again.meta == {"title": "Clothes", "author": "A, B", "notes": "night shots", "date": "2026-05-04"}
    lines = again.summary().splitlines()
    assert [line.split(None, 1) for line in lines[1:3]] == [["title", "Clothes"], ["author", "A, B"]]
    assert Model.from_bytes(plain.to_bytes()).settings["pictures"]["digest"] == FEW.digest
    assert f"sha256 {FEW.digest[:16]}" in plain.summary()
    pd.testing.assert_frame_equal(told.predict(FEW, "prob"), plain.predict(FEW, "prob"))


@pytest.mark.parametrize("date", [dt.datetime(2026, 5, 4), pd.Timestamp("2026-05-04"), "2026-05-04"])
def test_dates_become_text(date: Any) -> None:
    assert checked({"date": date}) == {"date": "2026-05-04"}


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ("Clothes", "`meta` must have fields by name."),
        ({"titel": "Clothes"}, "Did you mean title?"),
        ({"licence": "MIT"}, "Fields: title, author, notes, date."),
        ({"title": 5}, "`meta` must be text: its title is not.\nx it is 5"),
        ({"author": ["A", 1]}, "`meta` must be text: its author is not."),
    ],
)
def test_what_is_no_meta_is_refused_before_the_work(meta: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        small(meta=meta)
    assert words in str(caught.value)


def test_the_digest_is_that_of_contents_and_labels_wherever_they_lie(tmp_path: Path) -> None:
    for place, level in enumerate(("bag", "coat")):
        (tmp_path / level).mkdir()
        for file in sorted(Path(mxexample("fashion"), level).iterdir())[:3]:
            shutil.copy(file, tmp_path / level / f"{place}{file.name}")
    original = mximages(mxexample("fashion"))
    names = {Path(name).name: row for row, name in enumerate(original.names)}
    copied = mximages(str(tmp_path))
    rows = [names[Path(name).name[1:]] for name in reversed(copied.names)]
    assert original.take(rows).digest == copied.digest
    assert original.take(rows[1:]).digest != copied.digest
    relabelled = mximages([str(tmp_path / name) for name in copied.names], ["a", "b", "a", "b", "a", "b"])
    assert relabelled.digest != copied.digest
