"""What came: the images in the body of a request, as bytes with names."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
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
    """One image as it came."""

    name: str
    content: bytes


async def uploads(request: Request, settings: Settings) -> list[Upload]:
    """The images of a request, in its order.

    Raises
    ------
    Refused
        400: the body is not what its type says; 408: it came too slowly; 413: it is too large; 415: it is of no type
        that holds images; 422: there are none, or too many.
    """
    try:
        body = await asyncio.wait_for(_body(request, settings.max_bytes), settings.timeout)
    except asyncio.TimeoutError:
        raise Refused(408, f"The request took more than {settings.timeout:g} seconds to arrive.") from None
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


async def _of_form(request: Request, body: bytes, settings: Settings) -> list[Upload]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    most = settings.max_images + 1  # one more, so that too many have the same answer in each form
    parser = MultiPartParser(request.headers, stream(), max_files=most, max_fields=most)
    parser.spool_max_size = settings.max_bytes + 1  # nothing is written to the disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused(400, "The form can't be read.", [error.message]) from error
    except Exception as error:  # a hostile form can raise anything
        raise Refused(400, "The form can't be read.", [type(error).__name__]) from error
    if body and not body.rstrip().endswith(b"--"):  # the last part would be left out
        raise Refused(400, "The form can't be read.", ["it ends before its last boundary"])
    files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    others = [f"{name[:100]}: {_NO_FILE}" for name, one in form.multi_items() if not isinstance(one, UploadFile)]
    if others:
        raise Refused(422, "All parts of a form are images.", others)
    return [Upload(_name(one.filename, place), await one.read()) for place, one in enumerate(files, 1)]


async def _of_json(body: bytes, settings: Settings) -> list[Upload]:
    wanted = 'The body has the form {"images": [{"name": "a.png", "data": "base64"}]}.'
    try:
        document = json.loads(body)
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
        if "url" in image:
            content = await asyncio.get_running_loop().run_in_executor(None, _fetched, value, settings)
            name = name or urllib.parse.urlsplit(value).path.rpartition("/")[2]
        else:
            try:
                content = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError) as error:
                raise Refused(422, wanted, [f"image {place} is no base64"]) from error
        found.append(Upload(_name(name, place), content))
    return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An allowed host does not say which others are."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _fetched(url: str, settings: Settings) -> bytes:
    """The content of an address, of a host that was allowed by name; never of a file."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, scheme = parts.netloc.lower(), parts.scheme
    except ValueError:
        host = scheme = ""
    if scheme not in ("http", "https") or not host or host not in settings.url_hosts:
        raise Refused(422, "Images are fetched from hosts alone that the service was started with.", [url[:200]])
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _NoRedirect(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=min(10.0, settings.timeout)) as answer:
            content: bytes = answer.read(settings.max_bytes + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise Refused(422, "An image can't be fetched.", [f"{url[:200]}: {error}"]) from error
    if len(content) > settings.max_bytes:
        raise Refused(422, "An image can't be fetched.", [f"{url[:200]}: more than {file_size(settings.max_bytes)}"])
    return content


def _check_count(count: int, settings: Settings) -> None:
    if count > settings.max_images:
        raise Refused(422, f"A request may have {counted(settings.max_images, 'image')}.", [f"it has {count}"])


def _name(given: Optional[str], place: int) -> str:
    """A name to call it by: never a path, and nothing that is read."""
    name = (given or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME]
    return name or f"image {place}"
