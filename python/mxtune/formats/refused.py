"""Formats that are deliberately not read: how each is recognised, and what to do instead."""

from __future__ import annotations

from typing import NamedTuple

from . import Format, Glimpse, register


class Refused(NamedTuple):
    """A format that is not read.

    Parameters
    ----------
    name
        What users call it.
    suffixes
        Of its files.
    way_round
        What to do instead.
    beginning
        A regular expression for the first bytes; one that no file matches if empty.
    member
        A regular expression for the name of a member of a zip, or of a file in a folder; none if empty.
    """

    name: str
    suffixes: tuple[str, ...]
    way_round: str
    beginning: bytes = b""
    member: str = ""

    def fits(self, glimpse: Glimpse) -> bool:
        """Whether a file is one."""
        by_head = bool(self.beginning) and glimpse.begins(self.beginning)
        return by_head or (bool(self.member) and glimpse.holds(self.member))


_STATE_DICT = 'Save the weights alone, in PyTorch: torch.save(model.state_dict(), "weights.pth").'
_ORIGINAL = "Open the network that it was made from: as ONNX, a state dict of PyTorch, or a file of Keras."
_TF2ONNX = "Convert it to ONNX with tf2onnx: python -m tf2onnx.convert {} --output network.onnx"
_UNPACK = "Unpack it, and open the file in it."
_AGAIN = "It is what a server answered in place of a file: download the file again, and look at it before you open it."

REFUSED = (
    # Networks of other frameworks
    Refused("a frozen graph of TensorFlow", (".pb", ".pbtxt"),
            _TF2ONNX.format("--graphdef FILE --inputs IN:0 --outputs OUT:0"),
            rb"(\x0a.{1,3}\x0a.[\w/.\-]+\x12.[A-Z]\w+|\s*node \{\s*name: \")"),
    Refused("a SavedModel of TensorFlow", (), _TF2ONNX.format("--saved-model FOLDER"),
            rb"\x08\x01\x12.{1,4}\x0a.{1,3}[\x12\x1a\x22\x2a]", member=r"saved_model\.pb(txt)?"),
    Refused("a checkpoint of TensorFlow", (".ckpt", ".index", ".meta", ".data-00000-of-00001"),
            _TF2ONNX.format("--checkpoint FILE.meta --inputs IN:0 --outputs OUT:0")
            + ". A checkpoint of weights alone: load it into its network first, and save that.",
            rb"(\0\0.\x08.\x1a|model_checkpoint_path: )", member="checkpoint"),
    Refused("TensorFlow Lite", (".tflite", ".lite"),
            "It can't be trained where it is quantised. " + _ORIGINAL, rb".{4}TFL3"),
    Refused("TensorFlow.js", (), "Open the file of Keras that it was made from.",
            rb'\s*\{\s*"(format|modelTopology|weightsManifest)"\s*:'),
    Refused("a program of PyTorch (TorchScript, torch.export)", (".pt2", ".ptl", ".torchscript"),
            _STATE_DICT,
            member=r"([^/]+/)?(constants\.pkl|bytecode\.pkl|code/.*|archive_format|serialized_exported_program\.json)"),
    Refused("ExecuTorch", (".pte",), _ORIGINAL, rb".{4}ET\d\d"),
    Refused("Torch7", (".t7",), "Load it with PyTorch 0.4 (load_lua), and save its arrays as a state dict.",
            rb"(\x04\0\0\0\x01\0\0\0\x03\0\0\0V \d|\x03\0\0\0\x01\0\0\0.{4}[\x01-\x03]\0\0\0|[34]\n1\n\d+\n)"),
    Refused("CNTK", (".model", ".dnn"),
            'Save it as ONNX, in CNTK 2.3 or later: model.save("network.onnx", format=cntk.ModelFormat.ONNX).',
            rb"(B\0C\0N\0|\x08[\x01-\x03]\x12.{1,5}\x0a.(version|type|root\w*|uid|name|inputs|primitive_functions)\x12)"),
    Refused("Core ML", (".mlmodel", ".mlpackage", ".mlmodelc"), _ORIGINAL,
            rb"\x08[\x01-\x10]\x12.{1,3}?\x0a.{1,2}?\x0a.[\x20-\x7e]", member=r"Manifest\.json"),
    Refused("PaddlePaddle", (".pdparams", ".pdmodel", ".pdiparams"),
            "Convert it to ONNX with paddle2onnx: paddle2onnx --model_dir folder --save_file network.onnx",
            rb'(\x0a.{1,5}\x08\0\x10\xff{9}\x01|\0{16}.{4}\x08[\0-\x20]\x10|\s*\{\s*"base_code")',
            member=r".*\.pdmodel"),
    Refused("JAX (Flax, Orbax)", (".msgpack",),
            "Save its arrays as .safetensors or .npz, by the names of a network that mxzoo() lists: its kernels are "
            "(height, width, in, out), and here (out, in, height, width).",
            rb"[\x81-\x8f][\xa1-\xbf][A-Za-z_]\w*[\x80-\x8f\xc7-\xc9\xde]", member="(_CHECKPOINT)?_METADATA"),
    Refused("OpenVINO", (".xml",), _ORIGINAL, rb"\s*(<\?xml[^>]*>\s*)?<net "),
    Refused("TensorRT", (".engine", ".plan", ".trt"), _ORIGINAL, rb"ftrt"),
    Refused("GGUF", (".gguf", ".ggml"), "It is quantised, and can't be trained. " + _ORIGINAL, rb"(GGUF|lmgg|tjgg)"),
    # What holds anything
    Refused("NumPy", (".npy",),
            'Save all arrays in one file: numpy.savez("weights.npz", **arrays), by name.', rb"\x93NUMPY"),
    Refused("Python's pickle", (".pkl", ".pickle", ".joblib"),
            "A pickle could run code, so none is opened. " + _STATE_DICT
            + ' In a program of Theano: numpy.savez("weights.npz", *arrays).',
            rb"\x80[\x02-\x05](?!\x8a\nl\xfc\x9cF)"),
    Refused("R, or another compressed file",
            (".rds", ".rda", ".rdata", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tgz"),
            "If R wrote it, open it there: readRDS() or load(). Otherwise: " + _UNPACK,
            rb"(\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!|X\n\0|A\n[23]\n|RD[XA]\d\n)"),
    Refused("an archive", (".tar", ".zip"), _UNPACK, rb".{257}ustar"),
    # What was to be a network, and is not
    Refused("a pointer of Git LFS", (), "It only names the file. Get that: git lfs pull",
            rb"version https://git-lfs\.github\.com/"),
    Refused("a web page", (".html", ".htm"),
            "It is what a download gives whose address is that of a page: take that of the file itself, on GitHub with "
            '"raw", on the Hugging Face hub with "resolve" in place of "blob".',
            rb"(?is)(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype|html|head|body)\b"),
    Refused("an answer of a server", (), _AGAIN,
            rb'(?i)(\xef\xbb\xbf)?\s*(\{\s*"(error|message|detail)"\s*:|(<\?xml[^>]*>\s*)?<error\b|'
            rb"(40[134]|(entry |repository )?not found|access (denied|to)|forbidden|unauthorized|invalid user\w*)\b)"),
    Refused("an image", (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
            "Networks are trained on images: mxtrain(images). They are read by mximages().",
            rb"(\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF.{4}WEBP|II\*\0|MM\0\*|BM.{4}\0{4})"),
)  # fmt: skip

for _one in REFUSED:
    register(Format(_one.name, _one.suffixes, _one.fits, way_round=_one.way_round))
