"""Errors and warnings: their words, and what they carry."""

from __future__ import annotations

import pickle

import pytest

from mxtune import errors

EVERY = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors._Told)]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_words_have_the_house_form(kind: type[errors.MxtuneError]) -> None:
    told = kind("Can't read 2 of 3 images.", ["a.jpg: empty", "b.jpg: no image"], "Use on_bad.")
    assert str(told) == "Can't read 2 of 3 images.\nx a.jpg: empty\nx b.jpg: no image\ni Use on_bad."


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_crosses_processes_whole(kind: type[errors.MxtuneError]) -> None:
    again = pickle.loads(pickle.dumps(kind("What.", ["one"], "Do this.")))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert (str(again), again.message, again.bullets, again.hint) == (
        "What.\nx one\ni Do this.",
        "What.",
        ("one",),
        "Do this.",
    )


def test_bad_files_go_with_the_error() -> None:
    error = errors.PictureError("Can't read 1 of 1 image.", ["a.jpg: empty"])
    error.files = (("a.jpg", "empty"),)
    assert pickle.loads(pickle.dumps(error)).files == (("a.jpg", "empty"),)  # noqa: S301 - our own bytes


def test_a_training_error_has_no_model_unless_one_was_learned() -> None:
    assert errors.TrainingError("The loss became nan.").model is None


def test_wrong_values_are_value_errors_too() -> None:
    assert issubclass(errors.ArgumentError, ValueError)
    assert issubclass(errors.LabelError, ValueError)
    assert not issubclass(errors.MxtuneWarning, errors.MxtuneError)
