"""An interpreter of the pickle format that runs no code of the file.

A pickle is a program for a machine with a stack and a memo. Three of its instructions call
functions or set state, and some look up names: they all go to `Allowed`, which knows what a file
may build. Instructions that no file of tensors needs are errors: INST, OBJ, NEWOBJ_EX, EXT, POP and
others.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from .allowed import Allowed
from .files import CheckpointError, Stream

_MOST_MARKS = 1_000  # open at the same time
_MOST_FAR = 1_000  # places of the memo that are not one after another
_STOP = ord(".")
_NEWEST = 5  # protocol
_NOTHING = object()  # a place of the memo that is not used


class Machine:
    """The state of one run: the stack, those below open marks, and the memo."""

    def __init__(self, stream: Stream, allowed: Allowed, encoding: str, errors: str) -> None:
        self._stream, self._allowed = stream, allowed
        self._encoding, self._errors = encoding, errors
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: list[Any] = []
        self._far: dict[int, Any] = {}  # the places of the memo that are not one after another

    def run(self) -> Any:
        """The object that the next pickle of the stream describes."""
        take = self._stream.take
        while (code := take(1)[0]) != _STOP:
            step = _STEPS.get(code)
            if step is None:
                name = f"0x{code:02x}" if not 32 < code < 127 else repr(chr(code))
                raise CheckpointError(
                    f"is refused or damaged: its pickle has the instruction {name}"
                )
            step(self)
        if len(self._stack) != 1 or self._below:
            raise ValueError("its pickle ends in the middle")
        self._allowed.check(self._stack[0])
        return self._stack[0]

    # --- Reading ----------------------------------------------------------------------------------

    def _int(self, layout: str) -> int:
        return struct.unpack(layout, self._stream.take(struct.calcsize(layout)))[0]

    def _data(self, layout: str) -> bytes:
        """Bytes after their number."""
        return self._stream.take(self._int(layout))

    def _text(self, layout: str) -> str:
        return self._data(layout).decode("utf-8", "surrogatepass")

    def _string(self, data: bytes) -> Any:
        """A string of Python 2."""
        return data if self._encoding == "bytes" else data.decode(self._encoding, self._errors)

    # --- The stack --------------------------------------------------------------------------------

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _mark(self) -> None:
        if len(self._below) >= _MOST_MARKS:
            raise ValueError("its pickle is nested too deeply")
        self._below.append(self._stack)
        self._stack = []

    def _to_mark(self) -> list[Any]:
        """Remove and return what lies above the last mark."""
        items, self._stack = self._stack, self._below.pop()
        return items

    def _last(self, n: int) -> list[Any]:
        """Remove and return the last n objects."""
        if len(self._stack) < n:
            raise ValueError("its pickle takes more from the stack than there is")
        items = self._stack[-n:]
        del self._stack[-n:]
        return items

    def _put(self, place: int) -> None:
        value, memo = self._stack[-1], self._memo
        if place == 1 and not memo:  # Python 2 counts from 1
            memo.append(_NOTHING)
        if place == len(memo):
            memo.append(value)
        elif 0 <= place < len(memo):
            memo[place] = value
        elif len(self._far) < _MOST_FAR:
            self._far[place] = value
        else:
            raise ValueError("the places of its memo are far from each other")

    def _get(self, place: int) -> None:
        value = self._memo[place] if 0 <= place < len(self._memo) else _NOTHING
        self._push(self._far[place] if value is _NOTHING else value)

    # --- Containers -------------------------------------------------------------------------------

    def _tuple(self, items: list[Any]) -> None:
        if items:  # there is only one empty tuple
            self._allowed.make(1)
        self._push(tuple(items))

    # --- Instructions with parts ------------------------------------------------------------------

    def _protocol(self) -> None:
        if self._int("<B") > _NEWEST:
            raise CheckpointError("is damaged, or in a pickle format that is not known yet")

    def _text_int(self) -> None:
        """INT: a decimal number on a line, or a bool."""
        line = self._stream.line()
        self._push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def _text_long(self) -> None:
        self._push(int(self._stream.line().removesuffix(b"L") or b"0"))

    def _text_float(self) -> None:
        self._push(float(self._stream.line()))

    def _unicode(self) -> None:
        self._push(self._stream.line().decode("raw-unicode-escape"))

    def _long(self, layout: str) -> None:
        self._push(int.from_bytes(self._data(layout), "little", signed=True))

    def _global(self) -> None:
        module, name = (self._stream.line().decode("utf-8") for _ in range(2))
        self._push(self._allowed.find(module, name))

    def _stack_global(self) -> None:
        module, name = self._last(2)
        if type(module) is not str or type(name) is not str:
            raise ValueError("its pickle names something by an object that is no text")
        self._push(self._allowed.find(module, name))

    def _reduce(self) -> None:
        function, args = self._last(2)
        self._push(self._allowed.call(function, args))

    def _new(self) -> None:
        cls, args = self._last(2)
        self._push(self._allowed.new(cls, args))

    def _build(self) -> None:
        (state,) = self._last(1)
        self._allowed.build(self._stack[-1], state)

    def _persistent(self) -> None:
        (pid,) = self._last(1)
        self._push(self._allowed.persistent(pid))

    def _append(self) -> None:
        items = self._last(1)
        self._allowed.append(self._stack[-1], items)

    def _appends(self) -> None:
        items = self._to_mark()
        self._allowed.append(self._stack[-1], items)

    def _set_item(self) -> None:
        items = self._last(2)
        self._allowed.set_items(self._stack[-1], items)

    def _set_items(self) -> None:
        items = self._to_mark()
        self._allowed.set_items(self._stack[-1], items)

    def _add_items(self) -> None:
        items = self._to_mark()
        self._allowed.add(self._stack[-1], items)

    def _dict(self) -> None:
        self._allowed.make()
        made: dict[Any, Any] = {}
        self._allowed.set_items(made, self._to_mark())
        self._push(made)


def _pushes(value: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    """The instruction that pushes a value."""
    return lambda machine: machine._push(value(machine))


def _makes(value: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    """The instruction that pushes a new object."""

    def step(machine: Machine) -> None:
        machine._allowed.make()
        machine._push(value(machine))

    return step


_NAMED: dict[bytes, Callable[[Machine], Any]] = {
    b"\x80": Machine._protocol,
    b"\x95": lambda m: m._int("<Q"),  # FRAME: the length of what follows, which need not be known
    # plain values
    b"N": _pushes(lambda m: None),
    b"\x88": _pushes(lambda m: True),
    b"\x89": _pushes(lambda m: False),
    b"K": _pushes(lambda m: m._int("<B")),
    b"M": _pushes(lambda m: m._int("<H")),
    b"J": _pushes(lambda m: m._int("<i")),
    b"I": Machine._text_int,
    b"L": Machine._text_long,
    b"\x8a": lambda m: m._long("<B"),
    b"\x8b": lambda m: m._long("<I"),
    b"G": _pushes(lambda m: m._int(">d")),
    b"F": Machine._text_float,
    b"\x8c": _pushes(lambda m: m._text("<B")),
    b"X": _pushes(lambda m: m._text("<I")),
    b"\x8d": _pushes(lambda m: m._text("<Q")),
    b"V": Machine._unicode,
    b"U": _pushes(lambda m: m._string(m._data("<B"))),
    b"T": _pushes(lambda m: m._string(m._data("<I"))),
    b"C": _pushes(lambda m: m._data("<B")),
    b"B": _pushes(lambda m: m._data("<I")),
    b"\x8e": _pushes(lambda m: m._data("<Q")),
    b"\x96": _makes(lambda m: bytearray(m._data("<Q"))),
    # containers
    b"(": Machine._mark,
    b")": _pushes(lambda m: ()),
    b"]": _makes(lambda m: []),
    b"}": _makes(lambda m: {}),
    b"\x8f": _makes(lambda m: set()),
    b"t": lambda m: m._tuple(m._to_mark()),
    b"\x85": lambda m: m._tuple(m._last(1)),
    b"\x86": lambda m: m._tuple(m._last(2)),
    b"\x87": lambda m: m._tuple(m._last(3)),
    b"l": _makes(lambda m: m._to_mark()),
    b"d": Machine._dict,
    b"\x91": _makes(lambda m: m._allowed.frozen(m._to_mark())),
    b"a": Machine._append,
    b"e": Machine._appends,
    b"s": Machine._set_item,
    b"u": Machine._set_items,
    b"\x90": Machine._add_items,
    # the memo
    b"q": lambda m: m._put(m._int("<B")),
    b"r": lambda m: m._put(m._int("<I")),
    b"p": lambda m: m._put(int(m._stream.line())),
    b"\x94": lambda m: m._put(len(m._memo)),
    b"h": lambda m: m._get(m._int("<B")),
    b"j": lambda m: m._get(m._int("<I")),
    b"g": lambda m: m._get(int(m._stream.line())),
    # names, and what is made by them
    b"c": Machine._global,
    b"\x93": Machine._stack_global,
    b"R": Machine._reduce,
    b"\x81": Machine._new,
    b"b": Machine._build,
    b"Q": Machine._persistent,
}
_STEPS = {code[0]: step for code, step in _NAMED.items()}
