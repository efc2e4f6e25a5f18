"""How a report writes numbers: each with the exact value beside what is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

from .markup import Markup, tag

_THIN = "\u202f"  # between a number and its unit
Ends = Optional[tuple[float, float]]


def share(value: float) -> Markup:
    """A share in per cent.

    Examples
    --------
    >>> print(share(0.8375))
    <data value="0.8375">83.8\u202f%</data>
    """
    return _data(value, percent(value))


def figure(value: float, is_share: bool = False) -> Markup:
    """A number with three digits, or a share."""
    return share(value) if is_share else _data(value, short(value))


def _data(value: float, shown: str) -> Markup:
    return tag("data", shown, value=repr(float(value)) if math.isfinite(value) else "")


def thousandth(value: float) -> Markup:
    """A number to a thousandth."""
    return _data(value, f"{value:.3f}")


def many(n: int, one: str, more: str = "") -> str:
    """A number and its noun, with commas between thousands.

    Examples
    --------
    >>> many(2000, "image"), many(1, "class", "classes")
    ('2,000 images', '1 class')
    """
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def short(value: float) -> str:
    """Three digits of a number; a long dash where there is none."""
    if not math.isfinite(value):
        return "\u2013"
    whole = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return whole.replace("-", "\u2212")


def percent(value: float, digits: int = 1) -> str:
    """A share as text: 100 % is all, and 0 % none."""
    if not math.isfinite(value):
        return "\u2013"
    per_cent = 100 * value
    digits = 0 if value in (0, 1) else digits
    if digits and value < 1:
        per_cent = min(max(per_cent, 0.1), 99.9)
    return f"{per_cent:.{digits}f}{_THIN}%"


def of_hundred(value: float) -> str:
    """A share as people say it.

    Examples
    --------
    >>> of_hundred(0.8375), of_hundred(0.9999), of_hundred(0.001), of_hundred(1.0)
    ('84 of 100', 'more than 99 of 100', 'fewer than 1 of 100', '100 of 100')
    """
    whole = round(100 * value)
    if value < 1 and whole == 100:
        return "more than 99 of 100"
    if value > 0 and whole == 0:
        return "fewer than 1 of 100"
    return f"{whole} of 100"


def within(ends: Ends, is_share: bool = False) -> str:
    """An interval: "75.0 to 91.3 %"; nothing where there is none."""
    if ends is None:
        return ""
    low, high = (percent(end) if is_share else short(end) for end in ends)
    return f"{low.split(_THIN)[0]} to {high}"


def wilson(hits: int, count: int) -> Ends:
    """The interval of a share at 95 % (Wilson, 1927); None of nothing.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(4, 8)]
    [0.215, 0.785]
    """
    if not count:
        return None
    z, p = 1.959964, hits / count
    middle = p + z * z / (2 * count)
    half = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def ticks(low: float, high: float, most: int = 6) -> Sequence[float]:
    """Round numbers within, evenly spaced.

    Examples
    --------
    >>> ticks(0, 1), ticks(3, 17, 4)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [5.0, 10.0, 15.0])
    """
    spread = high - low
    if not math.isfinite(spread) or spread <= 0:
        return [low]
    rough = spread / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]
