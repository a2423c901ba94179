"""What model code asks of `torch.cuda`, where there is none: `is_available()` is False."""

from __future__ import annotations

from typing import Any

__all__ = [
    "current_device", "device_count", "empty_cache", "is_available", "manual_seed",
    "manual_seed_all", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_device() -> int:
    """RuntimeError: there is none."""
    raise RuntimeError("cuda: there is no CUDA device here: the only device is 'cpu'")


def manual_seed(seed: int) -> None:
    """Nothing: there is no generator to seed. (`tinygrad_cnn.manual_seed` seeds the one there is.)"""


def manual_seed_all(seed: int) -> None:
    """Nothing, as `manual_seed`."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Nothing: every op has ended when it returns."""
