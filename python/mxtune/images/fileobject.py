"""File objects, such as uploads: one image each, whatever iterating over them would yield."""

from __future__ import annotations

import inspect
import io
from typing import Any, Optional

from ..calls import kind_text
from ..errors import ArgumentError, PictureError
from ..words import file_size
from .picture import MAX_BYTES


def is_file_object(value: object) -> bool:
    """Whether it can be read: an open file, ``BytesIO``, an upload of a web framework."""
    return callable(getattr(value, "read", None)) and not hasattr(value, "shape") and not isinstance(value, type)


def content_of(value: Any) -> bytes:
    """All bytes of a file object, from its beginning where it can seek; its position is restored.

    Raises
    ------
    ArgumentError
        It is closed, or gives text.
    PictureError
        It can't be read, or is too large.
    """
    if inspect.iscoroutinefunction(value.read):  # an upload of Starlette or FastAPI holds the real one
        value = getattr(value, "file", value)
        if inspect.iscoroutinefunction(value.read):
            raise ArgumentError(
                "An asynchronous file can't be read here.", hint="Pass the result of `await file.read()`."
            )
    value = getattr(value, "buffer", value)  # of a file that is open as text
    try:
        position = value.tell() if value.seekable() else None
    except (AttributeError, OSError):
        position = None
    except ValueError as error:
        raise ArgumentError(f"The {type(value).__name__} can't be read: it is closed.") from error
    try:
        if position:
            value.seek(0)
        content = _read(value)
        if position is not None:
            value.seek(position)
    except UnicodeDecodeError as error:
        raise _open_as_text() from error
    except Exception as error:  # of a user's own class anything
        reason = "it is not open for reading" if isinstance(error, io.UnsupportedOperation) else str(error) or "?"
        raise PictureError(f"The {type(value).__name__} can't be read: {reason}.") from error
    if isinstance(content, str):
        raise _open_as_text()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise PictureError(f"The {type(value).__name__} can't be read: it gives {kind_text(content)}, not bytes.")
    if len(content) > MAX_BYTES:
        raise PictureError(f"The {type(value).__name__} holds more than {file_size(MAX_BYTES)}.")
    return bytes(content)


def _read(value: Any) -> Any:
    try:
        return value.read(MAX_BYTES + 1)
    except TypeError:  # it takes no size
        return value.read()


def name_of(value: object) -> Optional[str]:
    """The name of the file, where the object knows it."""
    for attribute in ("filename", "name"):
        name = getattr(value, attribute, None)
        if isinstance(name, str) and name:
            return name
    return None


def _open_as_text() -> ArgumentError:
    return ArgumentError("The file is open as text.", hint='Open it as bytes: open(path, "rb").')
