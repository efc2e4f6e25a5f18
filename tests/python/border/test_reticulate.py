"""The Python side of the border that R crosses, spoken to as R does."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mxtune import errors, progress
from mxtune.border import reticulate
from mxtune.border.reticulate.arguments import argument
from mxtune.border.reticulate.wire import write
from mxtune.border.to_r import to_r
from mxtune.border.vector import DTYPES, NA_INTEGER, NA_REAL_BITS


def sent(values: Any, kind: str = "double", dim: Any = ()) -> tuple[dict[str, Any], list[Any]]:
    """What R sends for a vector, and the memory of it, which must stay alive."""
    vector = np.asarray(values, DTYPES[kind])
    told = {"..r": "vector", "type": kind, "length": vector.size, "address": float(vector.ctypes.data)}
    if not dim:
        return told, [vector]
    shape, alive = sent(dim, "integer")
    return told | {"attributes": {"dim": shape}}, [vector, *alive]


def received(told: dict[str, Any]) -> list[Any]:
    """What R sees in the vector that waits under a token."""
    memory = np.empty(told["length"], DTYPES[told["type"]])
    reticulate.fill(float(told["token"]), float(memory.ctypes.data))
    return memory.tolist()


def parts(told: dict[str, Any]) -> dict[str, Any]:
    """What R sees in a list with names."""
    names = told["attributes"]["names"]
    return dict(zip([names] if isinstance(names, str) else names["values"], told["values"]))


class Owner:
    """Stands for an object of ours whose methods R calls."""

    def whole(self, epochs: int | None = None, lr: float = 0.1, levels: list[str] | None = None) -> str:
        return repr((epochs, lr, levels))

    def fails(self) -> None:
        raise errors.PictureError("Can't read 1 of 2 images.", ["a {b}.jpg: empty"], 'Use on_bad = "skip".')

    def broken(self) -> None:
        raise KeyError("x")

    def interrupted(self) -> None:
        raise KeyboardInterrupt

    def warns(self) -> int:
        warnings.warn(errors.LabelWarning("One class is small.", ["cat: 1 image"]), stacklevel=2)
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        return 1

    def tells(self) -> None:
        reporter = progress.current()
        reporter.event("start", title="Training", total=1000, unit="images")
        for _ in range(1000):
            reporter.event("advance", n=1)
        reporter.event("epoch", stage="head", epoch=1, epochs=2, metrics={"loss": np.float32(0.5)})

    def watched(self, callbacks: Any = ()) -> Any:
        return callbacks.on_epoch(1, {"loss": np.float64(0.25)})


def call(what: str, **arguments: Any) -> dict[str, Any]:
    return reticulate.call(what, Owner(), arguments)


def test_whole_numbers_become_int_where_the_argument_takes_one() -> None:
    assert call("whole", epochs=3.0, lr=1.0)["value"] == "(3, 1.0, None)"


def test_a_single_string_becomes_a_list_where_only_several_fit() -> None:
    assert call("whole", levels="cat")["value"] == "(None, 0.1, ['cat'])"


def test_an_error_becomes_data_with_the_class_names_of_r() -> None:
    error = call("fails")["error"]
    assert error["classes"] == ["mxtune_picture_error", "mxtune_error"]
    assert error["message"] == "Can't read 1 of 2 images."
    assert error["bullets"] == ["a {b}.jpg: empty"]
    assert error["hint"] == 'Use on_bad = "skip".'
    assert "Traceback" in error["trace"]


def test_an_error_that_is_not_ours_tells_its_kind() -> None:
    error = call("broken")["error"]
    assert error["classes"] == []
    assert error["message"] == "KeyError: 'x'"


def test_an_interrupt_is_told_as_one() -> None:
    assert call("interrupted")["error"] == {"classes": ["interrupt"], "model": None}


def test_warnings_are_told_and_those_for_developers_are_not() -> None:
    told = call("warns")["warnings"]
    assert [w["classes"] for w in told] == [["mxtune_label_warning", "mxtune_warning"]]
    assert told[0]["bullets"] == ["cat: 1 image"]


def test_every_error_class_has_a_name_in_r() -> None:
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.MxtuneError):
            classes = reticulate._condition(kind("x"))["classes"]
            assert classes[-1] == "mxtune_error", name


def test_progress_reaches_the_listener_and_not_more_often_than_it_can_be_seen() -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    def hears(kind: str) -> Callable[..., None]:
        return lambda info: heard.append((kind, parts(info)))

    reticulate.call("tells", Owner(), {}, {kind: hears(kind) for kind in ("start", "advance", "epoch", "end")})
    kinds = [kind for kind, _ in heard]
    assert kinds[0] == "start"
    assert kinds[-2:] == ["epoch", "end"]
    assert 1 <= kinds.count("advance") < 20
    assert type(parts(heard[-2][1]["metrics"])["loss"]) is float


def test_what_no_function_hears_does_not_cross() -> None:
    heard: list[dict[str, Any]] = []
    assert reticulate.call("tells", Owner(), {}, {"epoch": heard.append})["error"] is None
    assert len(heard) == 1


def test_without_a_listener_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call("tells")
    assert capsys.readouterr() == ("", "")


def test_a_function_of_r_is_a_callback_and_its_error_is_told() -> None:
    assert call("watched", callbacks=lambda epoch, metrics: parts(metrics)["loss"] < epoch)["value"] is True
    error = call("watched", callbacks=lambda *_: {"..r": "error", "message": "object 'x' not found"})["error"]
    assert error["classes"] == ["mxtune_callback_error"]
    assert error["message"] == "The callback on_epoch failed."
    assert error["bullets"] == ["object 'x' not found"]


def test_ctrl_c_at_any_moment_in_r_is_ctrl_c() -> None:
    def at_the_border(*_: Any) -> None:
        raise RuntimeError("(Unknown exception occurred)")

    for function in (lambda *_: {"..r": "interrupt"}, at_the_border):
        assert call("watched", callbacks=function)["error"] == {"classes": ["interrupt"], "model": None}


def test_numbers_are_copied_out_of_memory_that_is_only_lent() -> None:
    told, memory = sent([1.0, 2.0])
    numbers = argument(told, "y", None)
    memory[0][:] = 0
    assert numbers.tolist() == [1.0, 2.0]


def test_a_vector_is_a_list_in_an_option_and_an_array_of_labels() -> None:
    told, _alive = sent([1, NA_INTEGER], "integer")
    assert argument(told, "options", None) == [1, None]
    assert argument(told, "y", None).isna().tolist() == [False, True]


def test_labels_of_length_one_stay_a_vector_and_a_path_is_one_string() -> None:
    told, _alive = sent([7])
    assert argument(told, "y", None).tolist() == [7.0]
    assert argument(told, "seed", None) == 7
    text = {"..r": "vector", "type": "character", "values": ["cat"], "missing": []}
    assert argument(text, "y", None) == ["cat"]
    assert argument(text, "x", None) == "cat"


def test_a_missing_value_alone_is_no_value() -> None:
    for kind, na in (("integer", NA_INTEGER), ("logical", NA_INTEGER), ("double", np.uint64(NA_REAL_BITS).view(float))):
        told, _alive = sent([na], kind)
        assert argument(told, "seed", None) is None
    told, _alive = sent([np.nan])
    assert np.isnan(argument(told, "lr", None)), "not a number is a wrong number"


@pytest.mark.parametrize(("layout", "order"), [("NHWC", (0, 1, 2, 3)), ("HWCN", (1, 2, 3, 0))])
def test_pictures_have_their_axes_in_place(layout: str, order: tuple[int, ...]) -> None:
    pictures = np.arange(2 * 3 * 4 * 3, dtype=np.float64).reshape(2, 3, 4, 3)
    ordered = pictures.transpose(order)
    vector, _alive = sent(ordered.ravel(order="F"), dim=ordered.shape)
    out = argument({"..r": "pictures", "vector": vector, "layout": layout}, "x", None)
    np.testing.assert_array_equal(out, pictures)


def test_raw_pictures_do_not_alias_memory_of_r() -> None:
    vector, memory = sent(np.zeros(48), "raw", dim=(4, 4, 3))
    out = argument({"..r": "pictures", "vector": vector, "layout": "HWC"}, "x", None)
    memory[0][:] = 9
    assert out.max() == 0


def test_pictures_are_a_view_of_the_memory_of_r() -> None:
    vector, memory = sent(np.zeros(48), dim=(4, 4, 3))
    out = argument({"..r": "pictures", "vector": vector, "layout": "HWC"}, "x", None)
    assert np.shares_memory(out, memory[0])


def test_a_frame_goes_to_r_column_by_column() -> None:
    frame = pd.DataFrame(
        {"file": ["a", None], "class": pd.Categorical(["v", None], categories=["w", "v"]), "prob": [0.5, np.nan]}
    )
    text, classes, prob = write(to_r(frame))["values"]
    assert (text["values"], text["missing"]) == (["a", ""], [1])
    assert received(classes) == [2, NA_INTEGER]
    assert classes["attributes"]["levels"]["values"] == ["w", "v"]
    numbers = np.array(received(prob))
    assert numbers[0] == 0.5
    assert numbers.view(np.int64)[1] & 0xFFFFFFFF == 1954, "the NaN must be R's NA"


def test_what_waits_for_r_is_given_once() -> None:
    told = write(to_r(np.ones(3)))
    received(told)
    with pytest.raises(KeyError):
        received(told)


def test_an_object_lent_to_r_is_the_same_object() -> None:
    value = object()
    assert reticulate.take(reticulate.hand_over(value)) is value
