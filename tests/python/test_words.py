"""The words that many messages share."""

from __future__ import annotations

import pytest

from mxtune import words


@pytest.mark.parametrize(("most", "text"), [(2, "a, b and 1234 more"), (1236, None)])
def test_a_long_list_is_cut_and_the_rest_is_counted(most: int, text: str) -> None:
    names = ["a", "b", *(["c"] * 1234)]
    assert words.listing(names, most) == (text or ", ".join(names))
    assert words.bullets(names, most)[-1] == ("and 1234 more" if text else "c")


def test_a_name_whose_bytes_are_no_text_can_be_printed() -> None:
    words.file_name("caf\udce9.png").encode("utf-8")


def test_a_name_like_no_other_gives_no_hint() -> None:
    assert words.near("zebra", ["conv1", "head"]) is None
