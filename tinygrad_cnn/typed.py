"""`FloatTensor`, `LongTensor` ...: constructors of Tensors of one dtype, for `isinstance` too.

`set_default_tensor_type` chooses the default dtype by one of them.
"""

from __future__ import annotations

import warnings
from typing import Any

from . import dtypes
from .creation import legacy
from .dtypes import DTYPES, TYPE_NAMES, dtype_of_type
from .engine import Recorded
from .metadata import layout, strided
from .tensor import Tensor

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type",
]  # fmt: skip


class tensortype(type):
    """The type of `FloatTensor` and the others, which have no instances: Tensors are of class Tensor."""

    _dtype: dtypes.dtype
    _place: str  # "torch" or "torch.cuda"

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any],
        of: dtypes.dtype | None = None, place: str = "torch",
    ) -> tensortype:  # fmt: skip
        """TypeError for a subclass of one of them."""
        if of is None:
            names = ", ".join(getattr(base, "type_name", base.__name__) for base in bases)
            raise TypeError(f"type '{names}' is not an acceptable base type")
        made = super().__new__(cls, name, bases, body)
        made._dtype, made._place = of, place
        return made

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **how: Any) -> None:
        super().__init__(name, bases, body)

    @property
    def dtype(cls) -> dtypes.dtype:
        """The dtype of these Tensors."""
        return cls._dtype

    @property
    def is_cuda(cls) -> bool:
        """Whether the Tensors are on a GPU: then none can be made here."""
        return cls._place == "torch.cuda"

    is_sparse = False

    @property
    def type_name(cls) -> str:
        """The name that `Tensor.type` takes and gives."""
        return f"{cls._place}.{cls.__name__}"

    @property
    def layout(cls) -> layout:
        """`torch.strided`: the only layout."""
        return strided

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        """A Tensor of sizes, or of data. TypeError for those of a GPU."""
        if cls.is_cuda:
            raise TypeError(
                f"type {cls.type_name} not available. Torch not compiled with CUDA enabled."
            )
        made: Tensor = legacy.new(cls.__name__, cls._dtype.dtype, args, kwargs)
        return made

    def __instancecheck__(cls, instance: object) -> bool:
        return (
            isinstance(instance, Recorded)
            and not cls.is_cuda
            and DTYPES[instance._array.dtype] is cls._dtype
        )

    def __repr__(cls) -> str:
        return f"<class '{cls.type_name}'>"


class FloatTensor(Tensor, metaclass=tensortype, of=dtypes.float32):
    """Makes Tensors of float32, and is the class that `isinstance` finds them to be of.

    `FloatTensor(2, 3)` and `FloatTensor(x.size())` have that size, and elements that are whatever the
    memory holds. `FloatTensor([1.0])` holds data: a sequence, or an array, whose memory is shared if
    its dtype is float32. Of a Tensor of float32 the memory is shared; TypeError for another one.

    >>> tc.FloatTensor([1, 2]), isinstance(tc.ones(2), tc.FloatTensor)
    (tensor([1., 2.]), True)
    >>> tc.FloatTensor(2, 3).shape
    torch.Size([2, 3])
    """

    __slots__ = ()


class DoubleTensor(Tensor, metaclass=tensortype, of=dtypes.float64):
    """Makes Tensors of float64, as `FloatTensor` makes those of float32.

    >>> tc.DoubleTensor([1, 2])
    tensor([1., 2.], dtype=torch.float64)
    """

    __slots__ = ()


class HalfTensor(Tensor, metaclass=tensortype, of=dtypes.float16):
    """Makes Tensors of float16, as `FloatTensor` makes those of float32.

    >>> tc.HalfTensor([1, 2])
    tensor([1., 2.], dtype=torch.float16)
    """

    __slots__ = ()


class BFloat16Tensor(Tensor, metaclass=tensortype, of=dtypes.bfloat16):
    """Makes Tensors of bfloat16, as `FloatTensor` makes those of float32.

    >>> tc.BFloat16Tensor([1, 2])
    tensor([1., 2.], dtype=torch.bfloat16)
    """

    __slots__ = ()


class LongTensor(Tensor, metaclass=tensortype, of=dtypes.int64):
    """Makes Tensors of int64, as `FloatTensor` makes those of float32. Fractions are cut off.

    >>> tc.LongTensor([1, 2.5])
    tensor([1, 2])
    """

    __slots__ = ()


class IntTensor(Tensor, metaclass=tensortype, of=dtypes.int32):
    """Makes Tensors of int32, as `FloatTensor` makes those of float32. Fractions are cut off.

    >>> tc.IntTensor([1, 2])
    tensor([1, 2], dtype=torch.int32)
    """

    __slots__ = ()


class ShortTensor(Tensor, metaclass=tensortype, of=dtypes.int16):
    """Makes Tensors of int16, as `FloatTensor` makes those of float32. Fractions are cut off.

    >>> tc.ShortTensor([1, 2])
    tensor([1, 2], dtype=torch.int16)
    """

    __slots__ = ()


class CharTensor(Tensor, metaclass=tensortype, of=dtypes.int8):
    """Makes Tensors of int8, as `FloatTensor` makes those of float32. Fractions are cut off.

    >>> tc.CharTensor([1, 2])
    tensor([1, 2], dtype=torch.int8)
    """

    __slots__ = ()


class ByteTensor(Tensor, metaclass=tensortype, of=dtypes.uint8):
    """Makes Tensors of uint8, as `FloatTensor` makes those of float32. Fractions are cut off.

    >>> tc.ByteTensor([1, 2])
    tensor([1, 2], dtype=torch.uint8)
    """

    __slots__ = ()


class BoolTensor(Tensor, metaclass=tensortype, of=dtypes.bool_):
    """Makes Tensors of bool, as `FloatTensor` makes those of float32.

    >>> tc.BoolTensor([1, 0])
    tensor([ True, False])
    """

    __slots__ = ()


def _on_gpu(own: Any) -> Any:
    body = {
        "__module__": "tinygrad_cnn.cuda", "__slots__": (),
        "__doc__": f"Tensors of {own.dtype} on a GPU: of which there are none.",
    }  # fmt: skip
    return tensortype(own.__name__, (Tensor,), body, of=own.dtype, place="torch.cuda")


CUDA_TYPES = {name: _on_gpu(globals()[name]) for name in TYPE_NAMES.values() if name in globals()}


def set_default_tensor_type(t: type | str) -> None:
    """Make the dtype of `t` the default dtype: `FloatTensor`, or its name "torch.FloatTensor".

    Deprecated, as in PyTorch: it warns. TypeError unless it is of floating point and on the CPU,
    ValueError for an unknown name.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     tc.set_default_tensor_type(tc.FloatTensor)
    >>> tc.get_default_dtype()
    torch.float32
    """
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated: use torch.set_default_dtype()",
        UserWarning,
        stacklevel=2,
    )
    name = t.type_name if isinstance(t, tensortype) else t
    if not isinstance(name, str):
        raise TypeError(
            "invalid type object: only floating-point types are supported as the default type"
        )
    if name.startswith("torch.cuda."):
        raise TypeError(f"type {name} not available. Torch not compiled with CUDA enabled.")
    found = DTYPES[dtype_of_type(t)]
    if not found.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(found)
