"""What MXNet's executor does beyond the contract: it words MXNet's errors and plans few sizes of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mxtune.engines import Device, InputSpec, Program, get
from mxtune.engines.mxnet import load
from mxtune.errors import EngineError
from mxtune.graph import Builder, from_json
from running import outputs

pytestmark = pytest.mark.mxnet

RNG = np.random.default_rng(1)
PICTURES = RNG.normal(size=(6, 3, 9, 9)).astype("float32")
B = Builder()
GRAPH = B.graph(B.dense(B.flatten(B.batchnorm(B.conv(B.data(), "conv", 4, kernel=3), "bn")), "head", 3))
SHAPES = {
    "conv_weight": (4, 3, 3, 3), "conv_bias": (4,), "head_weight": (3, 196), "head_bias": (3,),
    **{f"bn_{name}": (4,) for name in ("gamma", "beta", "moving_mean", "moving_var")},
}  # fmt: skip
PARAMS = {name: RNG.random(shape).astype("float32") for name, shape in SHAPES.items()}


def program(**changed: np.ndarray) -> Program:
    return Program(GRAPH, {**PARAMS, **changed}, {"data": InputSpec((3, 9, 9))})


@pytest.mark.parametrize("name", ["conv_weight", "bn_moving_var", "head_weight", "head_bias"])
def test_parameters_of_another_shape_are_one_clear_error(name: str) -> None:
    executor = get("mxnet").bind(program(**{name: np.zeros((5, 7), "float32")}), [Device("cpu")])
    with pytest.raises(EngineError, match="MXNet failed to run the network") as caught:
        executor.predict(PICTURES)
    assert "Stack trace" not in str(caught.value)
    assert ".cc" not in str(caught.value)


def test_a_gpu_is_refused_where_bytes_must_be_the_same() -> None:
    with pytest.raises(EngineError, match="same bytes") as caught:
        get("mxnet").bind(replace(program(), deterministic=True), [Device("gpu")])
    assert 'engine = "torch"' in str(caught.value)


def test_batches_of_nearly_one_size_share_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[int] = []
    symbol = load().symbol.Symbol
    bind = symbol.bind

    def counting(self: object, *args: object, **kwargs: object) -> object:
        planned.append(kwargs["args"]["data"].shape[0])  # type: ignore[index]
        return bind(self, *args, **kwargs)

    monkeypatch.setattr(symbol, "bind", counting)
    executor = get("mxnet").bind(program(), [Device("cpu")])
    for count in (1, 2, 3, 4, 5, 6, 6, 5, 1):
        executor.predict(PICTURES[:count])
    assert planned == [1, 2, 4, 8]


def test_large_images_are_predicted_in_parts_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Program(GRAPH, PARAMS, {"data": InputSpec((3, 9, 9))})
    many = np.concatenate([PICTURES, PICTURES, PICTURES[:3]])
    whole = get("mxnet").bind(one, [Device("cpu")])
    assert whole._at_once > 10_000
    monkeypatch.setattr("mxtune.engines.mxnet.executor._NEAR", 1)
    monkeypatch.setattr("mxtune.engines.mxnet.executor.mxnet_threads", lambda: 1)
    parts = get("mxnet").bind(one, [Device("cpu")])
    assert parts._at_once == 4
    assert get("mxnet").bind(one, [Device("cpu")], passes=False)._at_once is None
    predicted = parts.predict(many)
    np.testing.assert_allclose(predicted, whole.predict(many), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(predicted[12:], parts.predict(many[8:])[4:], "it depends on the others")
    assert list(parts._bound) == [4]


def test_a_symbol_of_an_old_mxnet_is_run_silently(capfd: pytest.CaptureFixture[str]) -> None:
    mx = load()
    text = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=4, name="conv").tojson()
    params = {name: PARAMS[name] for name in ("conv_weight", "conv_bias")}
    for old in (text.replace('"attrs"', '"param"', 1), text.replace("10901", "800")):
        assert outputs(from_json(old), params, PICTURES).shape == (6, 4, 7, 7)
    assert capfd.readouterr() == ("", "")
