"""`Refused`: a request that gets another answer than predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the service
    """The status of the answer, its text, each thing by name, and headers."""

    def __init__(
        self,
        status: int,
        message: str,
        details: Sequence[str] = (),
        headers: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.details, self.headers = tuple(details), dict(headers or {})

    def body(self) -> dict[str, Any]:
        """As JSON has it; what was sent may hold what no text in UTF-8 does (``"\\ud800"``)."""
        details = [detail.encode("utf-8", "replace").decode() for detail in self.details]
        return {"error": self.message, "details": details}
