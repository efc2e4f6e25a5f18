"""Which part of a data set something is for, as people write it: names of folders, and the values of ``split``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

from ..calls import at_command_line, in_r
from ..errors import ArgumentError
from ..tasks.label_type import label_text, r_text
from ..words import bullets, counted, listing
from .labels import is_missing

Split = Union[str, Mapping[str, str], Sequence[str], None]
PARTS = ("training", "validation", "test")
_ROLES = {
    "train": "train training trn",
    "valid": "valid validation validate val dev development eval evaluation",
    "test": "test testing tst holdout heldout",
}
_PART_OF_ROLE = dict(zip(_ROLES, PARTS))
_ROLE = {word: role for role, words in _ROLES.items() for word in words.split()}
ROLE_WORDS = frozenset(_ROLE)
FILLERS = {
    *("set", "sets", "data", "dataset", "split", "splits", "part", "fold", "folder", "x"),
    *("image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos"),
    *("jpg", "jpeg", "png", "tif", "tiff"),
}
_GLUED = re.compile(rf"({'|'.join(sorted(_ROLE, key=len, reverse=True))})(sets?|data|dataset|images?|imgs?)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Role(NamedTuple):
    """``"train"``, ``"valid"`` or ``"test"``, and what else a name says."""

    role: str
    rest: tuple[str, ...]


def role_in(name: str) -> Optional[Role]:
    """What a name says of a part of a data set; None where it says nothing, or several things.

    Examples
    --------
    >>> role_in("seg_train"), role_in("TestPictures"), role_in("cat")
    (Role(role='train', rest=('seg',)), Role(role='test', rest=()), None)
    """
    words = [glued.group(1) if (glued := _GLUED.fullmatch(word)) else word for word in words_in(name)]
    roles = [_ROLE[word] for word in words if word in _ROLE]
    rest = tuple(word for word in words if word not in _ROLE and word not in FILLERS)
    return Role(roles[0], rest) if len(set(roles)) == 1 else None


def words_in(name: str) -> list[str]:
    """The words of a name, in lower case: ``"TrainSet_2"`` has train and set."""
    return [word.lower() for word in _WORD.findall(name)]


def part_named(value: Any) -> Optional[str]:
    """The part, one of `PARTS`, that a text names; None for all else.

    Examples
    --------
    >>> [part_named(value) for value in ("Train", "val", "holdout set", "cat", True)]
    ['training', 'validation', 'test', None, None]
    """
    role = role_in(value) if isinstance(value, str) else None
    return _PART_OF_ROLE[role.role] if role is not None and not role.rest else None


def tells_parts(values: Sequence[Any]) -> bool:
    """Whether all values are names of parts, and of more than one."""
    if not all(isinstance(value, str) for value in values):
        return False
    parts = {part_named(value) for value in set(values)}
    return len(parts) > 1 and None not in parts


def parts_of(split: Any, names: Sequence[str]) -> list[str]:
    """The part of each image, one of `PARTS`.

    Parameters
    ----------
    split
        A text for each image: train, valid, test, or other words for them.
    names
        The images' names.

    Raises
    ------
    ArgumentError
        An image has no part, or one that is none of the three.
    """
    if isinstance(split, (str, bytes)) or not hasattr(split, "__iter__"):
        text = "`split` must be the column of a table, or train, valid or test for each image."
        raise ArgumentError(text, [f"it is {split!r}"])
    values = split.tolist() if hasattr(split, "tolist") else list(split)
    if len(values) != len(names):
        raise ArgumentError(f"Got {counted(len(values), 'value')} of `split` for {counted(len(names), 'image')}.")
    without = [name for name, value in zip(names, values) if is_missing(value)]
    if without:
        subject = counted(len(without), "image has", "images have")
        hint = "`split` must say train, valid or test for each image."
        raise ArgumentError(f"{subject} no value of `split`.", bullets(without), hint)
    texts = [label_text(value) for value in values]
    parts = {text: part_named(text) for text in texts}
    unknown = {text: value for text, value in zip(texts, values) if parts[text] is None}
    if unknown:
        unknown_texts = listing([r_text(value) if in_r() else text for text, value in unknown.items()])
        raise ArgumentError(
            "`split` must say train, valid or test for each image.", [f"it says {unknown_texts}"], _how_to_say()
        )
    return [str(parts[text]) for text in texts]


def _how_to_say() -> str:
    if at_command_line():
        return "Write these words into the column."
    call = 'ifelse(is_test, "test", "train")' if in_r() else 'np.where(is_test, "test", "train")'
    return f"Of what is true for test images: split = {call}."
