"""The uniform distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import random
from ..engine import wrap
from ..tensor import Tensor
from . import constraints
from .distribution import ONE, Distribution, broadcast_all

__all__ = ["Uniform"]


class Uniform(Distribution):
    """The uniform distribution on [low, high).

    A sample is low + (high − low) · u, with draws u as of `torch.rand`, in the order of the elements of
    the sample; `rsample` gives the same numbers, with gradients. ValueError unless low < high.

    >>> from tinygrad_cnn.distributions import Uniform
    >>> Uniform(0.0, 4.0).mean, Uniform(0.0, 4.0).log_prob(tc.tensor(1.0)).exp()
    (tensor(2.), tensor(0.2500))
    """

    has_rsample = True
    low: Tensor
    high: Tensor

    def __init__(
        self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None
    ):
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """The sets of the parameters, which depend on each other."""
        return {
            "low": constraints.less_than(self.high),
            "high": constraints.greater_than(self.low),
        }

    @property
    def support(self) -> constraints.Constraint:
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low).square() / 12

    def rsample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        u = wrap(random.uniform(self._extended_shape(sample_shape), self.low._array.dtype))
        return self.low + u * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        inside = (self.low <= value) & (value < self.high)
        return inside.to(self.low.dtype).log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()
