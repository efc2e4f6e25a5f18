"""What came: the images in the body of a request, as bytes with names."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import string
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator
from http.client import HTTPException
from typing import Any, NamedTuple, Optional

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ..words import counted, file_size
from .refused import Refused
from .settings import Settings

_LONGEST_NAME = 255
_ELSEWHERE = "parameters are in the address, as in /predict?type=prob"
_NO_FILE = f"it has no file name; {_ELSEWHERE}"


class Upload(NamedTuple):
    """One image as it came, or why it did not come: it was to be fetched, and can't be."""

    name: str
    content: bytes
    lacks: str = ""


async def uploads(request: Request, settings: Settings) -> list[Upload]:
    """The images of a request, in its order.

    Raises
    ------
    Refused
        400: the body is not what its type says; 408: it, or what it names, came too slowly; 413: it is too large; 415:
        it is of no type that holds images, or compressed; 422: there are none, or too many.
    """
    try:
        return await asyncio.wait_for(_arrived(request, settings), settings.timeout)
    except asyncio.TimeoutError:
        raise Refused(408, f"The request took more than {settings.timeout:g} seconds to arrive.") from None


async def _arrived(request: Request, settings: Settings) -> list[Upload]:
    body = await _body(request, settings.max_bytes)
    if (coding := request.headers.get("content-encoding", "identity")).lower() != "identity":
        raise Refused(415, "A request is not compressed: leave out its Content-Encoding.", [f"it is {coding[:100]}"])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found = await _of_form(request, body, settings)
    elif kind == "application/json":
        found = await _of_json(body, settings)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        found = [Upload("image", body)]
    else:
        known = "multipart/form-data, image/*, application/octet-stream or application/json"
        raise Refused(415, f"A request has the Content-Type {known}.", [f"it is {kind or 'missing'}"])
    if not found:
        raise Refused(422, "There are no images in the request.")
    _check_count(len(found), settings)
    return found


async def _body(request: Request, most: int) -> bytes:
    declared = request.headers.get("content-length", "")
    parts, size = [], int(declared) if declared.isascii() and declared.isdecimal() else 0
    if size <= most:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                break
            parts.append(part)
    if size > most:  # what has not been read would be taken for the next request
        raise Refused(413, f"A request may have {file_size(most)}.", headers={"Connection": "close"})
    return b"".join(parts)


class _Form(MultiPartParser):  # type: ignore[misc] # its types are not looked at
    """Knows whether the last boundary has come: without it the last part would be left out."""

    ended = False

    def on_end(self) -> None:
        self.ended = True


async def _of_form(request: Request, body: bytes, settings: Settings) -> list[Upload]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    most = settings.max_images
    parser = _Form(request.headers, stream(), max_files=most, max_fields=most)
    parser.spool_max_size = settings.max_bytes + 1  # nothing is written to the disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(settings, "more") from error
        raise Refused(400, "The form can't be read.", [error.message]) from error
    except Exception as error:  # a hostile form can raise anything
        raise Refused(400, "The form can't be read.", [type(error).__name__]) from error
    if body and not parser.ended:
        raise Refused(400, "The form can't be read.", ["it ends before its last boundary"])
    files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    others = [f"{name[:100]}: {_NO_FILE}" for name, one in form.multi_items() if not isinstance(one, UploadFile)]
    if others:
        raise Refused(422, "All parts of a form are images.", others)
    return [Upload(_name(one.filename, place), await one.read()) for place, one in enumerate(files, 1)]


async def _of_json(body: bytes, settings: Settings) -> list[Upload]:
    wanted = 'The body has the form {"images": [{"name": "a.png", "data": "base64"}]}.'
    try:
        document = json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is no JSON.", [str(error)[:200]]) from error
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, list):
        raise Refused(422, wanted)
    if others := sorted({*document} - {"images"}):
        raise Refused(422, wanted, [f"{name[:100]}: {_ELSEWHERE}" for name in others])
    _check_count(len(images), settings)
    found = []
    for place, image in enumerate(images, 1):
        if not isinstance(image, dict) or ("data" in image) == ("url" in image):
            raise Refused(422, wanted, [f'image {place} needs "data" or "url"'])
        if others := sorted({*image} - {"name", "data", "url"}):
            raise Refused(422, wanted, [f"image {place} has {name[:100]}, which means nothing" for name in others])
        name, value = image.get("name"), image["data"] if "data" in image else image["url"]
        if not isinstance(value, str) or not isinstance(name, (str, type(None))):
            raise Refused(422, wanted, [f"image {place} has a value that is no text"])
        content, lacks = b"", ""
        if "url" in image:
            _check_address(value, settings)
            name = name or urllib.parse.urlsplit(value).path.rpartition("/")[2]
            try:
                content = await asyncio.get_running_loop().run_in_executor(None, _fetched, value, settings)
            except (OSError, ValueError, HTTPException) as error:
                lacks = f"it can't be fetched from {value[:200]}: {error}"
        else:
            try:
                content = base64.b64decode("".join(value.split()), validate=True)  # the command wraps its lines
            except (binascii.Error, ValueError) as error:
                before = " but for what stands before its comma" if value.startswith("data:") else ""
                raise Refused(422, wanted, [f"image {place} is no base64{before}"]) from error
        found.append(Upload(_name(name, place), content, lacks))
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which no value takes the place of another one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An allowed host does not say which others are."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _check_address(url: str, settings: Settings) -> None:
    """Require that a host was allowed by name; a file never is."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, scheme = parts.netloc.lower(), parts.scheme
    except ValueError:
        host = scheme = ""
    if scheme not in ("http", "https") or not host or host not in settings.url_hosts:
        raise Refused(422, "Images are fetched from hosts alone that the service was started with.", [url[:200]])


def _fetched(url: str, settings: Settings) -> bytes:
    """The content of an address. A host that sends a little now and then takes no longer than others.

    Raises
    ------
    OSError, ValueError, HTTPException
        It can't be fetched, or is too large.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _NoRedirect(),
    ):
        opener.add_handler(handler)
    seconds = min(10.0, settings.timeout)
    end = time.monotonic() + seconds
    content = bytearray()
    whole = urllib.parse.quote(url, safe=string.punctuation)  # letters as people write them
    with opener.open(whole, timeout=seconds) as answer:
        while part := answer.read1(1 << 16):
            content += part
            if len(content) > settings.max_bytes:
                raise ValueError(f"it has more than {file_size(settings.max_bytes)}")
            if time.monotonic() > end:
                raise TimeoutError(f"it takes more than {seconds:g} seconds")
    return bytes(content)


def _check_count(count: int, settings: Settings) -> None:
    if count > settings.max_images:
        raise _too_many(settings, count)


def _too_many(settings: Settings, count: object) -> Refused:
    return Refused(422, f"A request may have {counted(settings.max_images, 'image')}.", [f"it has {count}"])


def _name(given: Optional[str], place: int) -> str:
    """A name to call it by: never a path, and nothing that is read."""
    name = (given or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME]
    return name or f"image {place}"
