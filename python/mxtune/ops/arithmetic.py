"""Elementwise arithmetic: on one array, on two of one shape, on two that are broadcast, on one and a number."""

from __future__ import annotations

from ..words import shape_text
from .attributes import choice, flag, integer, real
from .base import Operator, Shape, Slot, Values, register, same
from .misfit import MisfitError

_SIDES = (Slot("lhs"), Slot("rhs"))


def _alike(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    for other in inputs[1:]:
        if other != inputs[0]:
            raise MisfitError(f"its inputs are {shape_text(inputs[0])} and {shape_text(other)}")
    return inputs[:1]


def broadcast(left: Shape, right: Shape) -> Shape:
    """The shape of two arrays together, each of whose sides is the same or 1; axes are counted from the end.

    Raises
    ------
    MisfitError
        A side is neither.
    """
    longer = max(len(left), len(right))
    pairs = tuple(zip((1,) * (longer - len(left)) + left, (1,) * (longer - len(right)) + right))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise MisfitError(f"its inputs are {shape_text(left)} and {shape_text(right)}")
    return tuple(max(a, b) for a, b in pairs)


_UNARY = {
    "abs": "Abs", "arccos": "Acos", "arccosh": "Acosh", "arcsin": "Asin", "arcsinh": "Asinh", "arctan": "Atan",
    "arctanh": "Atanh", "cbrt": "", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "degrees": "", "erf": "Erf",
    "erfinv": "", "exp": "Exp", "expm1": "", "fix": "", "floor": "Floor", "gamma": "", "gammaln": "", "log": "Log",
    "log10": "", "log1p": "", "log2": "", "logical_not": "Not", "negative": "Neg", "ones_like": "", "radians": "",
    "rcbrt": "", "reciprocal": "Reciprocal", "rint": "Round", "round": "", "rsqrt": "", "sign": "Sign", "sin": "Sin",
    "sinh": "Sinh", "sqrt": "Sqrt", "square": "", "tan": "Tan", "trunc": "", "zeros_like": "",
}  # fmt: skip
_KEEP_ZERO = {
    "abs", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "ceil", "erf", "erfinv", "expm1", "fix", "floor",
    "log1p", "negative", "rint", "round", "sign", "sin", "sinh", "sqrt", "square", "tan", "trunc", "zeros_like",
}  # fmt: skip
for _name, _onnx in _UNARY.items():
    register(
        Operator(
            _name,
            same,
            roles=frozenset({"activation"} | ({"keeps_zero"} if _name in _KEEP_ZERO else set())),
            onnx=_onnx,
        )
    )

for _name, _alias in (("_copy", "identity"), ("BlockGrad", "stop_gradient")):
    _roles = {"activation", "keeps_zero"} | ({"passes_logits"} if _name == "_copy" else set())
    register(Operator(_name, same, aliases=(_alias,), roles=frozenset(_roles), onnx="Identity"))
register(
    Operator(
        "Cast",
        same,
        attributes=(choice("dtype", "float32"),),
        aliases=("cast",),
        roles=frozenset({"passes_logits"}),
        onnx="Cast",
    )
)
register(Operator("amp_cast", same, attributes=(choice("dtype", "float32"),), onnx="Cast"))
register(
    Operator(
        "amp_multicast",
        lambda values, inputs: inputs,
        slots=lambda values: tuple(Slot(f"data_{number}") for number in range(values.num_outputs)),
        attributes=(integer("num_outputs", 1, 1024), flag("cast_narrow")),
        outputs=lambda values: int(values.num_outputs),
    )
)
register(Operator("smooth_l1", same, attributes=(real("scalar", 1.0),)))
register(Operator("_contrib_div_sqrt_dim", same))

# On two arrays: ONNX's name, MXNet's names for equal shapes and for broadcasting, and their aliases.
_BINARY: tuple[tuple[str, str, tuple[str, ...], str, tuple[str, ...]], ...] = (
    ("Add", "elemwise_add", ("_plus", "_Plus", "_add"), "broadcast_add", ("broadcast_plus",)),
    ("Sub", "elemwise_sub", ("_minus", "_Minus", "_sub"), "broadcast_sub", ("broadcast_minus",)),
    ("Mul", "elemwise_mul", ("_mul", "_Mul"), "broadcast_mul", ()),
    ("Div", "elemwise_div", ("_div", "_Div"), "broadcast_div", ()),
    ("Max", "_maximum", ("_Maximum",), "broadcast_maximum", ()),
    ("Min", "_minimum", ("_Minimum",), "broadcast_minimum", ()),
    ("Pow", "_power", ("_Power",), "broadcast_power", ()),
    ("", "_hypot", ("_Hypot",), "broadcast_hypot", ()),
    ("Equal", "_equal", ("_Equal",), "broadcast_equal", ()),
    ("", "_not_equal", ("_Not_Equal",), "broadcast_not_equal", ()),
    ("Greater", "_greater", ("_Greater",), "broadcast_greater", ()),
    ("GreaterOrEqual", "_greater_equal", ("_Greater_Equal",), "broadcast_greater_equal", ()),
    ("Less", "_lesser", ("_Lesser",), "broadcast_lesser", ()),
    ("LessOrEqual", "_lesser_equal", ("_Lesser_Equal",), "broadcast_lesser_equal", ()),
    ("And", "_logical_and", ("_Logical_And",), "broadcast_logical_and", ()),
    ("Or", "_logical_or", ("_Logical_Or",), "broadcast_logical_or", ()),
    ("Xor", "_logical_xor", ("_Logical_Xor",), "broadcast_logical_xor", ()),
)
for _onnx, _name, _aliases, _wide, _wide_aliases in _BINARY:
    _sum = frozenset({"sum"} if _onnx == "Add" else ())
    register(Operator(_name, _alike, _SIDES, aliases=_aliases, roles=_sum, onnx=_onnx, caffe="Eltwise" if _sum else ""))
    register(
        Operator(
            _wide,
            lambda values, inputs: (broadcast(*inputs),),
            _SIDES,
            aliases=_wide_aliases,
            onnx=_onnx,
            caffe="Scale" if _onnx == "Mul" else "Bias" if _onnx == "Add" else "",
        )
    )
register(
    Operator(
        "add_n",
        _alike,
        slots=lambda values: tuple(Slot(f"arg{number}") for number in range(values.num_args)),
        attributes=(integer("num_args", 1, 1024),),
        aliases=("ElementWiseSum",),
        onnx="Sum",
        caffe="Eltwise",
    )
)

_SCALARS = {
    "_plus_scalar": "_PlusScalar", "_minus_scalar": "_MinusScalar", "_rminus_scalar": "_RMinusScalar",
    "_mul_scalar": "_MulScalar", "_div_scalar": "_DivScalar", "_rdiv_scalar": "_RDivScalar",
    "_power_scalar": "_PowerScalar", "_rpower_scalar": "_RPowerScalar", "_maximum_scalar": "_MaximumScalar",
    "_minimum_scalar": "_MinimumScalar", "_hypot_scalar": "_HypotScalar", "_equal_scalar": "_EqualScalar",
    "_not_equal_scalar": "_NotEqualScalar", "_greater_scalar": "_GreaterScalar",
    "_greater_equal_scalar": "_GreaterEqualScalar", "_lesser_scalar": "_LesserScalar",
    "_lesser_equal_scalar": "_LesserEqualScalar",
}  # fmt: skip
for _name, _alias in _SCALARS.items():
    register(
        Operator(
            _name,
            same,
            attributes=(real("scalar", 1.0), flag("is_int", True)),
            aliases=(_alias,),
            roles=frozenset({"keeps_zero"} if _name in ("_mul_scalar", "_div_scalar") else ()),
        )
    )


def _where(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    condition, yes, no = inputs
    if yes != no or condition not in (yes, yes[:1]):
        shapes = ", ".join(shape_text(shape) for shape in inputs)
        raise MisfitError(f"its inputs are {shapes}, and must have one shape")
    return (yes,)


register(Operator("where", _where, (Slot("condition"), Slot("x"), Slot("y")), onnx="Where"))
