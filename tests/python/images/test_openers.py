"""Formats whose library not everyone has: read where it is, else named with what to install."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.features
import PIL.Image
import pytest
import skimage

from mxtune.errors import PictureError
from mxtune.images import mximages
from mxtune.images.openers import _shades

CAT = Path(skimage.__file__).parent / "data" / "chelsea.png"
HEIC = b"\0\0\0\x18ftypheic" + b"\0" * 600
DICOM = b"\0" * 128 + b"DICM" + b"\0" * 60


@pytest.mark.parametrize(("suffix", "feature"), [("avif", "avif"), ("jp2", "jpg_2000")])
def test_pillows_own_are_read_where_it_was_built_with_them(tmp_path: Path, suffix: str, feature: str) -> None:
    assert PIL.features.check(feature)  # true of the wheels that the tests run with
    with PIL.Image.open(CAT) as cat:
        cat.save(tmp_path / f"cat.{suffix}", quality=95)
        images = mximages(tmp_path)
        difference = np.abs(np.asarray(images.open(0), int) - np.asarray(cat, int)).mean()
    assert images.sizes.tolist() == [[300, 451]]
    assert difference < 4


@pytest.mark.parametrize(
    ("name", "content", "library", "extra"),
    [
        ("phone.heic", HEIC, "pillow_heif", "heic"),
        ("scan.dcm", DICOM, "pydicom", "dicom"),
        ("scan", DICOM, "pydicom", "dicom"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, library: str, extra: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for module in [library, *(one for one in sys.modules if one.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(PictureError) as caught:
        mximages(tmp_path)
    assert f"needs {library.replace('_', '-')} (pip install" in str(caught.value)
    assert f'the extra "{extra}"' in str(caught.value)


def test_a_library_that_is_there_reads_or_names_the_damage(tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(HEIC)
    (tmp_path / "scan.dcm").write_bytes(DICOM)
    with pytest.raises(PictureError) as caught:
        mximages(tmp_path)
    reasons = dict(caught.value.files)
    for name, library in (("phone.heic", "pillow_heif"), ("scan.dcm", "pydicom")):
        there = importlib.util.find_spec(library) is not None
        assert ("can't be decoded" in reasons[name]) == there
        assert ("needs" in reasons[name]) != there


class Header(dict[str, Any]):
    """What is read of a DICOM file besides its pixels."""

    __getattr__ = dict.__getitem__


def test_a_scan_without_a_window_keeps_its_values_for_the_range_of_the_set() -> None:
    stored = np.array([[0, 1000], [2000, 4000]], np.float64)
    plain = Header(BitsStored=12, PixelRepresentation=0, PhotometricInterpretation="MONOCHROME2")
    assert _shades(plain, stored).tolist() == stored.tolist()
    assert _shades(plain, stored).dtype == np.uint16
    units = Header(plain, RescaleSlope=1, RescaleIntercept=-1024)
    assert _shades(units, stored).tolist() == (stored - 1024).tolist()
    film = Header(plain, PhotometricInterpretation="MONOCHROME1")
    assert _shades(film, stored).tolist() == (4095 - stored).tolist()
    window = Header(units, WindowCenter=[0, 40], WindowWidth=[2000, 400])
    assert _shades(window, stored).tolist() == [[0, 124], [252, 255]]
    assert _shades(Header(plain, BitsStored=8), stored / 20).dtype == np.uint8
