"""Neighbours along one axis: differences, and windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from .arguments import axis, integer
from .comparison import logical_xor
from .joining import joined
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["diff"]


@public
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along `dim`, taken n times: each makes the axis shorter by one.

    `prepend` and `append` are joined to input along `dim` first. The difference of bools is their
    exclusive or. RuntimeError for an input without axes, for n < 0, and for shapes that do not fit.

    >>> x = tc.tensor([1, 3, 8])
    >>> tc.diff(x), tc.diff(x, n=2), tc.diff(x, prepend=tc.tensor([0]))
    (tensor([2, 5]), tensor([3]), tensor([1, 2, 5]))
    """
    n = integer("diff", "n", n)
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = axis("diff", input._array.ndim, dim)
    for x in (prepend, append):
        if x is not None:
            _check_fit(input._array.shape, x._array.shape, dim)
    if not n:  # PyTorch joins nothing then
        return ops.clone(input)
    y = input
    if prepend is not None or append is not None:
        y = joined([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(min(n, y._array.shape[dim])):
        later, earlier = _part(y, dim, slice(1, None)), _part(y, dim, slice(None, -1))
        y = logical_xor(later, earlier) if y._array.dtype.kind == "b" else ops.sub(later, earlier)
    return y


def _part(x: Any, dim: int, places: slice) -> Any:
    return ops.getitem(x, index=(slice(None),) * dim + (places, ...))


def _check_fit(shape: tuple[int, ...], other: tuple[int, ...], dim: int) -> None:
    """RuntimeError unless the sizes are equal, except along `dim`."""
    if len(other) != len(shape):
        raise RuntimeError(
            "diff expects prepend or append to be the same dimension as input, got shapes "
            f"{other} and {shape}"
        )
    for k, (n, m) in enumerate(zip(shape, other, strict=True)):
        if n != m and k != dim:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except "
                f"along the differencing dimension; input.size({k}) = {n}, but got "
                f"tensor.size({k}) = {m}"
            )


@public
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of `size` slices along an axis, the next one `step` slices later.

    The windows are numbered along that axis, and their slices are in a new axis, the last.
    RuntimeError for a size larger than the axis and for a step under 1, IndexError for an axis that
    input does not have.

    >>> tc.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    a = input._array
    dim = axis("unfold", a.ndim, dimension)
    size, step = integer("unfold", "size", size), integer("unfold", "step", step)
    n = a.shape[dim] if a.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not a.ndim:
        return ops.getitem(ops.reshape(input, shape=(1,)), index=(slice(size), ...))
    return ops.windows(input, dim=dim, size=size, step=step)
