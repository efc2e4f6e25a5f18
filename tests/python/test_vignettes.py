"""Python's lines in the vignettes run; those on other systems, each on a file such as its system writes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from formats.test_torch import tensor, zipped
from mxtune import Model, engines, mxexample, mximages, mxnetwork, mxtrain
from mxtune.network import Network

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "tests" / "shared"
COPIES = {  # the vignette's names of small files that these systems wrote, or that are written as theirs
    "lenet.npz": "formats/lenet.npz",
    "saved.onnx": "onnx/keras.onnx",
    "frozen.onnx": "onnx/keras.onnx",
    "flowers.keras": "keras/plain.keras3.keras",
    "flowers.h5": "keras/plain.keras2.h5",
    "cntk.onnx": "onnx/residual_tracing7.onnx",
    "deploy.prototxt": "formats/modern.prototxt",
    "snapshot_iter_4000.caffemodel": "formats/modern.caffemodel",
    "own.onnx": "onnx/mobile_state_dict.onnx",
}


def sections() -> dict[str, list[tuple[str, str]]]:
    """The chunks under each heading: language and code."""
    text = (ROOT / "vignettes" / "bring.Rmd").read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:]
    return {
        title: re.findall(r"^```(\w+)\n(.*?)^```", body, re.MULTILINE | re.DOTALL)
        for title, body in zip(parts[::2], parts[1::2])
    }


SECTIONS = sections()
SYSTEMS = [title for title in SECTIONS if title != "Then"]


def here(title: str) -> str:
    """The lines of Python that are typed here."""
    (code,) = (code for language, code in SECTIONS[title] if language == "python" and "mxtune" in code)
    return code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are that the vignette names."""
    folder = tmp_path_factory.mktemp("bring")
    for name, source in COPIES.items():
        shutil.copy(SHARED / source, folder / name)
    state = mxnetwork("resnet18", weights="random").params
    keys = {name: str(number) for number, name in enumerate(state)}
    content = {name: tensor(keys[name], a.size, a.shape, tuple(s // 4 for s in a.strides)) for name, a in state.items()}
    raw = zipped(content, {keys[name]: array.tobytes() for name, array in state.items()})
    (folder / "resnet18.pth").write_bytes(raw)
    for label in ("bag", "coat"):
        (folder / "photos" / label).mkdir(parents=True)
        for file in sorted(Path(mxexample("fashion"), label).iterdir())[:8]:
            shutil.copy(file, folder / "photos" / label)
    if "mxnet" in engines.installed():
        mxnet_writes(folder)
    return folder


def mxnet_writes(folder: Path) -> None:
    """Run the vignette's lines for MXNet itself, in a process of its own."""
    there = next(code for language, code in SECTIONS["MXNet"] if language == "python" and "mxtune" not in code)
    before = """
from mxtune.engines.mxnet import load
mx = load()
from mxnet.gluon.model_zoo import vision
gluon = vision.mobilenet_v2_0_25()
gluon.initialize()
gluon.hybridize()
gluon(mx.nd.zeros((1, 3, 64, 64)))
symbol = mx.sym.SoftmaxOutput(gluon(mx.sym.var("data")), name="softmax")
module = mx.mod.Module(symbol)
module.bind([("data", (1, 3, 64, 64))], [("softmax_label", (1,))])
module.init_params(mx.init.Xavier())
"""
    done = subprocess.run(
        [sys.executable, "-c", before + there], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_system_of_the_table_has_its_lines_on_both_sides() -> None:
    for title in SYSTEMS:
        languages = [language for language, _ in SECTIONS[title]]
        assert languages[-2:] == ["r", "python"] and (len(languages) > 2 or title == "Caffe")
    assert SYSTEMS == [
        "Theano and Lasagne", "TensorFlow", "Keras", "CNTK", "Caffe", "PyTorch and Torch", "MXNet",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=pytest.mark.mxnet if title == "MXNet" else ()) for title in SYSTEMS]
)
def test_the_lines_for_here_bring_a_network_that_trains(
    title: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(here(title) + here("Then"), names)  # noqa: S102 - our own page
    net, model = names["net"], names["model"]
    assert isinstance(net, Network) and net.pretrained
    answers = model.predict("photos")  # type: ignore[attr-defined]
    assert len(answers) == 16 and set(answers["pred_class"]) <= {"bag", "coat"}
    assert (folder / "photos.mxt").stat().st_size > 1000


def test_what_keras_and_lasagne_do_is_done_by_the_lines_beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    text = (ROOT / "vignettes" / "networks.Rmd").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"lite": mxnetwork("efficientnet_lite0"), "photos": "photos", "mxtrain": mxtrain}
    for chunk in code:
        exec(chunk, names)  # noqa: S102 - our own page
    other = names["other"]
    assert len(code) == 5 and isinstance(other, Network)
    assert other.layers["layer"].tolist()[-2:] == ["classifier_dropout", "classifier"]


def test_lenet_is_that_of_the_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(here("Theano and Lasagne"), names)  # noqa: S102 - our own page
    net = names["net"]
    assert isinstance(net, Network)
    arrays = np.load("lenet.npz")
    np.testing.assert_array_equal(net.params["conv2_weight"], arrays["arr_2"][:, :, ::-1, ::-1])
    np.testing.assert_array_equal(net.params["fc1_weight"], arrays["arr_4"].T)


def test_what_a_model_says_of_itself_is_asked_by_the_lines_for_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for label in ("bag", "coat", "trouser"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number, file in enumerate(sorted(Path(mxexample("fashion"), label).iterdir())[:16]):
            shutil.copy(file, tmp_path / "photos" / label / f"{number // 2}_{number % 2}.png")
    text = (ROOT / "vignettes" / "trust.Rmd").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(code, names)  # noqa: S102 - our own page
    model = names["model"]
    assert isinstance(model, Model) and len(np.unique(model.validation.group)) == 24
    assert len(mximages("suspects.csv")) == 48
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "suspects.png").stat().st_size > 100
