"""Keras' files compute what Keras computes with them, and what can't be read is named, with nothing of it run.

The files are made by tests/shared/keras/make.py, with Keras 2 and 3; `make parity` compares whole networks.
"""

from __future__ import annotations

import io
import json
import marshal
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from drawn_arrays import images
from hearing import listening
from mxtune import formats, mxload, mxnetwork, mxtrain
from mxtune.errors import FormatError, WeightsError
from mxtune.formats import Contents, keras
from mxtune.formats.keras.config import Net
from mxtune.formats.keras.known import _net as known_net
from mxtune.formats.keras.reading import layout_of
from running import outputs

SHARED = Path(__file__).resolve().parents[2] / "shared" / "keras"
FILES = sorted(
    file.name for file in SHARED.iterdir() if file.suffix in (".h5", ".keras") and ".weights" not in file.name
)
TOLERANCE = 1e-5  # of the largest output
Config = dict[str, Any]


def truth(name: str) -> np.ndarray:
    network, version = name.split(".")[:2]
    return np.asarray(np.load(SHARED / f"{version}.npz")[network])


def computed(one: Contents) -> np.ndarray:
    """The outputs for the images of make.py, prepared as the file says."""
    assert one.graph is not None and one.weights is not None and one.image is not None
    x = (images(8) * 50 + 120)[:, : one.image[0]]
    if one.usual is not None:
        mean, std = (np.reshape(values, (1, -1, 1, 1)) for values in (one.usual.mean, one.usual.std))
        x = ((x - mean) / std).astype(np.float32)
    return np.asarray(outputs(one.graph, one.weights, x, False))


def same(y: np.ndarray, wanted: np.ndarray) -> bool:
    return y.shape == wanted.shape and bool(np.abs(y - wanted).max() <= TOLERANCE * np.abs(wanted).max())


def operators(one: Contents) -> list[str]:
    assert one.graph is not None
    return [node.op for node in one.graph.nodes if not node.is_variable]


# ---- files made for a test


def layer(kind: str, name: str, after: str = "", **config: Any) -> Config:
    """A layer as Keras 2 writes it, applied to the one before."""
    nodes = [[[after, 0, 0, {}]]] if after else []
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, "trainable": True, **config},
        "inbound_nodes": nodes,
    }


def network(*middle: Config, name: str = "net", size: int | None = 8, **changes: Any) -> Config:
    """A network of a convolution, some layers in a row, and a dense layer."""
    layers = [
        layer("InputLayer", "photo", batch_input_shape=[None, size, size, 3]),
        layer("Conv2D", "conv", "photo", kernel_size=[3, 3], use_bias=False),
        *middle,
        layer("GlobalAveragePooling2D", "pool", middle[-1]["name"] if middle else "conv"),
        layer("Dense", "logits", "pool"),
    ]
    config = {"name": name, "layers": layers, "input_layers": [["photo", 0, 0]], "output_layers": [["logits", 0, 0]]}
    return {"class_name": "Functional", "config": {**config, **changes}}


ARRAYS = {
    "conv": {"conv/kernel:0": np.arange(108, dtype="f4").reshape(3, 3, 3, 4) / 100},
    "logits": {"logits/kernel:0": np.ones((4, 2), "f4"), "logits/bias:0": np.zeros(2, "f4")},
}


def written(file: Path, config: Any, arrays: dict[str, dict[str, np.ndarray]] = ARRAYS, version: str = "2.4.0") -> Path:
    """An HDF5 file as Keras 2 writes it."""
    with h5py.File(file, "w") as store:
        store.attrs["model_config"] = json.dumps(config)
        store.attrs["keras_version"] = version
        group = store.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in arrays]
        for name, own in arrays.items():
            one = group.create_group(name)
            one.attrs["weight_names"] = [key.encode() for key in own]
            for key, array in own.items():
                one[key] = array
    return file


def refusal(file: Path) -> str:
    with pytest.raises(FormatError) as caught:
        formats.read(file)
    text = str(caught.value)
    assert text.startswith(f"Can't read the network in {file}.\nx ") and "\ni " in text
    return text


# ---- it computes what Keras computes


@pytest.mark.parametrize("name", FILES)
def test_a_network_computes_what_keras_computes(name: str) -> None:
    assert same(computed(formats.read(SHARED / name)), truth(name))


def test_both_layouts_and_both_versions_are_there() -> None:
    assert len(FILES) == 12 and {name.split(".", 1)[1] for name in FILES} == {
        f"keras{version}.{end}" for version in (2, 3) for end in ("h5", "keras")
    }


@pytest.mark.parametrize("name", FILES)
def test_no_value_is_turned_for_the_order_of_its_axes(name: str) -> None:
    turns = [op for op in operators(formats.read(SHARED / name)) if op in ("transpose", "Reshape")]
    assert turns == []


def test_a_batchnorm_stays_one_and_is_trained() -> None:
    one = mxnetwork(SHARED / "nested.keras3.keras")
    node = one.graph.node("stem_bn")
    assert node.op == "BatchNorm" and node.values.momentum == pytest.approx(0.99) and not node.values.fix_gamma
    assert one.graph.node("depth_bn").values.fix_gamma  # made with scale=False
    assert {"stem_bn_moving_mean", "stem_bn_moving_var"} <= set(one.graph.auxiliary)


def test_channels_first_compute_the_same(tmp_path: Path) -> None:
    """The same network, had it been told so: Keras computes this on GPUs alone, with the same weights."""
    file = tmp_path / "first.h5"
    shutil.copy(SHARED / "nested.keras2.h5", file)
    with h5py.File(file, "r+") as store:
        text = store.attrs["model_config"].replace("channels_last", "channels_first")
        text = text.replace("[null, 8, 8, 3]", "[null, 3, 8, 8]").replace("[null, 4, 4, 6]", "[null, 6, 4, 4]")
        for kind in ("stem_bn", "depth_bn"):
            at = text.index(f'"name": "{kind}", "trainable"')
            text = text[:at] + text[at:].replace('"axis": [3]', '"axis": [1]', 1)
        store.attrs["model_config"] = text
    assert "channels_first" in text and text.count('"axis": [1]') == 2
    assert same(computed(formats.read(file)), truth("nested.keras2.h5"))


@pytest.mark.parametrize("tune", ["head", "tail", "all"])
@pytest.mark.parametrize("name", ["nested.keras2.h5", "pieces.keras3.keras"])
def test_it_is_trained_saved_and_loaded(name: str, tune: str, tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (32, 8, 8, 3)).astype("uint8")
    x[::2] //= 4
    epochs = {} if tune == "head" else {"epochs": 1}
    model = mxtrain(x, ["dark", "light"] * 16, net=mxnetwork(SHARED / name), tune=tune, verbose=0, seed=1, **epochs)
    model.save(tmp_path / "one.mxt")
    assert mxload(tmp_path / "one.mxt").predict(x).equals(model.predict(x))


def test_what_is_known_of_the_file_comes_along() -> None:
    one = mxnetwork(SHARED / "nested.keras3.keras")
    assert one.provenance["name"] == "nested" and one.provenance["producer"].startswith("Keras 3.")
    assert one.classifier == "classes"
    assert {"Conv2D", "BatchNormalization", "Dense"} <= set(keras.names())


def test_a_sequential_without_an_input_has_the_shape_of_its_first_layer(tmp_path: Path) -> None:
    layers = [
        {"class_name": "Flatten", "config": {"name": "flat", "batch_input_shape": [None, 4, 4]}},
        {"class_name": "Dense", "config": {"name": "logits", "activation": "linear"}},
    ]
    arrays = {"logits": {"kernel:0": np.ones((16, 2), "f4"), "bias:0": np.zeros(2, "f4")}}
    for config in (layers, {"name": "digits", "layers": layers}):  # Keras 2.0 has no name there
        file = written(tmp_path / "digits.h5", {"class_name": "Sequential", "config": config}, arrays)
        one = formats.read(file)
        assert one.image == (1, 4, 4) and operators(one) == ["Flatten", "FullyConnected"]


@pytest.mark.parametrize(
    ("constants", "wanted"),
    [({"1": 4.0}, ["_div_scalar", "_mul_scalar"]), ({"0": 4.0}, ["_rdiv_scalar", "_mul_scalar"])],
)  # fmt: skip
def test_functions_of_the_first_tensorflow_2_are_read(constants: Config, wanted: list[str], tmp_path: Path) -> None:
    text = 'name: "x"\nop: "RealDiv"\ninput: "a"'
    odd = layer("TensorFlowOpLayer", "odd", "conv", node_def=text, constants=constants)
    last = layer("TFOpLambda", "more", "odd", function="math.multiply")
    last["inbound_nodes"] = [["_CONSTANT_VALUE", -1, 2.0, {"y": ["odd", 0, 0], "name": None}]]
    assert operators(formats.read(written(tmp_path / "a.h5", network(odd, last))))[1:3] == wanted


def test_maps_at_the_end_are_averaged_to_features(tmp_path: Path) -> None:
    one = formats.read(written(tmp_path / "a.h5", network(output_layers=[["conv", 0, 0]])))
    assert operators(one) == ["Convolution", "Pooling", "Flatten"]
    assert mxnetwork(tmp_path / "a.h5").replace_head(3).classifier


def test_a_layer_that_resizes_first_says_the_size_of_the_images(tmp_path: Path) -> None:
    config = network(size=None)
    config["config"]["layers"].insert(1, layer("Resizing", "small", "photo", height=12, width=10))
    config["config"]["layers"][2]["inbound_nodes"] = [[["small", 0, 0, {}]]]
    one = formats.read(written(tmp_path / "a.h5", config))
    assert one.image == (3, 12, 10) and operators(one)[0] == "Convolution"
    again = network(layer("Resizing", "small", "conv", height=3, width=3))
    assert "it resizes what is no image" in refusal(written(tmp_path / "b.h5", again))


# ---- weights alone


@pytest.mark.parametrize("version", ["keras2", "keras3"])
def test_weights_alone_go_onto_a_description(version: str, tmp_path: Path) -> None:
    with h5py.File(SHARED / f"plain.{version}.h5") as store:
        (tmp_path / "net.json").write_text(store.attrs["model_config"])
    whole = mxnetwork(SHARED / f"plain.{version}.h5")
    for end in ("weights.h5", "h5", "keras"):
        one = mxnetwork(tmp_path / "net.json", weights=SHARED / f"plain.{version}.{end}")
        assert one.graph == whole.graph and one.preprocess == whole.preprocess
        assert all(np.array_equal(array, whole.params[name]) for name, array in one.params.items())
        assert one.provenance["source"] == str(SHARED / f"plain.{version}.{end}")


def test_a_description_alone_or_with_other_weights_is_told(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(json.dumps(network()))
    with pytest.raises(WeightsError, match=r"net.json describes a network, and has no weights\.\ni Set `weights`"):
        mxnetwork(file)
    with pytest.raises(FormatError, match="its arrays are those of another network"):
        mxnetwork(file, weights=SHARED / "plain.keras3.weights.h5")
    with pytest.raises(FormatError, match="into a network of Keras: its format is ONNX"):
        mxnetwork(file, weights=SHARED.parent / "formats" / "traced.onnx")
    (tmp_path / "bad.json").write_text(json.dumps({"class_name": "Functional", "config": {}}))
    with pytest.raises(FormatError, match="it describes no layers"):
        mxnetwork(tmp_path / "bad.json")


def weights_of(net: Net, file: Path, numbered: bool, width: int = 2) -> Path:
    """A file of weights for a network of convolutions, as Keras 2 or Keras 3 saves them: of small, made up arrays."""
    rng, channels = np.random.default_rng(1), {}
    with h5py.File(file, "w") as store:
        placed = dict(layout_of(net))
        by_name = {place.names[0]: place for place in placed}
        for layer in net.layers:
            first = channels.get(layer.calls[0].refs[0].layer, 3) if layer.calls else 3
            place, kernel = by_name.get(layer.name), layer.config.get("kernel_size")
            channels[layer.name] = 49 * first if layer.kind == "Flatten" else width if place else first
            if place is None:
                continue
            last = [first, width] if kernel is None else [*kernel, first, width]
            shapes = [last, *[[last[-1]]] * (placed[place] - 1)]
            arrays = [rng.normal(size=shape).astype("f4") for shape in shapes]
            for number, array in enumerate(arrays):
                at = f"layers/{place.classes[0]}/vars/{number}" if numbered else f"{layer.name}/old_{number}"
                store[at] = array
            if not numbered:
                store[layer.name].attrs["weight_names"] = [f"old_{number}".encode() for number in range(len(arrays))]
        if not numbered:
            store.attrs["layer_names"] = [layer.name.encode() for layer in net.layers if layer.name in by_name]
    return file


@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize("numbered", [True, False])
def test_weights_alone_lead_to_the_network_of_keras_that_they_fit(numbered: bool, top: bool, tmp_path: Path) -> None:
    """VGG16, here of two filters in each layer: a file fits by its layers, not by their widths."""
    whole = known_net("vgg16.json.gz")
    net = replace(
        whole, layers=tuple(one for one in whole.layers if top or one.name not in ("fc1", "fc2", "predictions"))
    )
    with listening() as heard:
        one = formats.read(weights_of(net, tmp_path / "w.h5", numbered))
    assert heard == ["w.h5 holds weights of vgg16."] and one.graph is not None
    assert one.usual is not None and one.usual.mean == (123.68, 116.779, 103.939)
    assert operators(one).count("Convolution") == 13 and operators(one).count("FullyConnected") == (3 if top else 0)
    assert one.graph.node(one.graph.heads[0][0]).op in (("softmax",) if top else ("Flatten", "Reshape"))


def test_every_known_network_is_made_of_layers_that_are_read() -> None:
    files = sorted((Path(keras.__file__).parent / "known").glob("*.json.gz"))
    assert len(files) > 30
    for file in files:
        layout = layout_of(known_net(file.name))
        assert len(layout) > 10 and len({place.classes for place, _ in layout}) == len(layout), file.name


# ---- how images are prepared


def test_what_the_network_does_with_the_image_first_becomes_the_preprocessing() -> None:
    for name, mean, std, channels in (("nested", 127.5, 127.5, 3), ("pieces", 127.5, 127.5, 3), ("plain", 120, 50, 1)):
        for end in ("keras2.h5", "keras3.keras"):
            with listening() as heard:
                preprocess = mxnetwork(SHARED / f"{name}.{end}").preprocess
            assert preprocess.mean == pytest.approx((mean,) * channels), name
            assert preprocess.std == pytest.approx((std,) * channels) and preprocess.size == (8, 8)
            assert heard == []


def test_a_known_network_is_prepared_as_keras_applications_has_it_and_that_is_said(tmp_path: Path) -> None:
    file = written(tmp_path / "net.h5", network(name="mobilenetv2_0.50_96"))
    with listening() as heard:
        one = mxnetwork(file)
    assert (one.preprocess.mean, one.preprocess.std) == ((127.5,) * 3, (127.5,) * 3)
    assert len(heard) == 1
    assert heard[0].startswith(
        "net.h5 does not specify how images are prepared. By its name it is mobilenetv2_0.50_96, whose images are "
        "prepared so: Images are resized"
    )
    assert heard[0].endswith("Set `preprocess` to change this.")


def test_an_unknown_network_says_that_nothing_is_known(tmp_path: Path) -> None:
    with listening() as heard:
        mxnetwork(written(tmp_path / "net.h5", network()))
    assert len(heard) == 1 and "By its name" not in heard[0]


def test_the_first_kernel_of_a_network_that_takes_blue_first_is_turned(tmp_path: Path) -> None:
    kernel = ARRAYS["conv"]["conv/kernel:0"].transpose(3, 2, 0, 1)
    plain = formats.read(written(tmp_path / "a.h5", network()))
    written(tmp_path / "b.h5", network(name="vgg16"))
    inside = network()  # the same as the network's own first layers
    inside["config"]["layers"][1:1] = [
        {
            "class_name": "SlicingOpLambda", "name": "bgr", "config": {"function": "__operators__.getitem"},
            "inbound_nodes": [["photo", 0, 0, {"slice_spec": [{"class_name": "__ellipsis__"},
                                                              {"start": None, "stop": None, "step": -1}]}]],
        },
        {
            "class_name": "TFOpLambda", "name": "mean", "config": {"name": "mean", "function": "nn.bias_add"},
            "inbound_nodes": [["bgr", 0, 0, {"bias": [-103.939, -116.779, -123.68], "data_format": "NHWC"}]],
        },
    ]  # fmt: skip
    inside["config"]["layers"][3]["inbound_nodes"] = [[["mean", 0, 0, {}]]]
    told = formats.read(written(tmp_path / "c.h5", inside))
    assert operators(told) == operators(plain) and told.usual_is_stated
    for one in (mxnetwork(tmp_path / "b.h5"), mxnetwork(tmp_path / "c.h5")):
        np.testing.assert_array_equal(one.params["conv_weight"], kernel[:, ::-1])
        assert one.preprocess.mean == pytest.approx((123.68, 116.779, 103.939)) and one.preprocess.std == (1, 1, 1)
    for file in ("a.h5", "b.h5"):  # whose images are prepared otherwise, as a user says who trained it so
        one = mxnetwork(tmp_path / file, preprocess={"mean": 0, "std": 255})
        np.testing.assert_array_equal(one.params["conv_weight"], kernel)


def test_a_size_that_is_open_is_that_of_the_known_network(tmp_path: Path) -> None:
    assert formats.read(written(tmp_path / "a.h5", network(size=None))).image == (3, 224, 224)
    assert formats.read(written(tmp_path / "b.h5", network(size=None, name="xception"))).image == (3, 299, 299)


# ---- what is refused, in words


def test_code_in_a_lambda_is_not_run(tmp_path: Path) -> None:
    code = marshal.dumps(compile(f"open({str(tmp_path / 'trace')!r}, 'w')", "x", "exec")).hex()
    lamb = layer("Lambda", "odd", "conv", function=[code, None, None], function_type="lambda")
    text = refusal(written(tmp_path / "a.h5", network(lamb)))
    assert 'the layer "odd" (Lambda): a Lambda can\'t be read\ni It holds Python code, none of which was run.' in text
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("middle", "told"),
    [
        (layer("Mine", "odd", "conv"), 'the layer "odd" (Mine): the class Mine is not read'),
        ({**layer("Conv2D", "odd", "conv"), "module": "mine.layers"}, "the class Conv2D is not one of Keras'"),
        (layer("Custom>Dense", "odd", "conv"), "the class Dense is not one of Keras'"),
        ({**layer("Dense", "odd", "conv"), "registered_name": "Mine>Dense"}, "the class Dense is not one of Keras'"),
        (layer("Conv2DD", "odd", "conv"), "Did you mean"),
        (layer("Activation", "odd", "conv", activation="mine"), 'the activation "mine" is not one that is read'),
        (layer("TFOpLambda", "odd", "conv", function="linalg.inv"), "the function inv is not read"),
        (layer("LSTM", "odd", "conv"), "(LSTM): it is for sequences"),
        (layer("Conv2D", "odd", "conv", kernel_size=[1, 1]), "it has 0 arrays in the file, and needs 2: kernel, bias"),
        (layer("ZeroPadding2D", "odd", "conv", padding=[[0, -1], [0, 0]]), "its padding is no list of numbers"),
        (layer("Reshape", "odd", "conv", target_shape=[7]), 'the layer "odd" (Reshape): it can\'t reshape'),
        (layer("Flatten", "conv2", "nowhere"), "a layer takes"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(middle: Config, told: str, tmp_path: Path) -> None:
    assert told in refusal(written(tmp_path / "a.h5", network(middle)))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"class_name": "MyModel", "config": {}}, "the network is of the class MyModel, whose code is not in the file"),
        (network(input_layers=[["photo", 0, 0], ["conv", 0, 0]]), "it takes 2 inputs"),
        (network(input_layers=[]), "it has no inputs or outputs"),
        ([], "it describes no network"),
        (network(layer("Convolution2D", "old", "conv", nb_filter=3)), "it is of Keras 1"),
        (network(layer("Dropout", "conv", "conv")), "two of its layers have one name"),
    ],
)
def test_what_is_no_network_for_images_is_told(config: Any, told: str, tmp_path: Path) -> None:
    assert told in refusal(written(tmp_path / "a.h5", config))


def test_other_files_of_hdf5_are_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["x"] = np.zeros(3)
    assert "it holds no network of Keras" in refusal(tmp_path / "a.h5")
    file = SHARED / "plain.keras3.weights.h5"
    text = refusal(file)
    assert "it holds weights alone, of a network that is not one of Keras' own" in text
    assert f'mxnetwork("net.json", weights="{file}")' in text


def test_unusable_numbers_are_named(tmp_path: Path) -> None:
    arrays = {**ARRAYS, "conv": {"conv/kernel:0": np.full((3, 3, 3, 4), np.nan, "f4")}}
    with pytest.raises(WeightsError, match="conv_weight"):
        mxnetwork(written(tmp_path / "a.h5", network(), arrays))


def test_without_h5py_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    text = refusal(SHARED / "plain.keras3.keras")
    assert "h5py, which is not installed\ni Install it: pip install h5py" in text


# ---- hostile files


def with_store(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        written(file, network())
        with h5py.File(file, "r+") as store:
            change(store)

    return make


def linked(link: Any) -> Callable[[Any], None]:
    return lambda store: store.__setitem__("model_weights/x", link)


def _external(store: Any) -> None:
    Path(store.filename).with_name("secret").write_bytes(b"\0" * 16)
    del store["model_weights/logits/logits/bias:0"]
    store.create_dataset("model_weights/logits/logits/bias:0", (2,), "f4", external=[("secret", 0, 8)])


def _virtual(store: Any) -> None:
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
    del store["model_weights/logits/logits/bias:0"]
    store["model_weights/logits/logits"].create_virtual_dataset("bias:0", layout)


def _bomb(store: Any) -> None:
    store.create_dataset("model_weights/conv/x", (1 << 28,), "f4", chunks=(1 << 16,), compression="gzip")


def _claims(store: Any) -> None:
    store.create_dataset("model_weights/conv/x", (1 << 36,), "f4")


def _chunk(store: Any) -> None:
    store.create_dataset("model_weights/conv/x", (4,), "f4", maxshape=(None,), chunks=(1 << 28,))


def _deep(store: Any) -> None:
    store.create_group("model_weights/" + "/".join(["a"] * 60))


def _texts(store: Any) -> None:
    store["model_weights/conv/x"] = ["a", "b"]


def _unnamed(store: Any) -> None:
    store["model_weights/conv"].attrs["weight_names"] = [b"../../nowhere"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (linked(h5py.ExternalLink("other.h5", "/")), "is a link to elsewhere"),
        (linked(h5py.SoftLink("/model_weights/x")), "is a link to elsewhere"),
        (lambda store: store.__setitem__("model_weights/x", store["model_weights"]), "is there twice"),
        (_external, "lie in another file, which is not opened"),
        (_virtual, "lie in another file, which is not opened"),
        (_bomb, "claims 1,073,741,824 bytes"),
        (_claims, "claims 274,877,906,944 bytes, and the file has 0 for it"),
        (_chunk, "claims 16 bytes"),
        (_deep, "deeper than 32"),
        (_texts, "not numbers"),
        (_unnamed, 'the array "model_weights/conv/../../nowhere" is not in the file'),
    ],
)  # fmt: skip
def test_a_file_that_leads_elsewhere_or_lies_is_refused(
    change: Callable[[Any], None], told: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.h5"
    with_store(change)(file)
    assert told in refusal(file)


def test_a_tree_that_leads_to_itself_is_refused_at_once(tmp_path: Path) -> None:
    """HDF5 2.0 adds up the size of such a tree without end, if it is asked for it."""
    itself, heap, none = (0x88).to_bytes(8, "little"), (0x2A8).to_bytes(8, "little"), b"\xff" * 16
    content = bytearray((SHARED / "plain.keras2.weights.h5").read_bytes())
    content[144:200] = b"\1" + bytes(7) + itself + heap + bytes.fromhex("0100010001000000 1800000000000000") + none
    (tmp_path / "a.h5").write_bytes(content)
    assert "it is damaged" in refusal(tmp_path / "a.h5")


def test_a_zip_that_lies_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(SHARED / "plain.keras3.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def packed(changed: dict[str, bytes], twice: str = "", method: int = zipfile.ZIP_STORED) -> Path:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in {**members, **changed}.items():
                archive.writestr(name, content)
            if twice:
                with pytest.warns(UserWarning, match="Duplicate"):
                    archive.writestr(twice, b"{}")
        (tmp_path / "a.keras").write_bytes(stream.getvalue())
        return tmp_path / "a.keras"

    assert formats.read(packed({}, method=zipfile.ZIP_DEFLATED)).image == (1, 8, 8)
    assert "far larger than the file" in refusal(packed({"bomb": bytes(1 << 24)}, method=zipfile.ZIP_DEFLATED))
    assert "have one name" in refusal(packed({}, twice="config.json"))
    assert "nested more than" in refusal(packed({"config.json": b"[" * 9999 + b"]" * 9999}))
    assert "not valid JSON" in refusal(packed({"config.json": b"{"}))
    assert "it is damaged" in refusal(packed({"model.weights.h5": members["model.weights.h5"][:3000]}))
