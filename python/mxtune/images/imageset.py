"""`ImageSet`: images that have been checked, with their labels."""

from __future__ import annotations

import copy
import hashlib
import operator
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union, overload

import numpy as np

from ..arguments import is_number, whole
from ..calls import value_text
from ..errors import ArgumentError
from ..words import counted, listing
from . import show
from .alike import near_numbers
from .decode import decode, in_threads, unreadable
from .groups import joined
from .joining import join_labels
from .labels import Labels
from .picture import UnreadableError
from .pixels import Pixels
from .positions import positions
from .roles import PARTS, part_named
from .scale import Range, Span, decide, of_another_scale
from .split import divide, divide_groups

if TYPE_CHECKING:
    import pandas as pd
    import PIL.Image
    from numpy.typing import NDArray


SHARE = 0.2  # of the images, for validation


class BadPicture(NamedTuple):
    """An image that was left out, and why."""

    name: str
    reason: str


class ImageSet:
    """Images with names and labels; `mximages` makes one. It never changes: `take` and `split` give others.

    Attributes
    ----------
    names
        One per image: the path as given (relative to a folder that was given), ``"[3]"`` in memory.
    files
        Absolute paths, or ``None`` where the images are in memory.
    index
        That of the data frame or series that held the images, or ``None``.
    column
        The column of paths of the table that the images come from, or ``None``.
    task
        ``"classification"``, ``"regression"``, ``"multilabel"``, or ``None`` without labels.
    y
        (N,) int64 codes into ``levels``; (N, K) float32 of 0 and 1; (N,) or (N, K) float64 numbers; ``None``.
    levels
        The classes or labels, in order; the targets' names of an (N, K) regression.
    grey
        Whether every image is grey.
    bad
        What was left out, and why.
    groups
        The group of each image (patient, animal, burst, site), which no split separates; or ``None``.
    parts
        What each image is for, ``"training"``, ``"validation"`` or ``"test"``, where ``split`` of `mximages` tells;
        or ``None``. `part` gives the images of one.
    problems
        Sentences on oddities: copies, misleading names, mixed scales, classes with few images.
    range
        The pixel values of black and white in images of more than 8 bits; None if all are 8-bit, or none was read yet.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.images import mximages
    >>> pictures = np.stack([np.full((8, 8, 3), shade, np.uint8) for shade in range(6)])
    >>> images = mximages(pictures, ["cat", "dog"] * 3)
    >>> images.levels, images.y.tolist()
    (('cat', 'dog'), [0, 1, 0, 1, 0, 1])
    >>> train, valid = images.split(1 / 3, seed=1)
    >>> len(train), len(valid)
    (4, 2)
    >>> images[0].size, len(images[1:3]), len(images + train)
    ((8, 8), 2, 10)
    """

    def __init__(
        self,
        pixels: Pixels,
        rows: NDArray[np.int64],
        names: Sequence[str],
        files: Sequence[Optional[str]],
        labels: Labels,
        *,
        sizes: Optional[NDArray[np.int32]] = None,
        hashes: Optional[Sequence[bytes]] = None,
        grey: bool = False,
        bad: Iterable[BadPicture] = (),
        problems: Iterable[str] = (),
        groups: Optional[Sequence[str]] = None,
        parts: Optional[Sequence[str]] = None,
        range: Optional[Range] = None,  # noqa: A002 - the public argument
        range_is_given: bool = False,
        index: Optional[pd.Index] = None,
        column: Optional[str] = None,
    ) -> None:
        self._pixels = pixels
        self._rows = rows
        self.labels = labels
        self._files = list(files)
        self._sizes = sizes
        self._hashes = None if hashes is None else list(hashes)
        self.names = list(names)
        self.grey = grey
        self.bad = tuple(bad)
        self.problems = list(problems)
        self.groups = None if groups is None else list(groups)
        self.parts = None if parts is None else list(parts)
        self.range, self.range_is_given = range, range_is_given
        self.index, self.column = index, column

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> PIL.Image.Image: ...
    @overload
    def __getitem__(self, index: Union[slice, Sequence[int], NDArray[Any]]) -> ImageSet: ...
    def __getitem__(self, index: Any) -> Union[PIL.Image.Image, ImageSet]:
        """One image, as `open` gives it; or, for a slice or what `take` takes, a set."""
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        if not hasattr(index, "__len__") or (isinstance(index, np.ndarray) and index.ndim == 0):
            row = operator.index(index)
            if not -len(self) <= row < len(self):
                raise IndexError(f"There is no image {row}: the set has {len(self)}.")
            return self.open(row % len(self))
        return self.take(index)

    def __iter__(self) -> Iterator[PIL.Image.Image]:
        return map(self.open, range(len(self)))

    def __add__(self, other: ImageSet) -> ImageSet:
        """Both sets in one, whose classes are those of the first and then the new ones of the second."""
        return self.joined(other) if isinstance(other, ImageSet) else NotImplemented

    def joined(self, other: ImageSet) -> ImageSet:
        """As ``self + other``.

        Raises
        ------
        ArgumentError
            Their labels are of different kinds, one has groups or parts and the other has not, or ranges of values that
            the user has given differ.
        """
        for what, argument in (("groups", "groups"), ("parts", "split")):
            if (getattr(self, what) is None) != (getattr(other, what) is None):
                hint = f"Set `{argument}` in mximages() for both sets or for neither."
                raise ArgumentError(f"Only one of the sets has {what}.", hint=hint)
        names = [*self.names, *other.names]
        items = [images._pixels.items[row] for images in (self, other) for row in images._rows]
        have_sizes = self._sizes is not None and other._sizes is not None
        have_hashes = self._hashes is not None and other._hashes is not None
        spans = [span for images in (self, other) for _, span in images.spans()]
        pixels = Pixels(items, names, spans)
        pixels.since = min(self._pixels.since, other._pixels.since)
        for start, images in ((0, self), (len(self), other)):
            signatures = images._pixels.signatures
            pixels.signatures |= {
                start + place: signatures[row] for place, row in enumerate(images._rows.tolist()) if row in signatures
            }
        union = ImageSet(
            pixels,
            np.arange(len(names), dtype=np.int64),
            names,
            [*self._files, *other._files],
            join_labels(self.labels, other.labels),
            sizes=np.concatenate([self.sizes, other.sizes]) if have_sizes else None,
            hashes=[*self.hashes, *other.hashes] if have_hashes else None,
            grey=self.grey and other.grey,
            bad=(*self.bad, *other.bad),
            problems=[*self.problems, *other.problems],
            groups=None if self.groups is None or other.groups is None else [*self.groups, *other.groups],
            parts=None if self.parts is None or other.parts is None else [*self.parts, *other.parts],
            index=None if self.index is None or other.index is None else self.index.append(other.index),
            column=self.column if self.column == other.column else None,
            range=self.range,
            range_is_given=self.range_is_given and other.range_is_given,
        )
        if self.range == other.range:
            return union
        if self.range_is_given or other.range_is_given:
            ranges = [str(images.range) for images in (self, other)]
            raise ArgumentError("The sets have different value ranges.", ranges, "Set the same `range` for both.")
        union.range = decide(spans)
        warning = of_another_scale(zip(names, spans), union.range)
        if warning is not None:
            warnings.warn(warning, stacklevel=3)
        return union

    @property
    def files(self) -> Optional[list[Optional[str]]]:
        return self._files if any(file is not None for file in self._files) else None

    @property
    def items(self) -> list[Any]:
        """What was given: a path, the bytes of a file, or an array, for each image."""
        return [self._pixels.items[row] for row in self._rows]

    @property
    def task(self) -> Optional[str]:
        return None if self.labels.task is None else self.labels.task.name

    @property
    def has_classes(self) -> bool:
        """Whether each image has one or several of some classes."""
        return self.labels.task is not None and self.labels.task.has_classes

    @property
    def y(self) -> Optional[NDArray[Any]]:
        return self.labels.y

    @property
    def levels(self) -> tuple[str, ...]:
        return self.labels.levels

    @property
    def sizes(self) -> NDArray[np.int32]:
        """(N, 2) int32: height and width of each image, pixels, upright; 0 where it can't be read."""
        if self._sizes is None:
            sizes = in_threads(self._pixels.size, self._rows.tolist())
            self._sizes = np.asarray(sizes, dtype=np.int32).reshape(-1, 2)
        return self._sizes

    @property
    def hashes(self) -> list[bytes]:
        """16 bytes for each image's content: equal for exact copies only."""
        if self._hashes is None:
            self._hashes = in_threads(self._pixels.hash, self._rows.tolist())
        return self._hashes

    def keys(self, rows: Iterable[int]) -> list[bytes]:
        """By which the cache keeps what is made of these images: their hashes; empty for those that have changed since
        they were looked at."""
        hashes = self.hashes

        def key(row: int) -> bytes:
            return hashes[row] if self._pixels.is_still(int(self._rows[row]), hashes[row]) else b""

        return in_threads(key, rows)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hexadecimal digits) of names, contents and labels: what training saw."""
        digest = hashlib.sha256(repr((self.task, self.levels, self.names)).encode("utf-8", "surrogatepass"))
        digest.update(b"".join(self.hashes))
        if self.y is not None:
            digest.update(np.ascontiguousarray(self.y.astype(self.y.dtype.newbyteorder("<"))).tobytes())
        return digest.hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 (64 hexadecimal digits) of contents and labels, whatever the files' names, folders and order."""
        pairs = sorted((content.hex(), self.label_of(row)) for row, content in enumerate(self.hashes))
        return hashlib.sha256(repr(pairs).encode("utf-8", "surrogatepass")).hexdigest()

    def open(self, index: int, at_least: Union[int, tuple[int, int], None] = None) -> PIL.Image.Image:
        """One image: upright, 8-bit, ``"L"`` if the whole set is grey, otherwise ``"RGB"``, over white.

        Parameters
        ----------
        index
            From 0.
        at_least
            Pixels (or height and width) that are enough: large JPEGs then decode at a fraction of their size.
            What comes out depends on the file and on this only.

        Raises
        ------
        PictureError
            It can't be read, or no longer.
        """
        try:
            return self.unchecked(index, at_least)
        except UnreadableError as error:
            raise unreadable([(self.names[index], str(error))], 1) from error

    def unchecked(
        self, index: int, at_least: Union[int, tuple[int, int], None] = None, alpha: bool = False
    ) -> PIL.Image.Image:
        """As `open`, but raises the reason alone (`UnreadableError`); for callers that gather all of them.

        With ``alpha`` as RGBA; an image without a fourth channel can't be read then.
        """
        needed = max(at_least) if isinstance(at_least, tuple) else at_least
        picture = self._pixels.open(int(self._rows[index]), needed, self.range, alpha)
        if alpha:
            return picture
        mode = "L" if self.grey else "RGB"
        return picture if picture.mode == mode else picture.convert(mode)

    def take(self, indices: Union[Sequence[int], NDArray[Any]]) -> ImageSet:
        """The images at these positions (from 0; negative ones from the end; or true and false for each), in order.

        Raises
        ------
        ArgumentError
            There is no such position, the mask is not as long as the set, or these are not positions.
        """
        chosen = positions(indices, len(self))
        places = chosen.tolist()
        return ImageSet(
            self._pixels,
            self._rows[chosen],
            [self.names[index] for index in places],
            [self._files[index] for index in places],
            self.labels.take(chosen),
            sizes=None if self._sizes is None else self._sizes[chosen],
            hashes=None if self._hashes is None else [self._hashes[index] for index in places],
            grey=self.grey,
            groups=None if self.groups is None else [self.groups[index] for index in places],
            parts=None if self.parts is None else [self.parts[index] for index in places],
            range=self.range,
            range_is_given=self.range_is_given,
            index=None if self.index is None else self.index[chosen],
            column=self.column,
        )

    def part(self, name: str) -> ImageSet:
        """The images for ``"training"``, ``"validation"`` or ``"test"``, as ``split`` of `mximages` tells.

        Raises
        ------
        ArgumentError
            There is no such part, or the set was not told its parts.
        """
        if self.parts is None:
            raise ArgumentError("The set has no parts.", hint="Tell them: `split` in mximages().")
        wanted = part_named(name)
        if wanted not in self.parts:
            there = listing([part for part in PARTS if part in self.parts])
            raise ArgumentError(f"There are no images for {name}.", [f"the parts are {there}"])
        return self.take([part == wanted for part in self.parts])

    def _twin(self) -> ImageSet:
        """A copy to change; what is found in it is not added to this set's `problems`."""
        other = copy.copy(self)
        other.problems = list(self.problems)
        return other

    def labelled(self, labels: Labels) -> ImageSet:
        """The same images with other labels."""
        other = self._twin()
        other.labels = labels
        other.__dict__.pop("near_copies", None)  # in which labels count
        return other

    def grouped(self, groups: Optional[Sequence[str]]) -> ImageSet:
        """The same images in other groups."""
        other = self._twin()
        other.groups = None if groups is None else list(groups)
        return other

    def with_hashes(self, hashes: Sequence[bytes]) -> ImageSet:
        """The same images under the hashes of what they were made of, so that they are known by it."""
        other = self._twin()
        other._hashes = list(hashes)
        return other

    def parted(self, parts: Sequence[str]) -> ImageSet:
        """The same images in other parts."""
        other = self._twin()
        other.parts = list(parts)
        return other

    def ranged(self, range: Optional[Range], given: bool = False) -> ImageSet:  # noqa: A002
        """The same images with another `range`; one that the user has given takes precedence over a model's."""
        if not given and (range == self.range or self.range_is_given):
            return self
        other = self._twin()
        other.range, other.range_is_given = range, given
        return other

    @property
    def has_numbers(self) -> bool:
        """Whether there may be images of more than 8 bits; for files this is known when they are read."""
        return bool(self._pixels.spans)

    def spans(self) -> Iterator[tuple[str, Optional[Span]]]:
        """The name of each image, and what its values span; None for 8-bit ones and for files not read yet."""
        return zip(self.names, map(self._pixels.spans.get, self._rows.tolist()))

    def split(self, fraction: Optional[float] = None, seed: int = 0) -> tuple[ImageSet, ImageSet]:
        """A set to train on and one to validate on, of about ``fraction``; a seed gives the same everywhere.

        If None it is 0.2; or, where the set has `parts`, what is for training and for validation. Images for test are
        in neither.

        Each class (label, range of numbers) is split in this share, and each class with two different
        images keeps one in training. Copies stay together, exact and near ones (bursts, re-saved images), and so
        do all images of a group: a class with a single group trains.

        Raises
        ------
        ArgumentError
            ``fraction`` is not between 0 and 1, or is given although there are images for validation; or ``seed`` is
            not a whole number.
        """
        train, valid = self.divided(fraction, seed)
        return self.take(train), self.take(valid)

    def divided(self, fraction: Optional[float] = None, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The positions, from 0, of what `split` gives."""
        if self.parts is None:
            return self._divided(SHARE if fraction is None else fraction, seed)
        training, validation = (np.flatnonzero(np.asarray(self.parts) == part) for part in PARTS[:2])
        if not len(validation):
            train, valid = self.take(training)._divided(SHARE if fraction is None else fraction, seed)
            return training[train], training[valid]
        if fraction is not None:
            hint = "Leave the share out."
            raise ArgumentError(f"The set has {counted(len(validation), 'image')} for validation.", hint=hint)
        return training, validation

    def _divided(self, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        seed = whole("seed", seed)
        if not is_number(fraction) or not 0 < fraction < 1:
            raise ArgumentError(
                "The share for validation must be above 0 and below 1.", [f"it is {value_text(fraction)}"]
            )
        copies: Sequence[object] = range(len(self)) if self._hashes is None else self._hashes
        near = self.near_copies
        if self.groups is None and len(set(near)) == len(near):
            return divide(lambda rows: self.labels.strata(rows, fraction), copies, fraction, seed)
        strata = self.labels.strata(np.arange(len(self)), fraction)
        return divide_groups(strata, self.together(), fraction, seed)

    def together(self) -> list[int]:
        """A number for each image, equal for those that no split separates: copies, near-copies and groups."""
        copies: Sequence[object] = range(len(self)) if self._hashes is None else self._hashes
        return joined(self.groups or self.near_copies, self.near_copies, copies)

    @cached_property
    def near_copies(self) -> list[int]:
        """A number for each image, equal for near-copies of each other: as `mximages` saw them when it read them."""
        return _near_numbers([self])

    def resembling(self, other: ImageSet) -> NDArray[np.bool_]:
        """Which of these images, (N,), have a copy, a near-copy or one of their group in another set."""
        numbers = _near_numbers([self, other])
        other_numbers = set(numbers[len(self) :])
        other_contents = set(other.hashes) - {b""}
        other_groups = set(other.groups or ())
        near_copy = [number in other_numbers for number in numbers[: len(self)]]
        same_content = [content in other_contents for content in self.hashes]
        same_group = [group in other_groups for group in self.groups] if self.groups else [False] * len(self)
        resembles: NDArray[np.bool_] = np.asarray([near_copy, same_content, same_group], dtype=bool).any(axis=0)
        return resembles

    def shared(self, other: ImageSet) -> list[tuple[str, str]]:
        """Exact copies across two sets (training and validation, for one): the name here and there."""
        names_by_content = dict(zip(reversed(other.hashes), reversed(other.names)))
        names_by_content.pop(b"", None)
        return [
            (name, names_by_content[content])
            for name, content in zip(self.names, self.hashes)
            if content in names_by_content
        ]

    def counts(self) -> pd.DataFrame:
        """A data frame ``level, n``: how many images each class or label has; no rows without classes."""
        import pandas as pd

        counts = self.labels.counts()
        numbers = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
        return pd.DataFrame({"level": pd.Series(list(counts), dtype=object), "n": numbers})

    def frame(self) -> pd.DataFrame:
        """A data frame, one row per image: ``file``, its label (or one column per level), ``height``, ``width``.

        A level that has the name of another column gets an underscore: ``file_``.
        """
        import pandas as pd

        files = pd.Series(self.names, index=self.index, dtype=str)  # also where there are none
        columns: dict[str, Any] = {"file": files, **self.labels.columns()}
        columns |= {"height": self.sizes[:, 0], "width": self.sizes[:, 1]}
        return pd.DataFrame(columns, index=self.index)

    def label_of(self, index: int) -> str:
        """The label of one image as text; empty where it has none."""
        return self.labels.text(index)

    def sheet(self, n: int = 24) -> PIL.Image.Image:
        """A contact sheet (RGB) of up to ``n`` images, labels beneath, each class with its share."""
        from . import sheet  # which needs Pillow's fonts

        rows = sheet.choose(self.labels, len(self), whole("n", n, 1))
        thumbnails = decode(self, rows, sheet.thumbnail, at_least=sheet.SIDE)
        has_labels = self.labels.task is not None
        return sheet.draw(thumbnails, [self.label_of(row) if has_labels else self.names[row] for row in rows])

    def _facts(self) -> show.Facts:
        return show.Facts(len(self), self.grey, self.labels, self._sizes, self.bad, self.problems)

    def __repr__(self) -> str:
        return show.text(self._facts())

    def _repr_html_(self) -> str:
        return show.page(self._facts(), self.sheet)


def _near_numbers(sets: Sequence[ImageSet]) -> list[int]:
    if not all(images._pixels.signatures.keys() >= set(images._rows.tolist()) for images in sets):
        return list(range(sum(map(len, sets))))  # some were not looked at yet
    labels = [images.label_of(row) for images in sets for row in range(len(images))]
    classes = labels if all(images.has_classes for images in sets) else None
    return near_numbers([(images._pixels, images._rows) for images in sets], classes)


ImageSet.__module__ = "mxtune"  # as of `Model`
