import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mxtune import Model, Network, mxexample, mximages, mxnetwork, mxtrain
from mxtune.errors import ArgumentError
from mxtune.graph import Builder
from mxtune.images.loader import Loader
from mxtune.images.preprocess import Preprocess
from mxtune.serve.answering import Answering, Question
from mxtune.serve.ready import Ready
from mxtune.serve.tables import Rows, in_csv, in_json


@pytest.mark.mxnet
@pytest.mark.vnni
def test_a_model_in_int8_answers_as_predict_does() -> None:
    model = mxtrain(mxexample("fashion"), tune="head", image_size=32, precision="int8", verbose=0).on("cpu")
    photos = mximages(mxexample("fashion")).take(np.arange(0, 320, 20))
    pixels = Loader(photos, model.preprocess, repeated=False).eval_batch(np.arange(len(photos)))
    images = list(map(Ready, pixels, photos.hashes))
    answers = Answering(model).answers(images, Question("prob", novelty=True))
    told = pd.DataFrame(json.loads(in_json([(str(place), one.predictions) for place, one in enumerate(answers)])))
    expected = model.predict(photos, type="prob", novelty=True)
    assert told["pred_class"].tolist() == expected["pred_class"].tolist()
    for name in expected.columns.drop(["file", "pred_class"]):
        assert told[name].to_numpy(float) == pytest.approx(expected[name].to_numpy(float), abs=1e-5), name


def test_a_model_of_four_channels_is_served() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 4), np.uint8)
    net = mxnetwork("efficientnet_lite0").with_channels(4)
    model = mxtrain(pictures, ["a", "b"] * 4, net=net, tune="head", image_size=32, valid=0, verbose=0)
    Answering(model).warm_up(2)


def test_a_set_that_is_missing_is_na_in_csv() -> None:
    rows = Rows.of_each(pd.DataFrame({"file": ["a"], "pred_set": [["x", "y"]]}), ["a"])
    assert in_csv([("a", rows[0]), ("b", None)]) == "file,pred_set\na,x;y\nb,NA\n"


def test_a_network_without_maps_can_not_be_explained_and_says_so() -> None:
    b = Builder()
    graph = b.graph(b.dense(b.act(b.dense(b.flatten(b.data()), "first", 8), "relu"), "last", 2))
    net = Network(graph, {}, {}, Preprocess(size=(8, 8), channels=1), levels=("a", "b")).initialise(1)
    png = io.BytesIO()
    Image.new("L", (8, 8)).save(png, "PNG")
    with pytest.raises(ArgumentError, match="The network has no maps"):
        Answering(Model.of_network(net)).explanation(png.getvalue())
