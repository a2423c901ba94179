"""Repeated elements: by broadcasting, which copies nothing, or as copies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import Recorded, owner, wrap
from ..engine.dtypes import int32, int64
from .arguments import array_of, axis, broadcast_shape, ints, several
from .public import public
from .reshaping import reshaped

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["broadcast_tensors", "broadcast_to", "repeat_interleave", "tile"]


# --- Broadcasting -------------------------------------------------------------------------------


def expanded(name: str, x: Any, size: tuple[int, ...]) -> Any:
    """A view of `x` in a larger size, in which −1 keeps the size of an axis."""
    old = x._array.shape
    lead = len(size) - len(old)
    full = tuple([old[k - lead] if n == -1 and k >= lead else n for k, n in enumerate(size)])
    if (
        lead < 0
        or min(full, default=0) < 0
        or any([m not in (1, n) for m, n in zip(old, full[lead:], strict=True)])
    ):
        raise RuntimeError(
            f"{name}: shape {old} cannot be expanded to {size}: only axes of size 1 can grow"
        )
    return ops.expand(x, shape=full)


@public
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """A view of another size: axes of size 1 are repeated, and new axes come in front.

    No memory is copied: the repeated elements are the same ones. RuntimeError if the sizes do not
    fit.

    >>> tc.broadcast_to(tc.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expanded("broadcast_to", input, ints("broadcast_to", "size", size))


@public
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of all Tensors in the shape to which they broadcast. RuntimeError if they do not.

    >>> a, b = tc.broadcast_tensors(tc.zeros(3, 1), tc.zeros(2))
    >>> a.shape, b.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    if not tensors:
        return ()
    xs = several("broadcast_tensors", tensors)
    shape = broadcast_shape("broadcast_tensors", *[x._array.shape for x in xs])
    return tuple([ops.expand(x, shape=shape) for x in xs])


# --- Copies -------------------------------------------------------------------------------------


def repeated(x: Any, times: tuple[int, ...]) -> Any:
    """A copy of the whole of `x`, times[k] times along axis k; the first axes may be new."""
    shape = x._array.shape
    lead = len(times) - len(shape)
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: repeat {times} of shape {shape}"
        )
    if min(times, default=0) < 0:
        raise RuntimeError(f"repeat: Trying to create tensor with negative dimension: {times}")
    shape = (1,) * lead + shape
    pairs = [n for pair in zip(times, shape, strict=True) for n in pair]
    y = ops.reshape(x, shape=tuple([m for n in shape for m in (1, n)]))
    y = ops.expand(y, shape=tuple(pairs))
    y = ops.reshape(y, shape=tuple([r * n for r, n in zip(times, shape, strict=True)]))
    return y if owner(y._array) is not owner(x._array) else ops.clone(y)


@public
def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A copy that holds the whole input dims[k] times along axis k.

    If there are fewer numbers than axes, they are for the last axes; if there are more, new axes come
    in front.

    >>> tc.tile(tc.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    return tiled(input, ints("tile", "dims", dims))


def tiled(x: Any, times: tuple[int, ...]) -> Any:
    """`repeated`, with 1 for the first axes where there are fewer numbers than axes."""
    return repeated(x, (1,) * (x._array.ndim - len(times)) + times)


@public(overloads=True)
def repeat_interleave(
    input: Tensor | None = None,
    repeats: Tensor | int | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """A copy with each element repeated beside itself, or each slice along `dim`.

    Without `dim` the input is taken as a vector. repeats: a number, or a vector of int64 or int32
    with a number for each slice. A call with repeats alone repeats the indices 0, 1, ...
    output_size: the size of the result along the axis; RuntimeError if it is wrong.

    >>> tc.repeat_interleave(tc.tensor([[1, 2], [3, 4]]), 2, dim=1)
    tensor([[1, 1, 2, 2],
            [3, 3, 4, 4]])
    >>> tc.repeat_interleave(tc.tensor([7, 8]), tc.tensor([1, 3]))
    tensor([7, 8, 8, 8])
    >>> tc.repeat_interleave(tc.tensor([1, 3]))
    tensor([0, 1, 1, 1])
    """
    if input is None or repeats is None:
        counts: Any = repeats if input is None else input
        if not isinstance(counts, Recorded):
            raise TypeError(
                'repeat_interleave() missing 1 required positional arguments: "repeats"'
            )
        if counts._array.ndim != 1:
            raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
        return wrap(_repeated_indices(counts._array.size, counts, output_size))
    return interleaved(input, repeats, dim, output_size)


def interleaved(x: Any, repeats: Any, dim: int | None, output_size: int | None) -> Any:
    """Each slice of `x` along `dim` repeated in place; each element without `dim`."""
    if dim is not None:
        dim = axis("repeat_interleave", x._array.ndim, dim)
    if dim is None or not x._array.ndim:
        x, dim = reshaped("repeat_interleave", x, (x._array.size,)), 0
    index = _repeated_indices(x._array.shape[dim], repeats, output_size)
    return ops.getitem(x, index=(slice(None),) * dim + (index,))


def _repeated_indices(n: int, repeats: Any, output_size: int | None) -> np.ndarray:
    """The indices from 0 to n − 1, each as often as `repeats` says."""
    counts = np.asarray(array_of(repeats))
    if counts.dtype not in (int64, int32):
        raise NotImplementedError(
            f'"repeat_interleave" not implemented for {shown(counts.dtype)}: repeats must be '
            "int64 or int32"
        )
    if counts.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if counts.size not in (1, n):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts.size} and input.size(0) = {n}"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError(f"repeats can not be negative, got {counts.min()}")
    index = np.repeat(np.arange(n), counts)
    if output_size is not None and output_size != index.size:
        raise RuntimeError(
            f"repeat_interleave: Invalid output_size, expected {index.size} but got {output_size}"
        )
    return index
