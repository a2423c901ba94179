"""The categorical distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functions as f, random
from ..engine import wrap
from ..engine.dtypes import float64
from ..limits import finfo
from ..tensor import Tensor
from . import constraints
from .distribution import ONE, Distribution
from .weights import lazy_property, logits_to_probs, one_of, probs_to_logits, spread

__all__ = ["Categorical"]


class Categorical(Distribution):
    """The integers from 0 to K − 1, for K probabilities in the last axis of `probs` (.., K).

    The probabilities are divided by their sum. Or give `logits`, their logarithms up to a constant. A
    sample (int64) is the first k with u < probs[0] + ... + probs[k], with draws u as of `torch.rand` in
    float64, in the order of the elements of the sample. ValueError for negative weights.

    >>> from tinygrad_cnn.distributions import Categorical
    >>> Categorical(tc.tensor([1.0, 3.0])).probs, Categorical(tc.tensor([0.0, 1.0])).sample()
    (tensor([0.2500, 0.7500]), tensor(1))
    """

    has_enumerate_support = True
    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        one_of(probs, logits)
        name, value = ("probs", probs) if logits is None else ("logits", logits)
        if not isinstance(value, Tensor) or value.ndim < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if name == "probs":
            vars(self)[name] = value / value.sum(-1, keepdim=True)
        else:
            vars(self)[name] = value - value.logsumexp(-1, keepdim=True)
        self._events = value.shape[-1]
        super().__init__(value.shape[:-1], validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, of sum 1."""
        return logits_to_probs(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self._events - 1)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return vars(self).get("probs", vars(self).get("logits")).size()  # type: ignore[union-attr]

    @property
    def mean(self) -> Tensor:
        return f.mul(self.probs[..., 0].detach(), math.nan)

    @property
    def variance(self) -> Tensor:
        return self.mean

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Sequence[int] = ONE) -> Tensor:
        shape = self._extended_shape(sample_shape)
        ends = np.cumsum(self.probs._array.astype(np.float64), axis=-1)  # (.., K)
        if not np.isfinite(ends).all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        total = ends[..., -1]  # not exactly 1; a draw must stay below it, also when it is rounded
        u = np.minimum(random.uniform(shape, float64) * total, np.nextafter(total, 0))
        return wrap((u[..., None] >= ends[..., :-1]).sum(axis=-1, dtype=np.int64))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        shape = np.broadcast_shapes(value.shape, self._batch_shape)
        index = value.long().expand(shape).unsqueeze(-1)
        return self.logits.expand((*shape, self._events)).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=float(finfo(self.logits.dtype).min))
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return spread(wrap(np.arange(self._events)), self._batch_shape, expand)
