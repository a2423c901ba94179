"""Functions along one axis that keep the shape: softmax, and running sums and products.

`dim` counts from 0, or from the end if negative. IndexError for an axis that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from ..types import DType
from .arguments import axis
from .public import public
from .reduction import converted, summable, unwidened

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cumprod", "cumsum", "log_softmax", "softmax"]


@public
def softmax(
    input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None
) -> Tensor:
    """exp(input) / Σ exp(input) along dim, without overflow.

    The result has the shape of input. `dtype` converts input first. IndexError for an axis that
    input does not have.

    >>> tc.softmax(tc.tensor([[0.0, 0.0], [1000.0, 0.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    x = converted("softmax", input, dtype)
    return ops.softmax(x, dim=axis("softmax", x._array.ndim, dim))


@public
def log_softmax(
    input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None
) -> Tensor:
    """ln softmax(input) along dim, finite where softmax rounds to 0.

    The result has the shape of input. `dtype` converts input first. IndexError for an axis that
    input does not have.

    >>> tc.log_softmax(tc.tensor([1000.0, 0.0]), dim=0)
    tensor([    0., -1000.])
    """
    x = converted("log_softmax", input, dtype)
    return ops.log_softmax(x, dim=axis("log_softmax", x._array.ndim, dim))


@public
def cumsum(
    input: Tensor, dim: int, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """The sum of each element and all before it along dim.

    The result has the shape of input, and its dtype, or int64 for integers and bools. `dtype`
    converts input first. IndexError for an axis that input does not have.

    >>> tc.cumsum(tc.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    x = summable("cumsum", input, dtype)
    dim = axis("cumsum", x._array.ndim, dim)
    return unwidened(ops.cumsum(x, dim=dim), x) if x._array.ndim else ops.clone(x)


@public
def cumprod(
    input: Tensor, dim: int, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """The product of each element and all before it along dim.

    The result has the shape of input, and its dtype, or int64 for integers and bools. `dtype`
    converts input first. IndexError for an axis that input does not have.

    >>> tc.cumprod(tc.tensor([1, 2, 3]), dim=0)
    tensor([1, 2, 6])
    """
    x = summable("cumprod", input, dtype)
    dim = axis("cumprod", x._array.ndim, dim)
    return unwidened(ops.cumprod(x, dim=dim), x) if x._array.ndim else ops.clone(x)
