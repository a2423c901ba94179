"""The shape of nested objects: no cycles, not too deep, not larger than the file can mean.

A short pickle can describe a list that contains itself, or ten levels of lists with ten references
to the next level each. Printing or comparing such an object never ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import Recorded
from ..metadata import Size, device
from .dtypes import OBJECTS
from .files import CheckpointError

DEEPEST = 200  # levels of containers
_COPIED = 4  # bytes and elements that functions may copy, in multiples of the size of the pickle
_LARGEST_KEY = 1_000  # elements of a tuple that is a key of a dict, those of inner tuples included
_LONGEST_KEY_BITS = 1_024
_PATIENCE = 0.5  # seconds of processor time for the keys of a file, and more for each key:
_SECONDS_A_KEY = 20e-6  # some 40 times what a key takes
_FEW_OBJECTS = 10_000  # any file may hold them
_BYTES_AN_OBJECT = 16  # of the file, for more objects: a Tensor in an archive takes about 300
_SMALL = 8  # elements of a container, which are visited again wherever it occurs

_KEYS = (type(None), bool, int, float, complex, str, bytes, device, np.generic, *OBJECTS, Recorded)


def check_limit(max_objects: Any) -> None:
    """TypeError or ValueError unless this can be the limit of `Objects`."""
    if max_objects is not None and type(max_objects) is not int:
        raise TypeError(f"load: max_objects must be an int, not {type(max_objects).__name__}")
    if max_objects is not None and max_objects < 0:
        raise ValueError(f"load: max_objects is {max_objects}, wanted 0 or more")


class Objects:
    """The number of objects that a file may still make, in quarters.

    Numbers and texts are free: their memory is in proportion to their place in the file. A tuple is
    a quarter of an object: PyTorch writes four of them for each Tensor.
    """

    __slots__ = ("left", "limit")

    def __init__(self, size: int, most: int | None) -> None:
        """`size` is that of the file in bytes, `most` the limit of the user, if there is one."""
        self.limit = max(_FEW_OBJECTS, size // _BYTES_AN_OBJECT) if most is None else most
        self.left = 4 * self.limit

    def make(self, quarters: int = 4) -> None:
        """CheckpointError if the file makes more objects than the limit."""
        self.left -= quarters
        if self.left < 0:
            raise CheckpointError(
                f"is refused: it makes more than {self.limit:,} objects, the limit for a file of its "
                "size. For a file that you trust, max_objects=... raises the limit"
            )


class Budget:
    """The bytes and elements that the functions of a pickle may copy: in proportion to its size."""

    def __init__(self, size: int) -> None:
        self._left = _COPIED * max(size, 100)
        self._keys, self._seconds = 0, 0.0

    def spend(self, n: int) -> None:
        """ValueError if all functions together copy much more than the pickle holds."""
        self._left -= n
        if self._left < 0:
            raise ValueError("it copies the same objects again and again")

    def insert(self, n: int, seconds: float) -> None:
        """ValueError if keys of dicts and sets take long. Count `n`, which took `seconds`.

        Numbers can be chosen so that their hashes collide. Then n of them take n² steps.
        """
        self._keys += n
        self._seconds += seconds
        if self._seconds > _PATIENCE + _SECONDS_A_KEY * self._keys:
            raise ValueError("the hashes of the keys of its dicts and sets collide")


def visit(
    root: Any,
    children: Callable[[Any], Iterable[Any] | None],
    leaf: Callable[[Any], int],
) -> int:
    """Call `leaf` with each object below `root` that has no children. Returns the size of `root`.

    `children` is None for leaves. The size of a leaf is what `leaf` returns, that of another object
    one more than the sum over its children, each as often as it occurs. ValueError for an object
    that contains itself, and for one that is nested too deeply.
    """
    sizes: dict[int, tuple[int, int]] = {}  # of larger containers, when finished: size and depth
    kept: list[Any] = []  # they may be temporary: their ids must stay theirs
    top: list[Any] = [None, iter((root,)), 0, 0]  # container, its children, size, depth
    path, inside = [top], set[int]()
    while path:
        frame = path[-1]
        for child in frame[1]:
            known = sizes.get(id(child))
            if known is None:
                below = children(child)
                if below is not None:
                    if id(child) in inside:
                        raise ValueError("it contains itself")
                    if len(path) > DEEPEST:
                        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
                    inside.add(id(child))
                    path.append([child, iter(below), 1, 0])
                    break
                known = leaf(child), 0
            frame[2] += known[0]
            frame[3] = max(frame[3], known[1])
        else:
            path.pop()
            if path:
                inside.discard(id(frame[0]))
                size, depth = frame[2], frame[3] + 1
                if size > _SMALL:
                    sizes[id(frame[0])] = size, depth
                    kept.append(frame[0])
                path[-1][2] += size
                path[-1][3] = max(path[-1][3], depth)
                if len(path) - 1 + depth > DEEPEST:
                    raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return top[2]


def check_key(key: Any, trusted: Callable[[type], bool]) -> int:
    """ValueError unless the hash of `key` is cheap: numbers, texts and small tuples of them.

    Returns the number of steps beyond the first. The hash of a tuple takes a step for each element of all inner tuples, as often as they occur.
    """
    left, stack = _LARGEST_KEY, [key]
    while stack:
        value = stack.pop()
        left -= 1
        if type(value) in (tuple, frozenset, Size):
            if len(value) > left:
                raise ValueError("a key of a dict is too large")
            stack += value
        elif not isinstance(value, _KEYS) and not trusted(type(value)):
            raise ValueError(f"a {type(value).__name__} cannot be a key of a dict")
        elif isinstance(value, int) and value.bit_length() > _LONGEST_KEY_BITS:
            raise ValueError("a key of a dict is too large")
        if left < 0:
            raise ValueError("a key of a dict is too large")
    return _LARGEST_KEY - 1 - left
