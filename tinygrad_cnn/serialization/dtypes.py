"""Element types in files: PyTorch's names of storages and dtypes, and NumPy's dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import ALL, DTYPES, dtype
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
_BY_NAME = {str(d).removeprefix("torch."): d for d in ALL}
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


def named(name: str) -> np.dtype[Any] | None:
    """NumPy's dtype for the name of one of PyTorch's, None for another name.

    CheckpointError for a dtype that Tensors cannot have, ImportError for bfloat16 without the package
    ml_dtypes.
    """
    name = _SYNONYMS.get(name, name)
    if name in _UNSUPPORTED:
        raise CheckpointError(f"is not supported: it holds a tensor or a dtype torch.{name}")
    if name not in _NAMES:
        return None
    return _BY_NAME[name].dtype


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

OBJECTS = (np.dtype, dtype)  # the classes of dtypes: NumPy's, and that of `x.dtype`


def for_users(numpys: np.dtype[Any]) -> dtype:
    """The dtype as `x.dtype` gives it."""
    return DTYPES[numpys]


def name_of(value: Any) -> str | None:
    """PyTorch's name of a dtype, one of ours or NumPy's. None for any other value."""
    name = str(value).removeprefix("torch.") if isinstance(value, OBJECTS) else None
    return name if name in _NAMES else None
