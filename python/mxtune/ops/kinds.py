"""Layers by the names that people use, ``"relu"`` or ``"max_pool"``: which operators they are, how they are written.

Some are two operators in MXNet: SiLU is a value times its own sigmoid. What such a layer takes is what both take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .base import Values


@dataclass(frozen=True)
class Form:
    """One way to write a kind of layer.

    Parameters
    ----------
    op, attrs
        The operator, and those of its arguments that make it this kind.
    gate
        True: the layer is its input times what the operator makes of it.
    inner
        An operator between the input and this one, without arguments.
    """

    op: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    gate: bool = False
    inner: Optional[str] = None

    def fits(self, op: str, values: Values) -> bool:
        """Whether an operator with these arguments is written so."""
        return op == self.op and all(getattr(values, name, None) == value for name, value in self.attrs.items())


_SIXTH = 1 / 6
KINDS: dict[str, tuple[Form, ...]] = {  # the first form is the one that is written
    "relu": (Form("Activation", {"act_type": "relu"}), Form("relu")),
    "relu6": (Form("clip", {"a_min": 0.0, "a_max": 6.0}),),
    "sigmoid": (Form("Activation", {"act_type": "sigmoid"}), Form("sigmoid")),
    "tanh": (Form("Activation", {"act_type": "tanh"}), Form("tanh")),
    "softplus": (Form("Activation", {"act_type": "softrelu"}),),
    "softsign": (Form("Activation", {"act_type": "softsign"}), Form("softsign")),
    "leaky_relu": (Form("LeakyReLU", {"act_type": "leaky"}),),
    "prelu": (Form("LeakyReLU", {"act_type": "prelu"}),),
    "elu": (Form("LeakyReLU", {"act_type": "elu"}),),
    "selu": (Form("LeakyReLU", {"act_type": "selu"}),),
    "gelu": (Form("LeakyReLU", {"act_type": "gelu"}),),
    "hard_sigmoid": (Form("hard_sigmoid"),),
    "silu": (
        Form("Activation", {"act_type": "sigmoid"}, gate=True),
        Form("sigmoid", gate=True),
    ),
    "hard_swish": (Form("hard_sigmoid", {"alpha": _SIXTH, "beta": 0.5}, gate=True),),
    "mish": (Form("Activation", {"act_type": "tanh"}, gate=True, inner="softplus"),),
    "max_pool": (Form("Pooling", {"pool_type": "max"}), Form("Pooling_v1", {"pool_type": "max"})),
    "avg_pool": (
        Form("Pooling", {"pool_type": "avg"}),
        Form("Pooling_v1", {"pool_type": "avg"}),
        Form("_contrib_AdaptiveAvgPooling2D"),
    ),
    "dropout": (Form("Dropout"),),
    "batch_norm": (Form("BatchNorm"), Form("BatchNorm_v1")),
    "layer_norm": (Form("LayerNorm"),),
    "conv": (Form("Convolution"),),
    "dense": (Form("FullyConnected"),),
}
"""What people call a layer, and its forms."""

_OTHER_NAMES = {
    "swish": "silu", "softrelu": "softplus", "linear": "dense", "conv2d": "conv", "batchnorm2d": "batchnorm",
    "maxpool2d": "maxpool", "avgpool2d": "avgpool", "maxpooling": "maxpool", "avgpooling": "avgpool",
    "averagepool": "avgpool", "averagepooling": "avgpool", "meanpool": "avgpool",
}  # fmt: skip


def kind_named(name: str) -> Optional[str]:
    """The kind of layer that is called so, however it is spelled; None where there is none.

    Examples
    --------
    >>> kind_named("ReLU"), kind_named("average pooling"), kind_named("hardswish"), kind_named("conv1")
    ('relu', 'avg_pool', 'hard_swish', None)
    """
    plain = _plain(name)
    plain = _OTHER_NAMES.get(plain, plain)
    return next((kind for kind in KINDS if _plain(kind) == plain), None)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")
