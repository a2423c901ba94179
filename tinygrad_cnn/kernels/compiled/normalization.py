"""The calls of the normalization loops, for arrays that are (B, O, K, I) in memory.

`loops.normalization` explains these axes. They fit (N, C, H, W) with channels in the middle,
innermost or outermost, a slice of channels, and most arrays that are normalized over some of these
axes. Other arrays, and small ones, go to the fallback.
"""

from functools import lru_cache
from itertools import pairwise
from math import prod

import numpy as np

from . import tuning
from .calls import FALLBACK, FLOATS, address, share
from .loops import normalization as loops
from .loops.normalized import write
from .loops.weight_sums import sums


class _Layout:
    """An array as (B, O, K, I): its `sizes`, and the strides `steps` along B, O and K.

    `order` has the axes of the classes from outermost to innermost, `within` the axes of the sums.
    """

    def __init__(self, sizes, steps, order, within, shape):
        self.sizes, self.steps, self.order, self.within = sizes, steps, order, within
        self.P = sizes[0] * sizes[2]
        self.units = prod(sizes[:2]) if sizes[3] == 1 else sizes[1] * sizes[2]
        self.kept = tuple(n if d in order else 1 for d, n in enumerate(shape))
        self.sorted = list(order) == sorted(order)
        self.axes = (*order, *(d for d in range(len(shape)) if d not in order))

    def flat(self, values):
        """A number for each class, in the order of memory."""
        if values.size != self.P or not self.sorted:
            values = np.broadcast_to(values, self.kept).transpose(self.axes)
        return values.reshape(-1)

    def unflat(self, values):
        """The inverse: an array that broadcasts with x."""
        if self.sorted:
            return values.reshape(self.kept)
        return values.reshape([self.kept[d] for d in self.axes]).transpose(np.argsort(self.axes))


@lru_cache(maxsize=1024)
def _layout(shape, strides, itemsize, summed):
    """The `_Layout` of an array whose classes are along the axes that are not `summed`, or None."""
    axes = sorted((d for d, n in enumerate(shape) if n > 1), key=lambda d: -strides[d])
    parts = []  # [whether summed, length, stride], outermost first
    for d in axes:
        step, remainder = divmod(strides[d], itemsize)
        if remainder or step <= 0:
            return None
        if parts and parts[-1][0] == (d in summed) and parts[-1][2] == step * shape[d]:
            parts[-1][1:] = parts[-1][1] * shape[d], step
        else:
            parts.append([d in summed, shape[d], step])
    if not parts or parts[-1][2] != 1 or len(parts) > 3:
        return None
    # summed and other parts must alternate; two of one kind are a gap apart
    if any(a[0] == b[0] for a, b in pairwise(parts)):
        return None
    none = [None, 1, 0]
    (_, B, b), (_, O, o), (last_summed, last, _) = [none] * (3 - len(parts)) + parts
    order = tuple(d for d in axes if d not in summed)
    within = tuple(d for d in axes if d in summed)
    sizes, steps = ((1, B, O, last), (0, b, o)) if last_summed else ((B, O, last, 1), (b, o, 0))
    return _Layout(sizes, steps, order, within, shape)


def _layout_of(x, summed):
    small = x.size < tuning.NORMALIZED_ELEMENTS
    if x.dtype not in FLOATS or small or not x.size or not x.flags.aligned:
        return None
    return _layout(x.shape, x.strides, x.itemsize, summed)


def _arranged_as(g, x, layout, summed):
    """g and its `_Layout`; a copy if it is not arranged as x."""
    if g.dtype == x.dtype:
        own = _layout_of(g, summed)
        if own and all(getattr(own, k) == getattr(layout, k) for k in ("sizes", "order", "within")):
            return g, own
    copy = np.empty_like(x)
    copy[...] = g
    return copy, _layout_of(copy, summed)


def _block_sums(kernel, of, layout, x, count):
    """The parts (rows, count, P) that a kernel makes of all blocks, and the arguments of
    `loops.moments` after them.
    """
    B, O, K, I = layout.sizes
    length, block = (O, tuning.BLOCK_ROWS) if I == 1 else (I, tuning.BLOCK_RUN_ELEMENTS)
    pieces = -(-length // block)
    rows, units = (pieces, pieces * B) if I == 1 else (O * pieces, O * K * pieces)
    parts = np.empty((rows, count, layout.P), x.dtype)
    common = (*of, *layout.sizes, block, pieces, address(parts))
    share(kernel, x.dtype, common, units, x.size * tuning.PASS_MULTIPLY_ADDS)
    return parts, (rows, layout.P, pieces, block, length - (pieces - 1) * block)


def moments(x, dims):
    """Sums of blocks, put together in double precision."""
    layout = _layout_of(x, dims)
    if layout is None:
        return FALLBACK.moments(x, dims)
    of = address(x), *layout.steps
    parts, blocks = _block_sums(loops.block_moments, of, layout, x, 3)
    result = np.empty((2, layout.P), x.dtype)
    mu = address(result)
    loops.moments(x.dtype, address(parts), *blocks, mu, mu + result.strides[0])
    return layout.unflat(result[0]), layout.unflat(result[1])


def moments_with(g, x, mu, dims, weight=None):
    """Sums of blocks, put together in double precision."""
    layout = _layout_of(x, dims) if dims else None  # without dims it is a product
    if layout is None:
        return FALLBACK.moments_with(g, x, mu, dims, weight)
    if weight is not None and not _is_within(weight, x, layout):
        g, weight = g * weight, None
    g, own = _arranged_as(g, x, layout, dims)
    mu = np.ascontiguousarray(layout.flat(mu), x.dtype)
    weight = None if weight is None else np.ascontiguousarray(weight)
    of_weight = 0 if weight is None else address(weight)
    of = address(x), *layout.steps, address(g), *own.steps, of_weight, address(mu)
    parts, (rows, *_) = _block_sums(loops.block_pairs, of, layout, x, 2)
    result = _totals(parts, rows, (2, layout.P))
    return layout.unflat(result[0]), layout.unflat(result[1])


def _is_within(weight, x, layout):
    """Whether the weight varies along the runs of x alone, in the order of their memory."""
    axes = tuple(d for d, n in enumerate(weight.shape) if n > 1)
    return layout.sizes[3] == weight.size > 1 and axes == layout.within and weight.dtype == x.dtype


def _totals(parts, rows, shape):
    result = np.empty(shape, parts.dtype)
    loops.totals(parts.dtype, address(parts), rows, result.size, address(result))
    return result


def weight_sums(g, x, mu, scale, dims):
    """Sums over blocks of rows, for rows that are contiguous."""
    within = tuple(d for d, n in enumerate(x.shape) if n > 1 and d not in dims)
    layout = _layout_of(x, within) if within else None
    if layout is None or layout.sizes[3] == 1 or layout.sizes[1] > 1 or layout.within != within:
        return FALLBACK.weight_sums(g, x, mu, scale, dims)
    g, own = _arranged_as(g, x, layout, within)
    mu, scale = (np.ascontiguousarray(layout.flat(v), x.dtype) for v in (mu, scale))
    rows, n, block = layout.P, layout.sizes[3], tuning.BLOCK_ROWS
    count = -(-rows // block)
    parts = np.empty((count, 2, n), x.dtype)
    common = (
        address(x), layout.steps[2], address(g), own.steps[2], address(mu), address(scale), rows, n,
        block, address(parts),
    )  # fmt: skip
    share(sums, x.dtype, common, count, x.size * tuning.PASS_MULTIPLY_ADDS)
    shape = [length if d in within else 1 for d, length in enumerate(x.shape)]
    return tuple(v.reshape(shape) for v in _totals(parts, count, (2, n)))


def normalize(x, mu, scale, weight, bias):
    """One pass."""
    y = _write(None, x, (mu, scale), (weight, bias))
    return FALLBACK.normalize(x, mu, scale, weight, bias) if y is None else y


def normalize_input(g, x, mu, scale, weight, s, t):
    """One pass."""
    y = _write(g, x, (mu, scale, s, t), (weight,))
    return FALLBACK.normalize_input(g, x, mu, scale, weight, s, t) if y is None else y


def _write(g, x, of_class, of_weight):
    """y, or with g x̄, in the layout of x; None where the loops do not cover it.

    They cover two cases: all numbers vary by class, or μ, r, s and t vary by run and the weight and
    bias within the runs, as in layer norm.
    """
    summed, runs = _written(x.shape, *[
        tuple([None if v is None else v.shape for v in given]) for given in (of_class, of_weight)
    ])  # fmt: skip
    layout = _layout_of(x, summed)
    if layout is None:
        return None
    I = layout.sizes[3]
    if runs and (I == 1 or layout.sizes[1] > 1 or layout.within != runs):
        return None
    numbers = np.empty((4, layout.P), x.dtype)  # forward uses two
    for row, values in zip(numbers, of_class, strict=False):
        row[...] = layout.flat(values)
    weights = np.empty((2, I if runs else layout.P), x.dtype)
    for row, values, default in zip(weights, of_weight, (1, 0), strict=False):
        if values is None:
            row[...] = default
        else:
            row[...] = values.reshape(-1) if runs else layout.flat(values)
    y = np.empty_like(x)
    own, backward = layout, g is not None
    if backward:
        g, own = _arranged_as(g, x, layout, summed)
    common = (
        backward, bool(runs), address(x), *layout.steps, address(g) if backward else 0, *own.steps,
        address(y), *_layout_of(y, summed).steps, address(numbers), address(weights),
        *layout.sizes,
    )  # fmt: skip
    share(write, x.dtype, common, layout.units, x.size * tuning.PASS_MULTIPLY_ADDS)
    return y


@lru_cache(maxsize=1024)
def _written(shape, of_class, of_weight):
    """The axes along which all numbers are constant, and those, if any, of the weight alone."""
    by_class, by_weight = (
        {d for d, n in enumerate(shape) if n > 1 and any(v and v[d] > 1 for v in given)}
        for given in (of_class, of_weight)
    )
    runs = tuple(sorted(by_weight)) if by_class.isdisjoint(by_weight) else ()
    classes = by_class if runs else by_class | by_weight
    return tuple(d for d in range(len(shape)) if d not in classes), runs
