"""Questions about a Tensor that its elements do not matter to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from ..engine import Recorded
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["is_complex", "is_floating_point", "is_tensor", "numel"]


def is_tensor(obj: object) -> TypeGuard[Tensor]:
    """Whether `obj` is a Tensor.

    >>> tc.is_tensor(tc.ones(2)), tc.is_tensor([1.0, 1.0])
    (True, False)
    """
    return isinstance(obj, Recorded)


@public
def numel(input: Tensor) -> int:
    """The number of elements of input: the product of its sizes, as an int. 1 without axes.

    >>> tc.numel(tc.zeros(2, 3))
    6
    """
    return input._array.size


@public
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is one of floating point.

    >>> tc.is_floating_point(tc.tensor([1.0])), tc.is_floating_point(tc.tensor([1]))
    (True, False)
    """
    return input._array.dtype.kind == "f"


@public
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is a complex one: False, as no Tensor is of such a dtype here.

    >>> tc.is_complex(tc.tensor([1.0]))
    False
    """
    return input._array.dtype.kind == "c"
