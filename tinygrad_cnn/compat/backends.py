"""`torch.backends`: flags of libraries that are not here. They may be set, without effect.

>>> import tinygrad_cnn.backends.cudnn as cudnn
>>> cudnn.benchmark = True
>>> cudnn.is_available()
False
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # its modules are in paths.txt

    def __getattr__(name: str) -> Any: ...


on, off, nothing = True, False, None  # values of flags at first
matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
)
_attention = {"flash": True, "math": True, "mem_efficient": True}


def is_available(*args: Any) -> bool:
    """False: this library is not here."""
    return False


is_built = is_acceptable = is_macos_or_newer = is_available


def version() -> None:
    """None: cuDNN is not here."""


@contextmanager
def flags(**values: Any) -> Iterator[None]:
    """Set flags of `backends.cudnn` for a `with` block."""
    cudnn = vars(sys.modules[f"{__package__.partition('.')[0]}.backends.cudnn"])
    before = {name: cudnn[name] for name in values}
    cudnn.update(values)
    try:
        yield
    finally:
        cudnn.update(before)


def _kernel(name: str) -> tuple[Any, Any]:
    def enable(enabled: bool) -> None:
        _attention[name] = enabled

    def enabled() -> bool:
        return _attention[name]

    enable.__doc__ = f"Set the flag of the {name} kernel of attention, without effect."
    enabled.__doc__ = f"Whether the {name} kernel of attention may be used: a flag without effect."
    return enable, enabled


enable_flash_sdp, flash_sdp_enabled = _kernel("flash")
enable_math_sdp, math_sdp_enabled = _kernel("math")
enable_mem_efficient_sdp, mem_efficient_sdp_enabled = _kernel("mem_efficient")


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> Iterator[None]:  # fmt: skip
    """Set the flags of kernels of attention for a `with` block."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient)
    try:
        yield
    finally:
        _attention.update(before)


# --- torch.nn.attention ---------------------------------------------------------------------------


class SDPBackend(IntEnum):
    """PyTorch's kernels of `scaled_dot_product_attention`."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(
    backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """A `with` block without effect: there is one kernel. AssertionError for what names no kernel."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, (list, tuple)):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend")
    yield
