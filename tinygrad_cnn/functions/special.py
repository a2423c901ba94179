"""The gamma function: its logarithm, and the derivative of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["digamma", "lgamma"]


@public
def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """ln |Γ(input)|, elementwise; ∞ at 0 and at negative integers.

    Integers give the default dtype. The gradient is `digamma`.

    >>> tc.lgamma(tc.tensor([1.0, 4.0]))  # ln 1, ln 6
    tensor([0.0000, 1.7918])
    """
    return ops.lgamma(input)


@public
def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The derivative of `lgamma`, elementwise; ∓∞ at ±0, and NaN at negative integers.

    Integers give the default dtype.

    >>> tc.digamma(tc.tensor([1.0, 2.0]))  # −γ and 1 − γ, with Euler's constant γ
    tensor([-0.5772,  0.4228])
    """
    return ops.digamma(input)
