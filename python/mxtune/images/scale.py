"""The scale of pixel values: which number is black and which is white, decided once for a whole set.

8-bit images have theirs by type. Numbers of any other kind (floats, whole numbers, files of 16 and 32 bits) get
one from all images of the set together: a single one is not enough.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy as np

from ..arguments import is_number
from ..calls import value_text
from ..errors import ArgumentError, PictureWarning
from ..words import bullets, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

Range = tuple[float, float]
"""The numbers of black and of white."""

UNIT, SIGNED, BYTE, WORD = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0)
_DEPTHS = (1023.0, 4095.0, 16383.0, 65535.0)  # of 10, 12, 14 and 16 bits: cameras, microscopes, CT
_OVERSHOOT = 0.1  # of the range: bicubic and Lanczos resizing leave that much beyond it
_OTHER = 8  # times less than the range's white is no dark image, where it also ends like another scale
_BLOCK_VALUES = 4_000_000  # values checked at a time, so that copies in between stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Numbers:
    """An image (H, W, C), or a stack of them (N, H, W, C), whose values need a `Range` to become 8-bit."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> Numbers:
        return Numbers(self.values[row])

    def __iter__(self) -> Iterator[Numbers]:
        return map(Numbers, self.values)


class Span(NamedTuple):
    """What an image's values span: ``whole`` without fractions; then ``lit`` where more than 1 in 50 is not 0."""

    low: float
    high: float
    whole: bool
    lit: bool

    @property
    def is_8_bit(self) -> bool:
        """Whether they are what an image of 8 bits has: whole numbers from 0 to 255."""
        return self.whole and self.low >= 0 and self.high <= 255


class Percentiles(NamedTuple):
    """A range that is measured: these percentiles (0 to 100) of all values of the set."""

    low: float
    high: float


def parse(given: Any) -> Union[Range, Percentiles, None]:
    """What the argument ``range`` asks for: two numbers, ``"0..4095"``, or percentiles, ``"1%..99%"``.

    Raises
    ------
    ArgumentError
        It is neither.

    Examples
    --------
    >>> parse((0, 4095)), parse("-1000..1000"), parse("1%..99%")
    ((0.0, 4095.0), (-1000.0, 1000.0), Percentiles(low=1.0, high=99.0))
    """
    if given is None:
        return None
    parts = given.split("..") if isinstance(given, str) else given
    number = r"\s*[-+]?\d*\.?\d+(e[-+]?\d+)?\s*%?\s*"
    measured = False
    if isinstance(given, str) and len(parts) == 2 and all(re.fullmatch(number, part, re.IGNORECASE) for part in parts):
        measured = "%" in given
        if not measured or all("%" in part for part in parts):
            parts = [float(part.replace("%", "")) for part in parts]
    is_pair = isinstance(parts, (Sequence, np.ndarray)) and len(parts) == 2 and all(map(is_number, parts))
    low, high = map(float, parts) if is_pair else (math.nan, math.nan)
    if not low < high or not math.isfinite(high - low) or (measured and not 0 <= low < high <= 100):
        text = '`range` must be two numbers, black before white, or percentiles such as "1%..99%".'
        raise ArgumentError(text, [f"it is {value_text(given)}"])
    return Percentiles(low, high) if measured else (low, high)


def span(picture: Numbers) -> Optional[Span]:
    """What an image's values span; None where some are not finite."""
    return next(iter(spans(Numbers(picture.values[np.newaxis]))))


def spans(stack: Numbers) -> list[Optional[Span]]:
    """What each image of a stack spans; None where values are not finite."""
    all_spans: list[Optional[Span]] = []
    flat = stack.values.reshape(len(stack), -1)
    count = max(1, _BLOCK_VALUES // max(1, flat.shape[1]))
    for start in range(0, len(flat), count):
        block = flat[start : start + count]
        with np.errstate(invalid="ignore"):  # NaN and infinity show in the extremes
            low, high, whole = (
                block.min(axis=1).astype(float),
                block.max(axis=1).astype(float),
                _rows_of_whole_numbers(block),
            )
        lit = np.ones(len(block), bool)
        for row in np.flatnonzero((high <= 1) & whole):
            lit[row] = np.count_nonzero(block[row]) * 50 > block[row].size
        finite = (np.isfinite(low) & np.isfinite(high)).tolist()
        block_spans = map(Span, *(column.tolist() for column in (low, high, whole, lit)))
        all_spans += [span if is_finite else None for span, is_finite in zip(block_spans, finite)]
    return all_spans


def spans_of(items: Iterable[Any]) -> list[Optional[Span]]:
    """What the values of each of these span, as `span` has it; None too for what is no `Numbers`."""
    all_spans: list[Optional[Span]] = []
    for kind, alike in groupby(items, _kind):
        pictures = list(alike)
        if kind is None:
            all_spans += [None] * len(pictures)
            continue
        count = max(1, _BLOCK_VALUES // max(1, pictures[0].values.size))
        for start in range(0, len(pictures), count):  # many small ones at once take a tenth of the time
            block = [picture.values for picture in pictures[start : start + count]]
            all_spans += spans(Numbers(block[0][np.newaxis] if len(block) == 1 else np.stack(block)))
    return all_spans


def _kind(item: Any) -> Optional[tuple[Any, ...]]:
    return (item.values.shape, item.values.dtype) if isinstance(item, Numbers) else None


def decide(every: Iterable[Optional[Span]]) -> Optional[Range]:
    """The range of a set whose images span this; None for whole numbers from 0 to 255, as 8-bit images have.

    An image of 8 bits has no span; together with such ones, 16-bit images have the range of their type.

    Examples
    --------
    >>> decide([Span(0, 0.9, False, True), Span(0, 1.0000001, False, True)])
    (0.0, 1.0)
    >>> decide([Span(-1000, 800, True, True), Span(-900, 1000, True, True)])
    (-1000.0, 1000.0)
    """
    all_spans = list(every)
    numbers = [span for span in all_spans if span is not None]
    if not numbers:
        return None
    total = _total_span(numbers)
    low, high = float(total.low), float(total.high)
    if not total.whole:
        usual_ones = (scale for scale in (UNIT, SIGNED, BYTE) if _fills_scale(scale, total))
        return next(usual_ones, None) or _by_depth(low, high)
    if not total.is_8_bit:
        beside_8_bits = len(numbers) < len(all_spans)
        return WORD if beside_8_bits and low >= 0 and 4095 < high <= 65535 else _by_depth(low, high)
    if high == 1 and total.lit:
        return UNIT
    return (0.0, high) if 1 < high < 32 else None  # 4 or 5 bits, such as the digits 0 to 16 of scikit-learn


def usual(picture_spans: Sequence[Span]) -> Range:
    """The range of numbers that are given to a model of 8-bit images: it has none of its own."""
    high, whole, lit = _total_span(picture_spans)[1:]
    if high <= (1 if whole else 1 + _OVERSHOOT) and (lit or not whole):
        return UNIT
    if high <= (255 if whole else 255 * (1 + _OVERSHOOT)):
        return BYTE
    return WORD if high <= WORD[1] else (0.0, high)


def percentiles(samples: Iterable[NDArray[Any]], wanted: Percentiles) -> Range:
    """The range that percentiles of these values ask for."""
    low, high = np.percentile(np.concatenate([*samples]), wanted).tolist()
    return low, high if high > low else low + 1


def of_another_scale(
    named: Iterable[tuple[str, Optional[Span]]], scale: Optional[Range], than: Optional[str] = None, loose: bool = False
) -> Optional[PictureWarning]:
    """A warning that names the images whose values seem to be on another scale than the range; None if none.

    Parameters
    ----------
    named
        Images by name, and what each spans: None for 8-bit ones, which don't go with any range.
    scale
        The range; where it is None, each image has the usual one.
    than
        What the range comes from, if not from these images.
    loose
        Whether the user has chosen the range: what lies beyond may be meant to be cut off.
    """
    goes_with_8_bits = stands_beside_8_bits(scale)
    lines = []
    for name, picture_span in named:
        remark = None
        if picture_span is None:
            remark = None if goes_with_8_bits else "8-bit, taken as black to white"
        elif scale or not picture_span.is_8_bit:
            remark = _why_another_scale(picture_span, scale or usual([picture_span]), loose)
        if remark:
            lines.append(f"{name}: {remark}")
    if not lines:
        return None
    pictures = counted(len(lines), "image seems", "images seem")
    taken_as_text = f"{taken_as(scale)} " if scale else ""
    return PictureWarning(
        f"{pictures} to have a different scale of values from {than or 'the rest'}.",
        bullets(lines),
        f"{taken_as_text}If that is wrong, set `range` in mximages().",
    )


def fits(scale: Range, picture_span: Span) -> bool:
    """Whether values lie within a range, or just beyond it."""
    slack = _OVERSHOOT * (scale[1] - scale[0])
    return picture_span.low >= scale[0] - slack and picture_span.high <= scale[1] + slack


def stands_beside_8_bits(scale: Optional[Range]) -> bool:
    """Whether numbers of this range and images of 8 bits go together: it is all of its type's, or 8-bit."""
    return scale in (None, UNIT, BYTE, WORD) or within_8_bits(scale)


def within_8_bits(scale: Optional[Range]) -> bool:
    """Whether a range is one of values that images of 8 bits have, and so changes them too."""
    return scale is not None and scale != BYTE and scale[0] >= 0 and 1 < scale[1] <= 255


def eight_bits(values: NDArray[Any], scale: Range, picture_span: Optional[Span] = None) -> NDArray[np.uint8]:
    """The values as uint8: black is 0, white is 255, what lies beyond is cut off.

    What they span, where it is known, tells whether anything lies beyond.
    """
    if values.dtype == np.uint8 and scale == BYTE:
        return values
    low, high = scale
    scaled: NDArray[Any] = values if low == 0 else np.subtract(values, low, dtype=np.float64)
    scaled = np.multiply(scaled, 255 / (high - low), dtype=np.float32)
    np.rint(scaled, out=scaled)
    if picture_span is None or picture_span.low < low or picture_span.high > high:
        np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def taken_as(scale: Range) -> str:
    """A sentence on a range."""
    return f"Pixel values are taken as {scale[0]:g} (black) to {scale[1]:g} (white)."


def _rows_of_whole_numbers(block: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows hold only whole numbers; a few values mostly show that they don't."""
    if block.dtype.kind in "uib":
        return np.ones(len(block), bool)
    sample = block[:, :: max(1, block.shape[1] // 64)]
    whole: NDArray[np.bool_] = (sample == np.rint(sample)).all(axis=1)
    for row in np.flatnonzero(whole):
        whole[row] = np.array_equal(block[row], np.rint(block[row]))
    return whole


def _total_span(picture_spans: Sequence[Span]) -> Span:
    return Span(
        min(each.low for each in picture_spans),
        max(each.high for each in picture_spans),
        all(each.whole for each in picture_spans),
        any(each.lit for each in picture_spans if each.high > 0),
    )


def _fills_scale(scale: Range, picture_span: Span) -> bool:
    """Whether fractions that span this fill enough of a scale to be of it, and of no smaller one."""
    if not fits(scale, picture_span):
        return False
    if scale == BYTE:
        return (
            picture_span.high >= (100 if picture_span.low >= 0 else 128) and picture_span.high - picture_span.low >= 64
        )
    return picture_span.high > (0.05 if scale == UNIT else 0.5)


def _by_depth(low: float, high: float) -> Range:
    """From 0 to the largest number of so many bits, where the values fill a quarter of it; or what they span."""
    top = next((depth for depth in _DEPTHS if high <= depth), math.inf)
    alone = 255 < low == high <= WORD[1]  # one shade shows its depth and no more
    if low >= 0 and (alone or high - low >= top / 4):
        return 0.0, top
    return low, high if high > low else low + 1


def _why_another_scale(picture_span: Span, scale: Range, loose: bool) -> Optional[str]:
    """Why an image's values seem to be on another scale; None where they don't."""
    low, high = scale
    above = (high - low) * (_OTHER - 1 if loose else 0.5)
    below = (high - low) * _OVERSHOOT if low == 0 and not loose else above  # negative, where none was
    values = (
        f"values from {picture_span.low:g} to {picture_span.high:g}"
        if picture_span.low < picture_span.high
        else f"the single value {picture_span.low:g}"
    )
    if picture_span.high > high + above or picture_span.low < low - below:
        return values
    if not picture_span.whole and fits(UNIT, picture_span) and picture_span.high > 0.05 and high - low >= 32:
        return f"{values}, as on a scale of 0 to 1"
    if picture_span.whole and low == 0 and picture_span.high * _OTHER <= high:
        top = next((top for top in (255, *_DEPTHS) if top / 2 < picture_span.high <= top), None)
        return None if top is None else f"{values}, as on a scale of 0 to {top:g}"
    return None
