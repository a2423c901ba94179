"""`autocast`: mixed precision, which changes no dtype here.

`autocast("cuda")` is off, with PyTorch's warning, as there is no GPU. `autocast("cpu")` computes in the
dtypes of its inputs, which is more exact than the bfloat16 that it asks for; a warning says so once.
"""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from ..atomic import Block, Change, as_one
from ..metadata import device
from ..types import DType

_KNOWN = ("cpu", "cuda", "mps", "xpu", "hpu", "xla", "mtia", "ipu", "maia")
_warned: list[str] = []  # that CPU autocast computes in full precision


class _State(threading.local):
    """The state of this thread: which kinds of devices are on, and their dtypes."""

    def __init__(self) -> None:
        self.on: dict[str, bool] = {}
        self.dtype: dict[str, Any] = {}
        self.cache = True


_state = _State()


class autocast(Block):
    """Mixed precision in a `with` block, or during each call of a function that it decorates.

    `device_type` "cuda" is off, and warns: there is no GPU. "cpu" is on, and every op computes in the
    dtype of its inputs. RuntimeError for a device that does not exist.

    >>> with tc.autocast("cpu", enabled=False):
    ...     tc.ones(2).dtype == tc.float32
    True
    """

    def __init__(
        self, device_type: str, dtype: DType | None = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ):  # fmt: skip
        _check_device(device_type)
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if enabled and device_type == "cuda":
            warnings.warn(
                "CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2
            )
            enabled = False
        if enabled and device_type == "cpu" and not _is_reduced(self.fast_dtype):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._cache_enabled = _state.cache if cache_enabled is None else cache_enabled

    def __enter__(self) -> autocast:
        if self._enabled and self.device == "cpu" and not _warned:
            _warned.append(self.device)
            warnings.warn(
                "autocast('cpu') computes in the dtype of the inputs here (float32 stays float32): "
                "the results are more exact than in bfloat16",
                stacklevel=2,
            )
        super().__enter__()
        return self

    def _changes(self) -> tuple[tuple[Change, ...], Change]:
        def to(on: bool, dtype: Any, cache: bool) -> tuple[Change, ...]:
            return (
                partial(_state.on.__setitem__, self.device, on),
                partial(_state.dtype.__setitem__, self.device, dtype),
                partial(vars(_state).__setitem__, "cache", cache),
            )

        before = is_autocast_enabled(self.device), get_autocast_dtype(self.device), _state.cache
        return to(self._enabled, self.fast_dtype, self._cache_enabled), as_one(*to(*before))

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func`, in this mode during each call."""

        @functools.wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return call


def _check_device(device_type: str) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if device_type not in _KNOWN:
        device(device_type)  # which raises for a name that is no device


def _is_reduced(dtype: Any) -> bool:
    return str(dtype).rpartition(".")[2] in ("bfloat16", "float16")


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether `autocast` of that kind of device is on in this thread.

    >>> tc.is_autocast_enabled(), tc.is_autocast_enabled("cpu")
    (False, False)
    """
    _check_device(device_type)
    return _state.on.get(device_type, False)


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Turn `autocast` of a kind of device on or off, in this thread.

    >>> tc.set_autocast_enabled("cpu", False)
    """
    if isinstance(device_type, bool):
        device_type, enabled = "cuda", device_type
    _check_device(device_type)
    _state.on[device_type] = bool(enabled)


def is_autocast_available(device_type: str) -> bool:
    """True: `autocast` takes that kind of device. RuntimeError for one that does not exist.

    >>> tc.amp.is_autocast_available("cpu")
    True
    """
    _check_device(device_type)
    return True


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that `autocast` of a kind of device asks for.

    >>> tc.get_autocast_dtype("cuda") == tc.float16
    True
    """
    _check_device(device_type)
    found = _state.dtype.get(device_type)
    if found is None:
        name = "bfloat16" if device_type == "cpu" else "float16"
        found = getattr(sys.modules[__package__.partition(".")[0]], name, name)
    return found


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Set the dtype that `autocast` of a kind of device asks for, in this thread.

    >>> tc.set_autocast_dtype("cuda", tc.float16)
    """
    _check_device(device_type)
    _state.dtype[device_type] = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether `autocast` may keep casts of parameters: a flag without effect.

    >>> tc.is_autocast_cache_enabled()
    True
    """
    return _state.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set the flag of `is_autocast_cache_enabled`.

    >>> tc.set_autocast_cache_enabled(True)
    """
    _state.cache = enabled


def clear_autocast_cache() -> None:
    """Does nothing: there is no cache.

    >>> tc.clear_autocast_cache()
    """


# --- Old names ----------------------------------------------------------------------------------


def _renamed(name: str, function: Callable[[str], Any], kind: str) -> Callable[[], Any]:
    new = f"{function.__name__}({kind!r})"

    def old() -> Any:
        warnings.warn(
            f"torch.{name}() is deprecated. Please use torch.{new} instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(kind)

    old.__name__ = old.__qualname__ = name
    old.__doc__ = f"""The old name of `{new}`, with a DeprecationWarning.

    >>> with warnings.catch_warnings(action="ignore"):
    ...     tc.{name}() == tc.{new}
    True
    """
    return old


is_autocast_cpu_enabled = _renamed("is_autocast_cpu_enabled", is_autocast_enabled, "cpu")
get_autocast_cpu_dtype = _renamed("get_autocast_cpu_dtype", get_autocast_dtype, "cpu")
get_autocast_gpu_dtype = _renamed("get_autocast_gpu_dtype", get_autocast_dtype, "cuda")


# --- Functions with a backward of their own -----------------------------------------------------


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: DType | None = None
) -> Callable[..., Any]:
    """Decorates `forward` of an `autograd.Function`, which runs as it is: nothing is cast here."""
    _check_device(device_type)
    return fwd if fwd is not None else lambda fwd: fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates `backward` of an `autograd.Function`, which runs as it is: nothing is cast here."""
    _check_device(device_type)
    return bwd if bwd is not None else lambda bwd: bwd
