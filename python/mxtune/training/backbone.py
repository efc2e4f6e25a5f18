"""``net="auto"``: which of the networks that are here with their weights is trained."""

from __future__ import annotations

from typing import NamedTuple

from .. import zoo
from ..words import counted, listing
from .options import Options
from .plan import Facts, decide

AUTO = "auto"
BUDGET = 2e12  # multiply-accumulates that a larger network may take: a minute or two of two CPUs
_STEP = 3  # predictions that a step of training costs: forward, and twice as much backward
_SMALLEST = "efficientnet_lite0"
# Larger networks, and the shorter side of images from which on they are worth their time, measured by heads on 2 CPUs.
# Of 28 pixels, seen at 96: log loss of Lite0, Lite1, Lite2 on clothes .389 .406 .393 (n = 3), on digits .105 .095 .081.
# Of 100 to 200 pixels: on photographs .80 .71 .69, accuracy .755 .799 .806 (n = 7), on furniture 1.10 1.02 1.06.
# So Lite1 is for what fills its image; Lite2, at 1.4 times its work, for images that have more to show than that.
_LARGER = (("efficientnet_lite2", 260), ("efficientnet_lite1", 75))


class Choice(NamedTuple):
    """The name of a network, and why it was chosen."""

    net: str
    why: str

    def __str__(self) -> str:
        return f"{self.net} is trained: {self.why}. Set `net` to change this."


def choose(images: int, validated: bool, shorter_side: float, options: Options) -> Choice:
    """The network for so many images of this size: the largest that is worth its time and has the time.

    It is the same on every machine that has the same networks, so that the same seed gives the same model: time is
    counted in multiply-accumulates of the plan, and neither the clock nor the device matters.

    Parameters
    ----------
    shorter_side
        Of the images, the median, pixels.

    Examples
    --------
    >>> choose(300, True, 28, Options()).net, choose(300, True, 500, Options()).net
    ('efficientnet_lite0', 'efficientnet_lite2')
    >>> choose(60_000, True, 500, Options()).why
    'a larger network would take too long for 60000 images'
    """
    told = counted(images, "image")
    here = [(name, least) for name, least in _LARGER if zoo.entry(name).available == "installed"]
    worth = [name for name, least in here if shorter_side >= least and _fits(name, options)]
    for name in worth:
        if _work(name, images, validated, shorter_side, options) <= BUDGET:
            return Choice(name, f"accurate, and quick enough for {told} of about {shorter_side:.0f} pixels")
    if worth:
        return Choice(_SMALLEST, f"a larger network would take too long for {told}")
    absent = [name for name, _ in _LARGER if name not in dict(here)]
    if len(absent) == len(_LARGER):
        return Choice(_SMALLEST, f"{listing(absent)} are not installed")
    if options.image_size is not None and not any(_fits(name, options) for name, _ in here):
        return Choice(_SMALLEST, "a larger network is no better at this `image_size`")
    return Choice(_SMALLEST, f"a larger network is no better for images of about {shorter_side:.0f} pixels")


def _fits(name: str, options: Options) -> bool:
    """Whether the network sees images at its own size."""
    return options.image_size is None or min(options.image_size) >= zoo.entry(name).preprocess.size[0]


def _work(name: str, images: int, validated: bool, shorter_side: float, options: Options) -> float:
    """The multiply-accumulates of the training that would be planned."""
    entry = zoo.entry(name)
    size = entry.preprocess.size
    plan = decide(Facts(images, validated, shorter_side, size, size_is_default=True, macs=entry.macs), options)
    passes = sum(1 if phase.name == "head" else _STEP * phase.epochs for phase in plan.phases)
    return images * passes * entry.macs * (plan.size[0] * plan.size[1]) / (size[0] * size[1])
