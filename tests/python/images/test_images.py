"""Formats, modes and damage: what every single image may be. Real images of scikit-image, spoilt here."""

from __future__ import annotations

import shutil
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import skimage
from PIL import ImageFile

from mxtune.errors import LabelWarning, MxtuneWarning, PictureError, PictureWarning
from mxtune.images import decode, decode_or_none, mximages
from mxtune.images.sheet import _lines

DATA = Path(skimage.__file__).parent / "data"
WHITE = (255, 255, 255)


@pytest.fixture(name="chelsea")
def _chelsea() -> PIL.Image.Image:
    return PIL.Image.open(DATA / "chelsea.png").convert("RGB")


@pytest.fixture(name="photos")
def _photos(tmp_path: Path) -> Path:
    """Two classes of two photographs."""
    root = tmp_path / "photos"
    for name, kind in (("chelsea.png", "cats"), ("camera.png", "men"), ("astronaut.png", "men")):
        (root / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(DATA / name, root / kind / name)
    with PIL.Image.open(DATA / "chelsea.png") as cat:
        cat.rotate(180).save(root / "cats" / "cat 2.jpg")
    return root


def _opened(path: Path) -> PIL.Image.Image:
    return mximages(path).open(0)


def _far(one: PIL.Image.Image, other: PIL.Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "ppm"])
def test_every_format_shows_the_same_cat(chelsea: PIL.Image.Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"Katze ネコ {suffix}.{suffix}"
    chelsea.save(path)
    images = mximages(path)
    assert images.sizes.tolist() == [[300, 451]]
    assert not images.grey
    assert _far(images.open(0), chelsea) < (12 if suffix == "gif" else 4)
    assert images.names == [str(path)]
    assert images.problems == []


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_honoured(tmp_path: Path, turn: int, suffix: str) -> None:
    upright = PIL.Image.new("RGB", (48, 32), "blue")
    upright.paste("red", (0, 0, 24, 16))  # red at the top left once upright
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if turn == 1 else upright.transpose(PIL.Image.Transpose(back[turn]))
    exif = PIL.Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / f"turned.{suffix}"
    stored.save(path, exif=exif)
    images = mximages(path)
    assert images.sizes.tolist() == [[32, 48]]
    assert mximages(path, on_bad="keep").sizes.tolist() == [[32, 48]]
    assert _far(images.open(0), upright) < 6


def test_a_large_turned_jpeg_decodes_smaller_but_upright(tmp_path: Path, chelsea: PIL.Image.Image) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    chelsea.resize((1804, 1200)).rotate(90, expand=True).save(tmp_path / "phone.jpg", exif=exif)
    images = mximages(tmp_path / "phone.jpg")
    assert images.sizes.tolist() == [[1200, 1804]]
    assert images.open(0).size == (1804, 1200)
    small = images.open(0, at_least=(256, 256))
    assert small.size == (902, 600)
    fresh = mximages(tmp_path / "phone.jpg", on_bad="keep").open(0, at_least=(256, 256))
    assert np.array_equal(np.asarray(small), np.asarray(fresh))


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    clear = PIL.Image.new("RGBA", (20, 10), (255, 0, 0, 255))
    clear.paste((0, 0, 0, 0), (10, 0, 20, 10))
    palette = clear.quantize(8)
    clear.save(tmp_path / "clear.gif")
    clear.save(tmp_path / "clear.webp", lossless=True)
    palette.save(tmp_path / "palette.png")
    clear.putpixel((0, 0), (0, 0, 0, 128))
    clear.save(tmp_path / "clear.png")
    clear.save(tmp_path / "clear.tif")
    for path in sorted(tmp_path.iterdir()):
        picture = _opened(path)
        assert picture.mode == "RGB"
        assert picture.getpixel((15, 5)) == WHITE, path
        assert picture.getpixel((5, 5)) == (255, 0, 0), path
    assert _opened(tmp_path / "clear.png").getpixel((0, 0)) == (127, 127, 127)
    held = mximages([clear, palette, clear.convert("LA"), clear.convert("RGBa").crop((5, 0, 20, 10))])
    assert {held.open(index).getpixel((14, 5)) for index in range(len(held))} == {WHITE}


def test_a_named_transparent_colour_lies_over_white(tmp_path: Path) -> None:
    colour = PIL.Image.new("RGB", (8, 8), (10, 20, 30))
    colour.paste((200, 0, 0), (0, 0, 4, 8))
    colour.save(tmp_path / "rgb.png", transparency=(10, 20, 30))
    assert _opened(tmp_path / "rgb.png").getpixel((6, 4)) == WHITE
    assert _opened(tmp_path / "rgb.png").getpixel((1, 4)) == (200, 0, 0)
    grey = PIL.Image.new("L", (8, 8), 10)
    grey.paste(90, (0, 0, 4, 8))
    grey.save(tmp_path / "grey.png", transparency=10)
    picture = _opened(tmp_path / "grey.png")
    assert (picture.mode, picture.getpixel((6, 4)), picture.getpixel((1, 4))) == ("L", 255, 90)
    PIL.Image.merge("LA", (grey, PIL.Image.new("L", (8, 8), 0))).save(tmp_path / "la.png")
    assert _opened(tmp_path / "la.png").getpixel((1, 4)) == 255


def test_grey_of_any_depth_is_grey(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    for name, values in {
        "8.png": ramp.astype(np.uint8),
        "16.png": ramp * 257,
        "16.tif": ramp * 257,
        "float.tif": (ramp / 255).astype(np.float32),
        "32.tif": ramp.astype(np.int32),
    }.items():
        PIL.Image.fromarray(values).save(tmp_path / name)
    PIL.Image.fromarray(ramp.astype(np.uint8)).convert("P").save(tmp_path / "palette.png")
    for file in tmp_path.iterdir():
        picture = _opened(file)
        assert (picture.mode, np.abs(np.asarray(picture, dtype=int) - ramp).max()) == ("L", 0), file.name
    PIL.Image.fromarray(ramp.astype(np.uint8) > 127).save(tmp_path / "1.png")
    assert set(np.unique(np.asarray(_opened(tmp_path / "1.png")))) == {0, 255}


def test_cmyk_has_its_colours(tmp_path: Path, chelsea: PIL.Image.Image) -> None:
    for name in ("cmyk.jpg", "cmyk.tif"):
        chelsea.convert("CMYK").save(tmp_path / name)
        picture = _opened(tmp_path / name)
        assert picture.mode == "RGB"
        assert _far(picture, chelsea) < 6, name


def test_of_several_frames_the_first_counts(tmp_path: Path, chelsea: PIL.Image.Image) -> None:
    for name in ("many.gif", "many.tif", "many.webp"):
        chelsea.save(tmp_path / name, save_all=True, append_images=[PIL.Image.new("RGB", chelsea.size)] * 3)
        assert _far(_opened(tmp_path / name), chelsea) < 12, name


def test_mixed_grey_and_colour_open_as_colour(photos: Path) -> None:
    images = mximages(photos)
    assert not images.grey
    assert {images.open(index).mode for index in range(len(images))} == {"RGB"}
    assert images.take([2]).open(0).mode == "RGB"


def test_every_bad_file_is_named_at_once(photos: Path) -> None:
    whole = {path.suffix: path.read_bytes() for path in photos.rglob("*.*")}
    cats = photos / "cats"
    (cats / "empty.jpg").touch()
    (cats / "cut.jpg").write_bytes(whole[".jpg"][:-2000])
    (cats / "cut.png").write_bytes(whole[".png"][:12_000])
    (cats / "text.jpg").write_text("This is no image.")
    (cats / "page.png").write_text("<!DOCTYPE html><html>404</html>")
    (cats / "notes.txt").write_text("buy cat food")
    (cats / "camera.cr2").write_bytes(b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 60)
    (cats / "camera.cr3").write_bytes(b"\0\0\0\x18ftypcrx " + b"\0" * 60)
    PIL.Image.new("RGB", (16, 12), "red").save(cats / "preview.nef", "TIFF", tiffinfo={254: 1})
    (cats / "gone.png").symlink_to(photos / "nowhere.png")
    (cats / "header.bmp").write_bytes(b"BM" + struct.pack("<IHHIIiiHH", 999_999, 0, 0, 54, 40, 9, 9, 1, 24))
    with PIL.Image.open(cats / "chelsea.png") as cat:
        cat.save(cats / "cut.webp")
        cat.save(cats / "cut.gif")
        cat.save(cats / "cut.tif")
    sizes = {}
    for suffix in ("webp", "gif", "tif"):
        data = (cats / f"cut.{suffix}").read_bytes()
        sizes[suffix] = len(data)
        (cats / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError) as caught:
        mximages(photos)
    reasons = dict(caught.value.files)
    assert set(reasons) == {
        f"cats/{name}"
        for name in [
            "empty.jpg",
            "cut.jpg",
            "cut.png",
            "text.jpg",
            "page.png",
            "camera.cr2",
            "camera.cr3",
            "preview.nef",
            "gone.png",
            "header.bmp",
            "cut.webp",
            "cut.gif",
            "cut.tif",
        ]
    }
    assert str(caught.value).startswith("Can't read 13 of 17 images.\n")
    assert str(caught.value).endswith('\ni Use on_bad = "skip" in mximages() to go on without them.')
    assert reasons["cats/empty.jpg"] == "the file is empty"
    assert reasons["cats/text.jpg"] == "not an image"
    assert reasons["cats/page.png"] == "not an image: it contains a web page"
    for name in ("cats/camera.cr2", "cats/camera.cr3"):
        assert reasons[name].startswith("a raw camera image, which can't be read here")
    assert reasons["cats/preview.nef"].startswith("only the preview of a larger image, as in a raw file")
    assert reasons["cats/gone.png"] == "a link to a file that no longer exists"
    assert reasons["cats/cut.png"] == "the file ends after 12 kB, before the image does"
    assert reasons["cats/cut.jpg"].startswith("the file ends after ")
    assert reasons["cats/cut.gif"].startswith("the file ends after ")
    assert reasons["cats/header.bmp"].startswith("the file ends after 30 bytes of 1.0 MB")
    assert f" of {sizes['webp'] / 1000:.0f} kB" in reasons["cats/cut.webp"]


def test_bad_files_can_be_skipped(photos: Path) -> None:
    (photos / "cats" / "IMG 7.jpg").write_bytes((photos / "cats" / "cat 2.jpg").read_bytes()[:9000])
    with pytest.warns(PictureWarning, match=r"Left out 1 of 5 images.\nx cats/IMG 7.jpg: the file ends after 9.0 kB"):
        images = mximages(photos, on_bad="skip")
    assert len(images) == 4
    assert images.bad == (("cats/IMG 7.jpg", "the file ends after 9.0 kB, before the image does"),)
    assert "cats/IMG 7.jpg" in repr(images)


def test_a_warning_points_at_the_users_line(photos: Path) -> None:
    (photos / "cats" / "a.png").touch()
    with pytest.warns(PictureWarning) as caught:
        mximages(photos, on_bad="skip")
    assert Path(caught[0].filename) == Path(__file__)


def test_nothing_readable_is_an_error_even_when_skipping(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(PictureError, match="Can't read 1 of 1 image"):
        mximages(tmp_path, on_bad="skip")


def _bomb(path: Path, width: int, height: int) -> None:
    """A PNG of a few kB that claims, and holds, a huge black image."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" * 200_000)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def test_a_decompression_bomb_is_a_named_bad_file(photos: Path) -> None:
    _bomb(photos / "cats" / "bomb.png", 60_000, 60_000)
    canvas = (50_000 - 1).to_bytes(3, "little") * 2
    (photos / "cats" / "bomb.webp").write_bytes(b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + canvas)
    (photos / "cats" / "bomb.gif").write_bytes(b"GIF89a" + struct.pack("<HHBBB", 65_000, 65_000, 0, 0, 0) + b";")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PictureError) as caught:
            mximages(photos)
    assert [name for name, _ in caught.value.files] == ["cats/bomb.gif", "cats/bomb.png", "cats/bomb.webp"]
    assert dict(caught.value.files)["cats/bomb.png"] == (
        "too large: it claims 60000 x 60000 pixels; 110 million is the limit"
    )


def test_pillows_global_settings_are_neither_used_nor_changed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    mximages(photos)
    assert before == (PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(mximages(photos)) == 4


def test_a_misleading_ending_is_named_but_read(photos: Path) -> None:
    (photos / "men" / "camera.png").rename(photos / "men" / "camera.jpg")
    (photos / "men" / "astronaut.png").rename(photos / "men" / "astronaut")
    with pytest.warns(PictureWarning, match="2 files have a misleading extension") as caught:
        images = mximages(photos)
    assert len(images) == 4
    assert len(caught) == 1
    assert "men/camera.jpg: is a PNG file, but has a JPEG extension" in images.problems
    assert "men/astronaut: is a PNG file, but has no image extension" in images.problems


def test_copies_are_named(photos: Path) -> None:
    shutil.copy(photos / "men" / "camera.png", photos / "men" / "copy.png")
    shutil.copy(photos / "men" / "astronaut.png", photos / "cats" / "wrong.png")
    with pytest.warns(MxtuneWarning) as caught:
        images = mximages(photos)
    assert [type(warning.message) for warning in caught] == [PictureWarning, LabelWarning]
    assert images.problems == [
        "exact copies: men/camera.png = men/copy.png",
        "copies with different labels: cats/wrong.png (cats) = men/astronaut.png (men)",
    ]


def test_pictures_in_training_and_validation_are_named(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "valid")
    (tmp_path / "valid" / "men" / "camera.png").unlink()
    (tmp_path / "valid" / "men" / "astronaut.png").rename(tmp_path / "valid" / "men" / "space.png")
    with pytest.warns(LabelWarning, match="1 class has a single image"):
        valid = mximages(tmp_path / "valid")
    with pytest.warns(PictureWarning, match="3 images are in training and in validation"):
        images = mximages(photos, validation=valid)
    assert "in training and validation: men/astronaut.png = men/space.png" in images.problems
    assert ("cats/chelsea.png", "cats/chelsea.png") in images.shared(valid)


def test_keep_reads_nothing_before_it_is_asked(photos: Path) -> None:
    (photos / "cats" / "bad.jpg").write_text("no image")
    images = mximages(photos, on_bad="keep")
    assert len(images) == 5
    views, bad = decode_or_none(images, None, np.asarray)
    assert bad == [("cats/bad.jpg", "not an image")]
    assert [view is None for view in views] == [name == "cats/bad.jpg" for name in images.names]
    with pytest.raises(PictureError, match=r"cats/bad\.jpg: not an image"):
        decode(images, None, np.asarray)
    with pytest.raises(PictureError, match=r"cats/bad\.jpg: not an image"):
        images.open(images.names.index("cats/bad.jpg"))


def test_a_picture_that_vanished_is_named_when_it_is_needed(photos: Path) -> None:
    images = mximages(photos, on_bad="keep")
    (photos / "cats" / "chelsea.png").unlink()
    with pytest.raises(PictureError, match=r"chelsea\.png: there is no such file"):
        decode(images, [1, 0], np.asarray)


def test_decoding_keeps_the_order_and_ignores_the_number_of_threads(photos: Path) -> None:
    images = mximages(photos)
    order = [3, 0, 2, 2, 1]
    one = decode(images, order, np.asarray, threads=1)
    many = decode(images, order, np.asarray, threads=4, at_least=64)
    assert all(np.array_equal(a, b) for a, b in zip(one, many))
    assert [view.shape[:2] for view in one] == [tuple(images.sizes[index]) for index in order]


def test_printing_shows_counts_sizes_and_problems(photos: Path) -> None:
    shutil.copy(photos / "men" / "camera.png", photos / "men" / "copy <b>.png")
    with pytest.warns(PictureWarning):
        images = mximages(photos)
    assert repr(images) == (
        "ImageSet: 5 images of 2 classes, 300 x 451 to 512 x 512\n"
        "  cats  2\n"
        "  men   3\n"
        "! exact copies: men/camera.png = men/copy <b>.png"
    )
    html = images._repr_html_()
    assert "copy &lt;b&gt;.png" in html
    assert "<b>" not in html
    assert "data:image/png;base64," in html


def test_the_contact_sheet_shows_each_class_with_any_name(photos: Path) -> None:
    (photos / "men").rename(photos / ("Männer, Ελλάς, мужчины " * 2))
    images = mximages(photos)
    sheet = images.sheet()
    assert sheet.mode == "RGB"
    assert images.sheet(1).width < sheet.width
    assert len(np.unique(np.asarray(sheet))) > 100


def test_long_names_have_two_lines_under_the_contact_sheet(photos: Path) -> None:
    plain, tall = mximages(photos).sheet(), mximages(photos, recursive=True)
    long = [f"species number {row} of the northern forests" for row in range(len(tall))]
    assert mximages(tall, long).sheet().height == plain.height + 14 * (plain.height // 150)
    first, second = _lines("species number 12 of the northern forests")
    assert first == "species number 12" and second.startswith("of the ") and second.endswith("...")
    assert _lines("bag") == ["bag"]
    assert "".join(_lines("x" * 30)) in ("x" * 30, *(f"{'x' * n}..." for n in range(20, 30)))
    without = mximages(tall, [[], ["a"], ["a", "b"], []][: len(tall)])
    assert without.sheet().height == plain.height
