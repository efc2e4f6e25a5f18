"""Tables as text: nothing is lost of what a number says, and what is missing is told as such."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from mxtune.model.written import as_csv, as_json


def test_small_numbers_are_not_rounded_to_nothing() -> None:
    values = [1.25e-12, 0.1, 123456.7, np.nan, np.inf]
    frame = pd.DataFrame(
        {"pred": np.array(values, np.float32), "other": values, "third": pd.array([1e-30, None] * 2 + [0], "Float64")}
    )
    told = pd.DataFrame(json.loads(as_json(frame)))
    np.testing.assert_array_equal(told["pred"].iloc[:3].to_numpy(np.float32), frame["pred"].iloc[:3])
    assert told["other"].iloc[:3].tolist() == values[:3] and told["third"].iloc[0] == 1e-30
    assert told.isna().sum().tolist() == [2, 2, 2]


def test_a_set_that_is_missing_is_na() -> None:
    for missing in (None, np.nan):
        frame = pd.DataFrame({"file": ["a", "b"], "pred_set": [["x", "y"], missing]})
        assert as_csv(frame) == "file,pred_set\na,x;y\nb,NA\n"
