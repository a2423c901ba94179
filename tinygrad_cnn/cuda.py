"""`tinygrad_cnn.cuda`, the path of `torch.cuda`. See `compat/cuda.py`."""

from typing import TYPE_CHECKING, Any

from .compat.cuda import *

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The types of Tensors on a GPU: `FloatTensor` ..."""
        from .typed import CUDA_TYPES

        if name in CUDA_TYPES:
            return CUDA_TYPES[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
