"""The same numbers in both languages: R's test-corners.R reads the same images and the same predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, mxtrain

SHARED = Path(__file__).parents[2] / "shared"
EXPECTED = pd.read_csv(SHARED / "corners.csv")


@pytest.fixture(scope="module")
def model() -> Model:
    return mxtrain(
        str(SHARED / "corners"), net="lenet", tune="all", epochs=10, batch_size=4, augment="none", seed=1, verbose=0
    )


def test_pictures_that_are_not_square_get_the_stored_predictions(model: Model) -> None:
    told = model.predict(str(SHARED / "corners"), type="prob")
    assert told["file"].tolist() == EXPECTED["file"].tolist()
    assert told["pred_class"].tolist() == EXPECTED["pred_class"].tolist()
    np.testing.assert_allclose(told["pred_left"], EXPECTED["pred_left"], atol=0.02)  # another CPU rounds otherwise


def test_arrays_get_the_predictions_of_their_files(model: Model) -> None:
    from PIL import Image

    paths = sorted((SHARED / "corners").glob("*/*.png"))
    array = np.stack([np.asarray(Image.open(path)) for path in paths])
    told = model.predict(array, type="prob")
    from_files = model.predict([str(path) for path in paths], type="prob")
    np.testing.assert_array_equal(told["pred_left"], from_files["pred_left"])
