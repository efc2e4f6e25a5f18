"""Classes come back as what they were."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mxtune.calls import interface
from mxtune.errors import ArgumentError
from mxtune.tasks.base import column_names
from mxtune.tasks.label_type import LabelType, label_text, r_text


@pytest.mark.parametrize(
    ("values", "kind", "levels"),
    [
        ([True, np.bool_(False)], "boolean", ["True", "False"]),
        ([3, np.int16(-7)], "integer", ["3", "-7"]),
        ([0.5, np.float32(2)], "number", ["0.5", "2"]),
        ([1, 0.5], "number", ["1", "0.5"]),
        ([Decimal("0.25"), Fraction(3, 2)], "number", ["0.25", "1.5"]),
        (["a", b"b"], "text", ["a", "b"]),
        (["a", 1], "text", ["a", "1"]),
        ([True, 1], "text", ["True", "1"]),
    ],
)
def test_the_texts_of_values_stand_for_them(values: list[Any], kind: str, levels: list[str]) -> None:
    found = LabelType.of(values)
    assert found.kind == kind
    assert [label_text(value) for value in values] == levels
    assert found.fits(levels)
    if kind != "text":
        assert found.values(levels) == values


def test_a_type_is_plain_data_and_comes_back() -> None:
    for one in (LabelType(), LabelType("integer"), LabelType("text", ordered=True)):
        assert LabelType.from_dict(one.to_dict()) == one
    assert LabelType().to_dict() == {}
    for wrong in ({"kind": "date"}, {"kind": "text", "ordered": "yes"}, {"size": 3}):
        with pytest.raises(ArgumentError):
            LabelType.from_dict(wrong)


def test_a_text_that_stands_for_no_value_does_not_fit() -> None:
    assert not LabelType("integer").fits(["1", "one"])
    assert not LabelType("integer").fits(["01"])
    assert not LabelType("boolean").fits(["TRUE"])
    assert not LabelType("number").fits(["nan?"])


def test_r_reads_its_own_words() -> None:
    with interface("r"):
        assert [LabelType("boolean").shown(level) for level in ("False", "True")] == ["FALSE", "TRUE"]
        assert LabelType("number").shown("100000") == "1e+05"
        assert LabelType().shown("True") == "True"
    assert LabelType("boolean").shown("True") == "True"


def test_numbers_are_written_as_r_writes_them() -> None:
    given = [1e5, 2.5, 1e-5, 1234567.1, 1e15, 1 / 3, 1e-4, 0.0001234, 0.0, -0.5, -1e5, 12345678.0, 1e-300, 20.0, 1010.0]
    written = (  # as.character() of them
        "1e+05 2.5 1e-05 1234567.1 1e+15 0.333333333333333 1e-04 0.0001234 0 -0.5 -1e+05 12345678 1e-300 20 1010"
    )
    assert " ".join(map(r_text, given)) == written


def test_columns_of_a_users_names_are_never_ours_and_never_twice() -> None:
    assert column_names(["class", "class_", "cat"], "pred_", ["pred_class"]) == [
        "pred_class__",
        "pred_class_",
        "pred_cat",
    ]
    assert column_names(["file", "sun"], ours=["file"]) == ["file_", "sun"]
