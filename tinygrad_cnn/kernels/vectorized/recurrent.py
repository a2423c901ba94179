"""Recurrent layers: one product for the inputs of all steps, then a loop of small ones.

The state is an array with a row for each sequence. A step works on the first rows, those of the
sequences that reach it, and every array that it touches stays in the cache.
"""

import numpy as np

from ...atomic import quiet
from .. import threads
from ..functions import rectified
from ..sequences import states_before, step_rows
from .matmul import matmul


def _inputs(x, w_ih, *biases):
    """x wᵀ + the biases that are not None, of all steps at once."""
    given = [b for b in biases if b is not None]
    with quiet():
        z = matmul(x, w_ih.T)
        if given:
            z += sum(given[1:], given[0])
    return z


def _sigmoid(z):
    """1 / (1 + e⁻ᶻ), in place. An exponential that overflows gives 0."""
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)


def _from_sigmoid(s, out):
    """s (1 − s), the derivative."""
    np.subtract(1, s, out=out)
    out *= s


def _from_tanh(t, out):
    """1 − t², the derivative."""
    np.multiply(t, t, out=out)
    np.subtract(1, out, out=out)


def rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, relu):
    """The result takes the place of the sums."""
    y, w = _inputs(x, w_ih, b_ih, b_hh), np.ascontiguousarray(w_hh.T)
    h, product = h0.copy(), np.empty_like(h0)
    with threads.one_blas_thread(), quiet():
        for first, end in step_rows(sizes, reverse):
            n, now = end - first, y[first:end]
            now += np.matmul(h[:n], w, out=product[:n])
            np.maximum(now, 0, out=now) if relu else np.tanh(now, out=now)
            h[:n] = now
    return y


def rnn_input(g, y, w_hh, sizes, reverse, relu):
    """From the last step to the first."""
    d, carried = np.empty_like(y), np.zeros((sizes[0], y.shape[1]), y.dtype)
    w = np.ascontiguousarray(w_hh)
    with threads.one_blas_thread(), quiet():
        for first, end in reversed(step_rows(sizes, reverse)):
            n, now = end - first, d[first:end]
            carried[:n] += g[first:end]
            if relu:
                rectified(carried[:n], y[first:end], now)
            else:
                _from_tanh(y[first:end], now)
                now *= carried[:n]
            np.matmul(now, w, out=carried[:n])
    return d, carried


def lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, sizes, reverse):
    """The gates take the place of the sums."""
    gates, w = _inputs(x, w_ih, b_ih, b_hh), np.ascontiguousarray(w_hh.T)
    (rows, wide), (many, H) = gates.shape, h0.shape
    y, cells = np.empty((rows + many, H), x.dtype), np.empty((rows, H), x.dtype)
    h, c, products = h0.copy(), y[rows:], np.empty((many, wide), x.dtype)
    c[...] = c0
    rest = np.empty_like(h)
    with threads.one_blas_thread(), quiet():
        for first, end in step_rows(sizes, reverse):
            n = end - first
            z, cell, spare = gates[first:end], cells[first:end], rest[:n]
            z += np.matmul(h[:n], w, out=products[:n])
            i, f, u, o = (z[:, k * H : (k + 1) * H] for k in range(4))
            np.tanh(u, out=spare)
            _sigmoid(z)
            u[...] = spare
            np.multiply(f, c[:n], out=cell)
            spare *= i
            cell += spare
            np.tanh(cell, out=spare)
            np.multiply(o, spare, out=y[first:end])
            h[:n], c[:n] = y[first:end], cell
    return y, gates, cells


def lstm_input(g, gates, cells, c0, w_hh, sizes, reverse):
    """From the last step to the first. The derivatives of the gates are filled in step by step."""
    rows, H = cells.shape
    d, before = np.empty_like(gates), states_before(cells, c0, sizes, reverse)
    dh, dc = np.zeros_like(c0), g[rows:].copy()
    rest, more, w = np.empty_like(dh), np.empty_like(dh), np.ascontiguousarray(w_hh)
    with threads.one_blas_thread(), quiet():
        for first, end in reversed(step_rows(sizes, reverse)):
            n = end - first
            z, dz, spare = gates[first:end], d[first:end], rest[:n]
            i, f, u, o = (z[:, k * H : (k + 1) * H] for k in range(4))
            di, df, du, do = (dz[:, k * H : (k + 1) * H] for k in range(4))
            _from_sigmoid(z, dz)
            _from_tanh(u, du)
            di *= u
            df *= before[first:end]
            du *= i
            dh[:n] += g[first:end]
            t = np.tanh(cells[first:end], out=more[:n])
            do *= t
            do *= dh[:n]
            _from_tanh(t, spare)
            spare *= o
            spare *= dh[:n]
            dc[:n] += spare
            others = dz.reshape(n, 4, H)[:, :3]
            others *= dc[:n, None]
            dc[:n] *= f
            np.matmul(dz, w, out=dh[:n])
    return d, dh, dc


def gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse):
    """The gates take the place of the sums."""
    H = h0.shape[1]
    gates, w = _inputs(x, w_ih, b_ih), np.ascontiguousarray(w_hh.T)
    y, hidden = np.empty((len(x), H), x.dtype), np.empty((len(x), H), x.dtype)
    h, products = h0.copy(), np.empty((len(h0), 3 * H), x.dtype)
    rest = np.empty_like(h)
    with threads.one_blas_thread(), quiet():
        for first, end in step_rows(sizes, reverse):
            n = end - first
            z, q, new, spare = gates[first:end], hidden[first:end], y[first:end], rest[:n]
            product = np.matmul(h[:n], w, out=products[:n])
            if b_hh is not None:
                product += b_hh
            r, u = z[:, : 2 * H], z[:, 2 * H :]
            r += product[:, : 2 * H]
            _sigmoid(r)
            q[...] = product[:, 2 * H :]
            u += np.multiply(r[:, :H], q, out=spare)
            np.tanh(u, out=u)
            np.subtract(h[:n], u, out=new)
            new *= r[:, H:]
            new += u
            h[:n] = new
    return y, gates, hidden


def gru_input(g, y, h0, gates, hidden, w_hh, sizes, reverse):
    """From the last step to the first."""
    H = h0.shape[1]
    d, d_hidden = np.empty_like(gates), np.empty_like(gates)
    before, w = states_before(y, h0, sizes, reverse), np.ascontiguousarray(w_hh)
    dh, rest = np.zeros_like(h0), np.empty_like(h0)
    with threads.one_blas_thread(), quiet():
        for first, end in reversed(step_rows(sizes, reverse)):
            n = end - first
            gate, dz, dq, spare = gates[first:end], d[first:end], d_hidden[first:end], rest[:n]
            r, z, u = (gate[:, k * H : (k + 1) * H] for k in range(3))
            dh[:n] += g[first:end]
            _from_sigmoid(gate[:, : 2 * H], dz[:, : 2 * H])
            _from_tanh(u, dz[:, 2 * H :])
            dz[:, 2 * H :] *= np.subtract(1, z, out=spare)
            dz[:, H : 2 * H] *= np.subtract(before[first:end], u, out=spare)
            others = dz.reshape(n, 3, H)[:, 1:]
            others *= dh[:n, None]
            np.multiply(dz[:, 2 * H :], hidden[first:end], out=spare)
            dz[:, :H] *= spare
            dq[:, : 2 * H] = dz[:, : 2 * H]
            np.multiply(dz[:, 2 * H :], r, out=dq[:, 2 * H :])
            dh[:n] *= z
            dh[:n] += np.matmul(dq, w, out=spare)
    return d, d_hidden, dh
