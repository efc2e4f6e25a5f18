"""Protocol buffers' text format, in which Caffe's networks are described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Union

from ..untrusted import FaultError, shown

Message = dict[str, list[Any]]
"""The values of each field, in order: texts (of strings and enumerations), numbers, booleans, or messages."""

MAX_DEPTH = 24
_LONGEST_NUMBER = 40
_TOKEN = re.compile(
    r"""(?:\s+|\#[^\n]*)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?f?))
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<mark>[{}<>\[\]:;,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|.)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WORDS = {"true": True, "false": False}
_CLOSING = {"{": "}", "<": ">"}


def parse(text: str) -> Message:
    """The fields of the outermost message.

    Raises
    ------
    FaultError
        It is not of this format; the line is named.

    Examples
    --------
    >>> parse('layer { name: "fc" param { lr_mult: 1 } }  # a comment')
    {'layer': [{'name': ['fc'], 'param': [{'lr_mult': [1]}]}]}
    """
    return _Parser(text).message("", 0)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = next(self._tokens)

    def _split(self) -> Iterator[tuple[str, str, int]]:
        """Kind, text and place of each token; at the end a mark without text."""
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._fault(at)
            if match.lastgroup is not None:
                yield match.lastgroup, match[match.lastgroup], at
            at = match.end()
        yield "mark", "", at

    def _fault(self, at: int) -> FaultError:
        line = self._text.count("\n", 0, at) + 1
        rest = self._text[at:].split("\n", 1)[0][:40]
        return FaultError(f"line {line}: it is not a description of a network here: {shown(rest)}")

    def _take(self, *marks: str) -> bool:
        """Whether the next token is one of these marks, which is then passed."""
        kind, text, _ = self._next
        if kind != "mark" or text not in marks:
            return False
        if text:
            self._next = next(self._tokens)
        return True

    def message(self, closing: str, depth: int) -> Message:
        if depth > MAX_DEPTH:
            raise FaultError(f"it is nested more than {MAX_DEPTH} levels deep")
        fields: Message = {}
        while not self._take(closing):
            kind, name, at = self._next
            if kind != "name":
                raise self._fault(at)
            self._next = next(self._tokens)
            values = fields.setdefault(name, [])
            has_colon = self._take(":")
            if has_colon and self._take("["):
                while not self._take("]"):
                    values.append(self._value(depth))
                    self._take(",")
            elif has_colon or self._next[1] in _CLOSING:
                values.append(self._value(depth))
            else:
                raise self._fault(at)
            self._take(";", ",")
        return fields

    def _value(self, depth: int) -> Union[str, bool, float, Message]:
        kind, text, at = self._next
        if kind == "mark":
            if not self._take(*_CLOSING):
                raise self._fault(at)
            return self.message(_CLOSING[text], depth + 1)
        self._next = next(self._tokens)
        if kind == "name":
            return _WORDS.get(text, text)
        if kind == "number":
            return self._number(text, at)
        parts = [self._unquoted(text)]
        while self._next[0] == "string":  # strings side by side are one
            parts.append(self._unquoted(self._next[1]))
            self._next = next(self._tokens)
        return "".join(parts)

    def _number(self, text: str, at: int) -> float:
        if len(text) > _LONGEST_NUMBER:
            raise self._fault(at)
        try:
            return int(text, 0)
        except ValueError:
            pass
        try:
            return float(text.rstrip("f"))
        except ValueError:
            raise self._fault(at) from None

    def _unquoted(self, text: str) -> str:
        return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "01234567":
        return chr(int(code, 8))
    if len(code) > 1:  # x and digits
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)
