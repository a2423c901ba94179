"""What moves arrays between processes: the interface, in the form for a single process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy import ndarray


class Transport:
    """Collectives on C-contiguous arrays. All ranks make the same calls in one order.

    This class serves one process, where nothing moves. Ranks are those of the group, `op` is the name of
    a `ReduceOp`.
    """

    rank, size = 0, 1

    def agree(self, what: str, details: Any = ()) -> None:
        """In debug mode, RuntimeError if another rank makes another call, or has other details."""

    def arrive(self, what: str) -> None:
        """Wait, without using the processor, until all ranks have made this call."""

    def all_reduce(self, x: ndarray, op: str) -> None:
        """x ← the reduction of all x."""

    def broadcast(self, x: ndarray, root: int) -> None:
        """x ← x of `root`."""

    def all_gather(self, x: ndarray, out: Any) -> None:
        """out[r] ← x of rank r."""
        out[0] = x

    def gather_objects(self, value: bytes) -> list[bytes]:
        """The values of all ranks."""
        return [value]

    def send(self, x: ndarray, to: int, tag: int) -> Callable[[], bool]:
        """Begin to send. The result tells whether it has ended. RuntimeError with one process."""
        raise RuntimeError("send, recv: there is one process, which cannot exchange with itself")

    def receive(self, x: ndarray, source: int | None, tag: int) -> Callable[[], bool]:
        """Begin to receive. The result tells whether it has ended. RuntimeError with one process."""
        return self.send(x, 0, tag)

    def wait(self, ended: Callable[[], bool], what: str) -> None:
        """Wait, without using the processor, until `ended()`."""

    def part(self, ranks: Sequence[int]) -> Transport | None:
        """The same for some of the ranks, or None if this one is not among them. All ranks call it."""
        return type(self)() if 0 in ranks else None
