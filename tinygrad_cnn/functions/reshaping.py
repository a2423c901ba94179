"""Another shape for the same elements, and another order of axes: views wherever memory allows.

`dim` counts from 0, or from the end if negative; IndexError for an axis that does not exist.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from ..engine import settle
from ..types import Ints
from .arguments import axes, axis, ints
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "flatten", "moveaxis", "movedim", "permute", "ravel", "reshape", "squeeze", "swapaxes",
    "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


# --- Shapes -------------------------------------------------------------------------------------


def reshaped(name: str, x: Any, shape: tuple[int, ...]) -> Any:
    """`x` in another shape, where one size may be −1; RuntimeError if the elements do not fit."""
    count = x._array.size
    if min(shape, default=0) < 0:
        shape = _with_inferred_size(name, shape, count)
    elif math.prod(shape) != count:
        raise RuntimeError(f"{name}: shape '{list(shape)}' is invalid for input of size {count}")
    settle(x)
    return ops.reshape(x, shape=shape)


def _with_inferred_size(name: str, shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The shape of `count` elements with the size in place of −1."""
    for place, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(
                f"{name}: invalid shape dimension {n} at index {place} of shape {list(shape)}"
            )
    if shape.count(-1) > 1:
        raise RuntimeError(
            f"{name}: only one dimension can be inferred: one -1 at the most, got {list(shape)}"
        )
    known = -math.prod(shape)
    if not known and not count:
        raise RuntimeError(
            f"{name}: cannot reshape tensor of 0 elements into shape {list(shape)}: it is invalid, "
            "because the unspecified dimension size -1 can be any value and is ambiguous"
        )
    if not known or count % known:
        raise RuntimeError(f"{name}: shape '{list(shape)}' is invalid for input of size {count}")
    return tuple([count // known if n == -1 else n for n in shape])


@public
def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The elements, in row-major order, in another shape.

    One size may be −1: it follows from the others. The result is a view of input, or a copy if
    the strides of input allow no view. RuntimeError if the sizes do not multiply to the number of
    elements.

    >>> tc.reshape(tc.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return reshaped("reshape", input, ints("reshape", "shape", shape))


@public
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim as one: (N, C, H, W) becomes (N, C·H·W) from start_dim 1.

    The result is a view if the strides of input allow one. A Tensor without axes becomes a vector.
    RuntimeError if start_dim comes after end_dim.

    >>> tc.flatten(tc.zeros(2, 3, 4), start_dim=1).shape
    torch.Size([2, 12])
    """
    shape = input._array.shape
    n = len(shape)
    start, end = axis("flatten", n, start_dim), axis("flatten", n, end_dim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    merged = (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])
    return reshaped("flatten", input, merged)


@public
def ravel(input: Tensor) -> Tensor:
    """All elements as a vector, in row-major order. It is a view if the strides of input allow one.

    >>> tc.ravel(tc.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshaped("ravel", input, (input._array.size,))


@public
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The axis `dim` as several axes of these sizes, of which one may be −1.

    RuntimeError if the sizes do not multiply to the size of the axis.

    >>> tc.unflatten(tc.zeros(2, 12), 1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    shape = input._array.shape
    dim = axis("unflatten", len(shape), dim)
    sizes = ints("unflatten", "sizes", sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    n = shape[dim] if shape else 1
    known = abs(math.prod(sizes))
    inferred = sizes.count(-1)
    fits = known == n if not inferred else inferred == 1 and known and n % known == 0
    if not fits or min(sizes) < -1:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({n}) in the input tensor"
        )
    parts = [n // known if m == -1 else m for m in sizes]
    return reshaped("unflatten", input, (*shape[:dim], *parts, *shape[dim + 1 :]))


@public
def squeeze(input: Tensor, dim: Ints | None = None) -> Tensor:
    """A view without the axes of size 1: all of them, or only those in `dim`.

    Axes in `dim` of another size stay.

    >>> x = tc.zeros(1, 3, 1)
    >>> tc.squeeze(x).shape, tc.squeeze(x, 0).shape, tc.squeeze(x, (0, 1)).shape
    (torch.Size([3]), torch.Size([3, 1]), torch.Size([3, 1]))
    """
    return squeezed(input, dim)


def squeezed(x: Any, dim: Ints | None) -> Any:
    """A view without the axes of size 1 in `dim`, or without all of them."""
    shape = x._array.shape
    gone = range(len(shape)) if dim is None else axes("squeeze", len(shape), dim) or ()
    kept = [slice(None) if k not in gone or n != 1 else 0 for k, n in enumerate(shape)]
    return ops.getitem(x, index=(*kept, ...))


@public
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A view with a new axis of size 1 at the place `dim` of the result.

    A negative `dim` counts from the end. IndexError for a place that the result does not have.

    >>> tc.unsqueeze(tc.zeros(2, 3), 1).shape, tc.unsqueeze(tc.zeros(2, 3), -1).shape
    (torch.Size([2, 1, 3]), torch.Size([2, 3, 1]))
    """
    place = axis("unsqueeze", input._array.ndim + 1, dim)
    return ops.getitem(input, index=(slice(None),) * place + (None, ...))


# --- The order of axes --------------------------------------------------------------------------


def permuted(x: Any, dims: tuple[int, ...]) -> Any:
    """`x` with axis dims[k] at place k."""
    n = x._array.ndim
    found = axes("permute", n, dims) or ()
    if len(found) != n:
        raise RuntimeError(f"permute: wanted {n} dims for shape {x._array.shape}, got {dims}")
    return ops.permute(x, dims=found)


def transposed_matrix(x: Any) -> Any:
    """The transpose of a matrix; a Tensor with fewer axes as it is."""
    n = x._array.ndim
    if n > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {n}D")
    return ops.permute(x, dims=(1, 0) if n == 2 else tuple(range(n)))


@public
def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A view with axis dims[k] at place k. RuntimeError unless `dims` names each axis once.

    >>> tc.permute(tc.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
    """
    return permuted(input, ints("permute", "dims", dims))


@public
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with the axes dim0 and dim1 exchanged.

    >>> tc.transpose(tc.zeros(2, 3, 4), 1, 2).shape
    torch.Size([2, 4, 3])
    """
    n = input._array.ndim
    a, b = axis("transpose", n, dim0), axis("transpose", n, dim1)
    order = list(range(n))
    if n:
        order[a], order[b] = b, a
    return ops.permute(input, dims=tuple(order))


@public
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """A view with the two axes exchanged: `transpose` under NumPy's name.

    IndexError for an axis that input does not have.

    >>> tc.swapaxes(tc.zeros(2, 3, 4), 0, 2).shape
    torch.Size([4, 3, 2])
    """
    return transpose(input, axis0, axis1)


@public
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix, a view; a vector as it is. RuntimeError for more than two axes.

    >>> tc.t(tc.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    return transposed_matrix(input)


@public(overloads=True)
def movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """A view with the axes `source` at the places `destination`; the others keep their order.

    RuntimeError if the two do not name equally many axes, or one of them twice.

    >>> tc.movedim(tc.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    n = input._array.ndim
    start, end = axes("movedim", n, source) or (), axes("movedim", n, destination) or ()
    if len(start) != len(end):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({source} dims) should contain "
            f"the same number of dims as destination ({destination} dims)"
        )
    order = [k for k in range(n) if k not in start]
    for place, k in sorted(zip(end, start, strict=True)):
        order.insert(place, k)
    return ops.permute(input, dims=tuple(order))


swapdims = alias("swapdims", transpose)
moveaxis = alias("moveaxis", movedim)
