"""Models for `vetiver` (extra ``vetiver``), which pins, serves and watches models of every kind alike.

Once this is imported, vetiver takes models of this package:

    import mxtune.vetiver
    from vetiver import VetiverAPI, VetiverModel, vetiver_pin_write

    clothes = VetiverModel(model, "clothes")
    vetiver_pin_write(board, clothes)
    VetiverAPI(clothes).run()

A request has a row for each image, ``[{"image": mxtune.vetiver.encoded("photo.jpg")}]``: its bytes as base64. No path
of the server's is opened.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Any, Union

import pandas as pd
from vetiver.handlers.base import BaseHandler

from .arguments import user_path
from .errors import ArgumentError, PictureError
from .model.model import Model
from .pins import about, plain

IMAGE = "image"
_START = re.compile(r"^\s*data:[^,]*;base64,")


def encoded(file: Union[str, os.PathLike[str]]) -> str:
    """The file of an image, as a request has it.

    Raises
    ------
    PictureError
        It can't be read.
    """
    path = user_path("file", file)
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise PictureError(f"Can't read {path}.", [error.strerror or str(error)]) from error


class MxtuneHandler(BaseHandler):  # type: ignore[misc]
    """How `vetiver` describes and asks a `Model`."""

    model_class = staticmethod(lambda: Model)
    pip_name = "mxtune"

    def __init__(self, model: Model, prototype_data: Any = None) -> None:
        super().__init__(model, pd.DataFrame({IMAGE: ["base64"]}) if prototype_data is None else prototype_data)

    def describe(self) -> str:
        """The model in one sentence."""
        return f"An mxtune {repr(self.model)[1:-1]}"

    def create_meta(self, metadata: Any) -> Any:
        """What the user says, and what the model knows of itself."""
        meta = super().create_meta(metadata)
        meta.user = {
            **{key: plain(value, key) for key, value in (meta.user or {}).items()},
            "mxtune": about(self.model),
        }
        return meta

    def handler_predict(self, input_data: Any, check_prototype: bool) -> dict[str, list[Any]]:  # noqa: ARG002
        """Columns of what the model predicts, with probabilities where it has any; None for what can't be read."""
        rows = input_data if isinstance(input_data, pd.DataFrame) else pd.DataFrame(input_data)
        if rows.empty and not len(rows.columns):  # [] has neither rows nor columns
            return {}
        if IMAGE not in rows.columns:
            text = "A request has a row for each image, with its bytes as base64."
            raise ArgumentError(text, [f"the columns are {', '.join(map(str, rows.columns))}"], f"Call it {IMAGE}.")
        images = [_decoded(value) for value in rows[IMAGE].tolist()]
        kind = "class" if self.model.task == "regression" else "prob"
        frame = self.model.predict(images, type=kind).drop(columns="file").astype(object)
        return frame.where(frame.notna(), None).to_dict("list")  # type: ignore[no-any-return]


def _decoded(text: Any) -> bytes:
    """The bytes of an image; none where that is no base64, which is no image either.

    Lines may be broken, as `base64` in a shell does, and browsers put ``data:image/png;base64,`` before it.
    """
    try:
        return base64.b64decode("".join(_START.sub("", text).split()), validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""
