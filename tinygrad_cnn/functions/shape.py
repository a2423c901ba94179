"""Shapes: views where that can be, and what is put together of several Tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..engine import owner, settle, wrap
from ..engine.dtypes import int64
from .arguments import array_of, axes, axis, of_one_type, several, sizes
from .indexing import index_select

__all__ = [
    "broadcast_tensors", "broadcast_to", "cat", "chunk", "concat", "concatenate", "diag",
    "diag_embed", "diagonal", "dstack", "expand", "flatten", "flip", "fliplr", "flipud", "hstack",
    "meshgrid", "moveaxis", "movedim", "narrow", "permute", "ravel", "repeat_interleave", "reshape",
    "roll", "rot90", "select", "split", "squeeze", "stack", "swapaxes", "swapdims", "t", "tile",
    "transpose", "tril", "tril_indices", "triu", "triu_indices", "unbind", "unflatten", "unsqueeze",
    "vstack",
]  # fmt: skip


# --- One shape for another ----------------------------------------------------------------------


def reshape(input: Any, *sides: Any, shape: Any = None) -> Any:
    """The elements in row-major order in another shape (one size may be −1); a view if it can."""
    return _reshaped("reshape", input, sizes(sides if shape is None else shape))


def _reshaped(name: str, x: Any, shape: tuple[int, ...]) -> Any:
    a = x._array
    known = math.prod(n for n in shape if n != -1)
    if shape.count(-1) > 1 or any(n < -1 for n in shape):
        raise RuntimeError(f"{name}: invalid shape {shape}: one -1 at the most, else sizes")
    if known != a.size if -1 not in shape else (known == 0 or a.size % known):
        raise RuntimeError(f"{name}: shape '{list(shape)}' is invalid for input of size {a.size}")
    if -1 in shape:
        shape = tuple(a.size // known if n == -1 else n for n in shape)
    settle(x)
    return ops.reshape(x, shape=shape)


def view(input: Any, *shape: Any) -> Any:
    """`reshape`, but a RuntimeError where that would have to copy."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)):
        raise NotImplementedError("view(dtype) is not there: use to(dtype), which converts")
    y = _reshaped("view", input, sizes(shape))
    if y._array.size and owner(y._array) is not owner(input._array):
        raise RuntimeError(
            f"view size is not compatible with input tensor's size and stride (shape "
            f"{input._array.shape} is a permuted or cut view): use reshape() instead"
        )
    return y


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes start_dim to end_dim as one."""
    shape = input._array.shape
    start, end = axis("flatten", len(shape), start_dim), axis("flatten", len(shape), end_dim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    merged = (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])
    return _reshaped("flatten", input, merged)


def ravel(input: Any) -> Any:
    """All elements in a row."""
    return _reshaped("ravel", input, (-1,) if input._array.size else (0,))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """The axis dim as several of these sizes (one may be −1)."""
    shape = input._array.shape
    dim = axis("unflatten", len(shape), dim)
    known = math.prod(n for n in sizes if n != -1)
    if (shape[dim] % known if -1 in sizes and known else known - shape[dim]) != 0:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        )
    parts = [n if n != -1 else shape[dim] // known for n in sizes]
    return _reshaped("unflatten", input, (*shape[:dim], *parts, *shape[dim + 1 :]))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of length 1 (of those in dim)."""
    shape = input._array.shape
    gone = range(len(shape)) if dim is None else axes("squeeze", len(shape), dim) or ()
    kept = [slice(None) if k not in gone or n != 1 else 0 for k, n in enumerate(shape)]
    return ops.getitem(input, index=(*kept, ...))


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at dim."""
    place = axis("unsqueeze", input._array.ndim + 1, dim)
    return ops.getitem(input, index=(slice(None),) * place + (None, ...))


# --- The order of axes --------------------------------------------------------------------------


def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """The axes in another order."""
    order = sizes(order if dims is None else dims)
    n = input._array.ndim
    found = axes("permute", n, order) or ()
    if len(found) != n:
        raise RuntimeError(f"permute: wanted {n} dims for shape {input._array.shape}, got {order}")
    return ops.permute(input, dims=found)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Axes dim0 and dim1 exchanged."""
    n = input._array.ndim
    a, b = axis("transpose", n, dim0), axis("transpose", n, dim1)
    order = list(range(n))
    if n:
        order[a], order[b] = b, a
    return ops.permute(input, dims=tuple(order))


swapaxes = swapdims = transpose


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector as it is."""
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, got {input._array.shape}")
    return ops.permute(input, dims=tuple(range(input._array.ndim))[::-1])


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The axes source at the places destination, the others in their order."""
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


moveaxis = movedim


# --- Repetition ---------------------------------------------------------------------------------


def expand(input: Any, *shape: Any) -> Any:
    """Repeated, without copying, along axes of length 1 and new axes in front (−1: as it is)."""
    wanted, old = sizes(shape), input._array.shape
    lead = len(wanted) - len(old)
    full = tuple(old[k - lead] if n == -1 and k >= lead else n for k, n in enumerate(wanted))
    if (
        lead < 0
        or min(full, default=0) < 0
        or any(m not in (1, n) for m, n in zip(old, full[lead:], strict=True))
    ):
        raise RuntimeError(f"expand: shape {old} cannot be expanded to {wanted}")
    return ops.expand(input, shape=full)


def broadcast_to(input: Any, size: Sequence[int]) -> Any:
    """`expand` to that size."""
    return expand(input, *size)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All expanded to the shape that they broadcast to."""
    xs = several("broadcast_tensors", tensors)
    shapes = [x._array.shape for x in xs]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(f"broadcast_tensors: {shapes} do not broadcast") from None
    return tuple(ops.expand(x, shape=shape) for x in xs)


def repeat(input: Any, *repeats: Any) -> Any:
    """A copy of the whole, so many times along each axis; more numbers than axes make new ones."""
    times, shape = sizes(repeats), input._array.shape
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
    y = ops.reshape(input, shape=tuple(m for n in shape for m in (1, n)))
    y = ops.reshape(
        ops.expand(y, shape=tuple(pairs)),
        shape=tuple(r * n for r, n in zip(times, shape, strict=True)),
    )
    return y if owner(y._array) is not owner(input._array) else ops.clone(y)


def tile(input: Any, *repeats: Any, dims: Any = None) -> Any:
    """`repeat`, with 1 for the numbers that are missing in front."""
    times = sizes(repeats if dims is None else dims)
    return repeat(input, *(1,) * (input._array.ndim - len(times)), *times)


def repeat_interleave(
    input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element (or slice along dim) so many times in a row: a number, or one for each."""
    if dim is None:
        input, dim = ravel(input), 0
    dim = axis("repeat_interleave", input._array.ndim, dim)
    n = input._array.shape[dim]
    times = np.asarray(array_of(repeats))
    if times.size not in (1, n) or times.ndim > 1:
        raise RuntimeError(
            f"repeat_interleave: repeats must have the same size as input along dim: {times.size} "
            f"and {n}"
        )
    if times.size and times.min() < 0:
        raise RuntimeError("repeat_interleave: Repeats must be non-negative")
    index = np.repeat(np.arange(n), times if times.ndim and times.size == n else times.item())
    return index_select(input, dim, wrap(index))


# --- Parts --------------------------------------------------------------------------------------


def _slice(x: Any, dim: int, start: int, end: int) -> Any:
    return ops.getitem(x, index=(slice(None),) * dim + (slice(start, end), ...))


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` slices along dim, from start."""
    dim = axis("narrow", input._array.ndim, dim)
    n, start = input._array.shape[dim], int(start)
    begin = start + n if start < 0 else start
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    if begin + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _slice(input, dim, begin, begin + length)


def select(input: Any, dim: int, index: int) -> Any:
    """The slice number index along dim, without that axis."""
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = axis("select", input._array.ndim, dim)
    n = input._array.shape[dim]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at "
            f"dimension {dim}"
        )
    return ops.getitem(input, index=(slice(None),) * dim + (int(index), ...))


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All slices along dim, without that axis."""
    dim = axis("unbind", input._array.ndim, dim)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return tuple(select(input, dim, k) for k in range(input._array.shape[dim]))


def split(
    tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Any, ...]:
    """Parts along dim: of one size (the last may be smaller), or of the sizes given."""
    dim = axis("split", tensor._array.ndim, dim)
    n, size = tensor._array.shape[dim], split_size_or_sections
    if isinstance(size, int):
        if size < 0 or (size == 0 and n):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={size}"
            )
        sections = [min(size, n - k) for k in range(0, n, size or 1)] or [0]
    else:
        sections = list(size)
        if sum(sections) != n or min(sections, default=0) < 0:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size "
                f"at dimension {dim}), but got split_sizes={sections}"
            )
    ends = np.cumsum(sections).tolist()
    return tuple(_slice(tensor, dim, e - m, e) for e, m in zip(ends, sections, strict=True))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most so many parts along dim, all of one size but for the last."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = axis("chunk", input._array.ndim, dim)
    n = input._array.shape[dim]
    return split(input, -(-n // chunks) if n else [0] * chunks, dim)


# --- Reversal, diagonals, triangles -------------------------------------------------------------


def flip(input: Any, *along: Any, dims: Any = None) -> Any:
    """A copy with these axes in reverse."""
    dims = sizes(along if dims is None else dims)
    return ops.flip(input, dims=axes("flip", input._array.ndim, dims) or ())


def fliplr(input: Any) -> Any:
    """A copy with the second axis in reverse."""
    return _reversed("fliplr", input, 1)


def flipud(input: Any) -> Any:
    """A copy with the first axis in reverse."""
    return _reversed("flipud", input, 0)


def _reversed(name: str, x: Any, dim: int) -> Any:
    if x._array.ndim <= dim:
        raise RuntimeError(f"{name}: Input must be >= {dim + 1}-d, got shape {x._array.shape}")
    return ops.flip(x, dims=(dim,))


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turned k times by 90° in the plane of two axes, from the first to the second."""
    a, b = axes("rot90", input._array.ndim, dims) or (0, 0)
    if a == b:
        raise RuntimeError(f"rot90: expected two different dims, got {dims}")
    if k % 4 == 2:
        return ops.flip(input, dims=(a, b))
    if k % 4 == 0:
        return ops.clone(input)
    turned = transpose(input, a, b)
    return ops.flip(turned, dims=(a,) if k % 4 == 1 else (b,))


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Moved by shifts along dims, what leaves at one end entering at the other; without dims in a row."""
    by = sizes((shifts,))
    if dims is None:
        return reshape(ops.roll(ravel(input), shifts=by, dims=(0,)), input._array.shape)
    along = dims if isinstance(dims, (tuple, list)) else (dims,)
    if len(along) != len(by):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}"
        )
    return ops.roll(input, shifts=by, dims=tuple(axis("roll", input._array.ndim, d) for d in along))


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the axes dim1 and dim2, `offset` above the main one, as a last axis: a view."""
    n = input._array.ndim
    dims = axis("diagonal", n, dim1), axis("diagonal", n, dim2)
    if dims[0] == dims[1]:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, offset=offset, dims=dims)


def diag(input: Any, diagonal: int = 0) -> Any:
    """The matrix with a vector as its diagonal; of a matrix its diagonal, a copy."""
    shape = input._array.shape
    if len(shape) == 1:
        return diag_embed(input, diagonal)
    if len(shape) != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {len(shape)}D")
    return ops.clone(ops.diagonal(input, offset=diagonal, dims=(0, 1)))


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices with the last axis as their diagonals, in the axes dim1 and dim2 of the result."""
    shape = input._array.shape
    a, b = (axis("diag_embed", len(shape) + 1, d) for d in (dim1, dim2))
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = shape[-1] + int(math.fabs(offset))
    whole = list(shape[:-1])
    for k in sorted((a, b)):
        whole.insert(k, n)
    return ops.from_diagonal(input, offset=offset, dims=(a, b), shape=tuple(whole))


def _triangle(name: str, mask: Any, doc: str) -> Any:
    def keep(input: Any, diagonal: int = 0) -> Any:
        shape = input._array.shape
        if len(shape) < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return ops.keep(input, mask(np.ones(shape[-2:], np.bool_), diagonal))

    keep.__name__, keep.__doc__ = name, doc
    return keep


tril = _triangle("tril", np.tril, "Matrices with 0 above a diagonal (the main one unless told).")
triu = _triangle("triu", np.triu, "Matrices with 0 below a diagonal (the main one unless told).")


def tril_indices(row: int, col: int, offset: int = 0) -> Any:
    """The places (2, how many) on and below a diagonal."""
    return wrap(np.stack(np.tril_indices(row, offset, col)).astype(int64))


def triu_indices(row: int, col: int, offset: int = 0) -> Any:
    """The places (2, how many) on and above a diagonal."""
    return wrap(np.stack(np.triu_indices(row, offset, col)).astype(int64))


# --- Several into one ---------------------------------------------------------------------------


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors one after the other along dim; other axes must agree."""
    xs = several("cat", tensors)
    if len(xs) > 1:  # an empty vector goes with anything
        xs = [x for x in xs if x._array.shape != (0,)] or xs[:1]
    if not all(x._array.ndim for x in xs):
        raise RuntimeError("zero-dimensional tensor cannot be concatenated by cat: use stack")
    dim = axis("cat", xs[0]._array.ndim, dim)
    rest = {(*x._array.shape[:dim], -1, *x._array.shape[dim + 1 :]) for x in xs}
    if len(rest) > 1:
        raise RuntimeError(
            f"cat: Sizes of tensors must match except in dimension {dim}, got "
            f"{[x._array.shape for x in xs]}"
        )
    return ops.cat(*of_one_type(xs), dim=dim)


concat = concatenate = cat


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors, all of one shape, along a new axis."""
    xs = several("stack", tensors)
    if len({x._array.shape for x in xs}) > 1:
        raise RuntimeError(
            f"stack expects each tensor to be equal size, got {[x._array.shape for x in xs]}"
        )
    return ops.stack(*of_one_type(xs), dim=axis("stack", xs[0]._array.ndim + 1, dim))


def _stacked(name: str, least: int, along: int, doc: str) -> Any:
    def join(tensors: Sequence[Any]) -> Any:
        xs = several(name, tensors)
        new = {1: lambda s: (1, *s), 2: lambda s: (1, *s) if len(s) else (1, 1), 3: _as_3d}[least]
        grown = [
            x if x._array.ndim >= least else ops.reshape(x, shape=new(x._array.shape)) for x in xs
        ]
        flat = name == "hstack" and grown[0]._array.ndim == 1
        return cat(grown, 0 if flat else along)

    join.__name__, join.__doc__ = name, doc
    return join


def _as_3d(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape, 1) if len(shape) == 2 else (1, *(shape or (1,)), 1)


hstack = _stacked(
    "hstack", 1, 1, "Side by side: along the second axis, vectors along their only one."
)
vstack = _stacked("vstack", 2, 0, "One under the other: along the first axis, vectors as rows.")
dstack = _stacked("dstack", 3, 2, "Behind each other: along the third axis.")


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Of n vectors the n coordinates of each place of their grid: views of its shape.

    With "ij" axis k is that of vector k, with "xy" the first two axes change places.

    >>> import tinygrad_cnn as tc
    >>> rows, columns = tc.meshgrid(tc.arange(2), tc.arange(3), indexing="ij")
    >>> rows.tolist(), columns.tolist()
    ([[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    xs = several("meshgrid", tensors)
    if any(x._array.ndim > 1 for x in xs):
        raise RuntimeError(
            "meshgrid: Expected 0D or 1D tensor in the tensor list but got shapes "
            f"{[x._array.shape for x in xs]}"
        )
    xs = [ops.reshape(x, shape=(x._array.size,)) for x in xs]
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f"meshgrid: indexing must be one of 'xy' or 'ij', but received: {indexing}"
        )
    turn = indexing == "xy" and len(xs) > 1
    if turn:
        xs[:2] = xs[1], xs[0]
    shape = tuple(x._array.size for x in xs)
    grids = [
        ops.expand(ops.reshape(x, shape=(-1,) + (1,) * (len(xs) - 1 - k)), shape=shape)
        for k, x in enumerate(xs)
    ]
    if turn:
        grids[:2] = grids[1], grids[0]
    return tuple(grids)
