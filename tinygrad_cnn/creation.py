"""Functions that make Tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import random
from .dtypes import get_default_dtype, int64
from .functions import sizes
from .graph import wrap
from .tensor import Tensor, _target

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "linspace", "ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like",
    "randperm", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def _finished(array: np.ndarray, requires_grad: bool) -> Any:
    x = wrap(array)
    if requires_grad:
        x.requires_grad = True
    return x


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A Tensor of a copy of `data`: numbers, nested lists, an array or a Tensor.

    Python floats become the default dtype (float32), arrays keep theirs.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tensor([0.5]).dtype
    dtype('float32')
    """
    _target("tensor", (device,), {})
    if isinstance(data, Tensor):
        array = np.array(data._array, dtype)
    else:
        typed = hasattr(data, "dtype")
        try:
            array = np.array(data, dtype)
        except ValueError as error:
            raise ValueError(f"tensor: {error}") from None
        if not typed and dtype is None and array.dtype == np.float64:
            array = array.astype(get_default_dtype())
    if array.dtype.kind not in "buif":
        raise TypeError(f"tensor: wanted numbers, got data of dtype {array.dtype}")
    return _finished(array, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a Tensor, on the same memory where that can be."""
    if isinstance(data, Tensor):
        return data.to(dtype, device)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(array: np.ndarray) -> Any:
    """A Tensor on the memory of an array: each sees the other's changes."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    if array.dtype.kind not in "buif" or not array.dtype.isnative:
        raise TypeError(f"from_numpy: can't convert an array of dtype {array.dtype}")
    x = wrap(array.view(np.ndarray))
    x._shared = True
    return x


def _filler(name: str, make: Any, what: str) -> tuple[Any, Any]:
    def fill(
        *shape: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        _target(name, (device,), {})
        return _finished(make(sizes(shape), np.dtype(dtype or get_default_dtype())), requires_grad)

    def like(
        input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        _target(name, (device,), {})
        return _finished(make(input.shape, np.dtype(dtype or input.dtype)), requires_grad)

    fill.__name__, like.__name__ = name, name + "_like"
    fill.__doc__ = f"A Tensor of the given shape (sizes, or a tuple of them), {what}."
    like.__doc__ = f"A Tensor with the shape and dtype of another, {what}."
    return fill, like


zeros, zeros_like = _filler("zeros", np.zeros, "of zeros")
ones, ones_like = _filler("ones", np.ones, "of ones")
empty, empty_like = _filler("empty", np.empty, "with whatever is in memory")


def _drawn(method: str) -> Any:
    def make(shape: Any, dtype: np.dtype, generator: Any = None) -> np.ndarray:
        draw = getattr(random.source(generator), method)
        return np.asarray(draw(shape, np.float32 if dtype == np.float32 else np.float64), dtype)

    return make


def _random(name: str, make: Any, what: str) -> tuple[Any, Any]:
    def fill(
        *shape: Any, generator: Any = None, dtype: Any = None, device: Any = None,
        requires_grad: bool = False,
    ) -> Any:  # fmt: skip
        _target(name, (device,), {})
        dtype = np.dtype(dtype or get_default_dtype())
        return _finished(make(sizes(shape), dtype, generator), requires_grad)

    def like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
        return _finished(make(input.shape, np.dtype(dtype or input.dtype)), requires_grad)

    fill.__name__, like.__name__ = name, name + "_like"
    fill.__doc__ = f"A Tensor of the given shape, {what}, from `generator` or the default one."
    like.__doc__ = f"A Tensor with the shape and dtype of another, {what}."
    return fill, like


rand, rand_like = _random("rand", _drawn("random"), "uniform in [0, 1)")
randn, randn_like = _random("randn", _drawn("standard_normal"), "normal of mean 0 and variance 1")


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A Tensor of shape `size`, filled with one value, of that value's dtype."""
    dtype = dtype or (get_default_dtype() if isinstance(fill_value, float) else None)
    return _finished(np.full(size, fill_value, dtype), requires_grad)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """A Tensor with the shape and dtype of another, filled with one value."""
    return wrap(np.full(input.shape, fill_value, dtype or input.dtype))


def arange(*bounds: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """`arange(end)`, `arange(start, end, step)`: numbers up to end, without it."""
    array = np.arange(*bounds)
    if dtype is None and array.dtype.kind == "f":
        dtype = get_default_dtype()
    return _finished(array if dtype is None else array.astype(dtype), requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None) -> Any:
    """`steps` numbers from start to end, both included."""
    return wrap(np.linspace(start, end, steps, dtype=dtype or get_default_dtype()))


def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Any:
    """The identity matrix."""
    return wrap(np.eye(n, m, dtype=dtype or get_default_dtype()))


def randint(low: int, high: Any = None, size: Any = None, *, generator: Any = None) -> Any:
    """Integers in [low, high), or in [0, low) as `randint(high, size)`."""
    if size is None:
        low, high, size = 0, low, high
    draw = random.source(generator)
    return wrap(draw.integers(low, high, size, dtype=np.int64))


def randperm(n: int, *, generator: Any = None) -> Any:
    """The integers below n, in random order."""
    return wrap(random.source(generator).permutation(n).astype(int64))


def one_hot(labels: Any, classes: int) -> Any:
    """Labels (..) of int64 as rows (.., classes) with a 1 at the label."""
    return wrap(np.eye(classes, dtype=np.int64)[labels._array])
