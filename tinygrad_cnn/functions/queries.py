"""Questions about a Tensor that its elements do not matter to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard, overload

from ..dtypes import DTYPES, dtype
from ..engine import Recorded
from ..engine.dtypes import FLOATING, result_type as meeting
from ..types import Number
from .arguments import array_of, kind_of
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["is_complex", "is_floating_point", "is_tensor", "numel", "result_type"]


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
    return input._array.dtype.kind in FLOATING


@public
def is_complex(input: Tensor) -> bool:
    """False: no Tensor has complex numbers.

    >>> tc.is_complex(tc.ones(2))
    False
    """
    return False


@overload
def result_type(tensor: Tensor, other: Tensor | Number) -> dtype: ...
@overload
def result_type(tensor: Number, other: Tensor | Number) -> dtype: ...
@public(overloads=True)
def result_type(tensor: Tensor | Number, other: Tensor | Number) -> dtype:
    """The dtype in which two operands meet, Tensors or numbers.

    Tensors with axes decide. A Tensor without axes, and after it a number, matters only if it is of
    a higher category (bool < integer < floating point). TypeError for other operands.

    >>> tc.result_type(tc.tensor([1, 2]), 1.5), tc.result_type(tc.ones(2).half(), tc.tensor(1.0))
    (torch.float32, torch.float16)
    """
    for x in (tensor, other):
        if not isinstance(x, (Recorded, bool, int, float)):
            raise TypeError(
                "result_type() received an invalid combination of arguments - got "
                f"({kind_of(tensor)}, {kind_of(other)}): wanted Tensors or numbers"
            )
    return DTYPES[meeting(array_of(tensor), array_of(other))]
