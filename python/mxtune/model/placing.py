"""Where a model predicts: on the engine and devices that trained it, on those that are asked for, or the best here."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

from ..calls import option, written
from ..engines import INT8, Target, choose
from ..errors import ArgumentError
from .predictor import Predictor
from .quantised import KEY

if TYPE_CHECKING:
    from ..network import Network
    from .quantised import Quantised

_Placed = TypeVar("_Placed", bound="Placing")


class Placing:
    """What moves a model; `Model` adds the rest."""

    network: Network
    settings: dict[str, Any]
    quantised: Optional[Quantised]
    _predictor: Predictor
    asked_precision: str = "auto"  # that it was put to by name

    def on(
        self: _Placed, device: Union[str, Sequence[str]] = "auto", engine: str = "auto", precision: str = "auto"
    ) -> _Placed:
        """The same model, predicting there.

        Parameters
        ----------
        device
            ``"auto"``, ``"cpu"``, ``"gpu"``, ``"gpu:1"``, or several.
        engine
            ``"auto"``, ``"mxnet"`` or ``"torch"``, as for `mxtrain`.
        precision
            ``"float32"``; ``"int8"`` on CPUs with VNNI, after `Model.quantize`; PyTorch's ``"bfloat16"``. ``"auto"``:
            int8 where that was chosen and can be had, or else the engine's own. It holds in copies, pickles and
            workers; a file has none.

        Raises
        ------
        ArgumentError
            It is to predict in int8 and does not know the ranges of its layers.
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
        known = self.quantised if precision == INT8 else self._chosen
        if precision == INT8 and known is None:
            text = "The model does not know the ranges of its layers, which int8 needs."
            raise ArgumentError(
                text, [option("precision", INT8)], f"They are measured on images: {written('quantize', 'photos')}."
            )
        other = self.bound_to(choose(device, precision, engine, None if known is None else known.ranges))
        other.asked_precision = precision
        return other

    @property
    def _chosen(self) -> Optional[Quantised]:
        """What it needs for int8, if it is to predict in it where that can be had."""
        kept = self.settings.get(KEY)
        return self.quantised if isinstance(kept, dict) and kept.get("chosen") is True else None

    def __copy__(self: _Placed) -> _Placed:
        """The same model, with the same arrays. Without this, a copy would be written to a file's bytes, and read."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def bound_to(self: _Placed, target: Target) -> _Placed:
        """The same model, predicting at this target."""
        other = copy.copy(self)
        other._predictor = Predictor(self.network, target, self.quantised)
        return other
