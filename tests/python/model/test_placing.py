"""A model predicts on the engine and device that are asked for, in Python and at the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mxtune import Model, engines, mxexample, mximages, mxload, mxtrain
from mxtune.engines import choose
from mxtune.errors import ArgumentError, DeviceError
from processes import passes

IMAGES = mximages(mxexample("fashion")).take(range(0, 320, 5))
INSTALLED = engines.installed()


@pytest.fixture(scope="module", params=INSTALLED)
def trained(request: pytest.FixtureRequest) -> tuple[str, Model]:
    """An engine, and what it trained."""
    return request.param, mxtrain(IMAGES, net="lenet", epochs=2, seed=1, verbose=0, engine=request.param)


def test_a_model_says_which_engine_made_it(trained: tuple[str, Model]) -> None:
    name, model = trained
    assert model.settings["plan"]["engine"] == name
    assert model.settings["plan"]["why"]["engine"] == "`engine` asks for it"
    assert f"engine {name}: `engine` asks for it" in model.summary()
    assert model.versions[name] == engines.get(name).version()
    assert not set(model.versions) & set(engines.names()) - {name}


def test_a_file_is_of_every_engine(trained: tuple[str, Model], tmp_path: Path) -> None:
    name, model = trained
    model.save(tmp_path / "x.mxt")
    expected = model.predict(IMAGES, type="prob").iloc[:, 2:].to_numpy()
    for other in INSTALLED:
        found = mxload(tmp_path / "x.mxt", device="cpu", engine=other).predict(IMAGES, type="prob").iloc[:, 2:]
        np.testing.assert_allclose(found, expected, atol=0 if other == name else 1e-4)
    assert mxload(tmp_path / "x.mxt").versions == model.versions


def test_a_moved_model_is_the_same_one(trained: tuple[str, Model]) -> None:
    _, model = trained
    moved = model.on("cpu", INSTALLED[-1])
    assert moved.to_bytes() == model.to_bytes()
    assert moved.on().predict(IMAGES).equals(model.predict(IMAGES))


def test_the_same_seed_gives_the_same_bytes(trained: tuple[str, Model]) -> None:
    name, model = trained
    again = mxtrain(IMAGES, net="lenet", epochs=2, seed=1, verbose=0, engine=name)
    assert again.to_bytes() == model.to_bytes()


def test_what_trained_predicts_whatever_auto_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    last = INSTALLED[-1]
    monkeypatch.setenv("MXTUNE_ENGINE", INSTALLED[0])
    model = mxtrain(IMAGES, net="lenet", epochs=1, verbose=0, engine=last)
    again = model.on("cpu", last).predict(IMAGES, type="logit")
    pd.testing.assert_frame_equal(model.predict(IMAGES, type="logit"), again, check_exact=True)


def test_explanations_are_computed_where_the_model_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = mxtrain(IMAGES, net="lenet", epochs=1, verbose=0)
    expected, moved = model.explain(IMAGES.take([0])), model.on("cpu", INSTALLED[-1])
    bound: list[str] = []
    bind = engines.Target.bind
    monkeypatch.setattr(engines.Target, "bind", lambda self, *a: (bound.append(self.engine.name), bind(self, *a))[1])
    np.testing.assert_allclose(moved.explain(IMAGES.take([0])).array(), expected.array(), atol=1e-3)
    assert set(bound) == {INSTALLED[-1]}


def test_wrong_places_are_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`engine` must be one of auto, mxnet, torch"):
        mxtrain("nowhere", engine="pytorch")
    model = Model.from_bytes(mxtrain(IMAGES, net="lenet", epochs=1, verbose=0).to_bytes())
    with pytest.raises(ArgumentError, match="`device` must be"):
        model.on("cuda")
    if not any(report.reason is None for report in choose("cpu").engine.devices()[1:]):
        with pytest.raises(DeviceError, match="No GPU can be used"):
            model.on("gpu")
    model.save(tmp_path / "x.mxt")
    with pytest.raises(ArgumentError, match="`engine`"):
        mxload(tmp_path / "x.mxt", engine="jax")


def test_the_command_has_engine_and_device(tmp_path: Path, trained: tuple[str, Model]) -> None:
    name, model = trained
    model.save(tmp_path / "x.mxt")
    photos = mxexample("fashion")
    passes(
        "import sys\nfrom mxtune.cli import main\n"
        f"sys.argv = ['mxtune', 'predict', {str(tmp_path / 'x.mxt')!r}, {str(photos)!r}, '--type', 'logit', '-q',\n"
        f"            '-o', {str(tmp_path / 'found.csv')!r}, '--engine', {name!r}, '--device', 'cpu']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"others = set({engines.names()}) - {{{name!r}}}\nassert not others & set(sys.modules), sorted(others)\n"
    )
    found = pd.read_csv(tmp_path / "found.csv").iloc[:, 1:].to_numpy()
    np.testing.assert_allclose(found, model.predict(photos, type="logit").iloc[:, 1:], atol=1e-4)
