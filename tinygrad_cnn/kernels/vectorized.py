"""The kernels on NumPy alone.

Letters: N images, C channels, H·W the plane; F filters, I·J the kernel; P·Q the output plane; G groups.
V[n,c,i,j,p,q] = x[n, c, p·sh + i·dh − top, q·sw + j·dw − left], zero outside of x, are the windows of x.

A convolution is a matrix product with V. V is I·J times as large as x, so it only ever exists for one
block of output pixels at a time, in scratch memory that stays in the cache. Blocks are independent and
are shared among the cores.

Memory. The innermost axis must be long, for NumPy's inner loops run along it. So x is laid out either
as N H W C, or, where channels are few and images many, as C H W N. Results are NCHW views of that
memory; NumPy's elementwise operations keep the order, and the next kernel finds it as it likes it.
"""

from functools import lru_cache
from itertools import product
from math import gcd, prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinygrad_cnn.kernels._threads import run, scratch, workers

NHWC = (0, 2, 3, 1)
CHWN = (1, 2, 3, 0)

BLOCK_BYTES = 512 * 1024  # columns of a block: half of a usual L2 cache
BLOCK_PIXELS = 256  # at least: for fewer the product spends its time on packing the weight
PLANE_CELLS = 1 << 16  # of pooling at once
PARALLEL = 1 << 20  # multiply-adds under which threads cost more than they bring


# -- convolution ---------------------------------------------------------------------------------


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] V[n,c,i,j,p,q]

    x (N, C, H, W), w (F, C/G, I, J), bias (F,) or None -> (N, F, P, Q). Filters of group k see the
    channels of group k.
    """
    size = [
        (length + before + after - d * (taps - 1) - 1) // s + 1
        for length, (before, after), d, taps, s in zip(
            x.shape[2:], padding, dilation, w.shape[2:], stride
        )
    ]
    origin = [-before for before, _ in padding]
    y = _empty(x, w, (x.shape[0], w.shape[0], *size), groups)
    _correlate(x, w, bias, stride, origin, dilation, groups, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """The adjoint of `conv2d` in x: x̄[n,c,h,w] = Σ g[n,f,p,q] w[f,c,i,j] over the f, i, j, p, q with
    p·sh + i·dh − top = h and q·sw + j·dw − left = w.

    For stride 1 that is a correlation of g with the filter turned around. Otherwise the cells with
    one remainder of h + top by sh meet only the taps with i·dh of that remainder, which follow each
    other at equal distance: sh·sw such correlations, each with its part of the filter, fill x̄.
    """
    F, _, I, J = w.shape
    C = x_shape[1]
    # (F, C/G, I, J) -> (C, F/G, I, J), turned around
    turned = w.reshape(groups, F // groups, C // groups, I, J).swapaxes(1, 2)
    turned = turned.reshape(C, F // groups, I, J)[:, :, ::-1, ::-1]
    x = _empty(g, turned, x_shape, groups)
    rows, columns = (
        _phases(*axis) for axis in zip(x_shape[2:], (I, J), stride, padding, dilation)
    )
    for (h, i, top, dh), (v, j, left, dw) in product(rows, columns):
        _correlate(g, turned[:, :, i, j], None, (1, 1), (top, left), (dh, dw), groups, x[:, :, h, v])
    return x


def _phases(H, I, s, padding, d):
    """The stride-1 correlations along one axis that make up the adjoint of one with stride s.

    Yields (cells of x̄, taps of the turned filter, origin, dilation). Tap i adds g[p] to the cell
    h = p·s + i·d − top. The taps i = i0 + k·s/gcd(s,d) have one remainder of i·d by s and reach cells
    h ≡ i0·d − top, from p = (h + top − i0·d)/s − k·d/gcd(s,d).
    """
    top = padding[0]
    apart = s // gcd(s, d)  # from tap to tap
    dilation = d // gcd(s, d)
    reached = set()
    for i0 in range(min(I, apart)):
        first = (i0 * d - top) % s  # cell
        reached.add(first)
        taps = (I - 1 - i0) // apart + 1
        # turned around, tap i stands at I − 1 − i
        last = I - 1 - i0 - (taps - 1) * apart
        origin = (first + top - i0 * d) // s - (taps - 1) * dilation
        if first < H:
            yield slice(first, None, s), slice(last, I - i0, apart), origin, dilation
    for first in range(min(s, H)):  # cells that no tap reaches: a filter without taps gives zeros
        if first not in reached:
            yield slice(first, None, s), slice(0, 0), 0, 1


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """The adjoint of `conv2d` in w: w̄[f,c,i,j] = Σ_npq g[n,f,p,q] V[n,c,i,j,p,q]

    g (N, F, P, Q), x (N, C, H, W) -> (F, C/G, I, J), contiguous. Each worker adds up its blocks in
    order, then the workers' sums are added in order: the same bits at every run.
    """
    F, c, I, J = w_shape
    dtype = np.result_type(g, x)
    if not (g.size and x.size and prod(w_shape)):
        return np.zeros(w_shape, dtype)
    origin = [-before for before, _ in padding]
    V = _Windows(x, w_shape, g.shape[2:], stride, origin, dilation, groups, dtype)
    g_ = g.transpose(V.order)
    panels = V.panels()
    parts = min(V.workers, len(panels))
    sums = [None] * parts

    def work(part):
        total = None
        for panel in panels[part * len(panels) // parts : (part + 1) * len(panels) // parts]:
            for block, term in V.blocks(panel):
                if V.depthwise:  # Σ_npq by hand: (I, J, C) or (C, I, J)
                    term = np.einsum(f"apqijb,apqb->{V.taps}", term, g_[block])
                else:  # (G, F/G, M) (G, M, K) -> (G, F/G, K)
                    term = np.matmul(V.matrix(g_[block]), term.swapaxes(1, 2))
                total = term if total is None else np.add(total, term, out=total)
        sums[part] = total

    run(work, [(part,) for part in range(parts)], parts)
    total = sums[0]
    for other in sums[1:]:
        total += other
    if V.order is NHWC:  # (F, I, J, C/G), or (I, J, C) of a depthwise one
        total = total.transpose(2, 0, 1) if V.depthwise else total.reshape(F, I, J, c)
        total = total.reshape(F, I, J, c).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(total.reshape(w_shape), dtype)


def _correlate(x, w, bias, stride, origin, dilation, groups, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·sh + i·dh + origin, ...], zero outside of x.

    Written to y, whose shape says how many windows there are.
    """
    F, c, I, J = w.shape
    if not (x.size and w.size and y.size):
        y[...] = 0 if bias is None else bias[:, None, None]
        return
    V = _Windows(x, w.shape, y.shape[2:], stride, origin, dilation, groups, y.dtype)
    if V.depthwise:  # (C, I, J) or (I, J, C)
        w = w[:, 0] if V.order is CHWN else w[:, 0].transpose(1, 2, 0)
    elif V.order is CHWN:  # (G, F/G, K), taps in the order of the columns: c, i, j
        w = w.reshape(groups, F // groups, V.K)
    else:  # i, j, c; contiguous as (G, K, F/G)
        w = w.reshape(groups, F // groups, c, I, J).transpose(0, 3, 4, 2, 1)
        w = w.reshape(groups, V.K, F // groups).swapaxes(1, 2)
    w = w.astype(V.dtype, copy=False)
    if bias is not None:
        bias = bias if V.order is NHWC else bias[:, None, None, None]
    y_ = y.transpose(V.order)
    direct = y_.flags.c_contiguous and y.dtype == V.dtype

    def work(panel):
        for block, windows in V.blocks(panel):
            part = y_[block]
            out = part if direct else scratch("product", part.shape, V.dtype)
            if V.depthwise:
                np.einsum(f"apqijb,{V.taps}->apqb", windows, w, out=out)
            else:  # (G, F/G, K) (G, K, M) -> (G, F/G, M)
                np.matmul(w, windows, out=V.matrix(out))
            if bias is not None:
                out += bias
            if not direct:
                part[...] = out

    run(work, [(panel,) for panel in V.panels()], V.workers)


class _Windows:
    """V in blocks of output pixels, for x in the memory order N H W C or C H W N.

    The pixels are ordered n, p, q or p, q, n. A panel is a run of images or rows whose part of x is
    brought into place at once, with zeros around it; its blocks are runs of pixels, unfolded into a
    matrix one after the other.
    """

    def __init__(self, x, w_shape, size, stride, origin, dilation, groups, dtype):
        N, C = x.shape[:2]
        F, c, *kernel = w_shape
        self.order = _order(N, C, F, groups)
        self.x = x.transpose(self.order)
        self.kernel, self.size, self.stride = kernel, tuple(size), stride
        self.origin, self.dilation, self.groups = origin, dilation, groups
        self.depthwise = c == 1 and F == groups
        self.taps = "aij" if self.order is CHWN else "ijb"  # where einsum finds the weight of them
        # half precision has no matrix product of its own
        self.dtype = np.dtype(np.float32 if dtype == np.float16 else dtype)
        self.K = c * prod(kernel)
        self.most = max(BLOCK_BYTES // (self.K * groups * self.dtype.itemsize), BLOCK_PIXELS)
        self.workers = workers() if N * prod(size) * self.K * F > PARALLEL else 1

    def panels(self):
        """Slices (outer axis of x, p), enough of them to keep all workers busy."""
        (P, Q), outer = self.size, self.x.shape[0]
        if self.order is CHWN:
            return [(slice(None), p) for p in _split(P, self.workers)]
        if outer < self.workers:
            return list(product(_split(outer, outer), _split(P, self.workers)))
        count = -(-outer // max(1, self.most // (P * Q)))
        return [(n, slice(0, P)) for n in _split(outer, -(-count // self.workers) * self.workers)]

    def blocks(self, panel):
        """(block, V there): the key of the block in an output in the order of x, and a matrix
        (G, K, M), or for a depthwise convolution a view (outer, p, q, I, J, inner).

        K is i, j, c for N H W C and c, i, j for C H W N.
        """
        outer, p = panel
        patch = self.patch(outer, p)
        (I, J), (P, Q), G = self.kernel, (p.stop - p.start, self.size[1]), self.groups
        a, s_h, s_w, b = patch.strides
        (sh, sw), (dh, dw) = self.stride, self.dilation
        V = as_strided(
            patch,
            (len(patch), P, Q, I, J, patch.shape[3]),
            (a, s_h * sh, s_w * sw, s_h * dh, s_w * dw, b),
        )
        if self.depthwise:
            yield (outer, p), V
            return
        row = Q * (patch.shape[3] if self.order is CHWN else len(patch))  # pixels
        for i in _split(P, -(-P * row // max(row, self.most))):
            for j in _split(Q, -(-row // self.most)):
                block = outer, slice(p.start + i.start, p.start + i.stop), j
                yield block, self.unfold(V[:, i, j])

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
        if list(source.shape[1:3]) == shape and source.strides[3] == source.itemsize:
            if source.dtype == self.dtype:
                return source
        patch = scratch("patch", (len(x), *shape, x.shape[3]), self.dtype)
        top, left = there
        patch[:, : top.start] = 0
        patch[:, top.stop :] = 0
        patch[:, top, : left.start] = 0
        patch[:, top, left.stop :] = 0
        patch[:, top, left] = source
        return patch

    def unfold(self, V):
        """The matrix (G, K, M) of (outer, p, q, I, J, inner), a view where there is nothing to do."""
        G = self.groups
        if self.order is CHWN:  # (C, p, q, i, j, n) -> (C, i, j, p, q, n)
            return self.pack(V.transpose(0, 3, 4, 1, 2, 5)).reshape(G, self.K, -1)
        if G == 1:  # (n, p, q, i, j, C)
            return self.pack(V).reshape(1, -1, self.K).swapaxes(1, 2)
        *shape, C = V.shape  # (n, p, q, i, j, C) -> (G, n, p, q, i, j, c)
        last = V.strides[5]
        V = as_strided(V, (*shape, G, C // G), (*V.strides[:5], C // G * last, last))
        return self.pack(V.transpose(5, 0, 1, 2, 3, 4, 6)).reshape(G, -1, self.K).swapaxes(1, 2)

    def pack(self, V):
        """V in one piece, in scratch memory unless it is so already."""
        if V.flags.c_contiguous:
            return V
        columns = scratch("columns", V.shape, self.dtype)
        columns[...] = V
        return columns

    def matrix(self, part):
        """A block of an output, in the order of x, as (G, F/G, M): a view if it is contiguous."""
        G = self.groups
        if self.order is CHWN:
            return part.reshape(G, part.shape[0] // G, -1)
        return part.reshape(-1, G, part.shape[3] // G).transpose(1, 2, 0)


def _split(length, count):
    """Slices that cut a length in `count` even pieces, of at least one each."""
    count = max(1, min(count, length))
    return [slice(length * k // count, length * (k + 1) // count) for k in range(count)]


def _order(N, C, F, groups):
    """C H W N where images are many and channels few, N H W C elsewhere."""
    return CHWN if N >= 16 and max(C, F) <= 16 else NHWC


def _empty(x, w, shape, groups):
    """An NCHW view of fresh memory in the order that a convolution to that shape writes."""
    order = _order(*x.shape[:2], shape[1], groups)
    memory = np.empty([shape[axis] for axis in order], np.result_type(x, w))
    return memory.transpose(np.argsort(order))


# -- pooling -------------------------------------------------------------------------------------


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    """y[n,c,p,q] = max_ij x[n, c, p·sh + i·dh − top, q·sw + j·dw − left], −∞ outside of x.

    Returns y (N, C, P, Q) and, of the same shape, the tap i·J + j of the first maximum of each window
    in row-major order, I·J for a window outside of x: a byte each, if there are not very many taps.
    A NaN is greater than all else.
    """
    y = _like(x, output_size, x.dtype)
    taps = _like(x, output_size, _tap_dtype(kernel_size))
    reach = _taps(x.shape, kernel_size, stride, padding, dilation, output_size)

    def work(planes):
        values, best, tap = x[planes], y[planes], taps[planes]
        best[...] = -np.inf
        for windows, cells in reach:
            np.maximum(best[windows], values[cells], out=best[windows])
        nan = best.size and np.isnan(best.max())
        missing = np.ones_like(best, np.uint8)  # no maximum so far; the tap is their number
        tap[...] = 0
        for windows, cells in reach:
            other = values[cells] != best[windows]
            if nan:
                other &= ~np.isnan(values[cells])
            missing[windows] &= other.view(np.uint8)
            tap += missing

    _run_planes(work, x)
    return y, taps


def max_pool2d_positions(taps, x_shape, kernel_size, stride, padding, dilation):
    """The taps of `max_pool2d` as positions h·W + w in the plane (int64), −1 outside of x."""
    W, J = x_shape[3], kernel_size[1]
    p, q = (np.arange(size) for size in taps.shape[2:])
    i, j = np.divmod(taps.astype(np.int64), J)
    h = p[:, None] * stride[0] + i * dilation[0] - padding[0][0]
    w = q * stride[1] + j * dilation[1] - padding[1][0]
    return np.where(i < kernel_size[0], h * W + w, -1)


def max_pool2d_scatter(g, taps, x_shape, kernel_size, stride, padding, dilation):
    """x̄[n,c,m] = Σ g[n,c,p,q] over the windows whose tap lies at the cell m; a tap I·J is dropped."""
    x = _like(g, x_shape[2:], g.dtype)
    reach = _taps(x_shape, kernel_size, stride, padding, dilation, g.shape[2:])
    # where no cell is in two windows, there is nothing to add up
    apart = all(d * (I - 1) < s for d, I, s in zip(dilation, kernel_size, stride))
    bits = _bits(g.dtype)

    def work(planes):
        total, given, tap = x[planes], g[planes], taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(reach):
            chosen = tap[windows] == k
            # times 0 or 1 as integers: exact, and no NaN comes of an infinity
            if apart:
                np.multiply(given[windows].view(bits), chosen, out=total[cells].view(bits))
            else:
                total[cells] += np.multiply(given[windows].view(bits), chosen).view(g.dtype)

    _run_planes(work, x)
    return x


def max_pool2d_gather(x, taps, kernel_size, stride, padding, dilation):
    """The adjoint of `max_pool2d_scatter`: the x at the tap of each window, 0 for a tap I·J."""
    y = _like(x, taps.shape[2:], x.dtype)
    reach = _taps(x.shape, kernel_size, stride, padding, dilation, taps.shape[2:])
    bits = _bits(x.dtype)

    def work(planes):
        values, total, tap = x[planes], y[planes].view(bits), taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(reach):  # one term of the sum is not 0
            total[windows] += values[cells].view(bits) * (tap[windows] == k)

    _run_planes(work, x)
    return y


def avg_pool2d(x, kernel_size, stride, padding, output_size, divisor):
    """y[n,c,p,q] = Σ_ij x[n, c, p·sh + i − top, q·sw + j − left] / divisor[p,q], zero outside of x.

    First the columns are added up to (P, W), then the rows.
    """
    y = _like(x, output_size, x.dtype)
    rows, columns = _axes(x.shape, kernel_size, stride, padding, (1, 1), output_size)

    def work(planes):
        half = _like(x[planes], (output_size[0], x.shape[3]), x.dtype)
        half[...] = 0
        for p, h in rows:
            half[:, :, p] += x[planes][:, :, h]
        total = y[planes]
        total[...] = 0
        for q, w in columns:
            total[..., q] += half[..., w]
        total /= divisor

    _run_planes(work, x)
    return y


def avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor):
    """The adjoint of `avg_pool2d`: x̄[m] = Σ g[o] / divisor[o] over the windows o that hold m."""
    x = _like(g, x_shape[2:], g.dtype)
    rows, columns = _axes(x_shape, kernel_size, stride, padding, (1, 1), g.shape[2:])

    def work(planes):
        share = g[planes] / divisor
        half = _like(share, (g.shape[2], x_shape[3]), g.dtype)
        half[...] = 0
        for q, w in columns:
            half[..., w] += share[..., q]
        total = x[planes]
        total[...] = 0
        for p, h in rows:
            total[:, :, h] += half[:, :, p]

    _run_planes(work, x)
    return x


def _taps(x_shape, *how):
    """For each tap in row-major order: the windows for which it lies in x, as a key of (N, C, P, Q),
    and the cells where it lies, as a key of (N, C, H, W).
    """
    rows, columns = _axes(x_shape, *how)
    return [((..., p, q), (..., h, w)) for (p, h), (q, w) in product(rows, columns)]


def _axes(x_shape, *how):
    """`_reach` of the rows and of the columns."""
    return [_reach(*axis) for axis in zip(x_shape[2:], *how)]


@lru_cache(maxsize=256)
def _reach(H, I, s, padding, d, P):
    """For each tap i of one axis: the windows p for which it lies in x, and the cells where it lies."""
    reach = []
    for i in range(I):
        first = i * d - padding[0]  # the cell of window 0
        low = max(0, -(first // s))
        high = max(low, min(P, (H - 1 - first) // s + 1))
        cells = slice(low * s + first, (high - 1) * s + first + 1, s) if low < high else slice(0, 0)
        reach.append((slice(low, high), cells))
    return reach


def _tap_dtype(kernel_size):
    """The smallest unsigned integer that holds I·J."""
    return np.min_scalar_type(prod(kernel_size))


def _bits(dtype):
    """The integers as wide as a float."""
    return np.dtype(f"i{dtype.itemsize}")


def _like(x, plane, dtype):
    """Empty (N, C, *plane) with the axes in memory in the order of x's."""
    order = sorted(range(4), key=lambda axis: -abs(x.strides[axis]))
    shape = (*x.shape[:2], *plane)
    return np.empty([shape[axis] for axis in order], dtype).transpose(np.argsort(order))


def _run_planes(work, x):
    """Call `work` with keys (n, c) that cut x along the outer one of the two axes in memory, in
    pieces that stay in the cache.
    """
    axis = int(x.shape[0] == 1 or abs(x.strides[1]) > abs(x.strides[0]) and x.shape[1] > 1)
    count = x.size // PLANE_CELLS
    threads = workers() if count else 1
    pieces = _split(x.shape[axis], -(-count // threads) * threads)
    run(work, [((slice(None),) * axis + (piece,),) for piece in pieces], threads)
