"""What a file is, from its name and its first bytes: an image's format, or why it is not an image."""

from __future__ import annotations

from pathlib import PurePath
from typing import Optional

from ..words import a

SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WebP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PNM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif", ".avifs"),
    "HEIC": (".heic", ".heif", ".hif"),
    "JPEG 2000": (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"),
    "DICOM": (".dcm", ".dicom"),
}
_FORMAT_OF = {suffix: name for name, suffixes in SUFFIXES.items() for suffix in suffixes}

# What cameras and editors write, which is never read here: such a file in a folder of images was meant as one.
_UNREAD = {
    *(".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".dng", ".raw"),
    *(".svg", ".psd", ".jxl", ".eps", ".exr", ".hdr", ".tga", ".ico", ".xcf"),
}
_RAW = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW")  # beside .cr2, .cr3 and those that look like TIFF
_SYSTEM = {
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "lost+found",
}
_ISO_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
}


def sniff(data: bytes) -> tuple[Optional[str], str]:  # noqa: PLR0911 - one way out for each format
    """The format that the first bytes of a file (132 are enough) show, or ``None`` and the reason in words."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG", ""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG", ""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP", ""
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF", ""
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and not _is_raw(data):
        return "TIFF", ""
    if data[:2] == b"BM" and len(data) > 14 and data[15:18] == b"\0\0\0":
        return "BMP", ""
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in (b"\n", b"\r", b" ", b"\t"):
        return "PNM", ""
    if data[4:8] == b"ftyp" and data[8:12] in _ISO_BRANDS:
        return _ISO_BRANDS[data[8:12]], ""
    if data[:12] == b"\0\0\0\x0cjP  \r\n\x87\n" or data[:4] == b"\xff\x4f\xff\x51":
        return "JPEG 2000", ""
    if data[128:132] == b"DICM":
        return "DICOM", ""
    return None, _why_not_picture(data)


def ignored(name: str) -> bool:
    """Whether a file or folder belongs to the system or is hidden."""
    return name.startswith(".") or name.lower() in _SYSTEM


def misnamed(name: str, kind: str) -> Optional[str]:
    """A sentence where the name's extension belongs to another format than the file's; ``None`` otherwise."""
    suffix = PurePath(name).suffix.lower()
    if suffix in SUFFIXES[kind]:
        return None
    named = _FORMAT_OF.get(suffix)
    return f"is {a(kind)} file, but has {f'{a(named)} extension' if named else 'no image extension'}"


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height (pixels) in the header of a WebP file; (1, 1) where it is cut short."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 1, 1
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return max(1, int.from_bytes(body[6:8], "little") & 0x3FFF), max(1, int.from_bytes(body[8:10], "little") & 0x3FFF)


def _why_not_picture(data: bytes) -> str:  # noqa: PLR0911 - one way out for each format
    if _is_raw(data):
        return "a raw camera image, which can't be read here: save it as JPEG or PNG"
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "not an image: it contains a web page"
    if start.startswith(b"<svg") or b"<svg" in start:
        return "an SVG drawing, which can't be read here: save it as PNG"
    if start.startswith(b"%pdf"):
        return "not an image: it contains a PDF"
    if data[:4] == b"PAR1":
        return "not an image: it contains a table (Parquet)"
    if data.startswith(b"\x93NUMPY"):
        return "not an image: it contains a NumPy array (give the array, not its file)"
    if data.startswith(b"PK\3\4"):
        return "not an image: it contains a zip archive (one is read where its name ends in .zip)"
    if start.startswith(b"version https://git-lfs"):
        return "not an image: it only points to one (run git lfs pull)"
    return "not an image"


def _is_raw(data: bytes) -> bool:
    return data.startswith(_RAW) or data[8:10] == b"CR" or data[4:12] == b"ftypcrx "


def is_picture_name(name: str) -> bool:
    """Whether a file's name has the extension of an image."""
    return PurePath(name).suffix.lower() in _FORMAT_OF


def is_unread_name(name: str) -> bool:
    """Whether a file's name has the extension of an image format that is not supported."""
    return PurePath(name).suffix.lower() in _UNREAD


def holds_picture(start: bytes) -> bool:
    """Whether the first bytes of a file (132 are enough) are an image's, even of an unsupported format."""
    return sniff(start)[0] is not None or _is_raw(start)
