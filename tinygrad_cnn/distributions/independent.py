"""A distribution some of whose batch axes become axes of the event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..metadata import Size
from ..tensor import Tensor
from .constraints import Constraint, independent
from .distribution import ONE, Distribution

__all__ = ["Independent"]


class Independent(Distribution):
    """`base_distribution`, whose last `reinterpreted_batch_ndims` batch axes belong to the event.

    `log_prob` and `entropy` are summed over them. ValueError if there are not so many.

    >>> from tinygrad_cnn.distributions import Independent, Normal
    >>> d = Independent(Normal(tc.zeros(2, 3), tc.ones(2, 3)), 1)
    >>> d.batch_shape, d.event_shape, d.log_prob(tc.zeros(2, 3)).shape
    (torch.Size([2]), torch.Size([3]), torch.Size([2]))
    """

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ):
        base, n = base_distribution, reinterpreted_batch_ndims
        if n > len(base.batch_shape):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                f"{n} vs {len(base.batch_shape)}"
            )
        self.base_dist, self.reinterpreted_batch_ndims = base, n
        shape = (*base.batch_shape, *base.event_shape)
        own = len(base.batch_shape) - n
        super().__init__(shape[:own], shape[own:], validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Independent:
        inner = self.event_shape[: self.reinterpreted_batch_ndims]
        base = self.base_dist.expand(Size((*batch_shape, *inner)))
        return type(self)(base, self.reinterpreted_batch_ndims, validate_args=self._validate_args)

    @property
    def has_rsample(self) -> Any:
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @property
    def support(self) -> Constraint:
        base = self.base_dist.support
        return independent(base, self.reinterpreted_batch_ndims) if self.event_shape else base

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.summed(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        return self.summed(self.base_dist.entropy())

    def summed(self, x: Tensor) -> Tensor:
        """`x` summed over the axes of the batch that belong to the event."""
        n = self.reinterpreted_batch_ndims
        return x.sum(tuple(range(-n, 0))) if n else x

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
