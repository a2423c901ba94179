"""Windows of images as matrices, a cache full at a time, in the memory order that suits them.

Letters: N images, C channels, H·W the plane; F filters, I·J the kernel; P·Q the output plane;
G groups, c = C/G and f = F/G of each; K = c·I·J numbers in a window.
V[n,c,i,j,p,q] = x[n, c, p·sh + i·dh + origin, q·sw + j·dw + origin], zero outside of x.
"""

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ._threads import scratch, workers

NHWC = (0, 2, 3, 1)
CHWN = (1, 2, 3, 0)

FEW = 16  # channels of a group
# Unfolded numbers of a block: they should stay near the L2 cache, yet operations must be long, for
# after each one a thread has to get hold of the interpreter again.
BLOCK_BYTES = 1 << 21
TURNED_BYTES = 1 << 18  # a piece that stays in the L2 cache on its way to another order
BLOCK_PIXELS = 256  # at least: for fewer a product spends its time on packing the weight
SMALL = 10**6  # multiply-adds up to which OpenBLAS does without packing, for up to twice the speed
PARALLEL = 25 * 10**6  # multiply-adds, half a millisecond: to wake a thread takes a tenth of one


def order_of(x, w_shape, groups):
    """The memory order for a convolution of x and for its result: C H W N or N H W C.

    The innermost axis must be long. Few channels leave that to the images; and one channel a group
    is unfolded along the rows only. A 1×1 kernel is as fast in either order: it keeps that of x.
    """
    N = x.shape[0]
    F, c, *kernel = w_shape
    few = max(c, F // groups) <= FEW
    if c == 1 or (few and (N >= 16 or groups > 1)):
        return CHWN
    kept = prod(kernel) == 1 and N >= 16 and x.strides[0] == x.itemsize and groups == 1
    return CHWN if kept else NHWC


def empty(shape, order, dtype):
    """An NCHW view of fresh memory in that order."""
    memory = np.empty([shape[axis] for axis in order], dtype)
    return memory.transpose([order.index(axis) for axis in range(4)])


class Windows:
    """V of x for filters of shape (F, c, I, J), in panels for the workers and blocks for the cache.

    x is read as (outer, H, W, inner), where outer and inner are n and c, or c and n. A panel is a
    run of images, of groups or of rows whose part of x is brought into place at once, zeros around
    it. Its blocks are runs of pixels, ordered n, p, q or p, q, n, unfolded one after the other.
    """

    name = "windows"  # of its scratch memory

    def __init__(self, x, w_shape, size, stride, origin, dilation, groups, dtype):
        F, self.c, *self.kernel = w_shape
        self.f, self.groups = F // groups, groups
        self.order = order_of(x, w_shape, groups)
        self.x = x.transpose(self.order)
        self.size, self.stride, self.origin, self.dilation = tuple(size), stride, origin, dilation
        # half precision has no matrix product of its own
        self.dtype = np.dtype(np.float32 if dtype == np.float16 else dtype)
        self.K = self.c * prod(self.kernel)
        self.by_row = self.order is CHWN and self.c == 1
        # bytes to unfold for a pixel and group
        self.bytes = (self.kernel[1] if self.by_row else self.K) * self.dtype.itemsize
        # to unfold a number takes the time of some 4 multiply-adds
        cost = x.shape[0] * prod(size) * self.K * (F + 4 * groups)
        self.workers = workers() if cost > PARALLEL else 1

    def panels(self):
        """(groups, outer slice of x, outer slice of y, p), enough of them for all workers."""
        (P, Q), (outer, _, _, inner), G = self.size, self.x.shape, self.groups
        whole, rows = slice(None), slice(0, P)
        if self.order is CHWN and G == 1:
            return [(whole, whole, whole, p) for p in split(P, self.workers)]
        if self.order is CHWN:
            most = max(1, BLOCK_BYTES // (self.bytes * P * Q * inner))
            return [
                (g, scaled(g, self.c), scaled(g, self.f), rows)
                for g in split(G, self.fair(G, most))
            ]
        if outer < self.workers:
            pieces = product(split(outer, outer), split(P, self.workers))
            return [(whole, n, n, p) for n, p in pieces]
        most = max(1, self.most(G) // (P * Q))
        return [(whole, n, n, rows) for n in split(outer, self.fair(outer, most))]

    def fair(self, length, most):
        """In how many pieces of at most so many to cut, as many for each worker."""
        return -(-length // (most * self.workers)) * self.workers

    def most(self, groups):
        """How many pixels a block holds."""
        return max(BLOCK_PIXELS, BLOCK_BYTES // (self.bytes * groups))

    def blocks(self, panel):
        """(key of the block in y, read in the order of x; V there as matrices (G, B, K, m) of B·m
        pixels). K is i, j, c for N H W C and c, i, j for C H W N.
        """
        groups, outer, y_outer, p = panel
        patch = self.patch(outer, p)
        G = self.groups if groups == slice(None) else groups.stop - groups.start
        P, Q = p.stop - p.start, self.size[1]
        row = Q * (patch.shape[3] if self.order is CHWN else len(patch))  # pixels
        most = self.most(G)
        for i in split(P, -(-P // max(1, most // row))):
            for j in split(Q, 1 if self.by_row else -(-row // most)):
                cols = self.unfold(patch, G, i, j)
                yield (y_outer, slice(p.start + i.start, p.start + i.stop), j), cols

    def patch(self, outer, p):
        """The part of x under the windows of a panel, zeros around it: (outer, h, w, inner)."""
        x = self.x[outer]
        here, there, shape = [], [], []
        for axis, (start, stop) in enumerate(((p.start, p.stop), (0, self.size[1]))):
            s, first, length = self.stride[axis], self.origin[axis], x.shape[1 + axis]
            low = start * s + first
            high = (stop - 1) * s + self.dilation[axis] * (self.kernel[axis] - 1) + 1 + first
            inside = slice(max(low, 0), max(low, 0, min(high, length)))
            here.append(inside)
            there.append(slice(inside.start - low, inside.stop - low))
            shape.append(high - low)
        source = x[:, *here]
        fits = source.shape[1:3] == tuple(shape) and source.strides[3] == source.itemsize
        if fits and source.dtype == self.dtype:
            return source
        patch = scratch(self.name + " patch", (len(x), *shape, x.shape[3]), self.dtype)
        top, left = there
        patch[:, : top.start] = 0
        patch[:, top.stop :] = 0
        patch[:, top, : left.start] = 0
        patch[:, top, left.stop :] = 0
        turn(source, patch[:, top, left])
        return patch

    def unfold(self, patch, G, p, q):
        """The matrices (G, B, K, m) of the pixels (p, q) of a patch, views if no copy is needed."""
        (I, J), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        P, Q = p.stop - p.start, q.stop - q.start
        patch = patch[:, p.start * sh :, q.start * sw :]
        outer, _, _, inner = patch.shape
        a, h, w, b = patch.strides
        if self.by_row:  # (C, h, J, Q, n), of which a window takes I rows of J
            rows = (P - 1) * sh + (I - 1) * dh + 1
            U = self.pack(as_strided(patch, (outer, rows, J, Q, inner), (a, h, w * dw, w * sw, b)))
            a, h, j, _, b = U.strides
            V = as_strided(U, (G, P, I, J, Q * inner), (a, h * sh, h * dh, j, b))
            return V.reshape(G, P, self.K, -1)  # (G, B, K, m), B = p and m = q, n
        if self.order is CHWN:
            shape, strides = (outer, I, J, P, Q, inner), (a, h * dh, w * dw, h * sh, w * sw, b)
            V = self.pack(as_strided(patch, shape, strides))
            return self.batch(V.reshape(G, self.K, -1), 2)
        shape = (G, outer, P, Q, I, J, self.c)
        strides = (b * self.c, a, h * sh, w * sw, h * dh, w * dw, b)
        V = self.pack(as_strided(patch, shape, strides))
        return self.batch(V.reshape(G, -1, self.K), 1)

    def pack(self, V):
        """V in one piece, in scratch memory unless it is so already."""
        if V.flags.c_contiguous:
            return V
        columns = scratch("columns", V.shape, self.dtype)
        columns[...] = V
        return columns

    def matrix(self, part):
        """A block of y as (G, B, f, m), like `unfold`: a view if y is contiguous."""
        if self.by_row:
            return part.reshape(-1, self.f, part.shape[1], part[0, 0].size).swapaxes(1, 2)
        if self.order is CHWN:
            return self.batch(part.reshape(len(part) // self.f, self.f, -1), 2)
        return self.batch(part.reshape(-1, self.groups, self.f).swapaxes(0, 1), 1)

    def batch(self, matrix, axis):
        """(G, M, k) or (G, k, M), where the axis is that of the pixels, cut to (G, B, k, m)."""
        G, *shape = matrix.shape
        M = shape[axis - 1]
        m = divisor(M, SMALL // (self.K * self.f))
        if axis == 1:
            return matrix.reshape(G, M // m, m, shape[1]).swapaxes(2, 3)
        return matrix.reshape(G, shape[0], M // m, m).swapaxes(1, 2)


def turn(source, patch):
    """Copy (outer, h, w, inner) where inner is last in memory, by way of scratch memory if it is
    not so in the source.

    To read along an axis that steps by a power of two, as that of the channels does as a rule, uses
    few lines of the cache. In the scratch memory the steps are longer by a line, and the axis that
    is last in the source is last there too.
    """
    outer, inner = len(source), source.shape[3]
    whole = source.strides[0] == source.itemsize  # the outer axis is last: no use in cutting that
    if source.size == 0 or inner == 1 or not (whole or source.strides[2] == source.itemsize):
        patch[...] = source
        return
    last, back = ((3, 1, 2, 0), (3, 1, 2, 0)) if whole else ((3, 0, 1, 2), (1, 2, 3, 0))
    step = outer if whole else max(1, outer * TURNED_BYTES // source.nbytes)
    for first in range(0, outer, step):
        piece = source[first : first + step].transpose(last)
        memory = scratch("turned", (inner, piece[0].size + 16), source.dtype)
        copy = memory[:, :-16].reshape(piece.shape)
        copy[...] = piece
        patch[first : first + step] = copy.transpose(back)


def split(length, count):
    """Slices that cut a length in `count` even pieces, of at least one each."""
    count = max(1, min(count, length))
    return [slice(length * k // count, length * (k + 1) // count) for k in range(count)]


def scaled(groups, size):
    """The slice of the channels of a slice of groups."""
    return slice(groups.start * size, groups.stop * size)


@lru_cache(maxsize=1024)
def divisor(M, most):
    """The largest divisor of M up to `most`, or M itself where that would be very small."""
    return next((m for m in range(min(M, most), 63, -1) if M % m == 0), M)


@lru_cache(maxsize=256)
def reach(H, I, s, padding, d, P):
    """For each tap i of one axis: the windows p for which it lies in x, and the cells it is."""
    found = []
    for i in range(I):
        first = i * d - padding[0]  # the cell of window 0
        low = max(0, -(first // s))
        high = max(low, min(P, (H - 1 - first) // s + 1))
        cells = slice(low * s + first, (high - 1) * s + first + 1, s) if low < high else slice(0, 0)
        found.append((slice(low, high), cells))
    return found
