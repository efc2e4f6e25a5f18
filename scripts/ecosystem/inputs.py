"""Train on data sets of Hugging Face as they are loaded, chosen from and written; no network.

inputs.py PACKAGES
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import warnings

import numpy as np
import PIL.Image

sys.path.append(sys.argv[1])
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import datasets

from mxtune import mxexample, mximages, mxtrain
from mxtune.errors import ArgumentError

warnings.simplefilter("ignore")

photos = mximages(mxexample("fashion"))
pictures = [photos.open(row) for row in range(len(photos))]
features = datasets.Features({"photo": datasets.Image(), "kind": datasets.ClassLabel(names=list(photos.levels))})
clothes = datasets.Dataset.from_dict({"photo": pictures, "kind": photos.labels.columns()["label"].tolist()}, features)
shuffled = clothes.shuffle(seed=3)

with tempfile.TemporaryDirectory() as temporary:
    clothes.save_to_disk(f"{temporary}/saved")
    clothes.to_parquet(f"{temporary}/clothes.parquet")
    given = {
        "in memory": (clothes, clothes),
        "shuffled": (shuffled, shuffled),
        "a third of it": (clothes.select(range(0, 400, 3)), clothes.select(range(0, 400, 3))),
        "formatted": (shuffled.with_format("numpy"), shuffled),
        "of the disk": (datasets.load_from_disk(f"{temporary}/saved"), clothes),
        "its table": (clothes.with_format("arrow")[:], clothes),
        "in Parquet": (f"{temporary}/clothes.parquet", clothes),
    }
    for name, (x, same) in given.items():
        images = mximages(x)
        np.testing.assert_equal(images.levels, photos.levels)
        kinds = [images.labels.text(row) for row in range(len(images))]
        np.testing.assert_equal(kinds, [photos.levels[kind] for kind in same["kind"]])
        for row in (0, 7, len(same) - 1):
            np.testing.assert_array_equal(images.open(row), same[row]["photo"])
        print(f"a data set {name}: {len(images)} images of {len(images.levels)} classes, as in the data set")

model = mxtrain(shuffled, net="lenet", epochs=2, verbose=0)
np.testing.assert_equal(len(model.predict(clothes)), len(clothes))
columns = mximages(shuffled["photo"], shuffled["kind"])
kinds = [columns.labels.text(row) for row in range(len(columns))]
np.testing.assert_equal(kinds, [photos.levels[kind] for kind in shuffled["kind"]])
transformed = clothes.with_transform(lambda rows: rows)
for wrong in (datasets.DatasetDict(train=clothes), clothes.to_iterable_dataset(), transformed):
    try:
        mximages(wrong)
    except ArgumentError as error:
        print(error)
    else:
        raise AssertionError(type(wrong))

stream = io.BytesIO()
PIL.Image.new("L", (8, 8)).save(stream, "png")
damaged = datasets.Dataset.from_dict(
    {"image": [stream.getvalue(), b"no image", None]}, datasets.Features({"image": datasets.Image()})
)
np.testing.assert_equal(mximages(damaged, on_bad="skip").names, ["[0]"])
