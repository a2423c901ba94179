"""The kernels on NumPy alone.

Letters: N images, C channels, H·W the plane; F filters, I·J the kernel; P·Q the output plane;
G groups, c = C/G and f = F/G of each. The windows of x, zero outside of x, are
V[n,c,i,j,p,q] = x[n, c, p·sh + i·dh − top, q·sw + j·dw − left].

A convolution is a matrix product with V. V is I·J times as large as x, so it only ever exists for
one block of output pixels at a time, in scratch memory that stays in the cache (`_windows`). Blocks
are independent and are shared among the cores (`_threads`).

Memory. NumPy's inner loops run along the innermost axis, so that one must be long: x is laid out as
N H W C, or, where channels are few and images many, as C H W N. Results are NCHW views of that
memory; NumPy's elementwise operations keep the order, and the next kernel finds it as it likes it.
"""

from functools import lru_cache
from itertools import product, starmap
from math import gcd, prod

import numpy as np

from . import _winograd
from ._blockwise import blockwise as blockwise
from ._elementwise import elementwise as elementwise, masked as _masked
from ._memory import keep_freed_memory
from ._normalization import (
    moments as moments,
    moments_with as moments_with,
    normalize as normalize,
    normalize_input as normalize_input,
    weight_sums as weight_sums,
)
from ._softmax import (
    cross_entropy as cross_entropy,
    cross_entropy_input as cross_entropy_input,
    log_softmax as log_softmax,
    log_softmax_input as log_softmax_input,
    softmax as softmax,
    softmax_input as softmax_input,
)
from ._threads import one_blas_thread, run, scratch, workers
from ._windows import (
    BLOCK_BYTES,
    CHWN,
    NHWC,
    PARALLEL,
    SMALL,
    Windows,
    divisor,
    empty,
    order_of,
    reach,
    split,
)

FEW_PRODUCTS = 1 << 18  # multiply-adds, up to which BLAS takes one thread itself
MANY_PRODUCTS = 1 << 24  # 0.2 ms, from which a product is shared
PLANE_CELLS = 1 << 20  # of pooling, for each worker; the threads wait for each other at every step


keep_freed_memory()


# -- products ------------------------------------------------------------------------------------


def matmul(a, b):
    """a (.., M, K) times b (.., K, N), as `np.matmul`.

    On our threads, not those of BLAS: once it was called, these look for work on a core for 20 ms, also
    when others could use it. For K = 1 `np.matmul` calls no BLAS, and `np.dot` does: the gradient of a
    weight for one image. And for few rows a of a transposed matrix b (that is a linear layer's) BLAS does
    bᵀaᵀ in half the time of ab, or better.
    """
    alike = a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype.char in "fd"
    if alike and b.strides[0] == b.itemsize and 8 <= len(a) <= 64 and a.shape[1] > 1:
        return np.ascontiguousarray(_shared(np.matmul, b.T, a.T).T)
    return _shared(np.dot if alike and a.shape[1] == 1 else np.matmul, a, b)


def _shared(product, a, b):
    """product(a, b), of many multiply-adds by parts of the first axis on all threads."""
    size = a.size * b.shape[-1]
    if size <= FEW_PRODUCTS:
        return product(a, b)
    if size < MANY_PRODUCTS or not a.ndim >= b.ndim > 1 or len(a) == 1:
        with one_blas_thread():
            return product(a, b)
    batched, threads = b.ndim == a.ndim > 2 and len(b) > 1, workers()
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    y = np.empty(shape, np.result_type(a, b))
    run(
        lambda part: product(a[part], b[part] if batched else b, out=y[part]),
        split(len(a), threads),
        threads,
    )
    return y


# -- convolution ---------------------------------------------------------------------------------


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] V[n,c,i,j,p,q]

    x (N, C, H, W), w (F, C/G, I, J), bias (F,) or None -> (N, F, P, Q). Filters of group k see the
    channels of group k.
    """
    size = [
        (length + sum(pad) - d * (taps - 1) - 1) // s + 1
        for length, pad, d, taps, s in zip(
            x.shape[2:], padding, dilation, w.shape[2:], stride, strict=True
        )
    ]
    y = empty((len(x), len(w), *size), order_of(x, w.shape, groups), np.result_type(x, w))
    origin = [-before for before, _ in padding]
    _correlate(x, w, bias, stride, origin, dilation, groups, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """The adjoint of `conv2d` in x: x̄[n,c,h,w] = Σ g[n,f,p,q] w[f,c,i,j] over the f, i, j, p, q
    with p·sh + i·dh − top = h and q·sw + j·dw − left = w.

    For stride 1 that is a correlation of g with the filter turned around. Otherwise the cells with
    one remainder of h + top by sh meet only the taps with i·dh of that remainder, which follow each
    other at equal distance: sh·sw such correlations, each with its part of the filter, fill x̄.
    Where there are few channels, and fewer than filters, `_fold` is faster.
    """
    F, c, I, J = w.shape
    C = x_shape[1]
    # (F, c, I, J) -> (C, f, I, J), turned around
    turned = w.reshape(groups, F // groups, c, I, J).swapaxes(1, 2)
    turned = turned.reshape(C, F // groups, I, J)[:, :, ::-1, ::-1]
    order, dtype = order_of(g, turned.shape, groups), np.result_type(g, w)
    by_channel, (N, _, P, Q) = order is CHWN, g.shape
    # To fold reads and writes a number for each tap, to unfold writes one, for each filter.
    fewer = 0 < 2 * C * P * Q < F * prod(x_shape[2:]) and (min(F, 32) >= 4 * C or by_channel)
    one = I * J * P * Q * (N if by_channel else C) * g.itemsize  # bytes: what is folded at once
    if groups == 1 and fewer and g.size and one <= 4 * BLOCK_BYTES and dtype != np.float16:
        x = empty(x_shape, order if by_channel else (0, 1, 2, 3), dtype)
        _fold(g, w, stride, padding, dilation, x, by_channel)
        return x
    x = empty(x_shape, order, dtype)
    axes = zip(x_shape[2:], (I, J), stride, padding, dilation, strict=True)
    for (h, i, top, dh), (v, j, left, dw) in product(*starmap(_phases, axes)):
        _correlate(
            g, turned[:, :, i, j], None, (1, 1), (top, left), (dh, dw), groups, x[:, :, h, v]
        )
    return x


def _fold(g, w, stride, padding, dilation, x, by_channel):
    """x̄, some channels at a time where images are innermost, else some images: for each tap (i, j) the
    products Σ_f w[f,c,i,j] g[n,f,p,q] are added to the cells where the tap lies in the windows (p, q).
    """
    (F, C, I, J), (N, _, P, Q) = w.shape, g.shape
    reach, M = _taps(x.shape[2:], (I, J), stride, padding, dilation, (P, Q)), N * P * Q
    w = np.ascontiguousarray(w.reshape(F, -1).T)  # (C·I·J, F)
    if by_channel:
        m = divisor(M, SMALL // (F * I * J))
        blocks = g.transpose(CHWN).reshape(F, M // m, m).swapaxes(0, 1)  # (B, F, m)

    def of_channels(part):
        cols = scratch("columns", (part.stop - part.start, I * J, M // m, m), x.dtype)
        # (c, 1, I·J, F) (B, F, m) -> (c, B, I·J, m)
        np.matmul(w.reshape(C, 1, I * J, F)[part], blocks, out=cols.swapaxes(1, 2))
        return x[:, part], cols.reshape(-1, I * J, P, Q, N).transpose(1, 4, 0, 2, 3)

    def of_images(part):
        given = g[part].reshape(-1, F, P * Q)
        cols = scratch("columns", (len(given), C * I * J, P * Q), x.dtype)
        np.matmul(w, given, out=cols)  # (C·I·J, F) (n, F, P·Q)
        return x[part], cols.reshape(-1, C, I * J, P, Q).transpose(2, 0, 1, 3, 4)

    def work(part):
        total, cols = of_channels(part) if by_channel else of_images(part)
        total[...] = 0
        for tap, (windows, cells) in zip(cols, reach, strict=True):
            total[cells] += tap[windows]

    threads = workers() if C * I * J * M * (F + 8) > PARALLEL else 1
    pieces = -(-C * I * J * M * x.itemsize // (BLOCK_BYTES * threads)) * threads
    run(work, split(C if by_channel else N, pieces), threads)


def _phases(H, I, s, padding, d):
    """The stride-1 correlations along one axis that make up the adjoint of one with stride s.

    Yields (cells of x̄, taps of the turned filter, origin, dilation). Tap i adds g[p] to the cell
    h = p·s + i·d − top. The taps i = i0 + k·s/gcd(s,d) have one remainder of i·d by s and reach
    the cells h ≡ i0·d − top, from p = (h + top − i0·d)/s − k·d/gcd(s,d).
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
    if _winograd.suits(w_shape, len(g), g.shape[2:], stride, dilation, groups, dtype):
        total, finite = _winograd.weight(g, x, w_shape, origin)
        if finite:
            return total
    V = Windows(x, w_shape, g.shape[2:], stride, origin, dilation, groups, dtype)
    g = g.transpose(V.order)
    panels, f = V.panels(), F // groups
    # Many filters are shared among the workers, and all of them unfold everything, which takes a few
    # per cent of the time. Few are not: the panels are, and the workers' sums added in the end.
    shared = groups == 1 and f >= 64 * V.workers
    parts = V.workers if shared else min(V.workers, len(panels))
    sums = np.zeros((1 if shared else parts, groups, f, V.K), V.dtype)

    def work(part):
        share = slice(part * f // parts, (part + 1) * f // parts)
        mine, total = panels, sums[0][:, share]
        if not shared:
            first, last = part * len(panels) // parts, (part + 1) * len(panels) // parts
            mine, share, total = panels[first:last], slice(0, f), sums[part]
        pieces = split(total.shape[1], total.nbytes // BLOCK_BYTES)  # terms that stay in the cache
        for panel in mine:
            for block, cols in V.blocks(panel):
                gm = V.matrix(g[block])[:, :, share]
                for piece in pieces:
                    if V.order is NHWC:  # (G, B, f, m) (G, B, m, K) -> (G, B, f, K)
                        terms = np.matmul(gm[:, :, piece], cols.swapaxes(2, 3))
                    else:  # the same, turned: that is how BLAS does it faster
                        terms = np.matmul(cols, gm[:, :, piece].swapaxes(2, 3)).swapaxes(2, 3)
                    some = total[panel[0], piece]
                    some += terms[:, 0] if terms.shape[1] == 1 else terms.sum(1)

    run(work, range(parts), parts)
    total = sums[0]  # (G, f, K)
    for other in sums[1:]:
        total += other
    if V.order is NHWC:  # K is i, j, c
        total = total.reshape(F, I, J, c).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(total.reshape(w_shape), dtype)


def _correlate(x, w, bias, stride, origin, dilation, groups, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·sh + i·dh + origin, ...], 0 outside of x.

    Written to y, whose shape says how many windows there are.
    """
    F, c, I, J = w.shape
    if not (x.size and w.size and y.size):
        y[...] = 0 if bias is None else bias[:, None, None]
        return
    how = (len(y), y.shape[2:], stride, dilation, groups, y.dtype)
    if _winograd.suits(w.shape, *how) and _winograd.correlate(x, w, bias, origin, y):
        return
    V = Windows(x, w.shape, y.shape[2:], stride, origin, dilation, groups, y.dtype)
    f = F // groups
    if V.order is CHWN:  # (G, 1, f, K), K in the order of the columns: c, i, j
        w = np.ascontiguousarray(w.reshape(groups, 1, f, V.K), V.dtype)
        bias = None if bias is None else bias[:, None, None, None]
    else:  # i, j, c; (G, 1, K, f) in memory
        w = w.reshape(groups, f, c, I, J).transpose(0, 3, 4, 2, 1)
        w = np.ascontiguousarray(w.reshape(groups, 1, V.K, f), V.dtype).swapaxes(2, 3)
        # for a whole row of pixels, so that the loop that adds it is long
        bias = None if bias is None else np.tile(bias, (y.shape[3], 1))
    y = y.transpose(V.order)
    direct = y.flags.c_contiguous and y.dtype == V.dtype

    def work(panel):
        for block, cols in V.blocks(panel):
            part = y[block]
            out = part if direct else scratch("product", part.shape, V.dtype)
            # (G, 1, f, K) (G, B, K, m) -> (G, B, f, m)
            np.matmul(w[panel[0]], cols, out=V.matrix(out))
            if bias is not None:
                out += bias[: part.shape[2]] if V.order is NHWC else bias[block[0]]
            if not direct:
                part[...] = out

    run(work, V.panels(), V.workers)


# -- pooling -------------------------------------------------------------------------------------


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    """y[n,c,p,q] = max_ij x[n, c, p·sh + i·dh − top, q·sw + j·dw − left], −∞ outside of x.

    Returns y (N, C, P, Q) and, of the same shape, the tap i·J + j of the first maximum of each
    window in row-major order, I·J for a window outside of x: a byte each, unless a window is huge.
    A NaN is greater than all else. (Of integers, the least stands for −∞.)
    """
    y = _like(x, output_size, x.dtype)
    taps = _like(x, output_size, np.min_scalar_type(prod(kernel_size)))
    reach = _taps(x.shape[2:], kernel_size, stride, padding, dilation, output_size)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min

    def work(planes):
        values, best, tap = x[planes], y[planes], taps[planes]
        best[...] = lowest
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
    """x̄[n,c,m] = Σ g[n,c,p,q] over the windows whose tap is the cell m; a tap I·J is dropped."""
    x = _like(taps, x_shape[2:], g.dtype)  # in the memory order of the forward: what is next has it
    if g.strides != tuple(n * g.itemsize // taps.itemsize for n in taps.strides):
        g, given = _like(taps, taps.shape[2:], g.dtype), g
        g[...] = given
    reach = _taps(x_shape[2:], kernel_size, stride, padding, dilation, g.shape[2:])
    # where no cell is in two windows, there is nothing to add up
    apart = all(d * (I - 1) < s for d, I, s in zip(dilation, kernel_size, stride, strict=True))

    def work(planes):
        total, given, tap = x[planes], g[planes], taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(reach):
            chosen = tap[windows] == k
            if apart:
                _masked(given[windows], chosen, total[cells])
            else:
                total[cells] += _masked(given[windows], chosen)

    _run_planes(work, x)
    return x


def max_pool2d_gather(x, taps, kernel_size, stride, padding, dilation):
    """The adjoint of `max_pool2d_scatter`: the x at the tap of each window, 0 for a tap I·J."""
    y = _like(x, taps.shape[2:], x.dtype)
    reach = _taps(x.shape[2:], kernel_size, stride, padding, dilation, taps.shape[2:])

    def work(planes):
        values, total, tap = x[planes], y[planes], taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(reach):  # one term of the sum is not 0
            total[windows] += _masked(values[cells], tap[windows] == k)

    _run_planes(work, x)
    return y


def avg_pool2d(x, kernel_size, stride, padding, output_size, divisor):
    """y[n,c,p,q] = Σ_ij x[n, c, p·sh + i − top, q·sw + j − left] / divisor[p,q], zero outside of x.

    First the columns are added up to (P, W), then the rows.
    """
    y = _like(x, output_size, x.dtype)
    rows, columns = _axes(x.shape[2:], kernel_size, stride, padding, (1, 1), output_size)

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
    rows, columns = _axes(x_shape[2:], kernel_size, stride, padding, (1, 1), g.shape[2:])

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


@lru_cache(maxsize=256)
def _taps(plane, *how):
    """For each tap in row-major order: the windows for which it lies in x, as a key of
    (N, C, P, Q), and the cells where it lies, as a key of (N, C, H, W).
    """
    rows, columns = _axes(plane, *how)
    return [((..., p, q), (..., h, w)) for (p, h), (q, w) in product(rows, columns)]


def _axes(plane, *how):
    """`reach` of the rows and of the columns."""
    return [reach(*axis) for axis in zip(plane, *how, strict=True)]


def _like(x, plane, dtype):
    """Empty (N, C, *plane) with the axes in memory in the order of x's."""
    return empty((*x.shape[:2], *plane), _axes_of(x.strides), dtype)


@lru_cache(maxsize=256)
def _axes_of(strides):
    """The axes as they are in memory, the outermost first."""
    return sorted(range(4), key=lambda axis: -abs(strides[axis]))


def _run_planes(work, x):
    """Call `work` with keys (n, c) that cut x along the outer one of the two axes in memory, in
    pieces that stay in the cache.
    """
    N, C = x.shape[:2]
    axis = 1 if C > 1 and (N == 1 or abs(x.strides[1]) > abs(x.strides[0])) else 0
    count = x.size // PLANE_CELLS
    threads = workers() if count else 1
    pieces = split(x.shape[axis], -(-count // threads) * threads)
    run(work, [(slice(None),) * axis + (piece,) for piece in pieces], threads)
