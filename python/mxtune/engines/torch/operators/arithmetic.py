"""Elementwise arithmetic: on one array, on two, on one and a number. Comparisons give 0 and 1, without a gradient."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import Tensor

from .base import Compute, computes
from .gradients import with_slope

_Unary = Callable[[Tensor], Tensor]
_Binary = Callable[[Any, Any], Tensor]


def _rint(data: Tensor) -> Tensor:
    """The nearest whole number; of two, the lower."""
    low, high = data.floor(), data.ceil()
    return torch.where(data - low <= high - data, low, high)


def _round(data: Tensor) -> Tensor:
    """The nearest whole number; of two, the one farther from 0."""
    whole = data.trunc()
    return torch.where((data - whole).abs() >= 0.5, whole + data.sign(), whole)


def _cbrt(data: Tensor) -> Tensor:
    root = data.sign() * data.abs().pow(1 / 3)
    return with_slope(root, data, 1 / (3 * root * root))


def _gamma(data: Tensor) -> Tensor:
    negative = (data < 0) & (data.floor() % 2 != 0)
    return torch.where(negative, -1.0, 1.0) * torch.lgamma(data).exp()


_UNARY: dict[str, _Unary] = {
    "abs": torch.abs, "arccos": torch.acos, "arccosh": torch.acosh, "arcsin": torch.asin, "arcsinh": torch.asinh,
    "arctan": torch.atan, "arctanh": torch.atanh, "cbrt": _cbrt, "ceil": torch.ceil, "cos": torch.cos,
    "cosh": torch.cosh, "degrees": torch.rad2deg, "erf": torch.erf, "erfinv": torch.erfinv, "exp": torch.exp,
    "expm1": torch.expm1, "fix": torch.trunc, "floor": torch.floor, "gamma": _gamma, "gammaln": torch.lgamma,
    "log": torch.log, "log10": torch.log10, "log1p": torch.log1p, "log2": torch.log2, "negative": torch.neg,
    "ones_like": torch.ones_like, "radians": torch.deg2rad, "rcbrt": lambda data: 1 / _cbrt(data),
    "reciprocal": torch.reciprocal, "rint": _rint, "round": _round, "rsqrt": torch.rsqrt, "sign": torch.sign,
    "sin": torch.sin, "sinh": torch.sinh, "sqrt": torch.sqrt, "square": torch.square, "tan": torch.tan,
    "trunc": torch.trunc, "zeros_like": torch.zeros_like,
    "logical_not": lambda data: (data == 0).to(data.dtype),
    "_copy": lambda data: data, "BlockGrad": torch.Tensor.detach, "Cast": torch.Tensor.float,
    "amp_cast": torch.Tensor.float, "_contrib_div_sqrt_dim": lambda data: data / data.shape[-1] ** 0.5,
}  # fmt: skip


for _name, _function in _UNARY.items():
    computes(_name)(_function)


def _maximum(lhs: Tensor, rhs: Tensor) -> Tensor:
    """The larger; where both are equal the left one has the gradient."""
    return torch.where((lhs >= rhs) | lhs.isnan(), lhs, rhs)


def _minimum(lhs: Tensor, rhs: Tensor) -> Tensor:
    return torch.where((lhs <= rhs) | lhs.isnan(), lhs, rhs)


def _truth(function: _Binary) -> _Binary:
    """A comparison as MXNet has it: 0 or 1, as floats."""
    return lambda lhs, rhs: function(lhs, rhs).to(lhs.dtype)


_BINARY: tuple[tuple[str, str, _Binary], ...] = (
    ("elemwise_add", "broadcast_add", torch.add),
    ("elemwise_sub", "broadcast_sub", torch.sub),
    ("elemwise_mul", "broadcast_mul", torch.mul),
    ("elemwise_div", "broadcast_div", torch.div),
    ("_maximum", "broadcast_maximum", _maximum),
    ("_minimum", "broadcast_minimum", _minimum),
    ("_power", "broadcast_power", torch.pow),
    ("_hypot", "broadcast_hypot", torch.hypot),
    ("_equal", "broadcast_equal", _truth(torch.eq)),
    ("_not_equal", "broadcast_not_equal", _truth(torch.ne)),
    ("_greater", "broadcast_greater", _truth(torch.gt)),
    ("_greater_equal", "broadcast_greater_equal", _truth(torch.ge)),
    ("_lesser", "broadcast_lesser", _truth(torch.lt)),
    ("_lesser_equal", "broadcast_lesser_equal", _truth(torch.le)),
    ("_logical_and", "broadcast_logical_and", _truth(torch.logical_and)),
    ("_logical_or", "broadcast_logical_or", _truth(torch.logical_or)),
    ("_logical_xor", "broadcast_logical_xor", _truth(torch.logical_xor)),
)


for _name, _wide, _both in _BINARY:
    computes(_name, _wide)(_both)

_SCALAR: dict[str, _Binary] = {
    "_plus_scalar": torch.add, "_minus_scalar": torch.sub, "_rminus_scalar": torch.rsub, "_mul_scalar": torch.mul,
    "_div_scalar": torch.div, "_rdiv_scalar": lambda data, scalar: scalar / data, "_power_scalar": torch.pow,
    "_rpower_scalar": lambda data, scalar: torch.pow(scalar, data),
    "_maximum_scalar": lambda data, scalar: data.clamp(min=scalar),
    "_minimum_scalar": lambda data, scalar: data.clamp(max=scalar),
    "_hypot_scalar": lambda data, scalar: torch.hypot(data, data.new_tensor(scalar)),
    "_equal_scalar": _truth(torch.eq), "_not_equal_scalar": _truth(torch.ne), "_greater_scalar": _truth(torch.gt),
    "_greater_equal_scalar": _truth(torch.ge), "_lesser_scalar": _truth(torch.lt),
    "_lesser_equal_scalar": _truth(torch.le),
}  # fmt: skip


def _with_number(function: _Binary) -> Compute:
    def with_number(data: Tensor, *, scalar: float) -> Tensor:
        return function(data, scalar)

    return with_number


for _name, _both in _SCALAR.items():
    computes(_name)(_with_number(_both))


@computes("smooth_l1")
def smooth_l1(data: Tensor, *, scalar: float) -> Tensor:
    """A parabola around 0, straight beyond 1 / scalar^2."""
    square = scalar**2
    if square == 0:  # its edge lies at infinity
        return 0 * data
    return torch.where(data.abs() > 1 / square, data.abs() - 0.5 / square, 0.5 * square * data * data)


@computes("amp_multicast")
def alike(*inputs: Tensor) -> object:
    """All in one precision."""
    return tuple(data.float() for data in inputs) if len(inputs) > 1 else inputs[0].float()


@computes("add_n")
def sum_of_all(first: Tensor, *others: Tensor) -> Tensor:
    """Of any number of inputs."""
    for other in others:
        first = first + other
    return first


@computes("where")
def where(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """A condition of one axis chooses rows."""
    rows = condition.reshape(condition.shape + (1,) * (yes.ndim - condition.ndim))
    return torch.where(rows != 0, yes, no)
