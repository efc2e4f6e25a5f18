"""`Validation`: what a model remembers of the images it was validated on, and of those it was trained on."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..arguments import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..images import ImageSet

    Array = NDArray[Any]

MOST_NUMBERS = 1_000_000  # outputs that are remembered, 5 MB of a file; if there are more, none are
MOST_NAMES = 100_000
MOST_TRAINED = 200_000  # images whose digests are remembered, 2 MB
_DIGEST, _SHORT = 16, 8  # bytes; the short ones are of images that were trained on


@dataclass(frozen=True, eq=False)
class Validation:
    """Images, their labels and the model's outputs for them: metrics on them need no images.

    Parameters
    ----------
    names
        Of the images that were validated on.
    digests
        16 bytes for the content of each.
    y
        Their labels, as the task has them.
    outputs
        (N, K) float32: logits, or numbers.
    resembling
        (N,) bool: a copy, a near-copy or one of their group was trained on.
    trained
        8 bytes for the content of each image that was trained on.
    fold
        (N,) int64: the fold of each image, where these are the training images, and the outputs those of models that
        had not seen them; else empty.
    group
        (N,) int64: equal for images that belong together, if any do; else empty.
    temperature
        What the outputs of the model, in its last layer, were divided by (Guo et al., 2017); 1 where it did not help.
    before
        8 bytes for the content of each image that layers had been trained on before: by a model that was continued.
    """

    names: Sequence[str] = ()
    digests: Sequence[bytes] = ()
    y: Array = field(default_factory=lambda: np.zeros(0))
    outputs: Array = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    resembling: Array = field(default_factory=lambda: np.zeros(0, bool))
    trained: frozenset[bytes] = frozenset()
    fold: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    group: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    temperature: float = 1.0
    before: frozenset[bytes] = frozenset()

    @classmethod
    def of(
        cls,
        training: ImageSet,
        validation: Optional[ImageSet] = None,
        outputs: Optional[Array] = None,
        resembling: Optional[Array] = None,
        fold: Optional[Array] = None,
        group: Optional[Array] = None,
        temperature: float = 1.0,
    ) -> Validation:
        """What is remembered of a training run, within the limits of size."""
        digests = {digest[:_SHORT] for digest in training.hashes} if len(training) <= MOST_TRAINED else ()
        trained = frozenset(digests)
        too_many = outputs is not None and (outputs.size > MOST_NUMBERS or len(outputs) > MOST_NAMES)
        if validation is None or outputs is None or too_many:
            return cls(trained=trained, temperature=temperature)
        if group is None:
            group = np.asarray(validation.together(), np.int64)
        has_groups = len(np.unique(group)) < len(group)
        none, nowhere = np.zeros(0, np.int64), np.zeros(len(outputs), bool)
        return cls(
            validation.names,
            validation.hashes,
            np.asarray(validation.y),
            outputs,
            nowhere if resembling is None else resembling,
            trained,
            none if fold is None else fold,
            np.unique(group, return_inverse=True)[1].reshape(-1) if has_groups else none,
            temperature,
        )

    def __len__(self) -> int:
        return len(self.names)

    def trained_on(self, digests: Iterable[bytes]) -> int:
        """How many of these images were trained on, by this model or by one that it continues."""
        return count_known(digests, self.trained | self.before)

    def forgotten(self) -> Validation:
        """What may be known of these images by others: whether one was trained on."""
        return Validation(trained=self.trained, temperature=self.temperature, before=self.before)

    def to_dict(self) -> dict[str, Any]:
        """As it is written to a file."""
        values: dict[str, Any] = {"trained": _text(b"".join(sorted(self.trained)))}
        if self.temperature != 1:
            values["temperature"] = self.temperature
        if self.before:
            values["before"] = _text(b"".join(sorted(self.before)))
        if not len(self):
            return values
        return values | {
            "names": list(self.names),
            "digests": _text(b"".join(self.digests)),
            "y": _text(self.y.astype("<f8").tobytes()),
            "outputs": _text(self.outputs.astype("<f4").tobytes()),
            "resembling": np.flatnonzero(self.resembling).tolist(),
            **({"fold": _text(self.fold.astype("<i4").tobytes())} if len(self.fold) else {}),
            **({"group": _text(self.group.astype("<i4").tobytes())} if len(self.group) else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], outputs: int, coded: bool) -> Validation:
        """What `to_dict` gave, for a model with this many outputs, whose labels are class codes or not.

        Raises
        ------
        ValueError
            It does not fit the model, or is not what `to_dict` gives.
        """
        trained = frozenset(_pieces(_bytes(values["trained"]), _SHORT))
        temperature = values.get("temperature", 1.0)
        if not is_number(temperature) or not 0 < temperature < np.inf:
            raise ValueError("its temperature is no number above 0")
        before = frozenset(_pieces(_bytes(values.get("before", "")), _SHORT))
        if "names" not in values:
            return cls(trained=trained, temperature=temperature, before=before)
        names, rows = values["names"], values["resembling"]
        count = len(names)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("its validation images have no names")
        numbers = np.frombuffer(_bytes(values["outputs"]), "<f4").reshape(count, outputs).astype(np.float32)
        y = np.frombuffer(_bytes(values["y"]), "<f8").reshape((count,) if coded else (count, -1))
        if coded and not np.isin(y, np.arange(outputs)).all():
            raise ValueError("its validation images have labels that are not its own")
        digests = _pieces(_bytes(values["digests"]), _DIGEST)
        if not count or len(digests) != count or not np.isfinite(y).all():
            raise ValueError("its validation is not told whole")
        if not coded and y.shape[1] == 1:
            y = y[:, 0]
        resembling = np.zeros(count, dtype=bool)
        resembling[np.asarray(rows, dtype=np.int64)] = True
        fold, group = (_numbers(values, part, count) for part in ("fold", "group"))
        labels = y.astype(np.int64) if coded else y.copy()
        return cls(names, digests, labels, numbers, resembling, trained, fold, group, temperature, before)


def count_known(digests: Iterable[bytes], known: frozenset[bytes]) -> int:
    """How many of these images, by their content, are known by its first bytes."""
    return sum(digest[:_SHORT] in known for digest in digests)


def _numbers(values: Mapping[str, Any], part: str, count: int) -> Array:
    """Whole numbers from 0 for each image; none where the part is not there."""
    if part not in values:
        return np.zeros(0, np.int64)
    numbers = np.frombuffer(_bytes(values[part]), "<i4").astype(np.int64)
    if len(numbers) != count or not ((numbers >= 0) & (numbers < count)).all():
        raise ValueError(f"the {part} of its validation images is not told whole")
    return numbers


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: Any) -> bytes:
    return base64.b64decode(text, validate=True)


def _pieces(content: bytes, size: int) -> list[bytes]:
    if len(content) % size:
        raise ValueError("its images are not told whole")
    return [content[start : start + size] for start in range(0, len(content), size)]
