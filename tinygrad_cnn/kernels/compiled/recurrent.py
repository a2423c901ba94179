"""The calls of the recurrent loops, which go through all steps of a layer in one call.

Arrays of other dtypes than float32 and float64 go to the fallback, and so do layers without rows.
"""

from functools import lru_cache

import numpy as np

from ...atomic import quiet
from ..sequences import step_rows
from .calls import (
    FALLBACK,
    FLOATS,
    address,
    aligned,
    padded,
    pointer,
    round_up,
    share,
)  # fmt: skip
from .loops import recurrent as loops
from .loops.product import ZEROS_BYTES
from .matmul import by_panels, is_readable, matmul, panel_fits, panel_width


def _covers(x, *others):
    """Whether the loops can compute with these arrays. Any of the others may be None."""
    if x.dtype not in FLOATS or not x.size:
        return False
    return all(a is None or (a.dtype == x.dtype and a.size) for a in others)


def _dense(*arrays):
    """The arrays as the loops read them: contiguous and aligned."""
    return [a if a.flags.c_contiguous and a.flags.aligned else a.copy("C") for a in arrays]


@lru_cache(maxsize=64)
def _steps(sizes, reverse):
    """The table `steps` of the loops."""
    return np.array([(first, end - first) for first, end in step_rows(sizes, reverse)], np.int64)


def _panels(w):
    """w (terms, columns) as panels, and their width. Missing columns are 0."""
    terms, columns = w.shape
    width = panel_width(columns, w.dtype)
    wide = round_up(columns, width)
    if wide > columns:
        w, given = np.zeros((terms, wide), w.dtype), w
        w[:, :columns] = given
    panels = aligned((wide // width, terms, width), w.dtype)
    panels[...] = w.reshape(terms, -1, width).swapaxes(0, 1)
    return panels, width


def _sums(x, w_ih, *biases):
    """x wᵀ + the biases, in rows that are a multiple of a panel's width apart; that distance."""
    columns, terms = w_ih.shape
    wide = round_up(columns, panel_width(columns, x.dtype))
    z, biases = aligned((len(x), wide), x.dtype), [b for b in biases if b is not None]
    if wide > columns:
        z[:, columns:] = 0
    bias = sum(biases[1:], biases[0]) if biases else None
    fits = terms and panel_fits(terms, columns, x.dtype) and is_readable(x) and is_readable(w_ih)
    if fits:
        by_panels(x, w_ih.T, z[:, :columns], bias)
        return z, wide
    with quiet():
        z[:, :columns] = matmul(x, w_ih.T)
        if bias is not None:
            z[:, :columns] += bias
    return z, wide


def _run(kernel, dtype, common, sizes, reverse, H, gates):
    """Call a kernel for all sequences: each thread takes as many."""
    steps = _steps(sizes, reverse)
    common = *common, address(steps), len(steps), H
    cost = sum(sizes) * gates * H * H
    share(kernel, dtype, common, sizes[0], cost, ZEROS_BYTES, pieces=1)


def _zeros(many, H, width, dtype):
    """Rows of H for a gradient, and their distance."""
    deep = round_up(H, width)
    dh = aligned((many, deep), dtype)
    dh[...] = 0
    return dh, deep


def rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, relu):
    """One call for all steps."""
    if not _covers(x, h0, w_ih, w_hh, b_ih, b_hh):
        return FALLBACK.rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, relu)
    H = h0.shape[1]
    (z, wide), (w, width) = _sums(x, w_ih, b_ih, b_hh), _panels(w_hh.T)
    h, y = h0.copy(order="C"), aligned((len(x), H), x.dtype)
    common = address(z), wide, address(w), width, address(h), address(y)
    _run(loops.rnn_relu if relu else loops.rnn_tanh, x.dtype, common, sizes, reverse, H, 1)
    return y


def rnn_input(g, y, w_hh, sizes, reverse, relu):
    """One call for all steps."""
    if not _covers(y, g, w_hh):
        return FALLBACK.rnn_input(g, y, w_hh, sizes, reverse, relu)
    H = y.shape[1]
    g, y = _dense(g, y)
    d, (w, width) = np.empty_like(y), _panels(w_hh)
    dh, deep = _zeros(sizes[0], H, width, y.dtype)
    common = address(g), address(y), address(w), width, address(dh), deep, address(d)
    kernel = loops.rnn_relu_input if relu else loops.rnn_tanh_input
    _run(kernel, y.dtype, common, sizes, reverse, H, 1)
    return d, dh[:, :H]


def lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, sizes, reverse):
    """One call for all steps."""
    if not _covers(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
        return FALLBACK.lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, sizes, reverse)
    rows, (many, H) = len(x), h0.shape
    (z, wide), (w, width) = _sums(x, w_ih, b_ih, b_hh), _panels(w_hh.T)
    y, cells, h = aligned((rows + many, H), x.dtype), aligned((rows, H), x.dtype), h0.copy("C")
    c = y[rows:]
    c[...] = c0
    common = (
        address(z), wide, address(w), width, address(h), address(c), address(cells), address(y)
    )  # fmt: skip
    _run(loops.lstm, x.dtype, common, sizes, reverse, H, 4)
    return y, z[:, : 4 * H], cells


def lstm_input(g, gates, cells, c0, w_hh, sizes, reverse):
    """One call for all steps."""
    if not (_covers(cells, g, gates, c0, w_hh) and gates.strides[1] == gates.itemsize):
        return FALLBACK.lstm_input(g, gates, cells, c0, w_hh, sizes, reverse)
    rows, H = cells.shape
    g, cells, c0 = _dense(g, cells, c0)
    d, (w, width) = aligned((rows, 4 * H), g.dtype), _panels(w_hh)
    (dh, deep), dc = _zeros(sizes[0], H, width, g.dtype), g[rows:].copy()
    common = (
        address(g), *pointer(gates)[:2], address(w), width, address(cells), address(c0),
        address(dh), deep, address(dc), address(d),
    )  # fmt: skip
    _run(loops.lstm_input, g.dtype, common, sizes, reverse, H, 4)
    return d, dh[:, :H], dc


def gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse):
    """One call for all steps."""
    if not _covers(x, h0, w_ih, w_hh, b_ih, b_hh):
        return FALLBACK.gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse)
    rows, (many, H) = len(x), h0.shape
    (z, wide), (w, width) = _sums(x, w_ih, b_ih), _panels(w_hh.T)
    h, q, bias = h0.copy("C"), aligned((many, wide), x.dtype), padded(b_hh, wide, x.dtype)
    y, hidden = aligned((rows, H), x.dtype), aligned((rows, H), x.dtype)
    common = (
        address(z), wide, address(w), width, address(bias), address(q), address(h),
        address(hidden), address(y),
    )  # fmt: skip
    _run(loops.gru, x.dtype, common, sizes, reverse, H, 3)
    return y, z[:, : 3 * H], hidden


def gru_input(g, y, h0, gates, hidden, w_hh, sizes, reverse):
    """One call for all steps."""
    if not (_covers(y, g, h0, gates, hidden, w_hh) and gates.strides[1] == gates.itemsize):
        return FALLBACK.gru_input(g, y, h0, gates, hidden, w_hh, sizes, reverse)
    rows, H = y.shape
    g, y, h0, hidden = _dense(g, y, h0, hidden)
    d, d_hidden = aligned((rows, 3 * H), g.dtype), aligned((rows, 3 * H), g.dtype)
    w, width = _panels(w_hh)
    dh, deep = _zeros(sizes[0], H, width, g.dtype)
    common = (
        address(g), address(y), address(h0), *pointer(gates)[:2], address(hidden), address(w),
        width, address(dh), deep, address(d), address(d_hidden),
    )  # fmt: skip
    _run(loops.gru_input, g.dtype, common, sizes, reverse, H, 3)
    return d, d_hidden, dh[:, :H]
