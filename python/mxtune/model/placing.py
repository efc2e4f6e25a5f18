"""Where a model predicts: on the engine and devices that trained it, on those that are asked for, or the best here."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, Union

from ..engines import Target, choose
from .predictor import Predictor

if TYPE_CHECKING:
    from ..network import Network

_Placed = TypeVar("_Placed", bound="Placing")


class Placing:
    """What moves a model; `Model` adds the rest."""

    network: Network
    _predictor: Predictor

    def on(self: _Placed, device: Union[str, Sequence[str]] = "auto", engine: str = "auto") -> _Placed:
        """The same model, predicting there.

        Parameters
        ----------
        device
            ``"auto"``, ``"cpu"``, ``"gpu"``, ``"gpu:1"``, or several.
        engine
            ``"auto"``, ``"mxnet"`` or ``"torch"``, as for `mxtrain`.

        Raises
        ------
        DeviceError
            A GPU is asked for and can't be used.
        EngineError
            The engine is not installed.

        Examples
        --------
        >>> from mxtune import mxexample, mxtrain
        >>> model = mxtrain(mxexample("fashion"), net="lenet", epochs=1, verbose=0)
        >>> model.on("cpu").predict(mxexample("fashion")).equals(model.predict(mxexample("fashion")))
        True
        """
        return self.bound_to(choose(device, engine=engine))

    def __copy__(self: _Placed) -> _Placed:
        """The same model, with the same arrays. Without this, a copy would be written to a file's bytes, and read."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def bound_to(self: _Placed, target: Target) -> _Placed:
        """The same model, predicting at this target."""
        other = copy.copy(self)
        other._predictor = Predictor(self.network, target)
        return other
