"""im2col: the windows of images as matrices, a cache full at a time.

Letters are those of `contract`, and K = c·I·J is the size of a window. The windows are
V[n,c,i,j,p,q] = x[n, c, p·s + i·d + origin, ...], zero outside of x.

V is I·J times as large as x, so only one block of output pixels exists at a time, in scratch memory
that stays in the cache. Blocks are independent, and threads share them.

NumPy's inner loops run along the innermost axis, so that axis must be long: x is arranged as N H
W C, or as C H W N where channels are few and images many.
"""

from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import threads
from ..layout import NARROW
from ..memory import scratch
from . import tuning
from .blocks import divisor, scaled, split

NHWC = (0, 2, 3, 1)
CHWN = (1, 2, 3, 0)


def memory_order(x, w_shape, groups):
    """The axis order in memory for a convolution of x and for its result: C H W N or N H W C.

    Few channels leave the innermost axis to the images. One channel a group always does: it is
    unfolded along rows only. A 1×1 kernel is as fast in either order and keeps the one of x.
    """
    N = x.shape[0]
    F, c, *kernel = w_shape
    many = N >= tuning.MANY_IMAGES
    few = max(c, F // groups) <= tuning.FEW_CHANNELS
    if c == 1 or (few and (many or groups > 1)):
        return CHWN
    kept = prod(kernel) == 1 and many and x.strides[0] == x.itemsize and groups == 1
    return CHWN if kept else NHWC


def empty(shape, order, dtype):
    """Uninitialized (N, C, H, W), a view of memory in that axis order."""
    memory = np.empty([shape[axis] for axis in order], dtype)
    return memory.transpose([order.index(axis) for axis in range(4)])


class Im2col:
    """V of x for filters of shape (F, c, I, J), in panels for threads and blocks for the cache.

    x is read as (outer, H, W, inner), where (outer, inner) is (n, c) or (c, n). A panel is a
    range of images, of groups or of rows; its part of x is copied at once, with zeros around it.
    Its blocks are ranges of pixels, ordered n, p, q or p, q, n, that are unfolded one after the
    other.
    """

    scratch_name = "windows"

    def __init__(self, x, w_shape, size, stride, origin, dilation, groups, dtype):
        F, self.c, *self.kernel = w_shape
        self.f, self.groups = F // groups, groups
        self.order = memory_order(x, w_shape, groups)
        self.x = x.transpose(self.order)
        self.size, self.stride, self.origin, self.dilation = tuple(size), stride, origin, dilation
        # BLAS has no product of float16 and of bfloat16
        self.dtype = np.dtype(np.float32 if dtype.char in NARROW else dtype)
        self.K = self.c * prod(self.kernel)
        self.by_row = self.order is CHWN and self.c == 1
        taps = self.kernel[1] if self.by_row else self.K
        self.pixel_bytes = taps * self.dtype.itemsize  # unfolded, for a pixel and a group
        unfolding = tuning.UNFOLD_MULTIPLY_ADDS * groups
        cost = x.shape[0] * prod(size) * self.K * (F + unfolding)  # multiply-adds
        self.threads = threads.get_num_threads() if cost > tuning.SHARED_MULTIPLY_ADDS else 1

    def panels(self):
        """(groups, outer slice of x, outer slice of y, rows p): at least one for each thread."""
        (P, Q), (outer, _, _, inner), G = self.size, self.x.shape, self.groups
        everything, rows = slice(None), slice(0, P)
        if self.order is CHWN and G == 1:
            return [(everything, everything, everything, p) for p in split(P, self.threads)]
        if self.order is CHWN:
            most = max(1, tuning.BLOCK_BYTES // (self.pixel_bytes * P * Q * inner))
            return [
                (g, scaled(g, self.c), scaled(g, self.f), rows)
                for g in split(G, self._pieces(G, most))
            ]
        if outer < self.threads:
            pieces = product(split(outer, outer), split(P, self.threads))
            return [(everything, n, n, p) for n, p in pieces]
        most = max(1, self.block_pixels(G) // (P * Q))
        return [(everything, n, n, rows) for n in split(outer, self._pieces(outer, most))]

    def _pieces(self, length, most):
        """How many pieces of up to `most` to cut, the same number for each thread."""
        return -(-length // (most * self.threads)) * self.threads

    def block_pixels(self, groups):
        """How many pixels a block of that many groups holds."""
        return max(tuning.BLOCK_PIXELS, tuning.BLOCK_BYTES // (self.pixel_bytes * groups))

    def blocks(self, panel):
        """(index of the block in y, whose axes are ordered as those of x; V of the block).

        V is a stack of matrices (G, B, K, m), of B·m pixels. K is ordered i, j, c for N H W C and
        c, i, j for C H W N.
        """
        groups, outer, y_outer, p = panel
        patch = self.padded(outer, p)
        G = self.groups if groups == slice(None) else groups.stop - groups.start
        P, Q = p.stop - p.start, self.size[1]
        row_pixels = Q * (patch.shape[3] if self.order is CHWN else len(patch))
        most = self.block_pixels(G)
        for i in split(P, -(-P // max(1, most // row_pixels))):
            for j in split(Q, 1 if self.by_row else -(-row_pixels // most)):
                columns = self.unfold(patch, G, i, j)
                yield (y_outer, slice(p.start + i.start, p.start + i.stop), j), columns

    def padded(self, outer, p):
        """The part of x under the windows of a panel, zeros around it: (outer, h, w, inner)."""
        x = self.x[outer]
        source, target, shape = [], [], []
        for axis, (start, stop) in enumerate(((p.start, p.stop), (0, self.size[1]))):
            s, first, length = self.stride[axis], self.origin[axis], x.shape[1 + axis]
            low = start * s + first
            high = (stop - 1) * s + self.dilation[axis] * (self.kernel[axis] - 1) + 1 + first
            inside = slice(max(low, 0), max(low, 0, min(high, length)))
            source.append(inside)
            target.append(slice(inside.start - low, inside.stop - low))
            shape.append(high - low)
        x = x[:, *source]
        fits = x.shape[1:3] == tuple(shape) and x.strides[3] == x.itemsize
        if fits and x.dtype == self.dtype:
            return x
        patch = scratch(self.scratch_name + " patch", (len(x), *shape, x.shape[3]), self.dtype)
        top, left = target
        patch[:, : top.start] = 0
        patch[:, top.stop :] = 0
        patch[:, top, : left.start] = 0
        patch[:, top, left.stop :] = 0
        copy_innermost(x, patch[:, top, left])
        return patch

    def unfold(self, patch, G, p, q):
        """V (G, B, K, m) of the pixels (p, q) of a patch: a view if no copy is needed."""
        (I, J), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        P, Q = p.stop - p.start, q.stop - q.start
        patch = patch[:, p.start * sh :, q.start * sw :]
        outer, _, _, inner = patch.shape
        a, h, w, b = patch.strides
        if self.by_row:  # (C, h, J, Q, n), of which a window takes I rows of J
            rows = (P - 1) * sh + (I - 1) * dh + 1
            U = self._pack(as_strided(patch, (outer, rows, J, Q, inner), (a, h, w * dw, w * sw, b)))
            a, h, j, _, b = U.strides
            V = as_strided(U, (G, P, I, J, Q * inner), (a, h * sh, h * dh, j, b))
            return V.reshape(G, P, self.K, -1)  # (G, B, K, m) with B = p and m = q, n
        if self.order is CHWN:
            shape, strides = (outer, I, J, P, Q, inner), (a, h * dh, w * dw, h * sh, w * sw, b)
            V = self._pack(as_strided(patch, shape, strides))
            return self._stack(V.reshape(G, self.K, -1), 2)
        shape = (G, outer, P, Q, I, J, self.c)
        strides = (b * self.c, a, h * sh, w * sw, h * dh, w * dw, b)
        V = self._pack(as_strided(patch, shape, strides))
        return self._stack(V.reshape(G, -1, self.K), 1)

    def _pack(self, V):
        """V C-contiguous, in scratch memory if it was not."""
        if V.flags.c_contiguous:
            return V
        columns = scratch("columns", V.shape, self.dtype)
        columns[...] = V
        return columns

    def matrix(self, part):
        """A block of y as (G, B, f, m), arranged as V: a view if y is contiguous."""
        if self.by_row:
            return part.reshape(-1, self.f, part.shape[1], part[0, 0].size).swapaxes(1, 2)
        if self.order is CHWN:
            return self._stack(part.reshape(len(part) // self.f, self.f, -1), 2)
        return self._stack(part.reshape(-1, self.groups, self.f).swapaxes(0, 1), 1)

    def _stack(self, matrix, axis):
        """(G, M, k) or (G, k, M), whose `axis` is that of the pixels, cut into (G, B, k, m)."""
        G, *shape = matrix.shape
        M = shape[axis - 1]
        m = divisor(M, tuning.UNPACKED_MULTIPLY_ADDS // (self.K * self.f))
        if axis == 1:
            return matrix.reshape(G, M // m, m, shape[1]).swapaxes(2, 3)
        return matrix.reshape(G, shape[0], M // m, m).swapaxes(1, 2)


def copy_innermost(source, target):
    """Copy (outer, h, w, inner) to memory where `inner` is innermost.

    If the source has another axis innermost, the copy uses a scratch buffer. Reading along an
    axis whose stride is a power of two, as the channels' mostly is, uses few lines of the cache; in
    the scratch memory the strides are longer by one line.
    """
    outer, inner = len(source), source.shape[3]
    outer_innermost = source.strides[0] == source.itemsize  # no use in cutting that axis
    strided = not (outer_innermost or source.strides[2] == source.itemsize)
    if source.size == 0 or inner == 1 or strided:
        target[...] = source
        return
    there, back = ((3, 1, 2, 0), (3, 1, 2, 0)) if outer_innermost else ((3, 0, 1, 2), (1, 2, 3, 0))
    step = outer
    if not outer_innermost:
        step = max(1, outer * tuning.TRANSPOSE_BYTES // source.nbytes)
    for first in range(0, outer, step):
        piece = source[first : first + step].transpose(there)
        memory = scratch("transposed", (inner, piece[0].size + 16), source.dtype)
        copy = memory[:, :-16].reshape(piece.shape)
        copy[...] = piece
        target[first : first + step] = copy.transpose(back)
