"""What names a repository of the hub: ``"hf:timm/resnet18.a1_in1k"``, with ``"@revision"`` where one is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..calls import value_text
from ..errors import HubError

PREFIX = "hf:"
MAIN = "main"
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[.-](?![.-]))*"  # as the hub has names: no "..", no "--"
_FORM = re.compile(rf"hf:(?P<repository>{_PART}/{_PART})(?:@(?P<revision>[\w](?:[\w-]|[./](?![./]))*))?", re.ASCII)
_MOST = 200  # characters


@dataclass(frozen=True)
class Reference:
    """A repository of the hub at a revision.

    Parameters
    ----------
    repository
        Owner and name: ``"timm/resnet18.a1_in1k"``.
    revision
        A branch, a tag or a commit.

    Examples
    --------
    >>> Reference.of("hf:timm/resnet18.a1_in1k@v1")
    Reference(repository='timm/resnet18.a1_in1k', revision='v1')
    """

    repository: str
    revision: str = MAIN

    @classmethod
    def of(cls, text: str) -> Reference:
        """The reference that a text writes.

        Raises
        ------
        HubError
            It is not of the form ``"hf:owner/name@revision"``.
        """
        match = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= _MOST else None
        if match is None or match["repository"].endswith((".", "-", ".git")):
            bullet = f"it is {value_text(text)[:_MOST]}"
            hint = 'Write "hf:owner/name", such as "hf:timm/resnet18.a1_in1k", with "@revision" behind it if need be.'
            raise HubError("A repository of the Hugging Face hub has an owner and a name.", [bullet], hint)
        return cls(match["repository"], match["revision"] or MAIN)

    def __str__(self) -> str:
        end = "" if self.revision == MAIN else f"@{self.revision}"
        return f"{PREFIX}{self.repository}{end}"


def is_reference(value: Any) -> bool:
    """Whether a name stands for a repository of the hub.

    Examples
    --------
    >>> is_reference("hf:timm/resnet18.a1_in1k"), is_reference("timm/resnet18.a1_in1k")
    (True, False)
    """
    return isinstance(value, str) and value.startswith(PREFIX)
