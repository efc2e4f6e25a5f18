"""``config.json`` as timm writes it beside a file of weights: which network it is, and how images are prepared."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from .. import hub, zoo
from ..arguments import is_number
from ..errors import NetworkError
from ..formats.untrusted import FaultError, json_of, shown
from ..images.preprocess import Preprocess
from ..words import listing, matches
from . import Entry
from .labels import imagenet

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

FILE = "config.json"
MOST = 10_000_000  # bytes; with the names of 21,843 classes, and their descriptions, it has 3 MB
_SIDES = (8, 4096)  # pixels
_LEAST_CROP = 0.1
_FITS = {"center": "crop", "squash": "stretch", "border": "pad"}
_INTERPOLATIONS = ("bicubic", "bilinear")
_POOLED = (None, "", "avg", "fast", "token")
# What a network may be made with and still be the one of its architecture: the rest is in names and shapes of arrays.
_HARMLESS = {"img_size", "in_chans", "num_classes", "drop_rate", "drop_path_rate", "global_pool", "features_only"}


@dataclass(frozen=True)
class Config:
    """What a configuration of timm says of a network.

    Parameters
    ----------
    architecture
        Its name in timm.
    preprocess
        How images become its input.
    levels
        What the outputs mean, where it says so.
    facts
        Licence, paper and address, where it says so: as a network's provenance has them.
    """

    architecture: str
    preprocess: Preprocess
    levels: Optional[tuple[str, ...]] = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def entries(self) -> list[Entry]:
        """The networks of the zoo that may be of this architecture: timm's own first, then torchvision's namesakes."""
        names = (f"{self.architecture}.timm", self.architecture, f"{self.architecture}.torchvision")
        found = [zoo.entry(name) for name in names if zoo.has(name)]
        return [replace(entry, preprocess=self.preprocess) for entry in found if entry.signature]

    def no_entry(self, where: str) -> NetworkError:
        """The error for an architecture of which there is no graph here."""
        known = [one.name.partition(".")[0] for one in zoo.entries() if one.signature]
        near = matches(self.architecture, sorted(set(known)))
        repository = where.removeprefix(hub.PREFIX).partition("@")[0]
        made = f'"hf_hub:{repository}", pretrained=True'
        if not hub.is_reference(where):
            made = f'"{self.architecture}", checkpoint_path="{where}"'
        shape = ", ".join(map(str, (1, self.preprocess.channels, *self.preprocess.size)))
        way_round = (
            "mxzoo() lists the architectures. ONNX brings any other, from Python with timm:\n"
            f"  model = timm.create_model({made}).eval()\n"
            f'  torch.onnx.export(model, torch.zeros({shape}), "network.onnx")'
        )
        text = f"{where} is a network of the architecture {self.architecture}, which mxtune can't build."
        return NetworkError(text, [f"near ones: {', '.join(near)}"] if near else [], way_round)


def beside(file: Path) -> Optional[Config]:
    """What `config.json` in the folder of a file says; None if there is none, or it is no configuration of timm."""
    path = file.with_name(FILE)
    try:
        if not path.is_file() or path.stat().st_size > MOST:
            return None
        values = _values(str(path), path.read_bytes())
    except OSError:
        return None
    return _config(str(path), values) if "architecture" in values else None


def read(path: Path, where: str) -> Config:
    """What a configuration says.

    Parameters
    ----------
    where
        What it is of, for errors.

    Raises
    ------
    NetworkError
        It is damaged, hostile, or not timm's.
    """
    content = path.read_bytes()[: MOST + 1]
    if len(content) > MOST:
        raise _fault(where, f"it has more than {MOST:,} bytes")
    values = _values(where, content)
    if "architecture" not in values:
        kind = values.get("architectures") or values.get("model_type")
        named = f": {shown(str(kind[0] if isinstance(kind, list) and kind else kind))} of transformers" if kind else ""
        hint = 'Networks of timm are opened, such as "hf:timm/resnet18.a1_in1k"; ONNX files of any other are.'
        raise NetworkError(f"{where} holds no network of timm{named}.", hint=hint)
    return _config(where, values)


def _values(where: str, content: bytes) -> Mapping[str, Any]:
    try:
        values = json_of(FILE, content)
    except FaultError as fault:
        raise _fault(where, fault.what) from None
    if not isinstance(values, dict):
        raise _fault(where, "it is not a table of settings")
    return values


def _fault(where: str, what: str) -> NetworkError:
    return NetworkError(
        f"Can't read {FILE} of {where}." if not where.endswith(FILE) else f"Can't read {where}.", [what]
    )


def _config(where: str, values: Mapping[str, Any]) -> Config:
    own = values.get("pretrained_cfg", values)  # without it in files of before 2023
    arguments = values.get("model_args") or {}
    if not isinstance(own, dict) or not isinstance(arguments, dict):
        raise _fault(where, "its settings are not tables")
    values = {**own, **{key: value for key, value in values.items() if value is not None}, **arguments}
    architecture = values.get("architecture")
    if not isinstance(architecture, str) or not 0 < len(architecture) <= 100 or not architecture.isprintable():
        raise _fault(where, "`architecture` is not a name")
    changed = sorted(set(map(str, arguments)) - _HARMLESS)
    if changed:
        raise _fault(where, f"the network is made with settings of its own: {listing([shown(one) for one in changed])}")
    if values.get("global_pool") not in _POOLED:
        raise _fault(where, f"its maps are pooled by {shown(str(values['global_pool']))}, not averaged")
    return Config(architecture, _preprocess(where, own, arguments), _levels(values), _facts(own))


def _preprocess(where: str, own: Mapping[str, Any], arguments: Mapping[str, Any]) -> Preprocess:
    shape = own.get("input_size", (3, 224, 224))
    if (
        not _numbers(shape, 3)
        or shape[0] not in (1, 3)
        or not all(_SIDES[0] <= side <= _SIDES[1] for side in shape[1:])
    ):
        raise _fault(where, f"`input_size` must be 1 or 3 channels and two sides of {_SIDES[0]} to {_SIDES[1]} pixels")
    channels, *size = map(int, shape)
    if "img_size" in arguments:  # of a network that was made for another size than its kind
        side = arguments["img_size"]
        size = [side, side] if is_number(side) else side
        if not _numbers(size, 2) or not all(_SIDES[0] <= one <= _SIDES[1] for one in size):
            raise _fault(where, "`img_size` is no size of an image")
    crop, interpolation = own.get("crop_pct", 0.875), own.get("interpolation", "bicubic")
    if not is_number(crop) or not _LEAST_CROP <= crop <= 1:
        raise _fault(where, f"`crop_pct` must be a number from {_LEAST_CROP} to 1")
    return Preprocess(
        size=(int(size[0]), int(size[1])),
        channels=channels,
        mean=_colours(where, "mean", own.get("mean", (0.485, 0.456, 0.406)), channels),
        std=_colours(where, "std", own.get("std", (0.229, 0.224, 0.225)), channels),
        fit=_FITS.get(str(own.get("crop_mode")), "crop"),
        crop=float(crop),
        interpolation=interpolation if interpolation in _INTERPOLATIONS else "bicubic",
    )


def _colours(where: str, name: str, values: Any, channels: int) -> tuple[float, ...]:
    """Numbers for each channel on the scale to 255; their average for grey images where they are of colours."""
    least = 1e-4 if name == "std" else -100
    if not (_numbers(values, 3) or _numbers(values, channels)) or not all(least <= one <= 100 for one in values):
        raise _fault(where, f"`{name}` must be {channels} numbers")
    if len(values) != channels:
        values = [sum(values) / len(values)] * channels
    return tuple(round(255 * float(one), 4) for one in values)


def _levels(values: Mapping[str, Any]) -> Optional[tuple[str, ...]]:
    """The names of the classes; their descriptions, where the names are numbers of WordNet. None unless all differ.

    Weights that were learned on ImageNet's 1,000 classes last have a tag that says so, and no names: "a1_in1k".
    """
    names, described = values.get("label_names"), values.get("label_descriptions")
    if names is None and str(values.get("tag")).endswith("in1k"):
        return imagenet()
    if not _texts(names):
        return None
    if isinstance(described, dict) and _texts(list(described.values())) and all(_is_synset(name) for name in names):
        told = [described.get(name, name) for name in names]
        names = told if len(set(told)) == len(names) else names
    levels = tuple(unicodedata.normalize("NFC", name) for name in names)
    return levels if len(set(levels)) == len(levels) else None


def _is_synset(name: str) -> bool:
    return len(name) == 9 and name[0] == "n" and name[1:].isdigit()


def _facts(own: Mapping[str, Any]) -> dict[str, str]:
    told = {"licence": own.get("license"), "paper": own.get("paper_ids"), "tag": own.get("tag"),
            "origin": own.get("origin_url")}  # fmt: skip
    listed = {key: ", ".join(value) if _texts(value) else value for key, value in told.items()}
    return {key: value[:300] for key, value in listed.items() if _is_text(value)}


def _numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, Sequence)
        and len(value) == count
        and all(is_number(one) and -1e9 < one < 1e9 for one in value)
    )


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and value.isprintable()
