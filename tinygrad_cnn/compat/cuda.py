"""`torch.cuda` of a build without CUDA: `is_available()` is False.

Functions that ask for the state of devices answer that there is none. Functions that need a device
raise what PyTorch's build for CPUs raises, mostly AssertionError.

>>> import tinygrad_cnn.cuda as cuda
>>> cuda.is_available(), cuda.device_count(), cuda.memory_allocated()
(False, 0, 0)
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from ..types import Device

if TYPE_CHECKING:  # its modules are in paths.txt, and other names are made below

    def __getattr__(name: str) -> Any: ...


_NO_CUDA = "Torch not compiled with CUDA enabled: the only device here is 'cpu'"

has_half = True
has_magma = False
default_generators: tuple[()] = ()


# --- Answers ------------------------------------------------------------------------------------


def is_available() -> bool:
    """False: there is no GPU.

    >>> tc.device("cuda" if tc.cuda.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def device_count() -> int:
    """0: there is no GPU."""
    return 0


def _constant(name: str, value: Any, doc: str) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> Any:
        return value() if isinstance(value, type) else value

    answer.__name__ = answer.__qualname__ = name
    answer.__doc__ = doc
    return answer


_ANSWERS: dict[Any, str] = {
    False: "is_initialized is_bf16_supported is_tf32_supported",
    "": "get_gencode_flags",
    list: "get_arch_list get_rng_state_all",
    OrderedDict: "memory_stats host_memory_stats",
    None: "empty_cache manual_seed manual_seed_all seed seed_all set_rng_state set_rng_state_all "
    "reset_accumulated_host_memory_stats set_stream",
}  # 0 equals False: those names are apart
_ZERO = "memory_allocated memory_reserved max_memory_allocated max_memory_reserved"
_REFUSED = (
    "can_device_access_peer current_blas_handle current_device current_stream default_stream "
    "get_device_capability get_device_name get_device_properties get_rng_state get_sync_debug_mode "
    "init initial_seed ipc_collect mem_get_info set_per_process_memory_fraction set_sync_debug_mode "
    "synchronize cudart"
)
_OF_C = (
    "reset_peak_memory_stats reset_accumulated_memory_stats memory_snapshot get_allocator_backend "
    "reset_peak_host_memory_stats"
)
_OF_NVML = "utilization memory_usage temperature power_draw clock_rate"

for _value, _names in _ANSWERS.items():
    for _name in _names.split():
        globals()[_name] = _constant(_name, _value, "The answer without a GPU.")
for _name in _ZERO.split():
    globals()[_name] = _constant(_name, 0, "0: there is no GPU, and so no memory of one.")


def list_gpu_processes(device: Device = None) -> str:
    """A text that says that the library which lists them is not here."""
    return "pynvml module not found, please install nvidia-ml-py"


def memory_cached(device: Device = None) -> int:
    """The old name of `memory_reserved`."""
    warnings.warn(
        "`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`",
        FutureWarning,
        stacklevel=2,
    )
    return 0


# --- Errors -------------------------------------------------------------------------------------


def _refusal(name: str, error: type[Exception]) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise error(f"cuda.{name}: {_NO_CUDA}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Raises {error.__name__}: there is no GPU."
    return refuse


for _error, _names in {
    AssertionError: _REFUSED,
    AttributeError: _OF_C,
    ModuleNotFoundError: _OF_NVML,
    RuntimeError: "graph_pool_handle is_current_stream_capturing",
    KeyError: "memory_summary",
}.items():
    for _name in _names.split():
        globals()[_name] = _refusal(_name, _error)
no_nvtx = _refusal("nvtx", RuntimeError)


def set_device(device: Device) -> None:
    """AttributeError as in PyTorch's build for CPUs, ValueError for a device that is not CUDA.

    A negative number does nothing.
    """
    if not isinstance(device, int):
        kind, _, index = str(device).partition(":")
        if kind == "cpu":
            raise ValueError(f"Expected a cuda device, but got: {device}")
        if kind != "cuda" or not index:
            raise ValueError(
                f"Expected a torch.device with a specified index or an integer, but got:{device}"
            )
    if not isinstance(device, int) or device >= 0:
        raise AttributeError(f"cuda.set_device: {_NO_CUDA}")


@contextmanager
def nvtx_range(msg: str, *args: Any, **kwargs: Any) -> Any:
    """RuntimeError: the functions of NVTX are not here."""
    no_nvtx()
    yield


# --- Classes ------------------------------------------------------------------------------------


class OutOfMemoryError(RuntimeError):
    """The error of a GPU without enough memory. Nothing raises it here.

    >>> issubclass(tc.OutOfMemoryError, RuntimeError)
    True
    """


class _Refused:
    def __init__(self, *args: Any, **kwargs: Any):
        raise RuntimeError(f"cuda.{type(self).__name__}: {_NO_CUDA}")


class Event(_Refused):
    """A mark in a stream of a GPU. RuntimeError: there is no GPU."""


class Stream(_Refused):
    """A queue of work of a GPU. RuntimeError: there is no GPU."""


class ExternalStream(Stream):
    """A stream of another library. RuntimeError: there is no GPU."""


class CUDAGraph(_Refused):
    """A recorded series of work of a GPU. RuntimeError: there is no GPU."""


class device:
    """Selects a GPU for a `with` block. Entering one is a RuntimeError; a negative number is none."""

    def __init__(self, device: Any):
        self.idx = device

    def __enter__(self) -> None:
        if not isinstance(self.idx, int) or self.idx >= 0:
            raise RuntimeError(f"cuda.device: {_NO_CUDA}")

    def __exit__(self, *exc: object) -> None:
        pass


class device_of(device):
    """The GPU of a Tensor, for a `with` block. No Tensor is on one, so it does nothing."""

    def __init__(self, obj: Any):
        super().__init__(-1)


def stream(stream: Any) -> nullcontext[None]:
    """A `with` block on a stream; without a GPU it does nothing."""
    return nullcontext()
