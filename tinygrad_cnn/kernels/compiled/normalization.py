"""The calls of the normalisation loops, for arrays whose memory is (B, O, K, I): see `_norm`.

So lie (N, C, H, W) with channels in the middle, innermost or outermost, also a slice of channels,
and most of what is normalised over some axes of such. Others, and small ones, go to `_normalization`.
"""

from functools import lru_cache
from itertools import pairwise
from math import prod

import numpy as np

from .. import _normalization
from . import _affine, _norm
from ._calls import FLOATS, address, share

ROWS, RUN = 256, 1 << 13  # of a block: rows, and elements of a run
FEW = 1 << 11  # elements, for which NumPy's passes are as fast as the call
PASS = 16  # multiply-adds in whose time an element is read from memory


class _Layout:
    """How memory is (B, O, K, I): `sizes`, and the distances `steps` along B, O and K.

    `order` has the axes of the classes as they lie in memory, `within` those of the sums.
    """

    def __init__(self, sizes, steps, order, within, shape):
        self.sizes, self.steps, self.order, self.within = sizes, steps, order, within
        self.P = sizes[0] * sizes[2]
        self.units = prod(sizes[:2]) if sizes[3] == 1 else sizes[1] * sizes[2]
        self.kept = tuple(n if d in order else 1 for d, n in enumerate(shape))
        self.sorted = list(order) == sorted(order)
        self.turn = (*order, *(d for d in range(len(shape)) if d not in order))

    def flat(self, values):
        """A number for each class, as they lie in memory."""
        if values.size != self.P or not self.sorted:
            values = np.broadcast_to(values, self.kept).transpose(self.turn)
        return values.reshape(-1)

    def unflat(self, values):
        """The reverse: an array that broadcasts with x."""
        if self.sorted:
            return values.reshape(self.kept)
        return values.reshape([self.kept[d] for d in self.turn]).transpose(np.argsort(self.turn))


@lru_cache(maxsize=1024)
def _layout(shape, strides, itemsize, summed):
    """The `_Layout` of an array whose classes are along the axes that are not `summed`, or None."""
    axes = sorted((d for d, n in enumerate(shape) if n > 1), key=lambda d: -strides[d])
    parts = []  # [whether summed, length, distance], the outer first
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
    # the kinds take turns, or two of one kind follow each other at a distance
    if any(a[0] == b[0] for a, b in pairwise(parts)):
        return None
    none = [None, 1, 0]
    (_, B, b), (_, O, o), (last_summed, last, _) = [none] * (3 - len(parts)) + parts
    order = tuple(d for d in axes if d not in summed)
    within = tuple(d for d in axes if d in summed)
    sizes, steps = ((1, B, O, last), (0, b, o)) if last_summed else ((B, O, last, 1), (b, o, 0))
    return _Layout(sizes, steps, order, within, shape)


def _layout_of(x, summed):
    if x.dtype not in FLOATS or x.size < FEW or not x.size or not x.flags.aligned:
        return None
    return _layout(x.shape, x.strides, x.itemsize, summed)


def _like(g, x, layout, summed):
    """g and its `_Layout`, copied where it does not lie as x."""
    if g.dtype == x.dtype:
        own = _layout_of(g, summed)
        if own and all(getattr(own, k) == getattr(layout, k) for k in ("sizes", "order", "within")):
            return g, own
    copy = np.empty_like(x)
    copy[...] = g
    return copy, _layout_of(copy, summed)


def _block_sums(kernel, of, layout, x, count):
    """Call the kernel for all blocks; parts (rows, count, P), and what `_norm.moments` takes after it."""
    B, O, K, I = layout.sizes
    length, block = (O, ROWS) if I == 1 else (I, RUN)
    pieces = -(-length // block)
    rows, units = (pieces, pieces * B) if I == 1 else (O * pieces, O * K * pieces)
    parts = np.empty((rows, count, layout.P), x.dtype)
    common = (*of, *layout.sizes, block, pieces, address(parts))
    share(kernel, x.dtype, common, units, x.size * PASS)
    return parts, (rows, layout.P, pieces, block, length - (pieces - 1) * block)


def moments(x, dims):
    """See `_normalization.moments`."""
    layout = _layout_of(x, dims)
    if layout is None:
        return _normalization.moments(x, dims)
    of = address(x), *layout.steps
    parts, cut = _block_sums(_norm.block_moments, of, layout, x, 3)
    result = np.empty((2, layout.P), x.dtype)
    mu = address(result)
    _norm.moments(x.dtype, address(parts), *cut, mu, mu + result.strides[0])
    return layout.unflat(result[0]), layout.unflat(result[1])


def moments_with(g, x, mu, dims, weight=None):
    """See `_normalization.moments_with`."""
    layout = _layout_of(x, dims) if dims else None  # where nothing is summed, it is a product
    if layout is None:
        return _normalization.moments_with(g, x, mu, dims, weight)
    if weight is not None and not _is_within(weight, x, layout):
        g, weight = g * weight, None
    g, own = _like(g, x, layout, dims)
    mu = np.ascontiguousarray(layout.flat(mu), x.dtype)
    weight = None if weight is None else np.ascontiguousarray(weight)
    of_weight = 0 if weight is None else address(weight)
    of = address(x), *layout.steps, address(g), *own.steps, of_weight, address(mu)
    parts, (rows, *_) = _block_sums(_norm.block_pairs, of, layout, x, 2)
    result = _totals(parts, rows, (2, layout.P))
    return layout.unflat(result[0]), layout.unflat(result[1])


def _is_within(weight, x, layout):
    """Whether it varies along the runs of x alone, and one piece of a run follows the other in it."""
    axes = tuple(d for d, n in enumerate(weight.shape) if n > 1)
    return layout.sizes[3] == weight.size > 1 and axes == layout.within and weight.dtype == x.dtype


def _totals(parts, rows, shape):
    result = np.empty(shape, parts.dtype)
    _norm.totals(parts.dtype, address(parts), rows, result.size, address(result))
    return result


def weight_sums(g, x, mu, scale, dims):
    """See `_normalization.weight_sums`."""
    within = tuple(d for d, n in enumerate(x.shape) if n > 1 and d not in dims)
    layout = _layout_of(x, within) if within else None
    if layout is None or layout.sizes[3] == 1 or layout.sizes[1] > 1 or layout.within != within:
        return _normalization.weight_sums(g, x, mu, scale, dims)
    g, own = _like(g, x, layout, within)
    mu, scale = (np.ascontiguousarray(layout.flat(v), x.dtype) for v in (mu, scale))
    rows, n = layout.P, layout.sizes[3]
    count = -(-rows // ROWS)
    parts = np.empty((count, 2, n), x.dtype)
    common = (
        address(x), layout.steps[2], address(g), own.steps[2], address(mu), address(scale), rows, n,
        ROWS, address(parts),
    )  # fmt: skip
    share(_affine.sums, x.dtype, common, count, x.size * PASS)
    shape = [length if d in within else 1 for d, length in enumerate(x.shape)]
    return tuple(v.reshape(shape) for v in _totals(parts, count, (2, n)))


def normalize(x, mu, scale, weight, bias):
    """See `_normalization.normalize`."""
    y = _write(None, x, (mu, scale), (weight, bias))
    return _normalization.normalize(x, mu, scale, weight, bias) if y is None else y


def normalize_input(g, x, mu, scale, weight, s, t):
    """See `_normalization.normalize_input`."""
    y = _write(g, x, (mu, scale, s, t), (weight,))
    return _normalization.normalize_input(g, x, mu, scale, weight, s, t) if y is None else y


def _write(g, x, of_class, of_weight):
    """y, or with g x̄, in memory as x is; or None.

    Either all that is given varies by class, or μ, r, s and t by run and the weight and bias within
    the runs, as in layer norm.
    """
    summed, runs = _written(x.shape, *(
        tuple([None if v is None else v.shape for v in given]) for given in (of_class, of_weight)
    ))  # fmt: skip
    layout = _layout_of(x, summed)
    if layout is None:
        return None
    I = layout.sizes[3]
    if runs and (I == 1 or layout.sizes[1] > 1 or layout.within != runs):
        return None
    numbers = np.empty((4, layout.P), x.dtype)  # forward, two are not used
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
        g, own = _like(g, x, layout, summed)
    common = (
        backward, bool(runs), address(x), *layout.steps, address(g) if backward else 0, *own.steps,
        address(y), *_layout_of(y, summed).steps, address(numbers), address(weights),
        *layout.sizes,
    )  # fmt: skip
    share(_norm.write, x.dtype, common, layout.units, x.size * PASS)
    return y


@lru_cache(maxsize=1024)
def _written(shape, of_class, of_weight):
    """The axes along which no class differs, and those, if any, along which the weight alone does."""
    by_class, by_weight = (
        {d for d, n in enumerate(shape) if n > 1 and any(v and v[d] > 1 for v in given)}
        for given in (of_class, of_weight)
    )
    runs = tuple(sorted(by_weight)) if by_class.isdisjoint(by_weight) else ()
    classes = by_class if runs else by_class | by_weight
    return tuple(d for d in range(len(shape)) if d not in classes), runs
