"""Arguments of no use are told by name and value."""

import numpy as np
import pytest

from mxtune import mxload, mxnetwork
from mxtune.arguments import height_and_width, user_path, whole
from mxtune.errors import ArgumentError, MissingFileError


@pytest.mark.parametrize("wrong", [5, None, "", "a\0b", ["a.mxt", "b.mxt"], float("nan")])
def test_what_is_no_path_is_an_argument_error(wrong: object) -> None:
    with pytest.raises(ArgumentError, match="`path` must be a path"):
        mxload(wrong)  # type: ignore[arg-type]


def test_what_is_no_network_is_shown() -> None:
    with pytest.raises(ArgumentError, match="it is 3"):
        mxnetwork(3)  # type: ignore[arg-type]


def test_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    with pytest.raises(MissingFileError, match="/somewhere/lenet"):
        mxnetwork("lenet", weights="~/lenet.params")
    with pytest.raises(MissingFileError, match="/somewhere/lenet"):
        mxnetwork("~/lenet.MXT")


def test_a_name_that_only_looks_like_a_home_folder_is_a_name() -> None:
    assert user_path("path", "~no such user").name == "~no such user"


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "3", True, None, float("nan"), float("inf"), 2**40])
def test_what_is_no_count_is_an_argument_error(wrong: object) -> None:
    with pytest.raises(ArgumentError, match="`n` must be a whole number of at least 1"):
        whole("n", wrong, 1)


def test_both_limits_of_a_count_are_told() -> None:
    with pytest.raises(ArgumentError, match=r"`max_mb` must be a whole number from 1 to 500\.\nx it is 1000"):
        whole("max_mb", 1000, 1, 500)


@pytest.mark.parametrize("wrong", [0, 96.5, "96", True, None, float("nan"), [], [96], [96, 0], [1, 2, 3], ["9", "6"]])
def test_what_is_no_size_is_an_argument_error(wrong: object) -> None:
    with pytest.raises(ArgumentError, match="`image_size` must be a whole number of pixels, or height and width"):
        height_and_width("image_size", wrong)


def test_a_size_is_one_number_or_two() -> None:
    assert height_and_width("image_size", 96.0) == (96, 96)
    assert height_and_width("image_size", np.array([48, 64])) == (48, 64)


def test_whole_numbers_of_r_and_numpy_are_numbers() -> None:
    assert [whole("n", value) for value in (3.0, np.int16(3), np.float32(3))] == [3, 3, 3]


def test_seeds_are_looked_at_where_they_are_used() -> None:
    with pytest.raises(ArgumentError, match="`seed` must be a whole number from 0 to 2147483647"):
        mxnetwork("lenet", seed=-1)
