"""A stack machine for the few pickle instructions that a file of tensors needs; nothing in it can run code.

A pickle is a program: Python's own reader imports and calls what the file names. This one knows 40 harmless
instructions, builds only plain data, and asks its caller for each global by name. (The shared memo of
Python's C reader can also be made to claim any amount of memory; here it is a dict.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Optional

from ..errors import WeightsError

MAX_INSTRUCTIONS = 2_000_000
_MARK = object()


Global = Callable[[str, str], Any]
Call = Callable[[Any, tuple[Any, ...]], Any]
Persistent = Callable[[Any], Any]


def load(file: BinaryIO, find: Global, call: Call, persistent: Optional[Persistent] = None) -> Any:
    """One pickled object from the current position of `file`.

    Parameters
    ----------
    find
        ``find(module, name)`` gives what stands for a global, or raises.
    call
        ``call(what, arguments)`` gives the result of a call of such a thing.
    persistent
        What stands for a persistent id.

    Raises
    ------
    WeightsError
        The pickle is cut short, malformed, or uses an instruction that plain tensors do not need.
    """
    try:
        return _Machine(file, find, call, persistent).run()
    except WeightsError:
        raise
    except (
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        struct.error,
        RecursionError,
    ) as fault:
        raise WeightsError(f"its pickle is malformed ({type(fault).__name__})") from None


class _Machine:
    def __init__(self, file: BinaryIO, find: Global, call: Call, persistent: Optional[Persistent]) -> None:
        self.file, self.find, self.call, self.persistent = file, find, call, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def take(self, size: int) -> bytes:
        data = self.file.read(size) if 0 <= size <= 2**20 else b""
        if len(data) != size:
            raise WeightsError("its pickle is cut short")
        return data

    def line(self) -> str:
        data = self.file.readline(10_000)
        if not data.endswith(b"\n"):
            raise WeightsError("its pickle is cut short")
        return data[:-1].decode("utf-8")

    def number(self, layout: str) -> int:
        value: int = struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))[0]
        return value

    def since_mark(self) -> list[Any]:
        position = len(self.stack) - 1
        while self.stack[position] is not _MARK:
            position -= 1
            if position < 0:
                raise WeightsError("its pickle is malformed (no mark)")
        items = self.stack[position + 1 :]
        del self.stack[position:]
        return items

    def run(self) -> Any:
        for _ in range(MAX_INSTRUCTIONS):
            code = self.take(1)
            if code == b".":
                return self.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise WeightsError(f"its pickle uses the instruction {code!r}, which tensors do not need")
            instruction(self)
        raise WeightsError(f"its pickle has more than {MAX_INSTRUCTIONS:,} instructions")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise WeightsError("its pickle is malformed (a mark too many)")
        return value

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def text(self, size: int) -> None:
        self.push(self.take(size).decode("utf-8"))

    def long(self, size: int) -> None:
        self.push(int.from_bytes(self.take(size), "little", signed=True))

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise WeightsError("its pickle is malformed (items without a dict)")
        for key, value in zip(items[::2], items[1::2]):
            if not isinstance(key, (str, int)):  # the hash of a nested tuple can take forever
                raise WeightsError("its pickle has a key that is neither text nor number")
            target[key] = value

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise WeightsError("its pickle is malformed (items without a list)")
        target.extend(items)

    def protocol(self) -> None:
        version = self.number("B")
        if version > 5:
            raise WeightsError(f"its pickle is of protocol {version}, which is too new")

    def get_global(self) -> None:
        module = self.line()
        self.push(self.find(module, self.line()))

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise WeightsError("its pickle is malformed (a global without a name)")
        self.push(self.find(module, name))

    def reduce(self) -> None:
        arguments, what = self.pop(), self.pop()
        if not isinstance(arguments, tuple):
            raise WeightsError("its pickle is malformed (a call without arguments)")
        self.push(self.call(what, arguments))

    def new_object(self) -> None:
        arguments, what = self.pop(), self.pop()
        self.push(self.call(what, arguments if isinstance(arguments, tuple) else ()))

    def build(self) -> None:
        self.pop()  # the state of an object (a module's version numbers): nothing that tensors need
        self.push(self.pop())

    def persistent_id(self) -> None:
        if self.persistent is None:
            raise WeightsError("its pickle refers to data where none can be")
        self.push(self.persistent(self.pop()))

    def keep(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def set_one(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def append_one(self) -> None:
        value = self.pop()
        self.append([value])

    def frame(self) -> None:
        self.take(8)


_INSTRUCTIONS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": _Machine.protocol,
    b"\x95": _Machine.frame,
    b"(": lambda m: m.push(_MARK),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"K": lambda m: m.push(m.number("B")),
    b"M": lambda m: m.push(m.number("H")),
    b"J": lambda m: m.push(m.number("i")),
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    b"\x8a": lambda m: m.long(m.number("B")),
    b"X": lambda m: m.text(m.number("I")),
    b"\x8c": lambda m: m.text(m.number("B")),
    b"U": lambda m: m.push(m.take(m.number("B")).decode("latin-1")),
    b"T": lambda m: m.push(m.take(m.number("I")).decode("latin-1")),
    b"C": lambda m: m.push(m.take(m.number("B"))),
    b"B": lambda m: m.push(m.take(m.number("I"))),
    b")": lambda m: m.push(()),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"a": _Machine.append_one,
    b"e": lambda m: m.append(m.since_mark()),
    b"s": _Machine.set_one,
    b"u": lambda m: m.set_items(m.since_mark()),
    b"q": lambda m: m.keep(m.number("B")),
    b"r": lambda m: m.keep(m.number("I")),
    b"\x94": lambda m: m.keep(len(m.memo)),
    b"h": lambda m: m.push(m.memo[m.number("B")]),
    b"j": lambda m: m.push(m.memo[m.number("I")]),
    b"c": _Machine.get_global,
    b"\x93": _Machine.stack_global,
    b"R": _Machine.reduce,
    b"b": _Machine.build,
    b"\x81": _Machine.new_object,
    b"Q": _Machine.persistent_id,
}
