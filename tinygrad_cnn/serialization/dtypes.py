"""Element types in files: PyTorch's names of storages and dtypes, and NumPy's dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import dtypes
from .files import CheckpointError

# The class of a storage names the dtype of its elements. Newer dtypes have no such class: then the
# storage is untyped, and the tensor has the dtype.
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}  # fmt: skip
_UNSUPPORTED_STORAGES = {
    "ComplexDoubleStorage", "ComplexFloatStorage", "QUInt8Storage", "QInt8Storage", "QInt32Storage",
    "QUInt4x2Storage", "QUInt2x4Storage",
}  # fmt: skip
_STORAGE_OF = {dtype: storage for storage, dtype in _STORAGES.items() if storage[0] != "U"}
_UNTYPED = ("uint16", "uint32", "uint64")
_NAMES = frozenset((*_STORAGE_OF, *_UNTYPED))
_SYNONYMS = {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16",
}  # fmt: skip
_UNSUPPORTED = {
    "complex32", "complex64", "complex128", "chalf", "cfloat", "cdouble", "quint8", "qint8",
    "qint32",
    "quint4x2", "quint2x4", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "float8_e8m0fnu", "float4_e2m1fn_x2",
}  # fmt: skip


def bfloat16() -> np.dtype[Any]:
    """NumPy's dtype of bfloat16. ImportError without the package ml_dtypes."""
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            "files with tensors of bfloat16 need the package ml_dtypes: "
            "pip install 'tinygrad_cnn[bfloat16]'"
        ) from None
    return np.dtype(ml_dtypes.bfloat16)


def named(name: str) -> np.dtype[Any] | None:
    """NumPy's dtype for the name of one of PyTorch's, None for another name.

    CheckpointError for a dtype that Tensors cannot have.
    """
    name = _SYNONYMS.get(name, name)
    if name in _UNSUPPORTED:
        raise CheckpointError(f"is not supported: it holds a tensor or a dtype torch.{name}")
    if name not in _NAMES:
        return None
    return bfloat16() if name == "bfloat16" else np.dtype(name)


def of_storage(name: str) -> np.dtype[Any] | None:
    """The dtype of the elements of a class of storages, None for a name that is no such class."""
    if name in _UNSUPPORTED_STORAGES:
        raise CheckpointError(f"is not supported: it holds a tensor in a {name}")
    return named(_STORAGES[name]) if name in _STORAGES else None


def storage_of(dtype: np.dtype[Any]) -> str | None:
    """The class of the storages of these elements. None for dtypes that have untyped storages."""
    return _STORAGE_OF.get(dtype.name)


def can_be_saved(dtype: np.dtype[Any]) -> bool:
    """Whether PyTorch has the dtype."""
    return dtype.name in _NAMES


# --- The dtypes that users see ------------------------------------------------------------------

OBJECTS = (np.dtype,)  # the classes of dtypes: that of `x.dtype`, and NumPy's


def for_users(dtype: np.dtype[Any]) -> Any:
    """The dtype as `x.dtype` gives it."""
    return dtype


def name_of(value: Any) -> str | None:
    """PyTorch's name of a dtype, as `x.dtype` gives it. None for any other value."""
    found = isinstance(value, dtypes.dtype) and value.name in _NAMES
    return value.name if found else None
