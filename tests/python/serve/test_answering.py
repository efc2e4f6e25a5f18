import json

import numpy as np
import pandas as pd
import pytest

from mxtune import mxexample, mximages, mxtrain
from mxtune.images.loader import Loader
from mxtune.serve.answering import Answering, Question
from mxtune.serve.ready import Ready
from mxtune.serve.tables import in_json


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
