"""Probabilities and logits of discrete distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine import enable_grad
from ..limits import finfo
from ..tensor import Tensor


class lazy_property:
    """A property that is computed on first use and then an attribute of the instance.

    `functools.cached_property` of Python 3.11 computes under a lock, which may be held forever in a
    child that was forked meanwhile.
    """

    def __init__(self, wrapped: Callable[[Any], Tensor]):
        self._wrapped, self.__doc__ = wrapped, wrapped.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return vars(instance).setdefault(self._wrapped.__name__, self._wrapped(instance))


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept between ε and 1 − ε, for the ε of their dtype."""
    eps = float(finfo(probs.dtype).eps)
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """ln p; with `is_binary`, ln p − ln (1 − p)."""
    with enable_grad():
        p = clamp_probs(probs)
        return p.log() - (-p).log1p() if is_binary else p.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The softmax over the last axis; with `is_binary`, the sigmoid."""
    with enable_grad():
        return logits.sigmoid() if is_binary else logits.softmax(-1)


def one_of(probs: Any, logits: Any) -> None:
    """ValueError unless exactly one is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


def spread(values: Tensor, batch_shape: Sequence[int], expand: bool) -> Tensor:
    """Values along a new axis 0, before those of the batch."""
    y = values.reshape((-1,) + (1,) * len(batch_shape))
    return y.expand((-1, *batch_shape)) if expand else y
