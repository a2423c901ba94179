"""Functions that make Tensors."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import random
from .engine import Recorded, wrap
from .engine.dtypes import float64, get_default_dtype, int64, promote_types, result_type
from .functions.arguments import array_of, sizes, tensors
from .metadata import check_device

__all__ = [
    "arange", "as_tensor", "asarray", "bernoulli", "empty", "empty_like", "eye", "from_numpy", "full",
    "full_like", "linspace", "logspace", "multinomial", "normal", "ones", "ones_like", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "scalar_tensor",
    "tensor", "zeros", "zeros_like",
]  # fmt: skip


def _finished(name: str, array: Any, device: Any = None, requires_grad: bool = False) -> Any:
    check_device(name, device)
    x = wrap(array)
    if requires_grad:
        x.requires_grad = True
    return x


def _size(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    found = sizes(name, shape) if shape else ()
    if any(n < 0 for n in found):
        raise RuntimeError(
            f"{name}: Trying to create tensor with negative dimension {min(found)}: {list(found)}"
        )
    return found


def _dtype(dtype: Any) -> np.dtype:
    return get_default_dtype() if dtype is None else np.dtype(dtype)


# --- Of data ------------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:  # fmt: skip
    """A Tensor of a copy of `data`: numbers, nested lists, an array or a Tensor.

    Python floats become the default dtype (float32), arrays keep theirs.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> tensor([0.5]).dtype
    dtype('float32')
    """
    if isinstance(data, Recorded):
        return _finished("tensor", np.array(data._array, dtype), device, requires_grad)
    kinds = {data.dtype} if hasattr(data, "dtype") else set()
    try:
        array = np.array(_plain(data, kinds), dtype)
    except ValueError as error:
        raise ValueError(f"tensor: {error}") from None
    if array.dtype == object and array.size == 0:
        array = array.astype(get_default_dtype())
    if dtype is None and array.dtype == float64:  # what only Python's floats made so
        kind = functools.reduce(promote_types, kinds or {get_default_dtype()})
        array = array.astype(kind if kind.kind == "f" else get_default_dtype(), copy=False)
    if array.dtype.kind not in "buif":
        raise TypeError(f"tensor: wanted numbers, got data of dtype {array.dtype}")
    return _finished("tensor", array, device, requires_grad)


def _plain(data: Any, kinds: set[Any]) -> Any:
    """Nested lists, with arrays for the Tensors in them; their dtypes and those of arrays to `kinds`."""
    data = array_of(data)
    if hasattr(data, "dtype"):
        kinds.add(data.dtype)
    elif isinstance(data, (list, tuple)) and data and type(data[0]) not in (int, float, bool):
        return [_plain(x, kinds) for x in data]
    return data


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a Tensor, on the same memory where that can be."""
    if isinstance(data, Recorded):
        return data.to(dtype, device)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == dtype):
        check_device("as_tensor", device)
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`as_tensor`; a copy if asked for."""
    x = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return x.requires_grad_() if requires_grad else x


def from_numpy(array: np.ndarray) -> Any:
    """A Tensor on the memory of an array: each sees the other's changes."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    if array.dtype.kind not in "buif" or not array.dtype.isnative:
        raise TypeError(f"from_numpy: can't convert an array of dtype {array.dtype}")
    x = wrap(array.view(np.ndarray))
    x._shared = True
    return x


def scalar_tensor(s: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A 0-d Tensor, of the default dtype unless told."""
    return tensor(s, dtype=_dtype(dtype), requires_grad=requires_grad)


# --- Filled -------------------------------------------------------------------------------------


def _filler(name: str, make: Any, what: str) -> tuple[Any, Any, Any]:
    def fill(
        *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        pin_memory: bool = False, **named: Any,
    ) -> Any:  # fmt: skip
        array = make(_size(name, named.pop("size", size), **named), _dtype(dtype))
        return _finished(name, array, device, requires_grad)

    def like(
        input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        memory_format: Any = None,
    ) -> Any:  # fmt: skip
        tensors(name + "_like", input=input)
        array = make(input._array.shape, np.dtype(dtype or input._array.dtype))
        return _finished(name + "_like", array, device, requires_grad)

    def new(
        input: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        return fill(
            *size, dtype=dtype or input._array.dtype, device=device, requires_grad=requires_grad
        )

    fill.__name__, like.__name__, new.__name__ = name, name + "_like", "new_" + name
    fill.__doc__ = f"A Tensor of the given shape (sizes, or a tuple of them), {what}."
    like.__doc__ = f"A Tensor with the shape and dtype of another, {what}."
    new.__doc__ = f"A Tensor of the given shape, with the dtype of this one, {what}."
    return fill, like, new


zeros, zeros_like, new_zeros = _filler("zeros", np.zeros, "of zeros")
ones, ones_like, new_ones = _filler("ones", np.ones, "of ones")
empty, empty_like, new_empty = _filler("empty", np.empty, "with whatever is in memory")


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A Tensor of shape `size`, filled with one value, of that value's dtype."""
    value = array_of(fill_value)
    dtype = result_type(value) if dtype is None else np.dtype(dtype)
    array = np.full(_size("full", (size,) if isinstance(size, int) else tuple(size)), value, dtype)
    return _finished("full", array, device, requires_grad)


def full_like(
    input: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None,
) -> Any:  # fmt: skip
    """A Tensor with the shape and dtype of another, filled with one value."""
    return full(
        input._array.shape, fill_value, dtype=dtype or input._array.dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def new_full(
    input: Any, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """A Tensor of shape `size`, filled with one value, of the dtype of this one."""
    return full(
        size, fill_value, dtype=dtype or input._array.dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def new_tensor(
    input: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A Tensor of a copy of `data`, of the dtype of this one."""
    return tensor(
        data, dtype=dtype or input._array.dtype, device=device, requires_grad=requires_grad
    )


# --- Sequences ----------------------------------------------------------------------------------


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`arange(end)`, `arange(start, end, step)`: numbers up to end, without it."""
    if end is None:
        start, end = 0, start
    first, last, by = (x.item() if hasattr(x, "item") else x for x in (start, end, step))
    if by == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (last - first) * by < 0:
        raise RuntimeError(
            f"arange: upper bound and lower bound inconsistent with step sign: {first}, {last}, {by}"
        )
    array = np.arange(first, last, by)
    if dtype is None and array.dtype.kind == "f":
        dtype = get_default_dtype()
    return _finished(
        "arange", array if dtype is None else array.astype(dtype), device, requires_grad
    )


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`steps` numbers from start to end, both included."""
    array = np.linspace(array_of(start), array_of(end), steps, dtype=float64)
    return _finished("linspace", array.astype(_dtype(dtype)), device, requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`steps` numbers from base^start to base^end, whose logarithms have one distance."""
    array = np.logspace(array_of(start), array_of(end), steps, base=base)
    return _finished("logspace", array.astype(_dtype(dtype)), device, requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """The identity matrix (n, n), or (n, m) with ones on its diagonal."""
    return _finished("eye", np.eye(n, m, dtype=_dtype(dtype)), device, requires_grad)


# --- Random -------------------------------------------------------------------------------------


def _random(name: str, draw: Any, what: str) -> tuple[Any, Any]:
    def fill(
        *size: Any, generator: Any = None, dtype: Any = None, device: Any = None,
        requires_grad: bool = False, **named: Any,
    ) -> Any:  # fmt: skip
        shape = _size(name, named.pop("size", size), **named)
        return _finished(name, draw(shape, _dtype(dtype), generator), device, requires_grad)

    def like(
        input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        memory_format: Any = None, generator: Any = None,
    ) -> Any:  # fmt: skip
        array = draw(input._array.shape, np.dtype(dtype or input._array.dtype), generator)
        return _finished(name + "_like", array, device, requires_grad)

    fill.__name__, like.__name__ = name, name + "_like"
    fill.__doc__ = f"A Tensor of the given shape, {what}, from `generator` or the default one."
    like.__doc__ = f"A Tensor with the shape and dtype of another, {what}."
    return fill, like


rand, rand_like = _random("rand", random.uniform, "uniform in [0, 1)")
randn, randn_like = _random("randn", random.standard_normal, "normal of mean 0 and variance 1")


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Draws from N(mean, std²): of Tensors of means and deviations, or of a size."""
    m, s = array_of(mean), array_of(std)
    if np.any(s < 0):
        raise RuntimeError(f"normal expects std >= 0.0, but found std {np.min(s)}")
    if size is None:
        size, dtype = np.broadcast_shapes(np.shape(m), np.shape(s)), dtype or result_type(m, s)
    array = random.standard_normal(_size("normal", tuple(size)), _dtype(dtype), generator)
    return _finished("normal", (array * s + m).astype(array.dtype), device, requires_grad)


def bernoulli(input: Any, p: float | None = None, *, generator: Any = None) -> Any:
    """1 with the probability that input says at each place (or p everywhere), else 0."""
    a = input._array
    limits = np.asarray(a if p is None else p)
    if limits.size and not (limits.min() >= 0 and limits.max() <= 1):
        raise RuntimeError(f"bernoulli: Expected p_in >= 0 && p_in <= 1, got {limits.max()}")
    return wrap((random.uniform(a.shape, float64, generator) < limits).astype(a.dtype))


def randint(
    low: Any = None, high: Any = None, size: Any = None, *, generator: Any = None,
    dtype: Any = None, device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Integers in [low, high), or in [0, low) as `randint(high, size)`."""
    if size is None and isinstance(high, (tuple, list)):
        high, size = None, high
    if low is None or high is None:
        low, high = 0, low if high is None else high
    if size is None:
        raise TypeError("randint: wanted (high, size) or (low, high, size)")
    array = random.integers(low, high, _size("randint", tuple(size)), generator)
    return _finished("randint", array.astype(dtype or int64), device, requires_grad)


def randint_like(input: Any, low: Any, high: Any = None, *, dtype: Any = None) -> Any:
    """Integers in [low, high), or in [0, low), with the shape and dtype of another Tensor."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input._array.shape, dtype=dtype or input._array.dtype)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """The integers below n, in random order."""
    array = random.source(generator).permutation(n).astype(dtype or int64)
    return _finished("randperm", array, device)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Any:
    """Indices, drawn with the weights in input (a vector, or one for each row of a matrix)."""
    a = input._array.astype(float64)
    if a.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {a.shape}")
    if not (np.isfinite(a).all() and (a >= 0).all() and (a.sum(-1) > 0).all()):
        raise RuntimeError(
            "probability tensor contains either `inf`, `nan` or element < 0, or only 0"
        )
    if not replacement and num_samples > np.count_nonzero(a, -1).min():
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    draw = random.source(generator)

    def row(p: np.ndarray) -> np.ndarray:
        return draw.choice(len(p), num_samples, replacement, p / p.sum())

    return wrap(np.asarray(row(a) if a.ndim == 1 else [row(p) for p in a], int64))


# --- In the place of what a Tensor holds ----------------------------------------------------------


def normal_(input: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from N(mean, std²)."""
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    a = input._array
    return input.copy_(wrap(random.standard_normal(a.shape, a.dtype, generator) * std + mean))


def uniform_(input: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from U[from, to)."""
    if from_ > to:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}"
        )
    a = input._array
    return input.copy_(wrap(random.uniform(a.shape, a.dtype, generator) * (to - from_) + from_))


def bernoulli_(input: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with ones, each with probability p (a number or a Tensor), and zeros."""
    chances = wrap(np.broadcast_to(np.asarray(array_of(p), float64), input._array.shape))
    return input.copy_(bernoulli(chances, generator=generator))


def random_(input: Any, from_: Any = None, to: Any = None, *, generator: Any = None) -> Any:
    """Fill with integers in [from, to), [0, to) as `random_(to)`, or all that the dtype has."""
    a = input._array
    if to is None:
        most = {"f": lambda: 2 ** (np.finfo(a.dtype).nmant + 1), "b": lambda: 1}
        top = most.get(a.dtype.kind, lambda: np.iinfo(a.dtype).max)()
        from_, to = 0, top + 1 if from_ is None else from_
        to = min(to, 2**63 - 1)
    return input.copy_(wrap(random.integers(from_ or 0, to, a.shape, generator)))


def exponential_(input: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from the exponential distribution of rate lambd."""
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    draws = random.source(generator).standard_exponential(input._array.shape) / lambd
    return input.copy_(wrap(draws))
