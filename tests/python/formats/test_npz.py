"""NumPy archives: by name, or in the order of Lasagne's programs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mxtune import formats, mxnetwork
from mxtune.engines import Program, choose
from mxtune.errors import ArgumentError, WeightsError
from mxtune.formats.ordered import in_order
from mxtune.graph import Builder
from mxtune.network import Network


def as_lasagne(network: Network) -> list[np.ndarray]:
    """LeNet's parameters as Lasagne would keep them."""
    turned = {4: lambda array: array[:, :, ::-1, ::-1], 2: np.transpose}
    return [turned.get(array.ndim, np.array)(array) for array in network.params.values()]


def test_a_network_of_lasagne_predicts_as_before(tmp_path: Path) -> None:
    lenet = mxnetwork("lenet", seed=3)
    np.savez(tmp_path / "model.npz", *as_lasagne(lenet))
    again = mxnetwork("lenet", weights=tmp_path / "model.npz")
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1)).astype(np.uint8)
    engine = choose("cpu", "auto")
    np.testing.assert_array_equal(engine.bind(Program.of(again)).predict(images),
                                  engine.bind(Program.of(lenet)).predict(images))  # fmt: skip
    assert again.pretrained


@pytest.mark.parametrize("where", ["name", "graph", "archive onto a graph"])
def test_arrays_in_a_list_are_taken_in_order(where: str, tmp_path: Path) -> None:
    lenet = mxnetwork("lenet", seed=3)
    lenet.save(tmp_path / "own-symbol.json")
    arrays = as_lasagne(lenet)
    np.savez(tmp_path / "model.npz", *arrays)
    given = tmp_path / "model.npz" if where.startswith("archive") else arrays
    again = mxnetwork("lenet" if where == "name" else tmp_path / "own-symbol.json", weights=given)
    assert all(np.array_equal(again.params[name], array) for name, array in lenet.params.items())
    assert again.provenance["source"] == (str(given) if where.startswith("archive") else "memory")


def test_arrays_in_a_dict_go_by_name() -> None:
    lenet = mxnetwork("lenet", seed=3)
    again = mxnetwork("lenet", weights=dict(reversed(lenet.params.items())))
    assert all(np.array_equal(again.params[name], array) for name, array in lenet.params.items())


def test_what_is_no_array_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"must hold arrays of numbers\.\nx arr_1 is a str"):
        mxnetwork("lenet", weights=[np.zeros(3), "model.npz"])
    with pytest.raises(ArgumentError, match="must be a file, or arrays in a list or by name"):
        mxnetwork("lenet", weights=np.zeros(3))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="x fc1_bias is a list"):
        mxnetwork("lenet", weights={"fc1_bias": [[1, 2], [3]]})
    with pytest.raises(WeightsError, match="has 8 parameters, and there are 7 arrays"):
        mxnetwork("lenet", weights=as_lasagne(mxnetwork("lenet"))[1:])
    with pytest.raises(WeightsError, match=r"in memory don't match [\s\S]*conv1_bias: not among the weights"):
        mxnetwork("lenet", weights={"fc1_bias": np.zeros(500)})


def test_convolution_is_theanos_which_turns_its_kernel() -> None:
    """The truth from the definition: a convolution turns the kernel, a correlation does not."""
    from scipy import signal

    b = Builder()
    graph = b.graph(b.conv(b.data(), "conv", 1, 3, bias=False))
    rng = np.random.default_rng(1)
    kernel, image = rng.normal(size=(1, 1, 3, 3)), rng.normal(size=(6, 6))
    weights = in_order([kernel], graph, {"conv_weight"})
    ours = signal.correlate2d(image, weights["conv_weight"][0, 0], mode="valid")
    np.testing.assert_allclose(ours, signal.convolve2d(image, kernel[0, 0], mode="valid"))


def test_batchnorm_keeps_the_inverse_of_its_deviation() -> None:
    b = Builder()
    graph = b.graph(b.batchnorm(b.data(), "bn", eps=1e-4))
    beta, gamma, mean, variance = np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]])
    names = {f"bn_{part}" for part in ("gamma", "beta", "moving_mean", "moving_var")}
    weights = in_order([beta, gamma, mean, 1 / np.sqrt(variance + 1e-4)], graph, names)
    np.testing.assert_allclose(weights["bn_moving_var"], variance)
    assert weights["bn_gamma"] is gamma and weights["bn_beta"] is beta and weights["bn_moving_mean"] is mean


def test_other_layers_are_refused_in_words(tmp_path: Path) -> None:
    arrays = as_lasagne(mxnetwork("lenet"))
    np.savez(tmp_path / "few.npz", *arrays[:-1])
    with pytest.raises(WeightsError, match="has 8 parameters, and there are 7 arrays"):
        mxnetwork("lenet", weights=tmp_path / "few.npz")
    np.savez(tmp_path / "other.npz", *[np.zeros(3)] * 8)
    with pytest.raises(WeightsError, match="conv1_weight"):
        mxnetwork("lenet", weights=tmp_path / "other.npz")


def test_arrays_by_name_go_by_name(tmp_path: Path) -> None:
    lenet = mxnetwork("lenet", seed=3)
    np.savez_compressed(tmp_path / "lenet.npz", **dict(reversed(lenet.params.items())))
    again = mxnetwork("lenet", weights=tmp_path / "lenet.npz")
    assert all(np.array_equal(again.params[name], array) for name, array in lenet.params.items())


def test_objects_and_bombs_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", np.array([{"a": 1}], dtype=object))
    with pytest.raises(WeightsError, match="Python objects, not numbers"):
        formats.read(tmp_path / "objects.npz")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", bytes(10_000_000))
    with pytest.raises(WeightsError, match="far larger than the file"):
        formats.read(tmp_path / "bomb.npz")


def test_a_header_of_python_2_is_read_and_none_is_evaluated(tmp_path: Path) -> None:
    for number, (shape, right) in enumerate({"(2L, 3L)": True, "(6L,)": True, "(2, 1 + 2)": False}.items()):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        file = tmp_path / f"{number}.npz"
        with zipfile.ZipFile(file, "w") as archive:
            content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + np.arange(6, dtype="f4").tobytes()
            archive.writestr("a.npy", content)
        if right:
            weights = formats.read(file).weights
            assert weights is not None and weights["a"].size == 6
            continue
        with pytest.raises(WeightsError, match="does not state its shape"):
            formats.read(file)
