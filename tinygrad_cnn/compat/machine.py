"""Threads, determinism, precision and device of the whole library."""

from __future__ import annotations

import warnings
from typing import Any

from .. import kernels
from ..metadata import CPU, check_device, device
from ..types import Device

__all__ = [
    "are_deterministic_algorithms_enabled", "get_default_device", "get_deterministic_debug_mode",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled",
    "set_default_device", "set_deterministic_debug_mode", "set_float32_matmul_precision",
    "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_warn_always",
    "use_deterministic_algorithms",
]  # fmt: skip

_flags: dict[str, Any] = {
    "deterministic": False, "warn_only": False, "precision": "highest", "warn_always": False
}  # fmt: skip


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


def get_num_interop_threads() -> int:
    """1: ops run one after the other.

    >>> tc.get_num_interop_threads()
    1
    """
    return 1


def set_num_interop_threads(num: int) -> None:
    """Does nothing: ops run one after the other. RuntimeError unless `num` is a positive integer.

    >>> tc.set_num_interop_threads(2)
    """
    if isinstance(num, bool) or not isinstance(num, int):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, got {num}")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Sets a flag: with the same seed, threads and kernels every result has the same bits anyway.

    >>> tc.use_deterministic_algorithms(True)
    >>> tc.are_deterministic_algorithms_enabled()
    True
    >>> tc.use_deterministic_algorithms(False)
    """
    _flags.update(deterministic=bool(mode), warn_only=bool(warn_only))


def are_deterministic_algorithms_enabled() -> bool:
    """The flag that `use_deterministic_algorithms` set.

    >>> tc.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_flags["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """The flag `warn_only` that `use_deterministic_algorithms` set.

    >>> tc.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return bool(_flags["warn_only"])


def get_deterministic_debug_mode() -> int:
    """0, or 1 or 2 after `use_deterministic_algorithms` with and without `warn_only`.

    >>> tc.get_deterministic_debug_mode()
    0
    """
    return (2 - bool(_flags["warn_only"])) * bool(_flags["deterministic"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Set the flags by a number or name: 0 "default", 1 "warn" or 2 "error". RuntimeError for others.

    >>> tc.set_deterministic_debug_mode("default")
    """
    names = ["default", "warn", "error"]
    if debug_mode not in (*names, 0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of {', '.join(names)} or 0, 1, 2, "
            f"but got {debug_mode}"
        )
    mode = names.index(debug_mode) if isinstance(debug_mode, str) else debug_mode
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def set_float32_matmul_precision(precision: str) -> None:
    """Sets a flag without effect: matrix products of float32 are computed in float32.

    Warns and does nothing unless it is "highest", "high" or "medium".

    >>> tc.set_float32_matmul_precision("high")
    >>> tc.get_float32_matmul_precision()
    'high'
    >>> tc.set_float32_matmul_precision("highest")
    """
    if precision in ("highest", "high", "medium"):
        _flags["precision"] = precision
    else:
        says = f"{precision} is not one of 'highest', 'high', or 'medium'; the current is unchanged"
        warnings.warn(says, stacklevel=2)


def get_float32_matmul_precision() -> str:
    """The flag that `set_float32_matmul_precision` set, "highest" at first.

    >>> tc.set_float32_matmul_precision("highest")
    >>> tc.get_float32_matmul_precision()
    'highest'
    """
    return str(_flags["precision"])


def set_flush_denormal(mode: bool) -> bool:
    """Whether it took effect: False, denormal numbers are kept, as the processor's flag stays.

    >>> tc.set_flush_denormal(True)
    False
    """
    return not mode


def set_warn_always(b: bool) -> None:
    """Sets a flag without effect: Python's filters decide which warnings are shown.

    >>> tc.set_warn_always(False)
    """
    _flags["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """The flag that `set_warn_always` set.

    >>> tc.is_warn_always_enabled()
    False
    """
    return bool(_flags["warn_always"])


def get_default_device() -> device:
    """The CPU: there is no other device.

    >>> tc.get_default_device()
    device(type='cpu')
    """
    return CPU


def set_default_device(device: Device) -> None:
    """Does nothing for the CPU or None. RuntimeError for another device.

    >>> tc.set_default_device("cpu")
    """
    check_device("set_default_device", device)
