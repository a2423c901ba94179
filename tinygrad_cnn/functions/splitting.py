"""Parts of a Tensor along one axis. All of them are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import ops
from ..engine import Recorded
from ..engine.dtypes import int64
from ..types import Ints
from .arguments import axis, integer, ints
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["chunk", "narrow", "select", "split", "tensor_split", "unbind"]


@public(overloads=True)
def narrow(input: Tensor, dim: int, start: Tensor | int, length: int) -> Tensor:
    """The slices from `start` to start + length along `dim`.

    start: an integer or an integer Tensor without axes; it counts from the end if negative.
    IndexError for a start outside the axis, RuntimeError if fewer than `length` slices follow it.

    >>> tc.narrow(tc.tensor([0, 10, 20, 30]), 0, 1, 2)
    tensor([10, 20])
    """
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = axis("narrow", input._array.ndim, dim)
    if isinstance(start, Recorded) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError(
            f"start must be an 0-dim integral Tensor, got shape {start._array.shape} and dtype "
            f"{start.dtype}"
        )
    first, length = integer("narrow", "start", start), integer("narrow", "length", length)
    n = input._array.shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= first <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {first})"
        )
    begin = first + n if first < 0 else first
    if begin + length > n:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return _slices(input, dim, begin, begin + length)


@public
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number `index` along `dim`, without that axis. IndexError if it does not exist.

    >>> tc.select(tc.tensor([[1, 2], [3, 4]]), 1, -1)
    tensor([2, 4])
    """
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = axis("select", input._array.ndim, dim)
    index, n = integer("select", "index", index), input._array.shape[dim]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at "
            f"dimension {dim}"
        )
    return ops.getitem(input, index=(slice(None),) * dim + (index, ...))


@public
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, each without that axis: a tuple of views.

    IndexError for an axis that input does not have.

    >>> tc.unbind(tc.tensor([[1, 2], [3, 4]]), 1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    dim = axis("unbind", input._array.ndim, dim)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    lead = (slice(None),) * dim
    return tuple(
        [ops.getitem(input, index=(*lead, k, ...)) for k in range(input._array.shape[dim])]
    )


@public
def split(tensor: Tensor, split_size_or_sections: Ints, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts along `dim`: of one size, of which the last may be smaller, or of the sizes given.

    RuntimeError if the given sizes do not add up to the size of the axis.

    >>> tc.split(tc.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> tc.split(tc.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    return parts(tensor, split_size_or_sections, dim)


def parts(x: Any, size: Ints, dim: int) -> tuple[Any, ...]:
    """Parts along `dim` of one size, or of the sizes given."""
    dim = axis("split", x._array.ndim, dim)
    if not x._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    n = x._array.shape[dim]
    if isinstance(size, (tuple, list)) or not hasattr(size, "__index__"):
        sections = ints("split_with_sizes", "split_sizes", size)
        if min(sections, default=0) < 0:
            raise RuntimeError(
                "split_with_sizes expects split_sizes have only non-negative entries, but got "
                f"split_sizes={list(sections)}"
            )
        if sum(sections) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size "
                f"at dimension {dim}), but got split_sizes={list(sections)}"
            )
    else:
        each = integer("split", "split_size", size)
        if each < 0:
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={each}"
            )
        if not each and n:
            raise RuntimeError(
                f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
            )
        sections = tuple([min(each, n - k) for k in range(0, n, each or 1)]) or (0,)
    found, begin = [], 0
    for length in sections:
        found.append(_slices(x, dim, begin, begin + length))
        begin += length
    return tuple(found)


@overload
def tensor_split(
    input: Tensor, tensor_indices_or_sections: Tensor | Ints, dim: int = 0
) -> tuple[Tensor, ...]: ...
@overload
def tensor_split(input: Tensor, *, sections: int, dim: int = 0) -> tuple[Tensor, ...]: ...
@overload
def tensor_split(input: Tensor, *, indices: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]: ...
@public(overloads=True)
def tensor_split(
    input: Tensor,
    tensor_indices_or_sections: Tensor | Ints | None = None,
    dim: int = 0,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Parts along `dim`: equally many slices in each, the first ones having one more; or cut at indices.

    The second argument is the number of parts, or the positions of the cuts; both also as a Tensor of
    int64. By keyword it has the three names of the signature. Positions count from the end if negative. The parts are views. RuntimeError for a number of
    parts under 1, and for a Tensor without axes.

    >>> tc.tensor_split(tc.arange(5), 2), tc.tensor_split(tc.arange(5), (1, 2))
    ((tensor([0, 1, 2]), tensor([3, 4])), (tensor([0]), tensor([1]), tensor([2, 3, 4])))
    """
    given = [x for x in (tensor_indices_or_sections, sections, indices) if x is not None]
    if len(given) != 1 or not isinstance(given[0], (Recorded, int, np.integer, tuple, list)):
        raise tensor_split.edge.no_combination((input, *given), {})  # type: ignore[attr-defined]
    where: Any = given[0]
    if not input._array.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    if isinstance(where, Recorded):
        where = _cuts(where._array)
    dim = axis("tensor_split", input._array.ndim, dim)
    n = input._array.shape[dim]
    if isinstance(where, (tuple, list)):
        cuts = list(ints("tensor_split", "indices", where))
        ends = [slice(a, b).indices(n)[:2] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
        return tuple([_slices(input, dim, a, max(a, b)) for a, b in ends])
    count = integer("tensor_split", "sections", where)
    if count < 1:
        raise RuntimeError(f"number of sections must be larger than 0, got {count}")
    each, more = divmod(n, count)
    return parts(input, [each + 1] * more + [each] * (count - more), dim)


def _cuts(a: np.ndarray) -> Any:
    """The number of parts, or the positions of the cuts, that an array holds."""
    if a.dtype != int64:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
            f"{a.dtype}"
        )
    if a.ndim > 1:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
            f"one-dimensional tensor, but got a tensor with {a.ndim} dims"
        )
    return a.tolist()


@public
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts along `dim`, all of one size except for the last: a tuple of views.

    IndexError for an axis that input does not have. RuntimeError for `chunks` under 1.

    >>> tc.chunk(tc.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    chunks = integer("chunk", "chunks", chunks)
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = axis("chunk", input._array.ndim, dim)
    n = input._array.shape[dim]
    return parts(input, -(-n // chunks) if n else [0] * chunks, dim)


def _slices(x: Any, dim: int, begin: int, end: int) -> Any:
    return ops.getitem(x, index=(slice(None),) * dim + (slice(begin, end), ...))
