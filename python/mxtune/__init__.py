"""Fine-tune a pretrained CNN on your own images in seconds.

>>> import mxtune
>>> photos = mxtune.mxexample("fashion")
>>> model = mxtune.mxtrain(photos, tune="head", verbose=0)
>>> list(model.predict(photos).columns)
['file', 'pred_class']

Names are loaded when they are first used: ``import mxtune`` is quick, and works where MXNet is missing or
broken, so that ``mxinfo()`` can say what is wrong.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import late
from ._version import __version__

if TYPE_CHECKING:
    from . import errors
    from .engines.info import Info, mxinfo
    from .examples import mxexample
    from .images import ImageSet, mximages
    from .images.augment import Augment
    from .images.preprocess import Preprocess
    from .look import mxlook
    from .model.load import mxload
    from .model.model import Model
    from .network import Network
    from .serve.background import mxserve
    from .store import mxcache
    from .training.callbacks import Callback
    from .training.train import mxtrain
    from .zoo.listing import mxzoo
    from .zoo.opening import mxnetwork

_PLACES = {  # each public name and the module that holds it
    "mxtrain": "training",
    "mxload": "model",
    "mxcache": "store",
    "mxzoo": "zoo.listing",
    "mxnetwork": "zoo.opening",
    "mximages": "images",
    "mxlook": "look",
    "mxinfo": "engines.info",
    "mxexample": "examples",
    "mxserve": "serve.background",
    "Model": "model",
    "ImageSet": "images",
    "Network": "network",
    "Preprocess": "images.preprocess",
    "Augment": "images.augment",
    "Callback": "training",
    "along_axes": "training.curve",
    "points_of": "training.curve",
    "Info": "engines.info",
    "ModelInR": "border.rpy2.model_in_r",
    "MxtuneHandler": "vetiver",
    "save_network": "zoo.saving",
    "measure_speed": "engines.speed",
    "recorded_speed": "engines.speed",
    "start_service": "serve.background",
    "stop_service": "serve.background",
    "service_runs": "serve.background",
}
late.register({name: f"{__name__}.{place}" for name, place in _PLACES.items()})

__all__ = [
    "Augment",
    "Callback",
    "ImageSet",
    "Info",
    "Model",
    "Network",
    "Preprocess",
    "__version__",
    "errors",
    "mxcache",
    "mxexample",
    "mximages",
    "mxinfo",
    "mxload",
    "mxlook",
    "mxnetwork",
    "mxserve",
    "mxtrain",
    "mxzoo",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module(".errors", __name__)
    value = late.load(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
