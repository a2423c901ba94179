"""Threads, determinism and precision of the whole library."""

from __future__ import annotations

from .. import kernels

__all__ = [
    "are_deterministic_algorithms_enabled", "get_num_threads", "set_float32_matmul_precision",
    "set_num_threads", "use_deterministic_algorithms",
]  # fmt: skip


def get_num_threads() -> int:
    """The number of threads that share the work of a kernel.

    >>> tc.get_num_threads() >= 1
    True
    """
    return kernels.get_num_threads()


def set_num_threads(num: int) -> None:
    """Let `num` threads share the work of a kernel, and of a matrix product.

    RuntimeError unless it is a positive integer.

    >>> tc.set_num_threads(tc.get_num_threads())
    """
    if isinstance(num, bool) or not isinstance(num, int):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {num}")
    kernels.set_num_threads(num)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Does nothing: with the same seed, threads and kernels every result has the same bits.

    >>> tc.use_deterministic_algorithms(True)
    """


def are_deterministic_algorithms_enabled() -> bool:
    """True: every algorithm is deterministic. See `use_deterministic_algorithms`.

    >>> tc.are_deterministic_algorithms_enabled()
    True
    """
    return True


def set_float32_matmul_precision(precision: str) -> None:
    """Does nothing: matrix products of float32 are computed in float32.

    >>> tc.set_float32_matmul_precision("high")
    """
