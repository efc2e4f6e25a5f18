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
        A regular expression for the name of a member of a zip; none if empty.
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
_SAFETENSORS = "Save the arrays as .safetensors, under the names of a network that mxzoo() lists."
_BY_TF2ONNX = "Convert it to ONNX: python -m tf2onnx.convert --output model.onnx "
_GRAPHDEF = "--inputs IN:0 --outputs OUT:0"
_BY_TORCH = "Use weights as a PyTorch state dict or as .safetensors, for a network that mxzoo() lists."

REFUSED = (
    # Whole networks of others, until each has a reader
    Refused("TensorFlow", (".pb", ".pbtxt"),
            _BY_TF2ONNX + f"--saved-model FOLDER, or, of a frozen graph, --graphdef FILE {_GRAPHDEF}.",
            rb"(\x08\x01\x12|\x0a.{1,3}\x0a.[\w/.\-]+\x12.[A-Z]\w+)"),
    Refused("TensorFlow checkpoints", (".ckpt", ".index"), _BY_TF2ONNX + f"--checkpoint FILE.meta {_GRAPHDEF}."),
    Refused("TensorFlow Lite", (".tflite",), "A quantised network can't be trained: use the one it was made from.",
            rb".{4}TFL3"),
    Refused("TensorFlow.js", (), _SAFETENSORS, rb'\s*\{\s*"(format|modelTopology)"\s*:'),
    Refused("TorchScript", (".pt2", ".ptl"), _STATE_DICT, member=r"[^/]+/(constants\.pkl|code/.*|archive_format)"),
    Refused("Torch7", (".t7",), "Load it with PyTorch 0.4 (load_lua), and save its arrays as a state dict.",
            rb"\x04\0\0\0\x01\0\0\0\x03\0\0\0V \d"),
    Refused("CNTK", (".model", ".dnn"),
            'Save it as ONNX, in CNTK 2.3 or later: model.save("model.onnx", format=cntk.ModelFormat.ONNX).',
            rb"B\0C\0N\0"),
    Refused("Core ML", (".mlmodel", ".mlpackage"), _BY_TORCH),
    Refused("PaddlePaddle", (".pdparams", ".pdmodel"), _SAFETENSORS),
    # Containers of anything
    Refused("NumPy", (".npy",), _SAFETENSORS, rb"\x93NUMPY"),
    Refused("Python's pickle", (".pkl", ".pickle"), "A pickle could run code, so none is opened. " + _STATE_DICT
            + " In a program of Theano: numpy.savez(file, *values).",
            rb"\x80[\x02-\x05](?!\x8a\nl\xfc\x9cF)"),
    Refused("R, or another compressed file", (".rds", ".rda", ".rdata"),
            "If R wrote it, open it there: readRDS() or load().", rb"(\x1f\x8b|BZh|\xfd7zXZ|X\n\0|RDX)"),
)  # fmt: skip

for _one in REFUSED:
    register(Format(_one.name, _one.suffixes, _one.fits, way_round=_one.way_round))
