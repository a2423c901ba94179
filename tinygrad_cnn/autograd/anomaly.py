"""Anomaly mode: an error that names the first op, forward or backward, with a NaN or infinity."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..atomic import Block, Change
from ..engine import Node, Observer, user_line, watching
from ..engine.dtypes import FLOATING

_PACKAGES = (os.path.join(os.path.dirname(os.path.dirname(__file__)), ""),)  # not the user's code


class detect_anomaly(Block, Observer):
    """A `with` block in which an op or vjp raises if it makes a NaN or infinity of finite inputs.

    The RuntimeError names the op, its shapes, and the line of the user's code that ran it. With
    `check_nan=False` values are not checked. A write to the array of a saved Tensor that no version
    counter sees also raises in the backward pass. Outside the block this costs nothing.

    >>> x = tc.tensor([0.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     tc.log(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    RuntimeError: log made 1 infinite or NaN value of 1 ...
    """

    def __init__(self, check_nan: bool = True):
        self.check_nan = check_nan

    def _changes(self) -> tuple[tuple[Change, ...], Change]:
        return watching(self)

    def op_ran(self, op: Any, inputs: tuple[Any, ...], output: Any, node: Node | None) -> None:
        """Check the output. Note the source line and a checksum of each saved array."""
        line = user_line(_PACKAGES)
        bad = self._bad(output._array)
        given = (*inputs, *(node.attributes.values() if node is not None else ()))
        if bad and not any(self._bad(getattr(x, "_array", x)) for x in given):
            shapes = [tuple(x.shape) for x in inputs if hasattr(x, "shape")]
            raise RuntimeError(
                f"{op.name} made {_count(bad, output._array)} from finite inputs of shapes "
                f"{shapes}, at {line}"
            )
        if node is not None:
            node.extra = {
                **(node.extra or {}), "line": line, "sums": [_sum(s) for s in node.saved or ()]
            }  # fmt: skip

    def vjp_begins(self, node: Node, g: Any) -> None:
        """Check that the saved arrays are unchanged."""
        sums = (node.extra or {}).get("sums")
        for name, saved, before in zip(node.op.saved, node.saved or (), sums or (), strict=False):
            if _sum(saved) != before:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: the array `{name}` that {node.op.name} saved at "
                    f"{_line(node)} was written to"
                )

    def vjp_ran(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        """Check the gradients."""
        if self._bad(getattr(g, "_array", g)):
            return
        for name, gradient in zip(node.op.inputs, gradients, strict=False):
            array = getattr(gradient, "_array", gradient)
            bad = self._bad(array) if array is not None else 0
            if bad:
                raise RuntimeError(
                    f"the vjp of {node.op.name} for {name} made {_count(bad, array)} from a finite "
                    f"gradient of shape {node.shape}; the op ran at {_line(node)}"
                )

    def _bad(self, array: Any) -> int:
        if isinstance(array, float):
            return int(self.check_nan and not math.isfinite(array))
        if not self.check_nan or getattr(array, "dtype", np.dtype(int)).kind not in FLOATING:
            return 0
        return int(array.size - np.isfinite(array).sum())


def _count(bad: int, array: Any) -> str:
    return f"{bad} infinite or NaN value{'s' * (bad > 1)} of {array.size}, in shape {array.shape},"


def _line(node: Node) -> str:
    return (node.extra or {}).get("line", "a place that was not recorded (make it in this mode)")


def _sum(saved: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(saved).data) if isinstance(saved, np.ndarray) else 0


_everywhere: list[detect_anomaly] = []


class set_detect_anomaly:
    """Turn the anomaly mode on or off, immediately and for all threads; or for a `with` block.

    >>> with set_detect_anomaly(True):
    ...     pass
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        self._before = _everywhere[-1] if _everywhere else None
        _switch(detect_anomaly(check_nan) if mode else None)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _switch(self._before)


def _switch(watch: detect_anomaly | None) -> None:
    while _everywhere:
        _everywhere.pop().__exit__()
    if watch is not None:
        _everywhere.append(watch.__enter__())
