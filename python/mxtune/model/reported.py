"""`Reported`: all that a report asks a model."""

from __future__ import annotations

from .drawing import Drawing
from .questioning import Questioning


class Reported(Drawing, Questioning):
    """What judges, draws and questions a model, in one."""
