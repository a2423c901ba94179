"""The beta distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functions as f, random
from ..autograd import Function
from ..autograd.function import once_differentiable
from ..engine import wrap
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, broadcast_all
from .implicit import beta_sample_gradients

__all__ = ["Beta"]


class Beta(Distribution):
    """The beta distribution on [0, 1], of density ∝ x^(a−1) (1 − x)^(b−1): a, b are concentration1, 0.

    A sample takes the draws of NumPy's `Generator.beta` in float64, in the order of the elements of the
    sample. `rsample` gives the same numbers; its gradient is that of the quantile function at a fixed
    probability (Figurnov et al. 2018), and cannot be differentiated again. ValueError for a
    concentration that is not positive.

    >>> from tinygrad_cnn.distributions import Beta
    >>> Beta(2.0, 3.0).mean, Beta(2.0, 2.0).log_prob(tc.tensor(0.5)).exp()
    (tensor(0.4000), tensor(1.5000))
    """

    has_rsample = True
    arg_constraints = {  # noqa: RUF012
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval

    def __init__(
        self,
        concentration1: Tensor | float,
        concentration0: Tensor | float,
        validate_args: bool | None = None,
    ):
        self._a, self._b = broadcast_all(concentration1, concentration0)
        super().__init__(self._a.shape, validate_args=validate_args)

    @property
    def concentration1(self) -> Tensor:
        """a."""
        return self._a

    @property
    def concentration0(self) -> Tensor:
        """b."""
        return self._b

    @property
    def mean(self) -> Tensor:
        return self._a / (self._a + self._b)

    @property
    def mode(self) -> Tensor:
        """(a − 1) / (a + b − 2), with 0 for negative terms; 1 where the density is infinite at both ends."""
        a, b = (self._a - 1).clamp(min=0), (self._b - 1).clamp(min=0)
        return f.where((self._a < 1) & (self._b < 1), 1.0, a / (a + b))

    @property
    def variance(self) -> Tensor:
        total = self._a + self._b
        return self._a * self._b / (total.square() * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return _BetaSample.apply(self._a.expand(shape), self._b.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b = self._a, self._b
        return _power(a - 1, value) + _power(b - 1, 1 - value) - _log_beta(a, b)

    def entropy(self) -> Tensor:
        a, b = self._a, self._b
        return (
            _log_beta(a, b) + (a + b - 2) * f.digamma(a + b)
            - (a - 1) * f.digamma(a) - (b - 1) * f.digamma(b)
        )  # fmt: skip


def _power(k: Tensor, x: Tensor) -> Tensor:
    """k ln x, and 0 where both are 0."""
    x, k = f.broadcast_tensors(x, k)
    return k * f.where((k == 0) & (x == 0), 1.0, x).log()


def _log_beta(a: Tensor, b: Tensor) -> Tensor:
    return f.lgamma(a) + f.lgamma(b) - f.lgamma(a + b)


class _BetaSample(Function):
    """A sample of the beta distribution, with the gradients of its quantile function."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        shape, dtype = a._array.shape, a._array.dtype
        p, q = (x._array.astype(np.float64) for x in (a, b))
        drawn = np.asarray(random.source().beta(p, q, shape))
        # a sample that is rounded to 0 or 1 would have an infinite density
        tiny = np.finfo(dtype)
        z = np.clip(drawn, tiny.tiny, 1 - tiny.epsneg).astype(dtype)
        ctx.save_for_backward(a, b, wrap(z))
        return wrap(z.copy())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Any:
        a, b, z = (x._array for x in ctx.saved_tensors)
        return tuple(g * wrap(d) for d in beta_sample_gradients(z, a, b))
