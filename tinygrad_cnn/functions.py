"""Functions of Tensors, as PyTorch names them; most are methods of Tensor too (tensor.py).

This is the public edge: arguments are checked here, once, and errors say what came and what is
wanted. The ops below it take clean arguments.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import ops
from .dtypes import bool_, int64
from .graph import Recorded, owner, wrap
from .views import settle

__all__ = [
    "abs", "add", "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "cat",
    "clamp", "clone", "cos", "div", "eq", "equal", "exp", "expand", "flatten", "gather", "ge",
    "gt", "isfinite", "isinf", "isnan", "le", "log", "log_softmax", "logical_not",
    "logsumexp", "lt", "matmul", "max", "maximum", "mean", "min", "minimum", "mul", "ne",
    "neg", "permute", "pow", "relu", "reshape", "rsqrt", "sigmoid", "sign", "sin", "softmax",
    "sqrt", "square", "squeeze", "stack", "std", "sub", "sum", "t", "tanh", "transpose",
    "unsqueeze", "var", "where",
]  # fmt: skip

builtin_max = builtins.max


class Extremes(NamedTuple):
    """What `max(dim)` and `min(dim)` return."""

    values: Any
    indices: Any


# --- Arguments ----------------------------------------------------------------------------------


def axis(name: str, ndim: int, dim: Any) -> int:
    """`dim` as an axis from 0; IndexError if there is none such, TypeError if it is no integer."""
    if isinstance(dim, (bool, float, str)) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim must be an integer, got {dim!r}")
    dim = dim.__index__()
    n = builtin_max(ndim, 1)
    if not -n <= dim < n:
        raise IndexError(
            f"{name}: Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got "
            f"{dim})"
        )
    return int(dim % n)


def axes(name: str, ndim: int, dim: Any) -> tuple[int, ...] | None:
    """`dim` (an integer, several, or None for all) as axes from 0; None for all."""
    if dim is None:
        return None
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    found = tuple(axis(name, ndim, d) for d in several)
    if len(set(found)) < len(found):
        raise RuntimeError(f"{name}: dim {dim} appears multiple times in the list of dims")
    if not found or not ndim:
        return None
    return found


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike, as a tuple of integers."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return tuple(int(n.__index__()) for n in shape)


def array_of(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x._array if isinstance(x, Recorded) else x


# --- Elementwise --------------------------------------------------------------------------------

abs, neg, sign, clone = ops.abs, ops.neg, ops.sign, ops.clone
mul, div, pow, maximum, minimum = ops.mul, ops.div, ops.pow, ops.maximum, ops.minimum
exp, log, sqrt, sin, cos = ops.exp, ops.log, ops.sqrt, ops.sin, ops.cos
tanh, sigmoid, relu = ops.tanh, ops.sigmoid, ops.relu


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha · other, broadcast."""
    return ops.add(input, other if alpha == 1 else ops.mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input − alpha · other, broadcast."""
    return ops.sub(input, other if alpha == 1 else ops.mul(other, alpha))


def rsqrt(input: Any) -> Any:
    """1 / √input."""
    return ops.div(1.0, ops.sqrt(input))


def square(input: Any) -> Any:
    """input²."""
    return ops.mul(input, input)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input, kept between min and max: numbers, Tensors or None."""
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max must not be None")
    if isinstance(min, Recorded) or isinstance(max, Recorded):
        y = input if min is None else ops.maximum(input, min)
        return y if max is None else ops.minimum(y, max)
    return ops.clamp(input, min=min, max=max)


def where(condition: Any, input: Any, other: Any) -> Any:
    """input where the condition holds, else other."""
    if array_of(condition).dtype != bool_:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{array_of(condition).dtype}"
        )
    if not isinstance(input, Recorded) and not isinstance(other, Recorded):
        input = wrap(np.asarray(input, None if hasattr(input, "dtype") else np.float32))
    return ops.where(condition, input, other)


def _comparison(ufunc: Any, symbol: str) -> Any:
    def compare(input: Any, other: Any) -> Any:
        a, b = array_of(input), array_of(other)
        if isinstance(b, (list, tuple, str)) or b is None:
            return NotImplemented
        try:
            return wrap(ufunc(a, b))
        except ValueError:
            raise RuntimeError(
                f"{ufunc.__name__}: shapes {np.shape(a)} and {np.shape(b)} do not broadcast"
            ) from None

    compare.__doc__ = f"input {symbol} other, elementwise: a Tensor of bool."
    return compare


eq, ne = _comparison(np.equal, "=="), _comparison(np.not_equal, "!=")
lt, le = _comparison(np.less, "<"), _comparison(np.less_equal, "<=")
gt, ge = _comparison(np.greater, ">"), _comparison(np.greater_equal, ">=")


def _test(ufunc: Any, what: str) -> Any:
    def test(input: Any) -> Any:
        return wrap(ufunc(array_of(input)))

    test.__doc__ = f"Whether each element {what}: a Tensor of bool."
    return test


isnan, isinf = _test(np.isnan, "is a NaN"), _test(np.isinf, "is infinite")
isfinite = _test(np.isfinite, "is finite")
logical_not = _test(np.logical_not, "is zero")


# --- Reductions ---------------------------------------------------------------------------------


def _given(dim: Any, keepdim: bool, axis: Any, keepdims: bool | None) -> tuple[Any, bool]:
    """PyTorch's argument names, or NumPy's."""
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


def sum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
    keepdims: bool | None = None,
) -> Any:  # fmt: skip
    """Σ input over dim: an axis, several, or None for all.

    >>> import tinygrad_cnn as tc
    >>> tc.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    dim, keepdim = _given(dim, keepdim, axis, keepdims)
    if dtype is not None:
        input = ops.cast(input, dtype=np.dtype(dtype))
    return ops.sum(input, dim=axes("sum", input._array.ndim, dim), keepdim=keepdim)


def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None,
    keepdims: bool | None = None,
) -> Any:  # fmt: skip
    """The mean over dim; NaN of nothing. Floating point only."""
    dim, keepdim = _given(dim, keepdim, axis, keepdims)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be a floating point dtype, "
            f"got {input._array.dtype}"
        )
    return ops.mean(input, dim=axes("mean", input._array.ndim, dim), keepdim=keepdim)


def var(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
    correction: int | None = None,
) -> Any:  # fmt: skip
    """The variance over dim, divided by n − correction (1 unless told, or 0 if not unbiased)."""
    correction = int(unbiased) if correction is None else correction
    dim = axes("var", input._array.ndim, dim)
    return ops.var(input, dim=dim, correction=correction, keepdim=keepdim)


def std(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
    correction: int | None = None,
) -> Any:  # fmt: skip
    """The square root of `var`; where it is 0, so is its gradient."""
    correction = int(unbiased) if correction is None else correction
    dim = axes("std", input._array.ndim, dim)
    return ops.std(input, dim=dim, correction=correction, keepdim=keepdim)


def _not_empty(name: str, shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    """Refuse to choose among no elements, along `dims` or, where there are none, in all."""
    if math.prod(shape):
        return
    if not dims:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, shape {shape}"
        )
    if shape and builtins.any(shape[d] == 0 for d in dims):
        raise IndexError(f"{name}(): Expected reduction dim to have non-zero size, shape {shape}")


def _extreme(name: str, whole: Any, along: Any, pairwise: Any) -> Any:
    def extreme(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, Recorded):
            return pairwise(input, dim)
        dim = None if dim is None else axis(name, input._array.ndim, dim)
        _not_empty(name, input._array.shape, () if dim is None else (dim,))
        if dim is None:
            return whole(input)
        if not input._array.ndim:
            return Extremes(ops.clone(input), wrap(np.zeros((), int64)))
        return Extremes(*along(input, dim=dim, keepdim=keepdim))

    extreme.__name__ = name
    extreme.__doc__ = f"""The {name} of all (ties share the gradient evenly); with dim a pair of values and
    indices (the first of ties takes it all); with a Tensor in dim's place the elementwise one."""
    return extreme


max = _extreme("max", ops.amax, ops.max_along, ops.maximum)
min = _extreme("min", ops.amin, ops.min_along, ops.minimum)


def _evenly(name: str, op: Any) -> Any:
    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        dim = axes(name, input._array.ndim, dim)
        _not_empty(name, input._array.shape, dim or ())
        return op(input, dim=dim, keepdim=keepdim)

    reduce.__name__ = name
    reduce.__doc__ = f"The {name[1:]} over dim; tied elements share the gradient evenly."
    return reduce


amax, amin = _evenly("amax", ops.amax), _evenly("amin", ops.amin)


def _position(name: str, function: Any) -> Any:
    def position(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        a = input._array
        if dim is not None:
            dim = axis(name, a.ndim, dim)
        _not_empty(name, a.shape, () if dim is None else (dim,))
        return wrap(function(a, axis=dim if a.ndim else None, keepdims=keepdim))

    position.__name__ = name
    position.__doc__ = f"The index of the first {name[3:]} over dim, or in all of it, flattened."
    return position


argmax, argmin = _position("argmax", np.argmax), _position("argmin", np.argmin)


def _all_or_any(name: str, function: Any) -> Any:
    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        dim = axes(name, input._array.ndim, dim)
        return wrap(function(input._array, axis=dim, keepdims=keepdim))

    reduce.__name__ = name
    reduce.__doc__ = f"Whether {name} of the elements are true."
    return reduce


all, any = _all_or_any("all", np.all), _all_or_any("any", np.any)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """ln Σ exp(input) over dim, without overflow."""
    return ops.logsumexp(input, dim=axes("logsumexp", input._array.ndim, dim), keepdim=keepdim)


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """exp(input) / Σ exp(input) over dim."""
    x = input if dtype is None else ops.cast(input, dtype=np.dtype(dtype))
    return ops.softmax(x, dim=axis("softmax", x._array.ndim, dim))


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """The logarithm of softmax, computed without it."""
    x = input if dtype is None else ops.cast(input, dtype=np.dtype(dtype))
    return ops.log_softmax(x, dim=axis("log_softmax", x._array.ndim, dim))


# --- Shapes -------------------------------------------------------------------------------------


def reshape(input: Any, *shape: Any) -> Any:
    """The elements in row-major order in another shape (one size may be −1); a view if it can."""
    return _reshaped("reshape", input, sizes(shape))


def _reshaped(name: str, x: Any, shape: tuple[int, ...]) -> Any:
    a = x._array
    known = math.prod(n for n in shape if n != -1)
    if shape.count(-1) > 1 or builtins.any(n < -1 for n in shape):
        raise RuntimeError(f"{name}: invalid shape {shape}: one -1 at the most, else sizes")
    if known != a.size if -1 not in shape else (known == 0 or a.size % known):
        raise RuntimeError(f"{name}: shape '{list(shape)}' is invalid for input of size {a.size}")
    if -1 in shape:
        shape = tuple(a.size // known if n == -1 else n for n in shape)
    settle(x)
    return ops.reshape(x, shape=shape)


def view(input: Any, *shape: Any) -> Any:
    """`reshape`, but a RuntimeError where that would have to copy."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)):
        raise NotImplementedError("view(dtype) is not there: use to(dtype), which converts")
    y = _reshaped("view", input, sizes(shape))
    if y._array.size and owner(y._array) is not owner(input._array):
        raise RuntimeError(
            f"view size is not compatible with input tensor's size and stride (shape "
            f"{input._array.shape} is a permuted or cut view): use reshape() instead"
        )
    return y


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes start_dim to end_dim as one."""
    shape = input._array.shape
    start, end = axis("flatten", len(shape), start_dim), axis("flatten", len(shape), end_dim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    merged = (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])
    return _reshaped("flatten", input, merged)


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of length 1 (of those in dim)."""
    shape = input._array.shape
    gone = range(len(shape)) if dim is None else axes("squeeze", len(shape), dim) or ()
    kept = [slice(None) if k not in gone or n != 1 else 0 for k, n in enumerate(shape)]
    return ops.getitem(input, index=(*kept, ...))


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at dim."""
    place = axis("unsqueeze", input._array.ndim + 1, dim)
    return ops.getitem(input, index=(slice(None),) * place + (None, ...))


def permute(input: Any, *dims: Any) -> Any:
    """The axes in another order."""
    order = sizes(dims)
    n = input._array.ndim
    found = axes("permute", n, order) or ()
    if len(found) != n:
        raise RuntimeError(f"permute: wanted {n} dims for shape {input._array.shape}, got {order}")
    return ops.permute(input, dims=found)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Axes dim0 and dim1 exchanged."""
    n = input._array.ndim
    a, b = axis("transpose", n, dim0), axis("transpose", n, dim1)
    order = list(range(n))
    if n:
        order[a], order[b] = b, a
    return ops.permute(input, dims=tuple(order))


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector as it is."""
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, got {input._array.shape}")
    return ops.permute(input, dims=tuple(range(input._array.ndim))[::-1])


def expand(input: Any, *shape: Any) -> Any:
    """Repeated, without copying, along axes of length 1 and new axes in front (−1: as it is)."""
    wanted, old = sizes(shape), input._array.shape
    lead = len(wanted) - len(old)
    full = tuple(old[k - lead] if n == -1 and k >= lead else n for k, n in enumerate(wanted))
    if lead < 0 or builtins.any(m not in (1, n) for m, n in zip(old, full[lead:], strict=True)):
        raise RuntimeError(f"expand: shape {old} cannot be expanded to {wanted}")
    return ops.expand(input, shape=full)


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors one after the other along dim; other axes must agree."""
    xs = _several("cat", tensors)
    dim = axis("cat", xs[0]._array.ndim, dim)
    rest = {(*x._array.shape[:dim], -1, *x._array.shape[dim + 1 :]) for x in xs}
    if len(rest) > 1:
        raise RuntimeError(
            f"cat: Sizes of tensors must match except in dimension {dim}, got "
            f"{[x._array.shape for x in xs]}"
        )
    return ops.cat(*_of_one_type(xs), dim=dim)


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors, all of one shape, along a new axis."""
    xs = _several("stack", tensors)
    if len({x._array.shape for x in xs}) > 1:
        raise RuntimeError(
            f"stack expects each tensor to be equal size, got {[x._array.shape for x in xs]}"
        )
    return ops.stack(*_of_one_type(xs), dim=axis("stack", xs[0]._array.ndim + 1, dim))


def _several(name: str, tensors: Any) -> list[Any]:
    xs = list(tensors)
    if not xs or not builtins.all(isinstance(x, Recorded) for x in xs):
        raise TypeError(f"{name}: wanted a non-empty sequence of Tensors, got {tensors!r}")
    return xs


def _of_one_type(xs: list[Any]) -> list[Any]:
    if len({x._array.dtype for x in xs}) == 1:
        return xs
    from .dtypes import result_type

    dtype = result_type(*(x._array for x in xs))
    return [ops.cast(x, dtype=dtype) for x in xs]


def gather(input: Any, dim: int, index: Any) -> Any:
    """y[.., i, ..] = input[.., index[.., i, ..], ..] along dim; other axes may be cut short."""
    x, i = input._array, index._array
    dim = axis("gather", x.ndim, dim)
    if i.dtype != int64 or i.ndim != x.ndim:
        raise RuntimeError(
            f"gather: index must be int64 with {x.ndim} axes, got {i.dtype} {i.shape}"
        )
    if builtins.any(
        m > n for k, (m, n) in enumerate(zip(i.shape, x.shape, strict=True)) if k != dim
    ):
        raise RuntimeError(
            f"gather: Size does not match: index {i.shape} must be no larger than input {x.shape} "
            f"apart from dimension {dim}"
        )
    if i.size and (i.min() < 0 or i.max() >= x.shape[dim]):
        raise RuntimeError(
            f"gather: index out of bounds for dimension {dim} with size {x.shape[dim]}"
        )
    return ops.gather(input, index, dim=dim)


# --- Products -----------------------------------------------------------------------------------


def matmul(input: Any, other: Any) -> Any:
    """The product of vectors, matrices or batches of matrices, by NumPy's rules.

    >>> import tinygrad_cnn as tc
    >>> tc.ones(2, 3) @ tc.ones(3)
    tensor([3., 3.])
    """
    if not isinstance(input, Recorded) or not isinstance(other, Recorded):
        return NotImplemented
    a, b = input._array.shape, other._array.shape
    if not a or not b:
        raise RuntimeError(f"matmul: both arguments need at least 1 axis, got shapes {a} and {b}")
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        raise RuntimeError(f"matmul: mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"matmul: expected both to have the same dtype, but got {input._array.dtype} and "
            f"{other._array.dtype}"
        )
    x = input if len(a) > 1 else ops.reshape(input, shape=(1, *a))
    w = other if len(b) > 1 else ops.reshape(other, shape=(*b, 1))
    try:
        y = ops.matmul(x, w)
    except ValueError:
        raise RuntimeError(f"matmul: the leading axes of {a} and {b} do not broadcast") from None
    index: tuple[Any, ...] = (..., 0, slice(None)) if len(a) == 1 else (...,)
    if len(b) == 1:
        index = (..., 0, 0) if len(a) == 1 else (..., 0)
    return y if len(a) > 1 and len(b) > 1 else ops.getitem(y, index=index)


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether |input − other| ≤ atol + rtol |other| everywhere."""
    return bool(np.allclose(input._array, other._array, rtol, atol, equal_nan))


def equal(input: Any, other: Any) -> bool:
    """Whether shapes and all elements are equal."""
    return bool(np.array_equal(input._array, other._array))
