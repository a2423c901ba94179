"""The distribution of Bernoulli."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functions as f, random
from ..engine import wrap
from ..engine.dtypes import float64
from ..nn.functional import binary_cross_entropy_with_logits
from ..tensor import Tensor
from . import constraints
from .distribution import ONE, Distribution, broadcast_all
from .weights import lazy_property, logits_to_probs, one_of, probs_to_logits, spread

__all__ = ["Bernoulli"]


class Bernoulli(Distribution):
    """1 with the probability `probs`, else 0. Give `probs`, or their `logits`, ln p − ln (1 − p).

    A sample is u < probs, with draws u as of `torch.rand` in float64, in the order of the elements of
    the sample; it has the dtype of the parameter. ValueError for a probability outside of [0, 1].

    >>> from tinygrad_cnn.distributions import Bernoulli
    >>> Bernoulli(0.25).log_prob(tc.tensor(1.0)).exp()
    tensor(0.2500)
    """

    has_enumerate_support = True
    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.boolean

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ):
        one_of(probs, logits)
        name, value = ("probs", probs) if logits is None else ("logits", logits)
        (vars(self)[name],) = broadcast_all(value)
        super().__init__(vars(self)[name].shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities of 1."""
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        """ln p − ln (1 − p)."""
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._batch_shape

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        p = self.probs
        return f.where(p == 0.5, math.nan, (p >= 0.5).to(p.dtype))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        p = self.probs._array
        u = random.uniform(self._extended_shape(sample_shape), float64)
        return wrap((u < p).astype(p.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value.to(logits.dtype), reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        kind = vars(self).get("probs", vars(self).get("logits"))
        values = wrap(np.arange(2, dtype=kind._array.dtype))  # type: ignore[union-attr]
        return spread(values, self._batch_shape, expand)
