"""`Reported`: all that a report asks a model."""

from __future__ import annotations

from .drawing import Drawing
from .explaining import Explaining
from .questioning import Questioning


class Reported(Drawing, Explaining, Questioning):
    """What judges, draws, explains and questions a model, in one."""
