"""Draws that fill a Tensor in place: methods of Tensor, `x.normal_()`. Each returns the Tensor.

The numbers come from `generator`, or from the default generator. RuntimeError, as for every write in
place, for a leaf that requires grad outside of `no_grad`.
"""

from __future__ import annotations

import math
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import random
from ..engine import wrap
from ..engine.dtypes import FLOATING, float64
from ..functions.arguments import array_of, integer
from ..functions.public import public
from ..random import Generator
from .draws import bernoulli

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def normal_(
    input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the normal distribution. RuntimeError for a negative deviation.

    >>> tc.zeros(2).normal_(5.0, 0.0)
    tensor([5., 5.])
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    a = input._array
    return input.copy_(wrap(random.standard_normal(a.shape, a.dtype, generator) * std + mean))


@public
def uniform_(
    input: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from the uniform distribution on [from, to). RuntimeError for from > to.

    PyTorch calls the first argument `from`, a name that Python keeps for itself.

    >>> tc.zeros(2).uniform_(3.0, 3.0)
    tensor([3., 3.])
    """
    if not (from_ <= to and math.isfinite(to - from_)):
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}"
        )
    a = input._array
    return input.copy_(wrap(random.uniform(a.shape, a.dtype, generator) * (to - from_) + from_))


@public
def bernoulli_(
    input: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Fill with ones, each with probability p, and zeros. A Tensor of probabilities broadcasts.

    RuntimeError for values outside of [0, 1], and for a shape that does not broadcast.

    >>> tc.zeros(2).bernoulli_(tc.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    chances, shape = np.asarray(array_of(p), float64), input._array.shape
    try:
        chances = np.broadcast_to(chances, shape)
    except ValueError:
        raise RuntimeError(
            f"bernoulli_: p of shape {chances.shape} does not broadcast to {shape}"
        ) from None
    return input.copy_(bernoulli(wrap(chances), generator=generator))


@public
def random_(
    input: Tensor,
    from_: int | None = None,
    to: int | EllipsisType | None = ...,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with integers from [from, to): `random_(to)` begins at 0.

    `random_(from, None)` ends with the largest integer of the dtype, and `random_()` is
    `random_(0, None)`. For floating point that is the largest integer to which all are exact.
    PyTorch calls the first argument `from`, a name that Python keeps for itself.

    >>> tc.zeros(2).random_(5, 6)
    tensor([5., 5.])
    """
    a = input._array
    if from_ is None:
        first, last = 0, None if to is ... else to
    else:
        first, last = (0, from_) if to is ... else (from_, to)
    first = integer("random_", "from", first)
    last = _past_the_last(a.dtype) if last is None else integer("random_", "to", last)
    if a.dtype.kind == "b" and last > 2:
        raise RuntimeError(f"random_: to - 1 is out of bounds for bool, got to={last}")
    return input.copy_(wrap(random.integers(first, last, a.shape, generator)))


def _past_the_last(dtype: np.dtype[Any]) -> int:
    """One more than the largest integer to which a dtype is exact; of int64 the largest itself."""
    if dtype.kind in FLOATING:
        from ..limits import finfo  # few programs need it

        return int(2 / finfo(dtype).eps) + 1
    return 2 if dtype.kind == "b" else min(int(np.iinfo(dtype).max) + 1, 2**63 - 1)


@public
def exponential_(input: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with draws from the exponential distribution of rate lambd. RuntimeError unless it is > 0.

    >>> (tc.zeros(2).exponential_() > 0).all()
    tensor(True)
    """
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(f"exponential_ is of floating point, not {input.dtype}")
    draws = random.source(generator).standard_exponential(input._array.shape) / lambd
    return input.copy_(wrap(draws))
