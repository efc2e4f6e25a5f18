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

_FRAME = ("data = NULL", "dim = NULL", "byrow = FALSE")  # formulas, and rows of flattened images, are R's alone
_DOTS = ("...",)  # what a verb does not have is refused, with what was probably meant


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
    # set.seed() governs what R draws: R draws a seed if none is given
    "mxtrain": Verb("training", "mxtrain", last=('layout = "NHWC"', *_FRAME, *_DOTS), defaults={"seed": "NULL"}),
    "mximages": Verb("images", "mximages", last=(*_FRAME, *_DOTS)),
    "mxlook": Verb("look", "mxlook", last=_DOTS),
    "plot.mximages": Verb("images", "ImageSet.sheet", ("x",), _DOTS),
    "predict.mxmodel": Verb("model", "Model.predict", ("object", "newdata"), ("...", 'layout = "NHWC"')),
    "mxsave": Verb("model", "Model.save", ("model",), _DOTS),
    "mxload": Verb("model", "mxload", last=_DOTS),
    "mxforget": Verb("remembering", "Model.forget", ("model",), _DOTS),
    "mxpush": Verb("sharing", "Model.push", ("model",), _DOTS),
    "mxevaluate": Verb("metrics", "Model.evaluate", ("model",), _DOTS),
    "mxconfusion": Verb("metrics", "Model.confusion", ("model",), _DOTS),
    "mxper_class": Verb("metrics", "Model.per_class", ("model",), _DOTS),
    "mxcalibration": Verb("metrics", "Model.calibration", ("model",), _DOTS),
    "mxreport": Verb("report-page", "Model.report", ("model",), ("open = FALSE", *_DOTS)),
    "mxtop_losses": Verb("metrics", "Model.top_losses", ("model",), _DOTS),
    "mxexplain": Verb("explaining", "Model.explain", ("model",), ("folder = NULL", *_DOTS)),
    "mxsuspects": Verb("suspects", "Model.suspects", ("model",), ("file = NULL", *_DOTS)),
    "mxlearning_curve": Verb("learning_curve", "Model.learning_curve", ("model",), _DOTS),
    "mxquantize": Verb("quantising", "Model.quantize", ("model",), _DOTS),
    "mxnetwork": Verb("network", "mxnetwork", ("x",), _DOTS),
    "mxcut": Verb("network", "Network.cut", ("net",), _DOTS),
    "mxreplace_head": Verb("network", "Network.replace_head", ("net",), _DOTS),
    "mxfreeze": Verb("network", "Network.freeze", ("net",), _DOTS),
    "mxunfreeze": Verb("network", "Network.unfreeze", ("net",), _DOTS),
    "mxinsert": Verb("network", "Network.insert", ("net",), _DOTS),
    "mxinsert_after": Verb("network", "Network.insert_after", ("net",), _DOTS),
    "mxinsert_before": Verb("network", "Network.insert_before", ("net",), _DOTS),
    "mxreplace": Verb("network", "Network.replace", ("net",), _DOTS),
    "mxwith_channels": Verb("network", "Network.with_channels", ("net",), _DOTS),
    "mxwith_image_size": Verb("network", "Network.with_image_size", ("net",), _DOTS),
    "mxattach": Verb("network", "Network.attach", ("net",), _DOTS),
    "mxdiff": Verb("network", "Network.diff", ("net",), _DOTS),
    "plot.mxnetwork": Verb("network", "Network.plot", ("x",), _DOTS),
    "mxremove": Verb("network", "Network.remove", ("net",), _DOTS),
    "mxrename": Verb("network", "Network.rename", ("net",), _DOTS),
    "mxzoo": Verb("zoo", "mxzoo", last=_DOTS),
    "mxexample": Verb("examples", "mxexample"),
    "mxserve": Verb("serve", "mxserve", last=_DOTS),
    "mxcache": Verb("store", "mxcache", last=_DOTS),
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
