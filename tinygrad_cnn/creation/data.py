"""Tensors of data: of numbers, lists, arrays and other Tensors."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import quietly
from ..dtypes import dtype_of, shown, supported
from ..engine import Recorded
from ..engine.dtypes import FLOATING, float64, get_default_dtype, int64, promote_types
from ..functions.arguments import array_of
from ..metadata import check_device
from ..types import Device, DType, Layout, Number
from .options import dtype_or_default, made, number

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["as_tensor", "asarray", "from_numpy", "scalar_tensor", "tensor"]


def tensor(
    data: Any, *, dtype: DType | None = None, device: Device = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A Tensor of a copy of `data`: a number, nested sequences, an array or a Tensor.

    Without `dtype`, Python's floats get the default dtype, its integers int64, and arrays and Tensors
    keep theirs. The result is a leaf of the graph. ValueError for sequences of different lengths,
    TypeError for data that is not of numbers.

    >>> tc.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tc.tensor([0.5]).dtype
    torch.float32
    """
    wanted = None if dtype is None else dtype_of("tensor", dtype)
    return made("tensor", _array(data, wanted), None, device, requires_grad)


@quietly  # values that the dtype cannot hold give infinities, as in PyTorch
def _array(data: Any, dtype: np.dtype[Any] | None) -> np.ndarray:
    """A copy of the data of `tensor`, as an array."""
    if isinstance(data, Recorded):
        return np.array(data._array, dtype)
    kinds = {data.dtype} if hasattr(data, "dtype") else set()
    try:
        numbers = _plain(data, kinds)
        if dtype is not None and dtype.kind in "iu" and not kinds:
            _check_range(np.array(numbers), dtype)
        if dtype is None and len(kinds) > 1 and any(kind.kind == "V" for kind in kinds):
            dtype = functools.reduce(promote_types, kinds)  # NumPy knows too little of bfloat16
        array = np.array(numbers, dtype)
    except (OverflowError, ValueError) as error:
        if dtype is None or "out of bounds" not in str(error):
            raise _refusal(error) from None
        array = _wrapped(np.array(_plain(data, kinds), int64), dtype)
    if not kinds and dtype is None:
        array = of_numbers(data, array)
    if array.dtype == object and array.size == 0:
        array = array.astype(get_default_dtype())
    if dtype is None and array.dtype == float64:  # as NumPy makes of Python's floats, too
        kind = functools.reduce(promote_types, kinds or {get_default_dtype()})
        array = array.astype(kind if kind.kind in FLOATING else get_default_dtype(), copy=False)
    if not supported(array.dtype):
        raise TypeError(f"tensor: wanted numbers, got data of dtype {shown(array.dtype)}")
    return array


def _check_range(given: np.ndarray, dtype: np.dtype[Any]) -> None:
    """RuntimeError for Python's floats that a dtype of integers does not hold."""
    if given.dtype.kind == "f" and given.size:
        limits = np.iinfo(dtype)
        if not ((given >= limits.min) & (given <= limits.max) & (given < 2.0**64)).all():
            raise RuntimeError(f"value cannot be converted to type {shown(dtype)} without overflow")


def _wrapped(wide: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Integers in a smaller dtype: −1 is 255 in uint8. RuntimeError for larger ones."""
    limits = np.iinfo(dtype)
    least = limits.min if dtype.kind == "i" else -limits.max
    if wide.min() < least or wide.max() > limits.max:
        raise RuntimeError(f"value cannot be converted to type {shown(dtype)} without overflow")
    return wide.astype(dtype)


def _refusal(error: Exception) -> Exception:
    """PyTorch's error for data that NumPy refuses."""
    words = str(error)
    if "int too large" in words:
        return ValueError("Overflow when unpacking long long")
    if "infinity" in words or "NaN" in words:
        return RuntimeError(f"value cannot be converted without overflow: {words}")
    return ValueError(f"tensor: {words}")


def of_numbers(data: Any, array: np.ndarray) -> np.ndarray:
    """`array`, which NumPy made of Python numbers, in float64 where int64 holds not all of them.

    ValueError if they are integers.
    """
    if array.dtype.kind not in "uOf" or (
        array.dtype.kind in FLOATING and not (np.abs(array) >= 2.0**63).any()
    ):
        return array
    numbers = np.array(data, object).ravel()
    if not all(isinstance(n, (int, float)) for n in numbers):
        return array
    if numbers.size and all(isinstance(n, int) for n in numbers):
        if any(not -(2**63) <= n < 2**63 for n in numbers):
            raise ValueError("Overflow when unpacking long long")
        return array
    return array.astype(float64) if numbers.size else array


def _are_numbers(data: Any) -> bool:
    """Whether a sequence is empty, or begins and ends with a Python number."""
    return not data or {type(data[0]), type(data[-1])} <= {int, float, bool}


def _plain(data: Any, kinds: set[Any]) -> Any:
    """Nested sequences with arrays instead of Tensors. Adds the dtypes of all arrays to `kinds`."""
    data = array_of(data)
    if data is None:  # of which NumPy makes NaN
        raise TypeError("tensor: must be real number, not NoneType")
    if hasattr(data, "dtype"):
        kinds.add(data.dtype)
    elif isinstance(data, (list, tuple)) and not _are_numbers(data):
        items = [_plain(x, kinds) for x in data]
        if any(isinstance(x, float) for x in items):
            kinds.add(get_default_dtype())
        if any(isinstance(x, (int, float)) for x in items):  # beside Tensors of one element
            return [x.item() if isinstance(x, np.ndarray) and x.size == 1 else x for x in items]
        return items
    return data


def as_tensor(data: Any, *, dtype: DType | None = None, device: Device = None) -> Tensor:
    """`data` as a Tensor. It is `data` itself, or shares its memory, where the dtype allows that.

    A Tensor keeps its place in the graph. Other data than arrays and Tensors is copied.

    >>> x = tc.ones(2)
    >>> tc.as_tensor(x) is x, tc.as_tensor(x, dtype=tc.float64)
    (True, tensor([1., 1.], dtype=torch.float64))
    """
    if isinstance(data, Recorded):
        return data.to(device, dtype)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == dtype):
        check_device("as_tensor", device)
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: DType | None = None, device: Device = None, copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:  # fmt: skip
    """`obj` as a Tensor, as by `as_tensor`, with more to choose.

    `copy`: True copies always, False never (ValueError where it must); by default only where it must.
    `requires_grad`: True makes the result require grad, False detaches it from the graph; by default
    a Tensor keeps its place in the graph.

    >>> tc.asarray([1, 2], dtype=tc.float32)
    tensor([1., 2.])
    """
    x: Any = as_tensor(obj, dtype=dtype, device=device)
    shares = isinstance(obj, (Recorded, np.ndarray)) and x.dtype == obj.dtype  # type: ignore[union-attr]
    if copy and shares:
        x = x.clone()
    elif copy is False and not shares:
        raise ValueError(f"asarray: can't alias {type(obj).__name__} into a tensor of {x.dtype}")
    if requires_grad is False:
        return x.detach() if x.requires_grad else x
    return x.requires_grad_() if requires_grad else x


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A Tensor on the memory of an array: each sees the changes of the other.

    TypeError for anything else, and for arrays of other dtypes than bool, integers and floats.

    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> tc.from_numpy(array).fill_(1.0)
    tensor([1., 1.], dtype=torch.float64)
    >>> array
    array([1., 1.])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    if not supported(ndarray.dtype):
        raise TypeError(f"from_numpy: can't convert an array of dtype {shown(ndarray.dtype)}")
    x = made("from_numpy", ndarray.view(np.ndarray))
    x._shared = True
    return x


def scalar_tensor(
    s: Number, *, dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor without axes that holds `s`, of the default dtype if none is given.

    >>> tc.scalar_tensor(2)
    tensor(2.)
    """
    array = number("scalar_tensor", s, dtype_or_default("scalar_tensor", dtype))
    return made("scalar_tensor", array, layout, device, requires_grad)
