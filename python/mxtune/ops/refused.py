"""Operators that are refused on purpose, and why."""

from __future__ import annotations

from typing import Optional

_FOREIGN = "it runs code from outside the network"
_CONTROL = "it is control flow, which images do not need"
_FILES = "it reads files"
_STATE = "it changes arrays or updates parameters"
_SEQUENCE = "it is for sequences"
_BOXES = "it detects objects, and mxtune classifies images"
_CONSTANT = "it makes a constant: give the values as a parameter"
_NUMPY = "it belongs to MXNet's NumPy interface"
_INT8 = "it is part of a quantized network"
_RANDOM = "its output is drawn at random"

REFUSED = {
    "Custom": _FOREIGN, "_Native": _FOREIGN, "_NDArray": _FOREIGN, "_CustomFunction": _FOREIGN,
    "_CachedOp": _FOREIGN, "_foreach": _CONTROL, "_while_loop": _CONTROL, "_cond": _CONTROL,
    "_cvimread": _FILES, "_cvimdecode": _FILES, "_imdecode": _FILES, "RNN": _SEQUENCE, "CTCLoss": _SEQUENCE,
    "ctc_loss": _SEQUENCE, "ROIPooling": _BOXES, "_zeros": _CONSTANT, "_ones": _CONSTANT, "_full": _CONSTANT,
    "_arange": _CONSTANT, "_eye": _CONSTANT, "_linspace": _CONSTANT, "_shuffle": _RANDOM,
    "CuDNNBatchNorm": "MXNet 1.9.1 does not have it: BatchNorm computes the same",
    "_contrib_SyncBatchNorm": "it waits for other devices: BatchNorm computes the same",
    "_grad_add": "it is part of gradients: elemwise_add computes the same",
    "gather_nd": "its indices may lie outside the array: take and pick check them",
    "IdentityAttachKLSparseReg": "it is a loss without a value",
}  # fmt: skip
"""Names, and the reason that a user reads."""

_FAMILIES = {
    "_npi_": _NUMPY, "_np_": _NUMPY, "_npx_": _NUMPY, "_sparse_": "mxtune keeps no sparse arrays",
    "_contrib_quantize": _INT8, "_contrib_dequantize": _INT8, "_contrib_requantize": _INT8, "_sg_mkldnn": _INT8,
    "_random_": _RANDOM, "_sample_": _RANDOM, "_contrib_MultiBox": _BOXES, "_contrib_box": _BOXES,
    "_contrib_ROI": _BOXES, "_contrib_Proposal": _BOXES, "_contrib_PSROI": _BOXES, "Sequence": _SEQUENCE,
    "_slice_assign": _STATE, "_scatter": _STATE, "sgd_": _STATE, "adam_": _STATE, "_image_": _FILES,
}  # fmt: skip


def reason(name: str) -> Optional[str]:
    """Why an operator of this name is refused; None for an unknown one.

    Examples
    --------
    >>> reason("_foreach")
    'it is control flow, which images do not need'
    """
    return REFUSED.get(name) or next((why for start, why in _FAMILIES.items() if name.startswith(start)), None)
