"""`torch.cuda` without a GPU: `is_available()` is False."""

from __future__ import annotations

from ..types import Device

__all__ = [
    "current_device", "device_count", "empty_cache", "is_available", "manual_seed",
    "manual_seed_all", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """False: there is no GPU.

    >>> tc.device("cuda" if tc.cuda.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def device_count() -> int:
    """0: there is no GPU."""
    return 0


def current_device() -> int:
    """RuntimeError: there is no GPU."""
    raise RuntimeError("cuda: there is no CUDA device here: the only device is 'cpu'")


def manual_seed(seed: int) -> None:
    """Does nothing: GPUs have no generator here. `tinygrad_cnn.manual_seed` seeds that of the CPU."""


def manual_seed_all(seed: int) -> None:
    """Does nothing, like `manual_seed`."""


def empty_cache() -> None:
    """Does nothing: there is no cache."""


def synchronize(device: Device = None) -> None:
    """Does nothing: every function has finished its work when it returns."""
