"""Which array of a file is which parameter: the reading that fits most, and nothing taken for what it is not."""

from __future__ import annotations

import numpy as np
import pytest

from mxtune.errors import WeightsError
from mxtune.formats.matching import as_parameters, under_our_names
from mxtune.formats.names import NameTable

NEEDED = ("conv_weight", "bn_gamma", "bn_moving_mean", "fc_bias")
THEIRS = NameTable("theirs", {"conv_weight": "c.weight", "bn_gamma": "n.weight", "bn_moving_mean": "n.running_mean",
                              "fc_bias": "f.bias"})  # fmt: skip
ARRAYS = {name: np.full(2, place, "f4") for place, name in enumerate(NEEDED)}


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: name,
        lambda name: name.replace("moving", "running"),
        lambda name: f"resnetv13_{name}",
        lambda name: f"module.resnetv13_{name.replace('moving', 'running')}",
        lambda name: THEIRS.theirs[name],
        lambda name: f"state_dict.model.{THEIRS.theirs[name]}",
        lambda name: f"_orig_mod.{THEIRS.theirs[name]}",
    ],
)
def test_every_spelling_gives_the_same(spell: object) -> None:
    file = {spell(name): array for name, array in ARRAYS.items()}  # type: ignore[operator]
    assert {name: array[0] for name, array in under_our_names(file, NEEDED, [THEIRS]).items()} == {
        name: array[0] for name, array in ARRAYS.items()
    }


def test_counters_and_a_second_copy_are_left_out_and_the_plain_one_is_taken() -> None:
    file = {f"model.{name}": array for name, array in ARRAYS.items()}
    file |= {f"model_ema.{name}": array + 100 for name, array in ARRAYS.items()}
    file |= {"model.bn.num_batches_tracked": np.array(3), "n_averaged": np.array(3)}
    found = under_our_names(file, NEEDED)
    assert set(found) == set(NEEDED) and all(found[name] is ARRAYS[name] for name in NEEDED)


def test_what_is_no_parameter_stays_under_its_name() -> None:
    assert set(under_our_names({**ARRAYS, "model.optimiser": np.zeros(2)}, NEEDED)) == {*NEEDED, "model.optimiser"}
    assert under_our_names({}, NEEDED) == {}


def test_a_networks_own_names_may_look_like_a_wrapper() -> None:
    names = ("model.conv_weight", "model.fc_weight")
    assert set(under_our_names(dict.fromkeys(names, np.zeros(2)), names)) == set(names)


def test_two_arrays_for_one_parameter_are_refused() -> None:
    with pytest.raises(WeightsError, match="Several arrays stand for the same parameter: bn_moving_mean"):
        under_our_names({**ARRAYS, "bn_running_mean": np.zeros(2)}, NEEDED)


def test_parameters_are_float32_and_contiguous() -> None:
    turned = np.arange(6, dtype="<f8").reshape(2, 3).T
    found = as_parameters({"w": turned, "n": np.array([1, 2], "i8")}, ["w", "n"], "a file")
    assert {array.dtype for array in found.values()} == {np.dtype("float32")}
    assert all(array.flags.c_contiguous for array in found.values())
    with pytest.raises(WeightsError, match="The array w contains complex64, not numbers"):
        as_parameters({"w": np.zeros(2, "complex64")}, ["w"], "a file")


def test_a_table_works_both_ways() -> None:
    theirs = THEIRS.to_theirs({**ARRAYS, "another": np.zeros(2)})
    assert list(theirs) == ["c.weight", "n.weight", "n.running_mean", "f.bias", "another"]
    again = under_our_names(theirs, NEEDED, [THEIRS])
    assert set(again) == {*NEEDED, "another"} and all(again[name] is ARRAYS[name] for name in NEEDED)


def test_a_table_gives_no_name_twice() -> None:
    with pytest.raises(ValueError, match="two parameters the same name"):
        NameTable("wrong", {"a": "x", "b": "x"})
