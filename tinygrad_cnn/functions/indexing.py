"""Elements and slices picked by an index Tensor, a mask, or by being nonzero.

An index is a Tensor of int64 or int32; RuntimeError for others. A later write to it never changes a
gradient: the graph holds a copy, or the backward pass raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from .. import ops
from ..engine import wrap
from ..engine.dtypes import int32, int64
from .arguments import axis, broadcast_shape
from .brackets import kept
from .indices import along, element_index, mask_of, slice_index
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "argwhere", "gather", "index_select", "masked_select", "nonzero", "take", "take_along_dim",
]  # fmt: skip


@public
def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None
) -> Tensor:
    """y[.., i, ..] = input[.., index[.., i, ..], ..], with i and the index in axis `dim`.

    The index has as many axes as input, and may be smaller than it along the others. The result has
    the shape of the index. `sparse_grad` has no effect: gradients are dense. RuntimeError for an
    index that does not fit or is out of bounds.

    >>> tc.gather(tc.tensor([[1, 2], [3, 4]]), 1, tc.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    return _gathered("gather", input, dim, index)


def _gathered(name: str, x: Any, dim: int, index: Any) -> Any:
    dim, i = element_index(name, x._array, dim, index)
    if not i.size:
        return ops.getitem(ops.reshape(x, shape=(-1,)), index=(kept(i),))
    if not x._array.ndim:
        return ops.expand(x, shape=i.shape)
    if not i.ndim:
        return ops.getitem(x, index=(int(i),))
    return ops.gather(x, i, dim=dim)


@public
def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """`gather`, with the axes other than `dim` broadcast; without `dim`, from all elements.

    Made for the results of argsort, and of argmax with keepdim=True. Negative positions along `dim`
    count from the end. RuntimeError for different numbers of axes, for shapes that do not broadcast,
    and for an index that is out of bounds.

    >>> x = tc.tensor([[10, 30, 20], [60, 40, 50]])
    >>> tc.take_along_dim(x, tc.argsort(x, dim=1), dim=1)
    tensor([[10, 20, 30],
            [40, 50, 60]])
    """
    if indices._array.dtype not in (int64, int32):
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}"
        )
    if dim is None:
        flat = ops.reshape(input, shape=(-1,))
        return _gathered("take_along_dim", flat, 0, wrap(indices._array.reshape(-1)))
    shape, places = input._array.shape, indices._array
    dim = axis("take_along_dim", len(shape), dim)
    if len(shape) != places.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {len(shape)} dimensions for input, and {places.ndim} dimensions for indices"
        )
    if not shape:
        return _gathered("take_along_dim", input, dim, indices)
    one = [(*s[:dim], 1, *s[dim + 1 :]) for s in (shape, places.shape)]
    both = broadcast_shape("take_along_dim", *one)
    whole, of_index = ((*both[:dim], n, *both[dim + 1 :]) for n in (shape[dim], places.shape[dim]))
    index = np.where(places < 0, places + shape[dim], places)
    return _gathered(
        "take_along_dim",
        ops.expand(input, shape=whole),
        dim,
        wrap(np.broadcast_to(index, of_index)),
    )


@public
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices of input along `dim` at the positions of a vector, in its order: a copy.

    IndexError for positions that do not exist; they do not count from the end.

    >>> tc.index_select(tc.tensor([[1, 2, 3], [4, 5, 6]]), 1, tc.tensor([2, 0]))
    tensor([[3, 1],
            [6, 4]])
    """
    dim, i = slice_index("index_select", input._array, dim, index)
    if input._array.ndim:
        return ops.getitem(input, index=along(dim, i))
    if i.size != 1:
        raise RuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {i.size} value(s)"
        )
    return ops.clone(input)


@public
def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements of input, as a vector in row-major order, at these positions.

    The result has the shape of index; negative positions count from the end. IndexError for
    positions that do not exist.

    >>> tc.take(tc.tensor([[1, 2], [3, 4]]), tc.tensor([[0, -1]]))
    tensor([[1, 4]])
    """
    if index._array.dtype not in (int64, int32):
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype}")
    i, n = index._array, input._array.size
    if i.size and (i.min() < -n or i.max() >= n):
        worst = i.min() if i.min() < -n else i.max()
        raise IndexError(
            f"take(): out of range: tried to access index {worst} on a tensor of {n} elements."
        )
    return ops.getitem(ops.reshape(input, shape=(-1,)), index=(kept(i),))


@public
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where a mask of bool is true, as a vector. The two broadcast.

    RuntimeError for a mask of another dtype, and for shapes that do not broadcast.

    >>> x = tc.tensor([[1, 2], [3, 4]])
    >>> tc.masked_select(x, x > 2)
    tensor([3, 4])
    """
    m = mask_of("masked_select", mask)
    shape = broadcast_shape("masked_select", input._array.shape, m.shape)
    return ops.getitem(ops.expand(input, shape=shape), index=(kept(np.broadcast_to(m, shape)),))


# --- Positions of nonzero elements --------------------------------------------------------------


@overload
def nonzero(
    input: Tensor, *, as_tuple: Literal[False] = False, out: Tensor | None = None
) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
@public
def nonzero(
    input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None
) -> Tensor | tuple[Tensor, ...]:
    """The positions of the elements other than 0: (count, axes), of int64.

    as_tuple: a vector for each axis instead, with which input can be indexed.

    >>> tc.nonzero(tc.tensor([[0, 3], [4, 0]]))
    tensor([[0, 1],
            [1, 0]])
    >>> tc.nonzero(tc.tensor([0, 3]), as_tuple=True)
    (tensor([1]),)
    """
    a = input._array
    if as_tuple:
        return tuple([wrap(i) for i in np.nonzero(np.atleast_1d(a))])
    return wrap(np.argwhere(a))


@public
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements other than 0: (count, axes), of int64.

    >>> tc.argwhere(tc.tensor([0, 3, 4]))
    tensor([[1],
            [2]])
    """
    return wrap(np.argwhere(input._array))
