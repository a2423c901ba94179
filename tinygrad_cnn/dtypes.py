"""Element types: `dtype` objects with PyTorch's names, and the conversion of arguments to NumPy's.

Kernels, ops and the engine use NumPy's dtypes. Users see `dtype` objects: `x.dtype` is one. It prints
as `torch.float32`, because programs for PyTorch log that text and compare it. Its attribute `dtype` is
NumPy's dtype, so NumPy takes the object wherever it takes a dtype.
"""

from __future__ import annotations

from typing import Any, Final, Self, final

import numpy as np

from .engine import dtypes as engine_dtypes
from .engine.dtypes import RANK

__all__ = [
    "bfloat16", "bool_", "can_cast", "complex64", "complex128", "dtype", "float16", "float32",
    "float64", "get_default_dtype", "int8", "int16", "int32", "int64", "promote_types",
    "set_default_dtype", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip


@final
class dtype:
    """The type of the elements of a Tensor. There is one object for each type, so `is` compares them.

    It equals NumPy's dtype and scalar type of the same elements, and NumPy takes it as a dtype.
    TypeError for `dtype(...)`: use `float32`, `int64` and the other objects.

    >>> tc.zeros(2).dtype, tc.zeros(2).dtype is tc.float32, tc.float32.itemsize
    (torch.float32, True, 4)
    >>> import numpy as np
    >>> np.ones(2, tc.float32).dtype == tc.float32 == np.float32
    True
    """

    __slots__ = ("_itemsize", "_kind", "_name", "_numpy")
    _name: str
    _kind: str  # as NumPy names it: b, u, i, f or c
    _itemsize: int
    _numpy: np.dtype[Any] | None  # None: that of bfloat16, until the first use loads it

    def __new__(cls, *args: Any, **kwargs: Any) -> dtype:
        """TypeError: there is one object for each type."""
        raise TypeError(
            "dtype() takes no arguments: cannot create 'torch.dtype' instances, use torch.float32, "
            "torch.int64 ..."
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype. ImportError for bfloat16 without the package ml_dtypes."""
        if self._numpy is None:
            self._numpy = _numpys_bfloat16()
        return self._numpy

    @property
    def itemsize(self) -> int:
        """The size of an element, in bytes."""
        return self._itemsize

    @property
    def is_floating_point(self) -> bool:
        """Whether it is float16, bfloat16, float32 or float64."""
        return self._kind == "f"

    @property
    def is_complex(self) -> bool:
        """Whether it is complex64 or complex128. No Tensor can have these."""
        return self._kind == "c"

    @property
    def is_signed(self) -> bool:
        """Whether elements can be negative."""
        return self._kind in "ifc"

    def to_real(self) -> Self:
        """The dtype of the real part of an element."""
        return {"complex64": float32, "complex128": float64}.get(self._name, self)

    def to_complex(self) -> Self:
        """The complex dtype of these real parts.

        RuntimeError for integers and bool, NotImplementedError for float16.
        """
        if self is float16:
            raise NotImplementedError("to_complex: complex32 does not exist here")
        if self._kind not in "fc":
            raise RuntimeError(f"Unknown Complex ScalarType for {self}")
        return complex128 if self._name in ("float64", "complex128") else complex64

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, np.dtype) or (
            isinstance(other, type) and issubclass(other, np.generic)
        ):
            found = np.dtype(other)
            return found.name == self._name if self._numpy is None else found == self._numpy
        return False if isinstance(other, dtype) else NotImplemented

    def __hash__(self) -> int:  # as NumPy's, so that both find an entry of a dict
        try:
            return hash(self.dtype)
        except ImportError:
            return hash(self._name)

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:  # the name of a global: pickle and copy give the same object
        return "bool_" if self._name == "bool" else self._name


def _numpys_bfloat16() -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            "torch.bfloat16 needs the package ml_dtypes: pip install 'tinygrad_cnn[bfloat16]'"
        ) from None
    return np.dtype(ml_dtypes.bfloat16)


def _made(name: str, kind: str, itemsize: int) -> dtype:
    new: dtype = object.__new__(dtype)
    new._name, new._kind, new._itemsize = name, kind, itemsize
    new._numpy = None if name == "bfloat16" else np.dtype(name)
    return new


class _Table(dict[Any, Any]):
    """The `dtype` object of each of NumPy's dtypes; KeyError for dtypes that Tensors cannot have."""

    def __missing__(self, key: Any) -> dtype:
        if getattr(key, "name", None) != "bfloat16":
            raise KeyError(key)
        self[key] = bfloat16
        return bfloat16


float16: Final = _made("float16", "f", 2)
bfloat16: Final = _made("bfloat16", "f", 2)
float32: Final = _made("float32", "f", 4)
float64: Final = _made("float64", "f", 8)
complex64: Final = _made("complex64", "c", 8)
complex128: Final = _made("complex128", "c", 16)
uint8: Final = _made("uint8", "u", 1)
uint16: Final = _made("uint16", "u", 2)
uint32: Final = _made("uint32", "u", 4)
uint64: Final = _made("uint64", "u", 8)
int8: Final = _made("int8", "i", 1)
int16: Final = _made("int16", "i", 2)
int32: Final = _made("int32", "i", 4)
int64: Final = _made("int64", "i", 8)
bool_: Final = _made("bool", "b", 1)

ALL = (
    float16, bfloat16, float32, float64, complex64, complex128, uint8, uint16, uint32, uint64,
    int8, int16, int32, int64, bool_,
)  # fmt: skip
DTYPES = _Table({d._numpy: d for d in ALL if d._numpy is not None})


# --- Arguments ----------------------------------------------------------------------------------


def as_dtype(name: str, value: Any, argument: str = "dtype") -> dtype:
    """The `dtype` object of an argument: of one, of NumPy's, or of a type of numbers (`float`).

    TypeError for anything else, and for dtypes that Tensors cannot have.
    """
    if isinstance(value, dtype):
        return value
    numbers = (bool, int, float, complex, np.generic)
    if not isinstance(value, np.dtype) and not (
        isinstance(value, type) and issubclass(value, numbers)
    ):
        raise TypeError(
            f"{name}(): argument '{argument}' must be torch.dtype, not {type(value).__name__}"
        )
    try:
        return DTYPES[np.dtype(value)]
    except KeyError:
        raise TypeError(
            f"{name}(): dtype {np.dtype(value)} is not supported: use bool, an integer or a float"
        ) from None


def supported(numpys: np.dtype[Any]) -> bool:
    """Whether Tensors can have one of NumPy's dtypes."""
    return numpys.kind in RANK and (numpys in DTYPES or numpys.name == "bfloat16")


def shown(numpys: np.dtype[Any]) -> str:
    """One of NumPy's dtypes in a message: `torch.float32`, or NumPy's name if no Tensor has it."""
    return str(DTYPES[numpys]) if supported(numpys) else str(numpys)


def dtype_of(name: str, value: Any) -> np.dtype[Any]:
    """NumPy's dtype of an argument `dtype`, as `as_dtype` takes it.

    NotImplementedError for complex numbers, ImportError for bfloat16 without the package ml_dtypes.
    """
    found = as_dtype(name, value)
    if found.is_complex:
        raise NotImplementedError(f"{name}(): complex Tensors are not implemented, got {found}")
    return found.dtype


TYPE_NAMES = {  # PyTorch's names of Tensors, by that of their dtype
    "float16": "HalfTensor",
    "bfloat16": "BFloat16Tensor",
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "uint8": "ByteTensor",
    "uint16": "UInt16Tensor",
    "uint32": "UInt32Tensor",
    "uint64": "UInt64Tensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "bool": "BoolTensor",
}


def dtype_of_type(wanted: Any) -> np.dtype[Any]:
    """The dtype that `x.type(wanted)` converts to: of a dtype, of `FloatTensor`, or of a name of it.

    ValueError for an unknown name and for a type of Python's numbers, RuntimeError for a type of
    Tensors on a GPU, TypeError for anything else.
    """
    if isinstance(wanted, (dtype, np.dtype)):
        return dtype_of("type", wanted)
    text = wanted
    if isinstance(wanted, type):
        text = getattr(wanted, "type_name", wanted.__name__)
    if not isinstance(text, str):
        raise TypeError("dtype must be a type, str, or dtype object")
    place, _, name = text.rpartition(".")
    names = {shown: own for own, shown in TYPE_NAMES.items()}
    if text in ("Tensor", "torch.Tensor"):
        return engine_dtypes.get_default_dtype()
    if name not in names or place not in ("torch", "torch.cuda"):
        raise ValueError(f"invalid type: '{text}'")
    if place == "torch.cuda":
        raise RuntimeError(f"type: {text} is not available: the only device is 'cpu'")
    return next(d for d in ALL if d._name == names[name]).dtype


# --- Public functions ---------------------------------------------------------------------------


def get_default_dtype() -> dtype:
    """The dtype of new floating-point Tensors and of integer division; float32 by default.

    >>> tc.get_default_dtype()
    torch.float32
    """
    return DTYPES[engine_dtypes.get_default_dtype()]


def set_default_dtype(d: dtype) -> None:
    """Make `d` the default dtype, for all threads. TypeError unless it is of floating point.

    >>> tc.set_default_dtype(tc.float32)
    >>> tc.zeros(1).dtype
    torch.float32
    """
    known = isinstance(d, (dtype, np.dtype, type))
    found = as_dtype("set_default_dtype", d, "d") if known else None
    if found is None or not found.is_floating_point:
        raise TypeError(
            "invalid dtype object: only floating-point types are supported as the default type, got "
            f"{d!r}"
        )
    engine_dtypes.set_default_dtype(found.dtype)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The dtype in which Tensors of two dtypes meet.

    RuntimeError for uint16, uint32 and uint64 beside another dtype of bool or integers.

    >>> tc.promote_types(tc.int64, tc.float16), tc.promote_types(tc.float16, tc.bfloat16)
    (torch.float16, torch.float32)
    """
    one, other = (as_dtype("promote_types", d, f"type{k}") for k, d in enumerate((type1, type2), 1))
    if one is other:
        return one
    if one.is_complex or other.is_complex:
        wide = any(d is float64 or d is complex128 for d in (one, other))
        return complex128 if wide else complex64
    return DTYPES[engine_dtypes.promote_types(one.dtype, other.dtype)]


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether a result of dtype `from_` may be written to a Tensor of dtype `to`.

    Neither complex numbers may become real ones, nor numbers with a fraction integers, nor numbers
    bools.

    >>> tc.can_cast(tc.float64, tc.float32), tc.can_cast(tc.float32, tc.int64)
    (True, False)
    """
    rank = RANK | {"c": 3}
    one, other = as_dtype("can_cast", from_, "from"), as_dtype("can_cast", to, "to")
    return rank[one._kind] <= rank[other._kind]
