"""Many images at once, in threads (a fork would die with MXNet loaded)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Optional, Protocol, TypeVar, Union

from ..errors import PictureError
from ..machine import usable_cpus
from ..words import bullets, counted, listing
from .picture import BUDGET, UnreadableError

if TYPE_CHECKING:
    import PIL.Image
    from numpy.typing import NDArray

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pictures(Protocol):
    """Anything that can be decoded, such as an `ImageSet`."""

    @property
    def names(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def unchecked(
        self, index: int, at_least: Union[int, tuple[int, int], None] = None, alpha: bool = False
    ) -> PIL.Image.Image: ...


def decode(
    images: Pictures,
    indices: Optional[Sequence[int]],
    view: Callable[[PIL.Image.Image], NDArray[Any]],
    threads: Optional[int] = None,
    at_least: Union[int, tuple[int, int], None] = None,
) -> list[NDArray[Any]]:
    """``view(image)`` of each image, in the order of ``indices``.

    Parameters
    ----------
    images
        The set.
    indices
        Which of its images; ``None`` for all.
    view
        Makes an array of an opened image, such as ``preprocess.canvas``; runs in several threads at once.
    threads
        As many as CPUs may be used where it is ``None``.
    at_least
        Pixels that the view needs, as `ImageSet.open` has it: ``preprocess.canvas_size``.

    Raises
    ------
    PictureError
        Images can no longer be read; all are named.

    Examples
    --------
    >>> import numpy as np
    >>> from mxtune.images import decode, mximages
    >>> images = mximages(np.arange(384, dtype=np.uint8).reshape(2, 8, 8, 3))
    >>> [picture.shape for picture in decode(images, None, np.asarray)]
    [(8, 8, 3), (8, 8, 3)]
    """
    views, bad = decode_or_none(images, indices, view, threads, at_least)
    if bad:
        raise unreadable(bad, len(views))
    return [array for array in views if array is not None]


def decode_or_none(
    images: Pictures,
    indices: Optional[Sequence[int]],
    view: Callable[[PIL.Image.Image], NDArray[Any]],
    threads: Optional[int] = None,
    at_least: Union[int, tuple[int, int], None] = None,
    alpha: bool = False,
) -> tuple[list[Optional[NDArray[Any]]], list[tuple[str, str]]]:
    """As `decode`, with ``None`` in place of an image that can't be read, and ``(name, reason)`` of each.

    With ``alpha`` images have four channels; one that has fewer can't be read.
    """
    rows = range(len(images)) if indices is None else [int(index) for index in indices]

    def open_and_view(row: int) -> tuple[Optional[NDArray[Any]], Optional[str]]:
        try:
            picture = images.unchecked(row, at_least, alpha)
        except UnreadableError as error:
            return None, str(error)
        return view(picture), None

    def within_budget(row: int) -> tuple[Optional[NDArray[Any]], Optional[str]]:
        with BUDGET.share():
            return open_and_view(row)  # a call of its own: its image is gone before its pixels are free

    results = in_threads(within_budget, rows, threads)
    bad = [(images.names[row], reason) for row, (_, reason) in zip(rows, results) if reason is not None]
    return [array for array, _ in results], bad


def in_threads(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: Optional[int] = None,
    advance: Optional[Callable[[int], None]] = None,
) -> list[Result]:
    """``work`` done for each item, in order, by as many threads as CPUs may be used.

    ``advance`` is called, in the calling thread, with the number of further items that are done.
    """
    all_items = list(items)
    thread_count = len(all_items)
    if thread_count > 1:  # to ask how many CPUs there are costs a third of a small image
        thread_count = min(threads or usable_cpus(), thread_count)
    # handing over one by one costs as much as a small image
    block_size = max(1, min(64, len(all_items) // (8 * max(1, thread_count))))
    blocks = [all_items[start : start + block_size] for start in range(0, len(all_items), block_size)]
    results: list[Result] = []

    def collect(block_results: list[Result]) -> None:
        results.extend(block_results)
        if advance is not None:
            advance(len(block_results))

    if thread_count <= 1:
        for block in blocks:
            collect([work(item) for item in block])
        return results
    pool = ThreadPoolExecutor(thread_count, thread_name_prefix="mxtune-decode")
    try:
        for block_results in pool.map(lambda block: [work(item) for item in block], blocks):
            collect(block_results)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C: drop what has not begun
    return results


def named(bad: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each image that can't be read and its reason; for more than 20 with one reason a line together.

    Examples
    --------
    >>> named([("a.png", "empty"), *((f"{n}.png", "no such file") for n in range(40))])
    ['a.png: empty', '0.png, 1.png, 2.png, 3.png, 4.png and 35 more: no such file']
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in bad:
        by_reason.setdefault(reason, []).append(name)
    lines = []
    for reason, names in by_reason.items():
        lines += [f"{listing(names, 5)}: {reason}"] if len(names) > 20 else [f"{name}: {reason}" for name in names]
    return lines


def unreadable(bad: Sequence[tuple[str, str]], count: int, hint: Optional[str] = None) -> PictureError:
    """The error that names every image that can't be read."""
    error = PictureError(
        f"Can't read {len(bad)} of {counted(count, 'image')}.",
        bullets([f"{name}: {reason}" for name, reason in bad], 100),
        hint,
    )
    error.files = tuple(bad)
    return error
