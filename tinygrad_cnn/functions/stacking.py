"""Tensors with at least a number of axes, and columns put side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from .. import ops
from ..engine import Recorded
from .arguments import kind_of, several
from .joining import joined
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "column_stack"]

Shape = tuple[int, ...]


@overload
def atleast_1d(input: Tensor, /) -> Tensor: ...
@overload
def atleast_1d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_1d(input: Tensor, other: Tensor, /, *tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each Tensor with at least one axis, as a view. Of several, or of a sequence, it is a tuple.

    TypeError for arguments that are no Tensors.

    >>> tc.atleast_1d(tc.tensor(3.0)), tc.atleast_1d(tc.tensor([1.0]), tc.tensor(2.0))
    (tensor([3.]), (tensor([1.]), tensor([2.])))
    """
    return _each("atleast_1d", tensors, lambda shape: shape or (1,))


@overload
def atleast_2d(input: Tensor, /) -> Tensor: ...
@overload
def atleast_2d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_2d(input: Tensor, other: Tensor, /, *tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each Tensor with at least two axes, as a view: a vector becomes a row.

    Of several Tensors, or of a sequence, it is a tuple. TypeError for arguments that are no Tensors.

    >>> tc.atleast_2d(tc.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return _each("atleast_2d", tensors, lambda shape: (1,) * (2 - len(shape)) + shape)


@overload
def atleast_3d(input: Tensor, /) -> Tensor: ...
@overload
def atleast_3d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_3d(input: Tensor, other: Tensor, /, *tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_3d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each Tensor with at least three axes, as a view: a vector (N) becomes (1, N, 1), and a matrix
    (M, N) becomes (M, N, 1).

    Of several Tensors, or of a sequence, it is a tuple. TypeError for arguments that are no Tensors.

    >>> tc.atleast_3d(tc.zeros(4)).shape, tc.atleast_3d(tc.zeros(2, 4)).shape
    (torch.Size([1, 4, 1]), torch.Size([2, 4, 1]))
    """

    def shaped(shape: Shape) -> Shape:
        if len(shape) > 2:
            return shape
        return (*shape, 1) if len(shape) == 2 else (1, *(shape or (1,)), 1)

    return _each("atleast_3d", tensors, shaped)


def _each(name: str, tensors: Any, shape: Callable[[Shape], Shape]) -> Any:
    one = len(tensors) == 1
    if one and isinstance(tensors[0], (tuple, list)):
        one, tensors = False, tuple(tensors[0])
    for x in tensors:
        if not isinstance(x, Recorded):
            kinds = ", ".join(map(kind_of, tensors))
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got ({kinds}), but expected "
                "Tensors, or one tuple of Tensors"
            )
    found = []
    for x in tensors:
        wanted = shape(x._array.shape)
        found.append(x if wanted == x._array.shape else ops.reshape(x, shape=wanted))
    return found[0] if one else tuple(found)


@public
def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The Tensors side by side along the second axis, with vectors as columns.

    The dtypes promote to one. RuntimeError for other sizes that differ, and for no Tensors.

    >>> tc.column_stack([tc.tensor([1, 2]), tc.tensor([[3, 4], [5, 6]])])
    tensor([[1, 3, 4],
            [2, 5, 6]])
    """
    xs = several("column_stack", tensors)
    columns = [x if x._array.ndim > 1 else ops.reshape(x, shape=(x._array.size, 1)) for x in xs]
    return joined(columns, 1)
