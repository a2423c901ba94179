"""Convolutions of one channel and filter a group on small planes, as products with a whole plane.

Letters as in `_windows`; F = C = G. On one channel a convolution is linear from the H·W cells of a
plane to its P·Q outputs. A few rows of outputs see K cells that follow each other in memory, and the
images are the rows of the left factor, as they lie: y (N, m) = x (N, K) T (K, m), for each channel.
T = Σ_ij w[i,j] S_ij, where S is 0 or 1, a product too, and so are both adjoints: x̄ = ȳ Tᵀ, for a few
rows of cells, and w̄_ij = Σ S_ij xᵀȳ. Nothing is unfolded or turned, but most factors are zeros: for
planes up to 8 cells wide, or 32 at stride 2, that is the quicker way.

∞ · 0 is NaN, and those zeros do not stand in the definition: all three say whether what they gave
is finite, and who calls takes another way where it is not.
"""

from functools import lru_cache
from itertools import product

import numpy as np

from . import _windows
from ._threads import run, workers

ROW = 16  # outputs, or cells, at least: for fewer a product is thin
MOST = 14  # multiply-adds for an output, over J·sh·sw: as measured, unfolding is then slower
IMAGES = 8  # at least: a channel's T is made for all of them
LARGEST = 1 << 17  # numbers in S, which are kept
BYTES = 1 << 20  # of x or y, of the channels that go through at once


def suits(x_shape, w_shape, size, stride, dilation, groups, dtype):
    """Whether that is the quicker way."""
    F, c, I, J = w_shape
    (N, _, H, W), (P, Q) = x_shape, size
    if not (c == 1 < groups == F and dtype.char in "fd" and N >= IMAGES and min(P, Q, H, W, I, J)):
        return False
    rows = (_rows(Q) - 1) * stride[0] + (I - 1) * dilation[0] + 1
    K = min(rows, H) * W
    return MOST * J * stride[0] * stride[1] >= K and I * J * K * _rows(Q) * Q <= LARGEST


def _rows(width):
    return -(-ROW // width)


@lru_cache(maxsize=32)
def _pieces(plane, size, kernel, stride, origin, dilation, by_cells, dtype):
    """[(slice of the H·W cells, slice of the P·Q outputs, S (I·J, K·m))]: a few rows of outputs, or
    by_cells of cells, with all that they are linked to. Pieces that look the same share their S.
    By_cells it is turned, (I·J, m·K), as BLAS takes a factor that is so small more quickly.
    """
    (H, W), (P, Q), (I, J) = plane, size, kernel
    rows, columns = (
        [
            (p, i, p * s + o + i * d)
            for p, i in product(range(P_), range(I_))
            if 0 <= p * s + o + i * d < H_
        ]
        for P_, I_, H_, s, o, d in zip(size, kernel, plane, stride, origin, dilation, strict=True)
    )
    length, step = (H, _rows(W)) if by_cells else (P, _rows(Q))
    pieces, known = [], {}
    for first in range(0, length, step):
        mine = slice(first, min(length, first + step))
        links = [link for link in rows if mine.start <= link[2 if by_cells else 0] < mine.stop]
        others = [link[0 if by_cells else 2] for link in links] or [0]
        theirs = slice(min(others), max(others) + 1)
        h, p = (mine, theirs) if by_cells else (theirs, mine)
        shape = I, J, h.stop - h.start, W, p.stop - p.start, Q
        key = shape, tuple((b - p.start, i, a - h.start) for b, i, a in links)
        if key not in known:
            S = np.zeros(shape, dtype)
            for (b, i, a), (q, j, v) in product(key[1], columns):
                S[i, j, a, v, b, q] = 1
            S = S.transpose(0, 1, 4, 5, 2, 3) if by_cells else S
            known[key] = S.reshape(I * J, -1)
        cells, outputs = slice(h.start * W, h.stop * W), slice(p.start * Q, p.stop * Q)
        pieces.append((cells, outputs, known[key]))
    return pieces


def _flat(x, channels):
    """(c, N, H·W) of those channels, a view if rows follow each other in memory."""
    x = x[:, channels].swapaxes(0, 1)
    if x.strides[2:] != (x.shape[3] * x.itemsize, x.itemsize):
        x = np.ascontiguousarray(x)
    return x.reshape(*x.shape[:2], -1)


def _factors(w, pieces):
    """T of each piece, of filters w (c, I·J)."""
    made = {}
    for *_, S in pieces:
        if id(S) not in made:
            made[id(S)] = np.matmul(w, S)
    return [made[id(S)] for *_, S in pieces]


def _run(work, x, pieces):
    """Call `work` with slices of channels, and leave what is not finite to who calls."""
    N, C, H, W = x.shape
    cost = N * C * sum((c.stop - c.start) * (p.stop - p.start) for c, p, _ in pieces)
    threads = workers() if cost > _windows.PARALLEL else 1

    def quietly(channels):
        with np.errstate(all="ignore"):
            work(channels)

    count = -(-N * C * H * W * x.itemsize // (BYTES * threads)) * threads
    run(quietly, _windows.split(C, count), threads)


def _finite(y):
    return bool(np.isfinite(np.vdot(y, y)))  # or its square overflows: no harm in another look


def forward(x, w, bias, stride, origin, dilation, y):
    """Write y (N, C, P, Q), contiguous; whether it is finite."""
    how = w.shape[2:], stride, origin, dilation, False, y.dtype
    pieces, w = _pieces(x.shape[2:], y.shape[2:], *how), _taps(w, y.dtype)

    def work(channels):
        cells, out = _flat(x, channels), _flat(y, channels)
        for (k, m, _), T in zip(pieces, _factors(w[channels], pieces), strict=True):
            T = T.reshape(len(T), k.stop - k.start, -1)
            np.matmul(cells[..., k], T, out=out[..., m])
        if bias is not None:
            out += bias[channels, None, None]

    _run(work, x, pieces)
    return _finite(y)


def adjoint(g, w, stride, origin, dilation, x):
    """Write x̄ (N, C, H, W), contiguous; whether it is finite."""
    how = w.shape[2:], stride, origin, dilation, True, x.dtype
    pieces, w = _pieces(x.shape[2:], g.shape[2:], *how), _taps(w, x.dtype)

    def work(channels):
        given, out = _flat(g, channels), _flat(x, channels)
        for (k, m, _), T in zip(pieces, _factors(w[channels], pieces), strict=True):
            T = T.reshape(len(T), m.stop - m.start, -1)
            np.matmul(given[..., m], T, out=out[..., k])

    _run(work, x, pieces)
    return _finite(x)


def weight(g, x, stride, origin, dilation, w):
    """Write w̄ (C, 1, I, J), contiguous; whether it is finite."""
    how = w.shape[2:], stride, origin, dilation, False, w.dtype
    pieces, total = _pieces(x.shape[2:], g.shape[2:], *how), _taps(w, w.dtype)

    def work(channels):
        cells, given, sums = _flat(x, channels), _flat(g, channels), {}
        for k, m, S in pieces:
            D = np.matmul(cells[..., k].swapaxes(1, 2), given[..., m])
            _, sum_ = sums.setdefault(id(S), (S, np.zeros_like(D)))
            sum_ += D
        total[channels] = sum(np.matmul(D.reshape(len(D), -1), S.T) for S, D in sums.values())

    _run(work, x, pieces)
    return _finite(w)


def _taps(w, dtype):
    return np.ascontiguousarray(w, dtype).reshape(len(w), -1)
