"""R's signatures, written from Python's: a default stands once, in Python, and shows in R's ``args()`` and completion.

``make man`` writes them into ``R/``; tests of both languages compare them.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import late

_FRAME = ("data = NULL", "dim = NULL", "byrow = FALSE")  # formulas, and rows of flattened pictures, are R's alone


@dataclass(frozen=True)
class Verb:
    """A function of R and the one of Python that does its work.

    Parameters
    ----------
    file
        Where R's is: ``R/<file>.R``.
    python
        Python's: a function, or a method with its class.
    first
        R's names for Python's first arguments, ``self`` among them.
    last
        What R's alone has, with defaults.
    defaults
        R's own, where it must differ from Python's.
    """

    file: str
    python: str
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """R's, each with its default."""
        name, *parts = self.python.split(".")
        function = late.load(name)
        for part in parts:
            function = getattr(function, part)
        declared = list(inspect.signature(function).parameters.values())[len(self.first) :]
        named = [parameter for parameter in declared if parameter.kind is not parameter.VAR_KEYWORD]
        return [*self.first, *map(self._argument, named), *self.last]

    def _argument(self, parameter: inspect.Parameter) -> str:
        if parameter.default is parameter.empty:
            return parameter.name
        return f"{parameter.name} = {self.defaults.get(parameter.name, r_code(parameter.default))}"


VERBS = {
    # set.seed() governs what R draws, so that R's seed is drawn where none is given
    "mxtrain": Verb("training", "mxtrain", last=('layout = "NHWC"', *_FRAME), defaults={"seed": "NULL"}),
    "mximages": Verb("images", "mximages", last=_FRAME),
    "plot.mximages": Verb("images", "ImageSet.sheet", ("x",), ("...",)),
    "predict.mxmodel": Verb("model", "Model.predict", ("object", "newdata"), ("...", 'layout = "NHWC"')),
    "mxsave": Verb("model", "Model.save", ("model",)),
    "mxload": Verb("model", "mxload"),
    "mxevaluate": Verb("metrics", "Model.evaluate", ("model",)),
    "mxconfusion": Verb("metrics", "Model.confusion", ("model",)),
    "mxtop_losses": Verb("metrics", "Model.top_losses", ("model",)),
    "mxnetwork": Verb("network", "mxnetwork", ("x",)),
    "mxcut": Verb("network", "Network.cut", ("net",)),
    "mxreplace_head": Verb("network", "Network.replace_head", ("net",)),
    "mxfreeze": Verb("network", "Network.freeze", ("net",)),
    "mxunfreeze": Verb("network", "Network.unfreeze", ("net",)),
    "mxinsert": Verb("network", "Network.insert", ("net",), ("...",)),
    "mxremove": Verb("network", "Network.remove", ("net",)),
    "mxrename": Verb("network", "Network.rename", ("net",)),
    "mxexample": Verb("examples", "mxexample"),
}


def r_code(value: Any) -> str:
    """A default as R writes it.

    >>> r_code((0.5, "a", None))
    'c(0.5, "a", NULL)'
    """
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).upper()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"c({', '.join(map(r_code, value))})" if isinstance(value, (tuple, list)) else str(value)


def written(code: str, file: str) -> str:
    """The text of ``R/<file>.R`` with the signatures of its verbs as they should be."""
    for name, verb in VERBS.items():
        if verb.file != file:
            continue
        start = f"{name} <- function("
        place = re.search(rf"^{re.escape(start)}.*?\) \{{$", code, flags=re.DOTALL | re.MULTILINE)
        if place is None:
            raise LookupError(f"R/{file}.R has no function {name}().")
        whole = (argument.replace(" ", "\0") for argument in verb.arguments())  # a line breaks between arguments alone
        head = textwrap.fill(f"{start}{', '.join(whole)})\0{{", 120, subsequent_indent=" " * len(start))
        code = code[: place.start()] + head.replace("\0", " ") + code[place.end() :]
    return code
