"""The normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import functions as f, random
from ..engine import wrap
from ..tensor import Tensor
from . import constraints
from .distribution import LOG_2PI, ONE, Distribution, broadcast_all

__all__ = ["Normal"]


class Normal(Distribution):
    """The normal distribution of mean `loc` and standard deviation `scale`.

    A sample is loc + scale · z, with draws z as of `torch.randn`, in the order of the elements of the
    sample; `rsample` gives the same numbers, with gradients. ValueError for a scale that is not positive.

    >>> from tinygrad_cnn.distributions import Normal
    >>> Normal(0.0, 1.0).log_prob(tc.tensor(0.0))
    tensor(-0.9189)
    """

    has_rsample = True
    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    loc: Tensor
    scale: Tensor

    def __init__(
        self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None
    ):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        z = wrap(random.standard_normal(shape, self.loc._array.dtype))
        return self.loc + z * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (
            -((value - self.loc).square()) / (2 * self.variance) - self.scale.log() - 0.5 * LOG_2PI
        )

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + f.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * f.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * LOG_2PI + self.scale.log()
