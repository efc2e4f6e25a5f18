"""Losses that end a network, as in Caffe; in prediction they return probabilities or values."""

from __future__ import annotations

from ..words import shape_text
from .attributes import choice, flag, real
from .base import DATA, LABEL, Operator, Shape, Values, register, same
from .misfit import MisfitError

_LOSS = frozenset({"loss"})
_SCALE = real("grad_scale", 1.0)
_NORMALIZATION = choice("normalization", "null", "batch", "valid", default="null")


def _one_label(values: Values, data: Shape) -> dict[str, Shape]:
    if len(data) < 2:
        raise MisfitError(f"it takes (N, classes), not an input of {shape_text(data)}")
    if getattr(values, "multi_output", False):
        if len(data) < 3:
            raise MisfitError(f"it takes (N, classes, places), not an input of {shape_text(data)}")
        count = 1
        for side in data[2:]:
            count *= side
        return {"label": (data[0], count)}
    return {"label": data[:-1]}


register(
    Operator(
        "SoftmaxOutput",
        same,
        (DATA, LABEL),
        attributes=(
            _SCALE,
            real("ignore_label", -1.0),
            flag("multi_output"),
            flag("use_ignore"),
            flag("preserve_shape"),
            _NORMALIZATION,
            flag("out_grad"),
            real("smooth_alpha", 0.0, 0.0, 1.0),
        ),
        aliases=("Softmax",),
        roles=_LOSS,
        parameters=_one_label,
        onnx="Softmax",
        caffe="SoftmaxWithLoss",
    )
)
register(
    Operator(
        "SVMOutput",
        same,
        (DATA, LABEL),
        attributes=(real("margin", 1.0), real("regularization_coefficient", 1.0), flag("use_linear")),
        roles=_LOSS,
        parameters=_one_label,
        caffe="HingeLoss",
    )
)


def _each_value(values: Values, data: Shape) -> dict[str, Shape]:
    """A label for each value; MXNet takes (N,) for (N, 1)."""
    return {"label": data[:1] if len(data) == 2 and data[1] == 1 else data}


for _name, _caffe in (
    ("LinearRegressionOutput", "EuclideanLoss"),
    ("LogisticRegressionOutput", "SigmoidCrossEntropyLoss"),
    ("MAERegressionOutput", ""),
):
    register(
        Operator(
            _name,
            same,
            (DATA, LABEL),
            attributes=(_SCALE,),
            roles=_LOSS,
            parameters=_each_value,
            caffe=_caffe,
        )
    )
register(Operator("MakeLoss", same, attributes=(_SCALE, real("valid_thresh", 0.0), _NORMALIZATION)))
register(Operator("make_loss", same))
