"""Buckets: gradients that travel together, because a message has a price of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import wrap
from ..tensor import Tensor

FIRST_BYTES = 1 << 20  # small, so that communication begins early: PyTorch's sizes
CAP_MEGABYTES = 25


class Timing(NamedTuple):
    """When a bucket was complete, and when its communication began and ended, in seconds."""

    bucket: int
    nbytes: int
    parameters: tuple[str, ...]
    ready: float
    started: float
    ended: float


class GradBucket:
    """The gradients of some parameters, one after the other in one array. Hooks get it."""

    def __init__(self, index: int, named: Sequence[tuple[str, Tensor]]):
        self._index, self._last = index, False
        self.names, self._parameters = zip(*named, strict=True)
        sizes = [p._array.size for p in self._parameters]
        self.flat = np.zeros(sum(sizes), self._parameters[0]._array.dtype)
        ends = np.cumsum(sizes)
        self.views = [
            self.flat[end - p._array.size : end].reshape(p._array.shape)
            for end, p in zip(ends, self._parameters, strict=True)
        ]
        self.incomplete = 0  # parameters whose gradient is not known yet
        self.work: Any = None
        self.ready = self.started = self.ended = 0.0

    def index(self) -> int:
        """The place in the order of communication."""
        return self._index

    def buffer(self) -> Tensor:
        """The flat Tensor of all gradients, on the memory of the bucket."""
        found: Tensor = wrap(self.flat)
        return found

    def set_buffer(self, tensor: Tensor) -> None:
        """Overwrite the gradients."""
        self.flat[...] = tensor._array

    def gradients(self) -> list[Tensor]:
        """The gradient of each parameter, on the memory of the bucket."""
        return [wrap(view) for view in self.views]

    def parameters(self) -> list[Tensor]:
        """The parameters."""
        return list(self._parameters)

    def is_last(self) -> bool:
        """Whether this is the last bucket of a backward pass."""
        return self._last

    def timing(self) -> Timing:
        """The times of the last backward pass."""
        return Timing(
            self._index, self.flat.nbytes, self.names, self.ready, self.started, self.ended
        )

    def begins(self) -> None:
        """Note that communication begins."""
        self.started = time.perf_counter()

    def ends(self) -> None:
        """Note that communication has ended."""
        self.ended = time.perf_counter()


def make_buckets(
    named: Sequence[tuple[str, Tensor]], first_bytes: int, cap_bytes: int
) -> list[GradBucket]:
    """Buckets in the order in which a backward pass completes them: the last parameters first.

    A bucket ends when it has reached its size, or when the dtype changes.
    """
    parts: list[list[tuple[str, Tensor]]] = []
    size, limit, dtype = 0, first_bytes, None
    for name, parameter in reversed(named):
        x = parameter._array
        if not parts or size >= limit or x.dtype != dtype:
            limit = cap_bytes if parts else first_bytes
            parts.append([])
            size, dtype = 0, x.dtype
        parts[-1].append((name, parameter))
        size += x.nbytes
    found = [GradBucket(i, part) for i, part in enumerate(parts)]
    if found:
        found[-1]._last = True
    return found
