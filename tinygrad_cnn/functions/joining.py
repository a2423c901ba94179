"""Several Tensors put together, along an axis that they have or along a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from .arguments import axis, of_one_type, several
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cat", "concat", "concatenate", "dstack", "hstack", "meshgrid", "stack", "vstack"]


@public
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The Tensors one after the other along `dim`, in the dtype in which they meet.

    RuntimeError unless the sizes of their other axes are equal; only an empty vector goes with any
    shape. ValueError for no Tensors, RuntimeError for Tensors without axes.

    >>> tc.cat([tc.tensor([[1, 2]]), tc.tensor([[3, 4], [5, 6]])])
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    """
    return joined(tensors, dim)


def joined(tensors: Sequence[Any], dim: int) -> Any:
    """The Tensors one after the other along `dim`."""
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    xs = of_one_type(several("cat", tensors))
    if len(xs) > 1:  # an empty vector goes with anything
        xs = [x for x in xs if x._array.shape != (0,)] or xs[:1]
    if not all([x._array.ndim for x in xs]):
        raise RuntimeError("zero-dimensional tensor cannot be concatenated by cat: use stack")
    n = xs[0]._array.ndim
    dim = axis("cat", n, dim)
    if any([x._array.ndim != n for x in xs]):
        raise RuntimeError(
            f"cat: Tensors must have same number of dimensions, got {[x._array.shape for x in xs]}"
        )
    rest = {(*x._array.shape[:dim], -1, *x._array.shape[dim + 1 :]) for x in xs}
    if len(rest) > 1:
        raise RuntimeError(
            f"cat: Sizes of tensors must match except in dimension {dim}, got "
            f"{[x._array.shape for x in xs]}"
        )
    return ops.cat(*xs, dim=dim)


@public
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The Tensors along a new axis, at the place `dim` of the result.

    The result is of the dtype in which they meet. RuntimeError unless all have one shape.

    >>> tc.stack([tc.tensor([1, 2]), tc.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    xs = several("stack", tensors)
    if len({x._array.shape for x in xs}) > 1:
        raise RuntimeError(
            f"stack expects each tensor to be equal size, but got {[x._array.shape for x in xs]}"
        )
    return ops.stack(*of_one_type(xs), dim=axis("stack", xs[0]._array.ndim + 1, dim))


@public
def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The Tensors side by side: along the second axis, or vectors along their only one.

    The dtypes promote to one. RuntimeError for other sizes that differ, and for no Tensors.

    >>> tc.hstack([tc.tensor([[1], [2]]), tc.tensor([[3], [4]])])
    tensor([[1, 3],
            [2, 4]])
    """
    xs = _grown("hstack", tensors, 1, lambda shape: (1,))
    return joined(xs, 0 if xs[0]._array.ndim == 1 else 1)


@public
def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The Tensors one below the other: along the first axis, with vectors as rows.

    The dtypes promote to one. RuntimeError for other sizes that differ, and for no Tensors.

    >>> tc.vstack([tc.tensor([1, 2]), tc.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return joined(_grown("vstack", tensors, 2, lambda shape: (1, *(shape or (1,)))), 0)


@public
def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The Tensors one behind the other: along the third axis.

    A matrix (I, J) counts as (I, J, 1), and a vector (J) as (1, J, 1). The dtypes promote to one.
    RuntimeError for other sizes that differ, and for no Tensors.

    >>> tc.dstack([tc.tensor([1, 2]), tc.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return joined(_grown("dstack", tensors, 3, _in_three_axes), 2)


def _in_three_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape, 1) if len(shape) == 2 else (1, *(shape or (1,)), 1)


def _grown(
    name: str, tensors: Any, least: int, shape: Callable[[tuple[int, ...]], tuple[int, ...]]
) -> list[Any]:
    """The Tensors; `shape` gives those with fewer than `least` axes another shape."""
    return [
        x if x._array.ndim >= least else ops.reshape(x, shape=shape(x._array.shape))
        for x in several(name, tensors)
    ]


@public
def meshgrid(
    *tensors: Tensor | Sequence[Tensor], indexing: str | None = None
) -> tuple[Tensor, ...]:
    """For n vectors, the n coordinates of each place of their grid: views of the grid's shape.

    With indexing "ij", the default, axis k of the grid is vector k; with "xy" the first two axes
    change places. RuntimeError for Tensors with more than one axis or of several dtypes, and for
    another `indexing`.

    >>> rows, columns = tc.meshgrid(tc.arange(2), tc.arange(3), indexing="ij")
    >>> rows.tolist(), columns.tolist()
    ([[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    xs = several("meshgrid", tensors)
    if any([x._array.ndim > 1 for x in xs]):
        raise RuntimeError(
            "meshgrid: Expected 0D or 1D tensor in the tensor list but got shapes "
            f"{[x._array.shape for x in xs]}"
        )
    if len({x._array.dtype for x in xs}) > 1:
        raise RuntimeError(
            f"meshgrid expects all tensors to have the same dtype, got {[x.dtype for x in xs]}"
        )
    if indexing not in ("ij", "xy", None):
        raise RuntimeError(
            'torch.meshgrid: indexing must be one of "xy" or "ij", but received: ' + str(indexing)
        )
    n, exchanged = len(xs), indexing == "xy" and len(xs) > 1
    places = [1, 0, *range(2, n)] if exchanged else range(n)  # the axis of each vector
    lengths = [x._array.size for x in xs]
    shape = tuple([lengths[k] for k in places])
    return tuple(
        [
            ops.expand(ops.reshape(x, shape=(-1,) + (1,) * (n - 1 - k)), shape=shape)
            for x, k in zip(xs, places, strict=True)
        ]
    )


concat = alias("concat", cat)
concatenate = alias("concatenate", cat)
