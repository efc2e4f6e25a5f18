"""Operator: everything that this package knows about one operator, in one place; and the registry of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Callable, Optional, Union

from ..errors import NetworkError
from ..words import counted, near, shape_text
from . import attributes as attribute_kinds
from .attributes import Attribute
from .misfit import MisfitError

MOST_AXES = 6
"""The most axes of an array: with more, MXNet 1.9 writes out of bounds."""
Shape = tuple[int, ...]
Values = SimpleNamespace
"""The values of an operator's attributes, by name."""
ShapeRule = Callable[[Values, tuple[Shape, ...]], tuple[Shape, ...]]
"""The shapes of the outputs, of an operator's attributes and the shapes of its inputs; may raise MisfitError."""

Work = Callable[[Values, tuple[Shape, ...], tuple[Shape, ...]], int]


@dataclass(frozen=True)
class Slot:
    """One input of an operator.

    Parameters
    ----------
    name
        As MXNet calls it, which is also how its variable is called: ``<layer>_<name>``.
    role
        ``"data"``, ``"weight"`` (any parameter), ``"auxiliary"`` (updated by training without a gradient), or
        ``"label"``.
    initial
        The value with which the parameter starts; None for random ones.
    """

    name: str
    role: str = "data"
    initial: Optional[float] = None


DATA = Slot("data")
WEIGHT = Slot("weight", "weight")
BIAS = Slot("bias", "weight", 0.0)
GAMMA = Slot("gamma", "weight", 1.0)
BETA = Slot("beta", "weight", 0.0)
MOVING_MEAN = Slot("moving_mean", "auxiliary", 0.0)
MOVING_VAR = Slot("moving_var", "auxiliary", 1.0)
LABEL = Slot("label", "label")


def same(values: Values, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The rule of an operator that keeps the shape of its first input."""
    return inputs[:1]


def _no_parameters(values: Values, data: Shape) -> Mapping[str, Shape]:
    return {}


def _no_work(values: Values, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return 0


@dataclass(frozen=True)
class Operator:
    """One operator.

    Parameters
    ----------
    name
        MXNet 1.9's name.
    shapes
        The rule that gives the shapes of the outputs.
    slots
        Its inputs in order, or a function that gives them from the attributes.
    attributes
        Its arguments.
    aliases
        Its other names, in this and older versions of MXNet.
    roles
        Its function in a network; see `ROLES`.
    parameters
        The shapes of its parameters and labels by slot, from the attributes and the shape of the data.
    macs, reads
        Multiply-accumulates, and how many values a pooling reads, from the attributes and the shapes of inputs
        and outputs.
    outputs
        How many, or a function that gives it from the attributes.
    onnx, caffe
        What it is called there; empty where it has no equivalent.
    """

    name: str
    shapes: ShapeRule
    slots: Union[tuple[Slot, ...], Callable[[Values], tuple[Slot, ...]]] = (DATA,)
    attributes: tuple[Attribute, ...] = ()
    aliases: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    parameters: Callable[[Values, Shape], Mapping[str, Shape]] = _no_parameters
    macs: Work = _no_work
    reads: Work = _no_work
    outputs: Union[int, Callable[[Values], int]] = 1
    onnx: str = ""
    caffe: str = ""

    def parse(self, written: Mapping[str, str]) -> Values:
        """The values of the attributes as a graph writes them; MisfitError if one is not allowed."""
        return attribute_kinds.parse(self.attributes, written)

    def slots_of(self, values: Values) -> tuple[Slot, ...]:
        """The inputs that it has with these attributes."""
        return self.slots(values) if callable(self.slots) else self.slots

    def n_outputs(self, values: Values) -> int:
        """How many outputs it has with these attributes."""
        return self.outputs(values) if callable(self.outputs) else self.outputs

    def infer(self, values: Values, inputs: tuple[Optional[Shape], ...]) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
        """The shapes of all inputs and of the outputs.

        Parameters
        ----------
        inputs
            The shapes of the inputs; None for a parameter or label whose shape is not known yet.

        Raises
        ------
        MisfitError
            They don't fit one another or the attributes.
        """
        slots = self.slots_of(values)
        if len(slots) != len(inputs):
            raise MisfitError(f"it takes {counted(len(slots), 'input')} and has {len(inputs)}")
        needed = self.parameters(values, inputs[0]) if inputs and inputs[0] is not None else {}
        shapes = []
        for slot, shape in zip(slots, inputs):
            needed_shape = needed.get(slot.name)
            if shape is None and needed_shape is None:
                raise MisfitError(f"the shape of its {slot.name} is not known")
            if shape is not None and needed_shape is not None and shape != needed_shape:
                raise MisfitError(f"its {slot.name} is {shape_text(shape)} where {shape_text(needed_shape)} is needed")
            shapes.append(shape if shape is not None else needed_shape)
        complete = tuple(shape for shape in shapes if shape is not None)
        outputs = self.shapes(values, complete)
        if any(side < 1 for shape in (*complete, *outputs) for side in shape):
            raise MisfitError(f"nothing is left of {shape_text(complete[0])}")
        if any(len(shape) > MOST_AXES for shape in outputs):
            raise MisfitError(f"it makes an array of more than {MOST_AXES} axes, {shape_text(outputs[0])}")
        return complete, outputs


ROLES = {
    "weighted": "its weight makes features: a convolution or a dense layer",
    "dense": "a dense layer",
    "convolution": "a convolution",
    "transposed": "its weight is (inputs, outputs, ...)",
    "batchnorm": "normalises by statistics of the batch, which it keeps",
    "activation": "a function of each value by itself",
    "rectifier": "an activation that lets through what is positive",
    "keeps_zero": "maps zeros to zeros",
    "sum": "the sum of two inputs",
    "dropout": "sets values to zero in training, does nothing in prediction",
    "averages": "takes the mean over axes",
    "flattens": "takes maps to vectors",
    "pools": "slides a window over a map",
    "pads": "puts a border around a map",
    "gathers": "joins features without changing their meaning",
    "same_count": "has as many values as its input",
    "softmax": "turns logits into probabilities",
    "loss": "ends a network in training; in prediction it returns probabilities or values",
    "passes_logits": "may lie between the classifier and the end of a network",
}
"""The functions that an operator can have in a network, each with an explanation."""

_REGISTRY: dict[str, Operator] = {}
_BY_NAME: dict[str, Operator] = {}


def register(operator: Operator) -> Operator:
    """Add an operator to the registry, under all its names.

    Raises
    ------
    ValueError
        A name is taken, or a role is not in `ROLES`.
    """
    names = (operator.name, *operator.aliases)
    if taken := set(names) & set(_BY_NAME):
        raise ValueError(f"two operators have the name {', '.join(sorted(taken))}")
    if unknown := operator.roles - set(ROLES):
        raise ValueError(f"{operator.name} has the unknown roles {sorted(unknown)}")
    _BY_NAME.update(dict.fromkeys(names, operator))
    _REGISTRY[operator.name] = operator
    return operator


def all_operators() -> Iterator[Operator]:
    """Every operator of the registry, by name."""
    return (operator for _, operator in sorted(_REGISTRY.items()))


def find(name: str) -> Optional[Operator]:
    """The operator of this name, of any age, or None."""
    return _BY_NAME.get(name)


def get(name: str, layer: str) -> Operator:
    """The operator of this name, of any age.

    Parameters
    ----------
    layer
        Which layer needs it, for the error.

    Raises
    ------
    NetworkError
        It is not supported; the message gives the reason, or near matches.
    """
    from .refused import reason

    operator = _BY_NAME.get(name)
    if operator is None:
        why = reason(name)
        raise NetworkError(
            f"{layer} is a {name[:60]}, an operator that is not supported{f': {why}' if why else ''}.",
            hint=None if why else near(name, _BY_NAME),
        )
    return operator
