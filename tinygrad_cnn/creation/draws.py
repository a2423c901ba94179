"""Random Tensors. The numbers come from `generator`, or from the default generator (random.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import random
from ..dtypes import shown
from ..engine import Recorded, wrap
from ..engine.dtypes import FLOATING, float64, int64, result_type
from ..functions.arguments import array_of, constant, integer, kind_of
from ..functions.public import public
from ..random import Generator
from ..types import Device, DType, Layout, MemoryFormat
from .options import dtype_or, dtype_or_default, made, size_of

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
]  # fmt: skip


# --- Of floating point ----------------------------------------------------------------------------


@public
def rand(
    *size: int | Sequence[int], generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size with draws from the uniform distribution on [0, 1).

    It has the default dtype if none is given. NotImplementedError for a dtype of integers.

    >>> tc.rand(2, 3, generator=tc.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    array = random.uniform(size_of("rand", size), dtype_or_default("rand", dtype), generator)
    return made("rand", array, layout, device, requires_grad)


@public
def randn(
    *size: int | Sequence[int], generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size with draws from the normal distribution of mean 0 and variance 1.

    It has the default dtype if none is given. NotImplementedError for a dtype of integers.

    >>> tc.randn((2, 3), generator=tc.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    dtype = dtype_or_default("randn", dtype)
    array = random.standard_normal(size_of("randn", size), dtype, generator)
    return made("randn", array, layout, device, requires_grad)


@public
def rand_like(
    input: Tensor, *, generator: Generator | None = None,
    memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """Draws from the uniform distribution on [0, 1), with the shape of input.

    The dtype is that of input if none is given. NotImplementedError for integers.

    >>> tc.rand_like(tc.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    a = input._array
    array = random.uniform(a.shape, dtype_or("rand_like", dtype, a.dtype), generator)
    return made("rand_like", array, layout, device, requires_grad, memory_format)


@public
def randn_like(
    input: Tensor, *, generator: Generator | None = None,
    memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """Draws from the normal distribution of mean 0 and variance 1, with the shape of input.

    The dtype is that of input if none is given. NotImplementedError for integers.

    >>> tc.randn_like(tc.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    a = input._array
    array = random.standard_normal(a.shape, dtype_or("randn_like", dtype, a.dtype), generator)
    return made("randn_like", array, layout, device, requires_grad, memory_format)


@public(overloads=True)
def normal(
    mean: Tensor | float, std: Tensor | float = 1, size: Sequence[int] | None = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """Draws from the normal distribution of the given mean and standard deviation.

    Of Tensors of means or deviations, which broadcast, one draw for each; of two numbers, a Tensor
    of `size`. Gradients of means and deviations are 0. RuntimeError for a negative deviation, and for
    NaN.

    >>> tc.normal(tc.tensor([1.0, 2.0]), 0.0), tc.normal(0.0, 1.0, (2, 3)).shape
    (tensor([1., 2.]), torch.Size([2, 3]))
    """
    m, s = array_of(mean), array_of(std)
    if np.any(s < 0) or (isinstance(s, float) and s != s):
        raise RuntimeError(f"normal expects std >= 0.0, but found std {np.min(s)}")
    if isinstance(mean, Recorded) or isinstance(std, Recorded):
        if size is not None:
            raise _wrong_normal(mean, std, size)
        try:
            shape = np.broadcast_shapes(np.shape(m), np.shape(s))
        except ValueError:
            raise RuntimeError(
                f"normal: shapes {np.shape(m)} and {np.shape(s)} do not broadcast"
            ) from None
        dtype = dtype_or("normal", dtype, result_type(m, s))
    else:
        if size is None:
            raise _wrong_normal(mean, std)
        shape, dtype = size_of("normal", (size,)), dtype_or_default("normal", dtype)
    array = random.standard_normal(shape, dtype, generator)
    drawn = made("normal", (array * s + m).astype(dtype), layout, device, requires_grad)
    return constant(drawn, mean, std)


def _wrong_normal(*values: Any) -> TypeError:
    return TypeError(
        "normal() received an invalid combination of arguments - got "
        f"({', '.join(map(kind_of, values))}), but expected one of:\n"
        " * (Tensor | float mean, Tensor | float std), of which one is a Tensor\n"
        " * (float mean, float std, tuple of ints size)\n"
    )


@public
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """1 with the probability that input holds at each place, or with `p` everywhere; else 0.

    The result has the shape and dtype of input, whose gradient is 0. RuntimeError for values outside of
    [0, 1].

    >>> tc.bernoulli(tc.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    a = input._array
    limits = np.asarray(a if p is None else p)
    if limits.size and not (limits.min() >= 0 and limits.max() <= 1):
        raise RuntimeError(f"bernoulli: Expected p_in >= 0 && p_in <= 1, got {limits.max()}")
    drawn = wrap((random.uniform(a.shape, float64, generator) < limits).astype(a.dtype))
    return constant(drawn, input)


# --- Of integers ----------------------------------------------------------------------------------


@public
def randint(
    low: Any = 0, high: Any = None, size: Sequence[int] | None = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """Integers drawn from low, 0 by default, to high − 1: `randint(high, size)`, too.

    They have dtype int64 if none is given. RuntimeError if there are no such integers, and if the
    dtype cannot hold them.

    >>> tc.randint(3, (2,)).shape, tc.randint(5, 6, (2,))
    (torch.Size([2]), tensor([5, 5]))
    """
    if size is None and isinstance(high, (tuple, list)):
        high, size = None, high
    if high is None:
        low, high = 0, low
    if size is None:
        raise TypeError('randint() missing 1 required positional arguments: "size"')
    shape, dtype = size_of("randint", (size,)), dtype_or("randint", dtype, int64)
    array = _integers("randint", low, high, shape, dtype, generator)
    return made("randint", array, layout, device, requires_grad)


def _integers(
    name: str, low: Any, high: Any, shape: tuple[int, ...], dtype: np.dtype[Any], generator: Any
) -> np.ndarray:
    """Integers from low to high − 1, which `dtype` must be able to hold."""
    low, high = integer(name, "low", low), integer(name, "high", high)
    if not -(2**63) <= min(low, high) <= max(low, high) < 2**63:
        raise ValueError("Overflow when unpacking long long")
    if dtype.kind not in FLOATING:
        limits: Any = np.iinfo(dtype) if dtype.kind != "b" else None
        least, most = (limits.min, limits.max) if limits else (0, 1)
        if low < least or high - 1 > most:
            raise RuntimeError(f"{name}: {low} and {high - 1} are out of bounds for {shown(dtype)}")
    return random.integers(low, high, shape, generator).astype(dtype)


@public(overloads=True)
def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, generator: Generator | None = None,
    memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """Integers drawn from low, 0 by default, to high − 1: `randint_like(input, high)`, too.

    They have the shape of input, and its dtype if none is given.

    >>> tc.randint_like(tc.zeros(2), 5, 6)
    tensor([5., 5.])
    """
    if high is None:
        low, high = 0, low
    a = input._array
    dtype = dtype_or("randint_like", dtype, a.dtype)
    array = _integers("randint_like", low, high, a.shape, dtype, generator)
    return made("randint_like", array, layout, device, requires_grad, memory_format)


@public
def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """The integers from 0 to n − 1 in random order, of int64 if no dtype is given.

    RuntimeError for a negative n.

    >>> sorted(tc.randperm(3).tolist())
    [0, 1, 2]
    """
    (n,) = size_of("randperm", (integer("randperm", "n", n),))
    array = random.source(generator).permutation(n).astype(dtype_or("randperm", dtype, int64))
    return made("randperm", array, layout, device, requires_grad)


@public
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`num_samples` indices (int64), each drawn with a probability in proportion to its weight.

    `input` holds the weights: a vector of them gives a vector of indices, a matrix (rows, n) a matrix
    (rows, num_samples). Without `replacement` no index occurs twice. RuntimeError for integers, for
    negative or infinite weights, and for more samples than there are positive weights.

    >>> tc.multinomial(tc.tensor([0.0, 1.0]), 2, replacement=True)
    tensor([1, 1])
    """
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {input.dtype}"
        )
    a = input._array.astype(float64)
    num_samples = integer("multinomial", "num_samples", num_samples)
    if a.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {a.shape}")
    if not (np.isfinite(a).all() and (a >= 0).all() and (a.sum(-1) > 0).all()):
        raise RuntimeError(
            "probability tensor contains either `inf`, `nan` or element < 0, or only 0"
        )
    if num_samples < 1:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > np.count_nonzero(a, -1).min():
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    draw = random.source(generator)

    def row(p: np.ndarray) -> np.ndarray:
        return draw.choice(len(p), num_samples, replacement, p / p.sum())

    return wrap(np.asarray(row(a) if a.ndim == 1 else [row(p) for p in a], int64))
