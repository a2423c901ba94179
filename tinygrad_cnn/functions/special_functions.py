"""Special functions: relatives of the error function, ln Γ and its derivative, and x ln y."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from ..types import Number
from .arguments import in_floats
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["digamma", "erfc", "lgamma", "xlogy"]


@public
def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 − erf(input), elementwise, precise also where it is small.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.erfc(tc.tensor([0.0, 1.0, 5.0]))
    tensor([1.0000e+00, 1.5730e-01, 1.5375e-12])
    """
    return ops.erfc(input)


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


@public(overloads=True)
def xlogy(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input · ln(other), elementwise, and 0 where input is 0, unless other is NaN.

    The shapes broadcast; RuntimeError if they do not. One of the two may be a number. Integers and
    bools give the default dtype.

    >>> tc.xlogy(tc.tensor([0.0, 2.0]), tc.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    xlogy.edge.wants_tensor(input, other)  # type: ignore[attr-defined]
    a, b = in_floats(input, other)
    return ops.xlogy(a, b)
