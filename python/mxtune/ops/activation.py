"""Activations: functions of each value by itself; and softmax, which needs its neighbours."""

from __future__ import annotations

from dataclasses import replace

from ..words import shape_text
from .attributes import choice, flag, integer, integers, real
from .axes import axes_of, axis_of
from .base import DATA, Operator, Shape, Slot, Values, register, same
from .misfit import MisfitError

_ACTIVATION = frozenset({"activation"})
_PASSES = _ACTIVATION | {"passes_logits"}


register(
    Operator(
        "Activation",
        same,
        attributes=(choice("act_type", "relu", "sigmoid", "tanh", "softrelu", "softsign"),),
        roles=_PASSES,
        onnx="Relu",
        caffe="ReLU",
    )
)


def _slopes(values: Values, data: Shape) -> dict[str, Shape]:
    if values.act_type != "prelu":
        return {}
    if len(data) < 2:
        raise MisfitError(f"it takes (N, C, ...), not an input of {shape_text(data)}")
    return {"gamma": (data[1],)}


register(
    Operator(
        "LeakyReLU",
        same,
        slots=lambda values: (DATA, Slot("gamma", "weight", 0.25)) if values.act_type == "prelu" else (DATA,),
        attributes=(
            choice("act_type", "leaky", "prelu", "elu", "selu", "gelu", default="leaky"),
            real("slope", 0.25, -1e6, 1e6),
            real("lower_bound", 0.125, 0.0, 1e6),
            real("upper_bound", 0.334, 0.0, 1e6),
        ),
        roles=_ACTIVATION | {"rectifier"},
        parameters=_slopes,
        onnx="LeakyRelu",
        caffe="PReLU",
    )
)
for _name, _roles, _onnx, _caffe in (
    ("relu", _PASSES | {"rectifier", "keeps_zero"}, "Relu", "ReLU"),
    ("sigmoid", _PASSES, "Sigmoid", "Sigmoid"),
    ("tanh", _PASSES | {"keeps_zero"}, "Tanh", "TanH"),
    ("softsign", _ACTIVATION | {"keeps_zero"}, "Softsign", ""),
):
    register(Operator(_name, same, roles=_roles, onnx=_onnx, caffe=_caffe))
register(
    Operator(
        "hard_sigmoid",
        same,
        attributes=(real("alpha", 0.2, -1e6, 1e6), real("beta", 0.5, -1e6, 1e6)),
        roles=_ACTIVATION,
        onnx="HardSigmoid",
    )
)
register(
    Operator(
        "clip",
        same,
        attributes=(real("a_min"), real("a_max")),
        roles=_PASSES | {"rectifier"},
        onnx="Clip",
        caffe="ReLU6",
    )
)


def _along_axes(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    axes_of(values.axes, inputs[0])
    return inputs


register(
    Operator(
        "Dropout",
        _along_axes,
        attributes=(
            real("p", 0.5, 0.0, 0.999),
            choice("mode", "training", "always", default="training"),
            integers("axes", 0, 7),
            replace(flag("cudnn_off"), optional=True),
        ),
        roles=frozenset({"dropout", "gathers", "passes_logits"}),
        onnx="Dropout",
        caffe="Dropout",
    )
)


def _along_axis(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    axis_of(values.axis, inputs[0])
    if values.use_length:
        raise MisfitError("its use_length is for sequences and must be False")
    return inputs


_SOFTMAX = {
    "softmax": frozenset({"softmax", "passes_logits"}),
    "log_softmax": frozenset({"passes_logits"}),
    "softmin": frozenset[str](),
}
for _name, _onnx in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax"), ("softmin", "")):
    register(
        Operator(
            _name,
            _along_axis,
            attributes=(
                integer("axis", -8, 7, -1),
                real("temperature", None, 1e-6, 1e6),
                choice("dtype", "float32", default=None, optional=True),
                replace(flag("use_length"), optional=True),
            ),
            roles=_SOFTMAX[_name],
            onnx=_onnx,
            caffe="Softmax" if _name == "softmax" else "",
        )
    )


def _over_channels(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    if len(inputs[0]) < (3 if values.mode == "channel" else 2):
        raise MisfitError(f"it can't take an input of {shape_text(inputs[0])}")
    return inputs


register(
    Operator(
        "SoftmaxActivation",
        _over_channels,
        attributes=(choice("mode", "instance", "channel", default="instance"),),
        roles=frozenset({"softmax", "passes_logits"}),
        onnx="Softmax",
        caffe="Softmax",
    )
)
