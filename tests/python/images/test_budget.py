"""Images are decoded in threads without ever taking more memory than the largest one alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL.Image
import pytest

from mxtune.images.budget import PixelBudget
from processes import passes

ALONE = 7_500  # pixels a side: two such images are more than the budget


def most_at_once(budget: PixelBudget, sizes: list[int]) -> int:
    """The most pixels that were decoded at once, of images of these sizes in eight threads."""
    lock, now, most = threading.Lock(), 0, 0

    def decode(pixels: int) -> None:
        nonlocal now, most
        with budget.share():
            budget.take(pixels)
            with lock:
                now += pixels
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, sizes))
    return most


@pytest.mark.timeout(60)  # a thread that waits for ever
def test_pictures_share_the_budget_and_one_above_it_is_alone() -> None:
    assert 30 < most_at_once(PixelBudget(100), [30, 10, 40] * 30) <= 100
    assert most_at_once(PixelBudget(100), [30, 500, 40, 10] * 10) == 500


@pytest.mark.timeout(60)
def test_what_is_taken_twice_or_broken_off_is_free_again() -> None:
    budget = PixelBudget(100)
    for _ in range(5):
        with pytest.raises(ValueError, match="damaged"), budget.share():
            budget.take(80)
            budget.take(80)  # its size is known before it is opened, and again afterwards
            raise ValueError("damaged")
    assert most_at_once(budget, [100] * 3) == 100


def test_a_single_picture_is_not_counted() -> None:
    budget = PixelBudget(100)
    for _ in range(5):
        budget.take(80)
    assert most_at_once(budget, [100] * 3) == 100


def test_many_large_pictures_take_no_more_memory_than_one(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (ALONE, ALONE), (1, 2, 3)).save(tmp_path / "0.webp", lossless=True)
    assert (tmp_path / "0.webp").stat().st_size < 10_000
    for number in (1, 2):
        (tmp_path / f"{number}.webp").write_bytes((tmp_path / "0.webp").read_bytes())
    code = f"""
import warnings
import numpy as np
from mxtune.images import decode, mximages

def peak():
    with open("/proc/self/status") as status:  # ru_maxrss begins with what the parent had
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def thumbnail(picture):
    return np.asarray(picture.resize((8, 8)))

warnings.simplefilter("ignore")
images = mximages({str(tmp_path)!r}, on_bad="keep")
start = peak()
decode(images, [0], thumbnail)
one = peak() - start
decode(images, None, thumbnail, threads=3)
mximages({str(tmp_path)!r})
print(one, peak() - start)
"""
    one, all_of_them = map(int, passes(code).stdout.split())
    assert all_of_them < 1.25 * one
