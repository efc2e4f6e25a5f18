"""One range of values for a set, in memory and in files: decided over all its images, said, never by each alone."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from mxtune import mximages, progress
from mxtune.errors import ArgumentError, PictureError, PictureWarning
from mxtune.images.scale import Span, decide, parse

RAMP = np.arange(256).reshape(16, 16)


def _png(values: Any) -> bytes:
    """A PNG of 16 bits, which Pillow writes in grey alone, with alpha or without."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def _levels(pictures: Any, **settings: Any) -> list[Any]:
    """What comes of each image of a set."""
    images = mximages(pictures, **settings)
    return [np.asarray(images.open(row)) for row in range(len(images))]


def _said(pictures: Any, **settings: Any) -> str:
    class Heard:
        def event(self, kind: str, **info: Any) -> None:
            if kind == "message":
                texts.append(info["text"])

    texts: list[str] = []
    with progress.using(Heard()):
        mximages(pictures, **settings)
    return " ".join(texts)


def _warned(pictures: Any, **settings: Any) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mximages(pictures, **settings)
    return "\n".join(str(one.message) for one in caught)


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0, 1, False, (0, 1)),
        (-0.05, 1.08, False, (0, 1)),  # what bicubic resizing leaves
        (0, 0.3, False, (0, 1)),
        (0, 0.001, False, (0, 0.001)),
        (-1, 1, False, (-1, 1)),
        (-2.1, 2.6, False, (-2.1, 2.6)),  # standardised
        (-12.5, 262.5, False, (0, 255)),
        (0, 254.5, False, (0, 255)),
        (0, 255, True, None),
        (0, 1, True, (0, 1)),
        (0, 16, True, (0, 16)),
        (0, 1023, True, (0, 1023)),
        (3, 3900, True, (0, 4095)),
        (0, 40000.5, False, (0, 65535)),
        (31768, 33768, True, (31768, 33768)),  # Hounsfield units from 32768 on
        (251.5, 309.5, False, (251.5, 309.5)),  # kelvin
        (-20.5, 45.5, False, (-20.5, 45.5)),  # degrees
        (-1000, 1000, True, (-1000, 1000)),
        (0, 1e6, False, (0, 1e6)),
        (7, 7, True, (0, 7)),
        (-3, -3, True, (-3, -2)),
        (60000, 60000, True, (0, 65535)),
        (70000, 70000, True, (70000, 70001)),
    ],
)
def test_the_range_is_the_usual_one_that_the_values_fill_or_theirs(
    low: float, high: float, whole: bool, expected: Any
) -> None:
    assert decide([Span(low, high, whole, lit=True)]) == expected


def test_a_little_more_than_1_changes_nothing() -> None:
    pictures = [(RAMP / 255).astype(np.float32) for _ in range(3)]
    pictures[1][0, 0] = 1.0000001
    for held in (pictures, np.stack(pictures)):
        assert [picture.max() for picture in _levels(held)] == [255] * 3
        assert _levels(held)[1].ravel()[1:].tolist() == list(range(1, 256))


def test_a_dark_picture_stays_dark() -> None:
    dark = np.zeros((16, 16), np.float32)
    dark[5, 5] = 1
    for held in ([RAMP.astype(np.float32), dark], np.stack([RAMP.astype(np.float32), dark])):
        assert [picture.max() for picture in _levels(held)] == [255, 1]
        assert not _warned(held)


@pytest.mark.parametrize("kind", ["uint16", "int32", "int64", "float32", "float64"])
def test_the_type_of_equal_numbers_does_not_matter(kind: str) -> None:
    pictures = [RAMP.astype(kind), (RAMP * 257).astype(kind)]
    expected = [np.rint(RAMP / 257), RAMP]
    for held in (pictures, np.stack(pictures)):
        assert np.array_equal(_levels(held), expected)
    same = np.stack([RAMP, RAMP[::-1]])
    assert mximages(same.astype(kind)).fingerprint == mximages(same.astype(np.uint8)).fingerprint
    assert _said(list(same.astype(kind))) == ""


def test_zeros_and_ones_are_black_and_white_in_every_type() -> None:
    bits = RAMP % 3 == 0
    for kind in (bool, np.int64, np.uint16, np.float32):
        assert set(np.unique(_levels([bits.astype(kind)])[0])) == {0, 255}, kind


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_files_of_16_bits_keep_the_levels_of_fewer(tmp_path: Path, bits: int, ending: str) -> None:
    for name, turn in (("a", 1), ("b", -1)):
        values = (RAMP[::turn] * (2**bits - 1) // 255).astype(np.uint16)
        PIL.Image.fromarray(values).save(tmp_path / f"{name}.{ending}")
    one, other = _levels(tmp_path)
    assert np.array_equal(one, RAMP)
    assert np.array_equal(other, RAMP[::-1])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((RAMP * 2000 // 255 - 1000).astype(np.int32), "-1000 (black) to 1000 (white)"),
        ((RAMP / 127.5 - 1).astype(np.float32), "-1 (black) to 1 (white)"),
        ((RAMP * 300 // 255 + 5).astype(np.int32), "0 (black) to 1023 (white)"),  # 256 is not 1
        ((RAMP / 255 * 1.001).astype(np.float32), "0 (black) to 1 (white)"),
    ],
)
def test_numbers_in_files_and_in_memory_are_alike(tmp_path: Path, values: Any, told: str) -> None:
    PIL.Image.fromarray(values).save(tmp_path / "a.tif")
    file = _levels(tmp_path / "a.tif")[0]
    assert f"Pixel values are taken as {told}. Set `range` to change this." in _said(tmp_path / "a.tif")
    assert np.array_equal(file, _levels([values])[0])
    assert np.all(np.diff(file.ravel().astype(int)) >= 0)


@pytest.mark.parametrize("range_", [(0, 4095), "0..4095", " 0 .. 4.095e3 ", np.array([0, 4095]), [0, 4095.0]])
def test_a_range_that_is_given_counts(range_: Any) -> None:
    values = (RAMP * 4).astype(np.uint16)
    assert _levels([values])[0].max() == 254
    assert _levels([values], range=range_)[0].max() == 64
    images = mximages([values], ["a"]).take([0])
    assert np.asarray(mximages(images, range=range_).open(0)).max() == 64
    assert np.asarray(mximages(values, on_bad="keep", range=range_).open(0)).max() == 64


def test_percentiles_are_those_of_the_whole_set(tmp_path: Path) -> None:
    values = [RAMP.astype(np.float32) * 10, RAMP.astype(np.float32) * 10 + 5]
    values[0][3, 3] = 1e9  # a hot pixel
    for row, picture in enumerate(values):
        PIL.Image.fromarray(picture).save(tmp_path / f"{row}.tif")
    expected = np.percentile(np.concatenate(values), (1, 99))
    for held in (values, np.stack(values), tmp_path):
        assert mximages(held, range="1%..99%").range == pytest.approx(tuple(expected))
    assert mximages(np.stack(values), on_bad="keep", range="1%..99%").range == pytest.approx(tuple(expected))


def test_pictures_of_8_bits_are_stretched_where_that_is_asked_for() -> None:
    picture = (RAMP // 2).astype(np.uint8)
    assert np.array_equal(_levels(picture[np.newaxis])[0], picture)
    assert _levels(picture[np.newaxis], range=(0, 127))[0].max() == 255
    assert _levels(PIL.Image.fromarray(picture), range="0..127")[0].max() == 255
    assert np.array_equal(_levels(picture[np.newaxis], range=(0, 1))[0], picture)


def test_pictures_of_another_scale_are_named(tmp_path: Path) -> None:
    unit, byte = (RAMP / 255).astype(np.float32), (RAMP + 0.25).astype(np.float32)
    said = _warned([byte, unit, byte + 0.25, unit / 2])
    assert "2 images seem to have a different scale of values from the rest." in said
    assert "x [1]: values from 0 to 1, as on a scale of 0 to 1\nx [3]: values" in said
    assert "taken as 0 (black) to 255 (white)" in said
    PIL.Image.fromarray((RAMP * 16).astype(np.uint16)).save(tmp_path / "12 bits.tif")
    PIL.Image.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "8 bits.png")
    assert "x 8 bits.png: 8-bit, taken as black to white" in _warned(tmp_path)
    (tmp_path / "8 bits.png").unlink()
    PIL.Image.fromarray((RAMP * 257).astype(np.uint16)).save(tmp_path / "16 bits.png")
    assert "x 12 bits.tif: values from 0 to 4080, as on a scale of 0 to 4095" in _warned(tmp_path)
    (tmp_path / "12 bits.tif").unlink()
    PIL.Image.fromarray((RAMP * 60).astype(np.uint16)).save(tmp_path / "16 bits.png")
    PIL.Image.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "8 bits.png")
    assert "scale" not in _warned(tmp_path)  # each fills its type's range


def test_values_that_are_not_finite_are_named(tmp_path: Path) -> None:
    values = np.stack([RAMP, RAMP[::-1], RAMP.T]) / 255
    values[1, 3, 3] = np.nan
    values[2, 3, 3] = -np.inf
    files = [tmp_path / f"{row}.tif" for row in range(3)]
    for file, picture in zip(files, values):
        PIL.Image.fromarray(picture.astype(np.float32)).save(file)
    from_r = values.copy()
    from_r[1, 3, 3] = np.uint64(0x7FF00000000007A2).view(np.float64)  # R's NA, at which NumPy warns
    for held in (values, list(values), files, from_r):
        with warnings.catch_warnings(), pytest.raises(PictureError, match="Can't read 2 of 3 images") as caught:
            warnings.simplefilter("error")
            mximages(held)
        assert [reason for _, reason in caught.value.files] == ["it contains NaN or infinite values"] * 2
        with pytest.warns(PictureWarning, match="Left out 2 of 3"):
            assert len(mximages(held, on_bad="skip")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        (1, 0), (0, 0), (0,), (0, 1, 2), "0", "a..b", "1%..99", "99%..1%", "-1%..99%", "1%..101%", 5, True,
        (0, float("nan")), (0, float("inf")), ("0", "1"), {0: 1}, "1e9..", "..",
    ],
)  # fmt: skip
def test_a_range_of_no_use_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="`range` must be two numbers"):
        parse(wrong)


def test_transposed_colour_and_transparent_numbers_are_pictures() -> None:
    colour = np.stack([RAMP, RAMP.T, RAMP[::-1]], axis=-1) / 255
    assert np.array_equal(_levels([colour])[0], np.rint(colour * 255))
    assert np.array_equal(_levels(colour.transpose(2, 0, 1)[np.newaxis], layout="NCHW")[0], np.rint(colour * 255))
    clear = np.dstack([colour, np.zeros((16, 16))])
    assert _levels([clear])[0].min() == 255


def test_sets_that_are_joined_have_one_range(tmp_path: Path) -> None:
    PIL.Image.fromarray((RAMP * 3).astype(np.uint16)).save(tmp_path / "dark.png")
    dark, bright = mximages(tmp_path / "dark.png"), mximages([(RAMP * 16).astype(np.uint16)])
    assert (dark.range, bright.range, (dark + bright).range) == ((0, 1023), (0, 4095), (0, 4095))
    assert [np.asarray(picture).max() for picture in dark + bright] == [48, 254]
    with pytest.warns(PictureWarning, match=r"different scale of values from the rest.\nx \[0\]"):
        assert mximages([RAMP / 255]) + mximages([RAMP + 0.25])
    with pytest.raises(ArgumentError, match="different value ranges"):
        assert mximages([RAMP * 2], range=(0, 500)) + bright


@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_colours_of_16_bits_keep_their_levels(top: int, tmp_path: Path) -> None:
    colour = np.stack([RAMP, RAMP.T, RAMP[::-1]], axis=-1)
    values = (colour * top // 255).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(_png(values))
    for name, settings in {
        "little.tif": {"byteorder": "<"},
        "big.tif": {"byteorder": ">"},
        "zipped.tif": {"compression": "zlib"},
        "strips.tif": {"rowsperstrip": 5},
    }.items():
        tifffile.imwrite(tmp_path / name, values, photometric="rgb", **settings)
    assert len(mximages(tmp_path)) == 5
    for picture in _levels(tmp_path):
        assert np.array_equal(picture, colour)
    assert np.array_equal(_levels([values])[0], colour)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_images_of_16_bits_lie_over_white(channels: int, tmp_path: Path) -> None:
    clear = np.where(np.arange(256).reshape(16, 16) < 100, 0, 65535)
    values = np.dstack([*[RAMP * 257] * channels, clear])
    (tmp_path / "a.png").write_bytes(_png(values))
    shown = _levels(tmp_path)[0]
    assert set(np.unique(shown[clear == 0])) == {255}
    assert np.array_equal(shown[..., 0][clear > 0], RAMP[clear > 0])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("top", [4095, 65535])
def test_opaque_alpha_leaves_16_bits_their_levels(channels: int, top: int, tmp_path: Path) -> None:
    values = np.dstack([*[RAMP.astype(np.uint32) * top // 255] * channels, np.full((16, 16), 65535)])
    (tmp_path / "a.png").write_bytes(_png(values))
    assert mximages(tmp_path).range == (0, top)
    assert mximages(tmp_path).grey == (channels == 1)
    assert np.array_equal(_levels(tmp_path)[0].reshape(16, 16, -1)[..., 0], RAMP)
