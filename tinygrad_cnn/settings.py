"""What model code asks of the library as a whole: constants, kinds, threads, determinism."""

from __future__ import annotations

import math
from typing import Any

from . import kernels
from .engine import Recorded

__all__ = [
    "are_deterministic_algorithms_enabled", "e", "get_num_threads", "inf", "is_floating_point",
    "is_tensor", "nan", "numel", "pi", "set_float32_matmul_precision", "set_num_threads",
    "use_deterministic_algorithms",
]  # fmt: skip

pi, e, inf, nan = math.pi, math.e, math.inf, math.nan


def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor."""
    return isinstance(obj, Recorded)


def numel(input: Any) -> int:
    """How many elements a Tensor has."""
    return input.numel()


def is_floating_point(input: Any) -> bool:
    """Whether the dtype of a Tensor is one of floating point."""
    return input.is_floating_point()


def get_num_threads() -> int:
    """How many threads share a kernel's work."""
    return kernels.get_num_threads()


def set_num_threads(n: int) -> None:
    """Let so many threads share a kernel's work, those of matrix products with them."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {n!r}")
    kernels.set_num_threads(n)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: the same seed, threads and kernels give the same bits, always."""


def are_deterministic_algorithms_enabled() -> bool:
    """True: see `use_deterministic_algorithms`."""
    return True


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted without effect: products of float32 are of float32."""
