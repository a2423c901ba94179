"""`torch.accelerator` without one: `is_available()` is False."""

from __future__ import annotations

from typing import Any, NoReturn

from ..types import Device


def is_available() -> bool:
    """False: there is no accelerator.

    >>> tc.accelerator.is_available(), tc.accelerator.device_count()
    (False, 0)
    """
    return False


def device_count() -> int:
    """0: there is no accelerator."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is no accelerator."""


def current_device_index(*args: Any, **kwargs: Any) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


set_device_index = current_stream = set_stream = synchronize = empty_cache = current_device_index
memory_allocated = memory_reserved = memory_stats = current_device_index
max_memory_allocated = max_memory_reserved = reset_peak_memory_stats = current_device_index


class device_index:
    """Selects an accelerator for a `with` block: RuntimeError, but for None."""

    def __init__(self, device: Device):
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            current_device_index()

    def __exit__(self, *exc: object) -> None:
        pass
