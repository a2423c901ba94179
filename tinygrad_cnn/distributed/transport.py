"""What moves arrays between processes: the protocol, and its form for a single process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy import ndarray


class Transport(Protocol):
    """Collectives on C-contiguous arrays, in place or into arrays. All ranks call them in one order.

    `what` describes a call in errors, and `details` are equal on all ranks: the debug mode compares
    them. `op` is the name of a `ReduceOp`. Ranks are those of the group.
    """

    rank: int
    size: int

    def arrive(self, what: str, details: Any = ()) -> None:
        """Wait, without using the processor, until all ranks have made this call."""

    def all_reduce(self, x: ndarray, op: str) -> None: ...
    def reduce(self, x: ndarray, op: str, root: int) -> None: ...
    def broadcast(self, x: ndarray, root: int) -> None: ...
    def all_gather(self, x: ndarray, out: ndarray) -> None: ...  # out has an axis of ranks in front
    def all_to_all(self, x: ndarray, out: ndarray) -> None: ...  # both have one
    def gather(self, x: ndarray, out: ndarray | None, root: int) -> None: ...
    def scatter(self, x: ndarray | None, out: ndarray, root: int) -> None: ...
    def gather_objects(self, value: bytes) -> list[bytes]: ...
    def send(self, x: ndarray, to: int, tag: int) -> Callable[[], bool]:
        """Begin to send. The result tells whether it has ended."""
        ...

    def receive(self, x: ndarray, source: int | None, tag: int) -> Callable[[], bool]: ...
    def wait(self, ended: Callable[[], bool], what: str) -> None: ...
    def part(self, ranks: Sequence[int] | None) -> Transport | None:
        """The same for some of the ranks, or None if this one is not among them. All ranks call it."""
        ...


class Alone:
    """One process: nothing moves."""

    rank, size = 0, 1

    def arrive(self, what: str, details: Any = ()) -> None:
        """Nobody else is awaited."""

    def all_reduce(self, x: ndarray, op: str) -> None:
        """x itself."""

    def reduce(self, x: ndarray, op: str, root: int) -> None:
        """x itself."""

    def broadcast(self, x: ndarray, root: int) -> None:
        """x itself."""

    def all_gather(self, x: ndarray, out: Any) -> None:
        """Copy x."""
        out[0] = x

    def all_to_all(self, x: ndarray, out: ndarray) -> None:
        """Copy x."""
        out[...] = x

    def gather(self, x: ndarray, out: Any, root: int) -> None:
        """Copy x."""
        out[0] = x

    def scatter(self, x: Any, out: ndarray, root: int) -> None:
        """Copy x."""
        out[...] = x[0]

    def gather_objects(self, value: bytes) -> list[bytes]:
        """The one value."""
        return [value]

    def send(self, x: ndarray, to: int, tag: int) -> Callable[[], bool]:
        """RuntimeError: there is no other process."""
        raise RuntimeError("send, recv: there is one process, which cannot exchange with itself")

    def receive(self, x: ndarray, source: int | None, tag: int) -> Callable[[], bool]:
        """RuntimeError: there is no other process."""
        return self.send(x, 0, tag)

    def wait(self, ended: Callable[[], bool], what: str) -> None:
        """Nothing is under way."""

    def part(self, ranks: Sequence[int] | None) -> Alone | None:
        """Another one, if it has the only rank."""
        return Alone() if ranks is None or 0 in ranks else None
