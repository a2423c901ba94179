"""The Kullback-Leibler divergence KL(p ‖ q) = E_p[ln p − ln q]: a formula for each pair of types."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from .. import functions as f
from ..nn.functional import softplus
from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .categorical import Categorical
from .distribution import LOG_2PI, Distribution
from .independent import Independent
from .normal import Normal
from .uniform import Uniform

__all__ = ["kl_divergence", "register_kl"]

Formula = TypeVar("Formula", bound=Callable[..., Any])
_formulas: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Register a function (p, q) as the divergence of these types and their subclasses.

    TypeError for types that are no distributions.

    >>> from tinygrad_cnn.distributions import Normal, register_kl
    >>> class Mine(Normal):
    ...     pass
    >>> @register_kl(Mine, Mine)
    ... def divergence(p, q):
    ...     return tc.zeros(())
    """
    for cls in (type_p, type_q):
        if not isinstance(cls, type) or not issubclass(cls, Distribution):
            raise TypeError(f"register_kl: expected a subclass of Distribution, got {cls!r}")

    def register(formula: Formula) -> Formula:
        _formulas[type_p, type_q] = formula
        return formula

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q), of the batch shape. NotImplementedError for types without a formula.

    The formula is the registered one of the nearest base classes.

    >>> from tinygrad_cnn.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0))
    tensor(0.5000)
    """
    for base_p in type(p).__mro__:
        for base_q in type(q).__mro__:
            if (base_p, base_q) in _formulas:
                return _formulas[base_p, base_q](p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
    )


@register_kl(Normal, Normal)
def _normals(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _uniforms(p: Uniform, q: Uniform) -> Tensor:
    y = ((q.high - q.low) / (p.high - p.low)).log()
    return f.where((q.low > p.low) | (q.high < p.high), math.inf, y)


@register_kl(Uniform, Normal)
def _uniform_and_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    distance = (width / q.scale).square() / 12 + ((p.mean - q.loc) / q.scale).square()
    return 0.5 * (distance + LOG_2PI) + q.scale.log() - width.log()


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    (a, b), (c, d) = ((x.concentration1, x.concentration0) for x in (p, q))
    y = f.lgamma(a + b) + f.lgamma(c) + f.lgamma(d) - f.lgamma(c + d) - f.lgamma(a) - f.lgamma(b)
    y = y + (a - c) * f.digamma(a) + (b - d) * f.digamma(b)
    return y + (c + d - a - b) * f.digamma(a + b)


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    yes = f.where(q.probs == 0, math.inf, yes)
    yes = f.where(p.probs == 0, 0.0, yes)
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    no = f.where(q.probs == 1, math.inf, no)
    return yes + f.where(p.probs == 1, 0.0, no)


@register_kl(Categorical, Categorical)
def _categoricals(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = f.where(q.probs == 0, math.inf, terms)
    return f.where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(Independent, Independent)
def _independents(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "the KL of two Independent needs the same reinterpreted_batch_ndims, got "
            f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return p.summed(kl_divergence(p.base_dist, q.base_dist))
