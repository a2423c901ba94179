"""Recurrent layers: one op for all steps of one direction of a layer.

x (rows, I) holds the rows of N packed sequences, and `sizes` says how many sequences reach each step
(kernels/sequences.py). Without packing all of them reach every step. The weights of k gates are
w_ih (k H, I) and w_hh (k H, H), the biases (k H,) or None. States are (N, H).

Back-propagation through time (Werbos 1990). The sums of a step, s = W_ih x + b_ih + W_hh h' + b_hh,
give the state h = φ(s, h') of a sequence, where h' is the state one step before. h enters the output
and the sums of the next step, so from the last step to the first

    h̄ = ȳ + W_hhᵀ s̄₊ + h̄₊ ∂h₊/∂h,        s̄ = h̄ ∂h/∂s

with the next step's values s₊ and h₊. The last term is there where h' enters h directly. A kernel
runs that loop, once for all vjps, and what is left are products over all steps:

    x̄ = s̄ W_ih        W̄_ih = Σ s̄ᵀ x        W̄_hh = Σ s̄ᵀ h'        b̄ = Σ s̄        h̄0 = h̄' of the first step
"""

from __future__ import annotations

from .. import kernels
from ..engine import op
from .elementwise import relu as relu_op, sigmoid, tanh
from .linear import linear
from .precision import in_float32, vjp_in_float32
from .shape import cat, getitem

__all__ = ["gru", "lstm", "lstm_steps", "rnn"]


def _x(g, deltas, w_ih):
    return kernels.matmul(deltas[0], w_ih)  # (rows, k H) (k H, I)


def _w_ih(g, deltas, x):
    return kernels.matmul(deltas[0].T, x)  # (k H, rows) (rows, I)


def _w_hh(g, deltas, y, h0, sizes, reverse):
    before = kernels.states_before(y[: len(deltas[0])], h0, sizes, reverse)
    return kernels.matmul(deltas[1].T, before)  # (k H, rows) (rows, H)


def _b_ih(g, deltas):
    return kernels.sum_over(deltas[0], (0,))[0]


def _b_hh(g, deltas):
    return kernels.sum_over(deltas[1], (0,))[0]


def _register(record, **states):
    """The vjps of the inputs; those of the states are given. `deltas` begins with s̄ for x and h'."""
    vjps = {"x": _x, "w_ih": _w_ih, "w_hh": _w_hh, "b_ih": _b_ih, "b_hh": _b_hh, **states}
    record.defvjp(**{name: vjp_in_float32(vjp) for name, vjp in vjps.items()})


# --- The same layers out of simpler ops -----------------------------------------------------------


def _steps(step, x, states, w_ih, b_ih, sizes, reverse):
    """step(s, *states) for each step, s = x W_ihᵀ + b_ih of its rows: h of all rows; the last states.

    `states` are Tensors (N, H), and `step` returns new ones, h first.
    """
    sums, found = linear(x, w_ih, b_ih), {}
    for first, end in kernels.step_rows(sizes, reverse):
        ends = slice(0, end - first), slice(end - first, sizes[0])
        now = step(
            getitem(sums, index=slice(first, end)), *(getitem(s, index=ends[0]) for s in states)
        )
        found[first] = now[0]
        if end - first < sizes[0]:  # the other sequences keep their states
            now = [
                cat(new, getitem(s, index=ends[1]), dim=0)
                for new, s in zip(now, states, strict=True)
            ]
        states = now
    return cat(*(found[first] for first in sorted(found)), dim=0), states


def _parts(s, count):
    """The gates of a sum."""
    H = s.shape[1] // count
    return [getitem(s, index=(slice(None), slice(k * H, (k + 1) * H))) for k in range(count)]


def _rnn_composite(x, h0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse, relu):
    def step(s, h):
        return [(relu_op if relu else tanh)(s + linear(h, w_hh, b_hh))]

    return _steps(step, x, [h0], w_ih, b_ih, sizes, reverse)[0]


def lstm_steps(x, h0, c0, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None, *, sizes, reverse):
    """`lstm` out of simpler ops, with a projection: h = W_hr (o tanh c), for W_hr (P, H) and h (P).

    Returns h of each row (rows, P), and the last states h (N, P) and c (N, H).
    """

    def step(s, h, c):
        i, f, u, o = _parts(s + linear(h, w_hh, b_hh), 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh(u)
        h = sigmoid(o) * tanh(c)
        return [h if w_hr is None else linear(h, w_hr, None), c]

    y, states = _steps(step, x, [h0, c0], w_ih, b_ih, sizes, reverse)
    return y, *states


def _lstm_composite(x, h0, c0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse):
    y, _, c = lstm_steps(x, h0, c0, w_ih, w_hh, b_ih, b_hh, sizes=sizes, reverse=reverse)
    return cat(y, c, dim=0)


def _gru_composite(x, h0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse):
    def step(s, h):
        (r, z, u), (r_h, z_h, q) = _parts(s, 3), _parts(linear(h, w_hh, b_hh), 3)
        z, u = sigmoid(z + z_h), tanh(u + sigmoid(r + r_h) * q)
        return [u + z * (h - u)]

    return _steps(step, x, [h0], w_ih, b_ih, sizes, reverse)[0]


# --- The ops --------------------------------------------------------------------------------------


def _rnn_deltas(g, y, w_hh, sizes, reverse, relu):
    """s̄, which serves x and h', and h̄0."""
    d, h0 = kernels.rnn_input(g, y, w_hh, sizes, reverse, relu)
    return d, d, h0


@op(
    composite=vjp_in_float32(_rnn_composite),
    shared={"deltas": vjp_in_float32(_rnn_deltas)},
)
@in_float32
def rnn(x, h0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse, relu):
    """y[row] = h = tanh(s), or max(0, s) with `relu`, for the sums s of the row: (rows, H).

    s̄ = h̄ (1 − h²), or h̄ [h > 0]: at the kink s = 0 the subgradient 0. The rest is above.
    """
    return kernels.rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, relu)


_register(rnn, h0=lambda g, deltas: deltas[2])


def _lstm_deltas(g, gates, cells, c0, w_hh, sizes, reverse):
    """s̄, which serves x and h', then h̄0 and c̄0."""
    d, h0, of_c0 = kernels.lstm_input(g, gates, cells, c0, w_hh, sizes, reverse)
    return d, d, h0, of_c0


@op(
    residuals=("gates", "cells"),
    composite=vjp_in_float32(_lstm_composite),
    shared={"deltas": vjp_in_float32(_lstm_deltas)},
)
@in_float32
def lstm(x, h0, c0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse):
    """y[row] = h = o tanh(c) with c = f c' + i u; after the rows, the last c of each sequence.

    i, f, o = σ(s) and u = tanh(s) are the gates, in the order i, f, u, o of the sums s (4 H). y is
    (rows + N, H). (Hochreiter and Schmidhuber 1997; Gers et al. 2000.)

    c has a path of its own through time: c̄ = h̄ o (1 − tanh² c) + c̄₊ f₊, or for the last step of a
    sequence c̄ of y instead of c̄₊ f₊. Then, as σ' = σ (1 − σ) and tanh' = 1 − tanh²,

    s̄_i = c̄ u i (1 − i)    s̄_f = c̄ c' f (1 − f)    s̄_u = c̄ i (1 − u²)    s̄_o = h̄ tanh(c) o (1 − o)

    and c̄0 = c̄ f of the first step.
    """
    return kernels.lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, sizes, reverse)


_register(lstm, h0=lambda g, deltas: deltas[2], c0=lambda g, deltas: deltas[3])


def _gru_deltas(g, y, h0, gates, hidden, w_hh, sizes, reverse):
    """s̄ for x, s̄ for h', and h̄0."""
    return kernels.gru_input(g, y, h0, gates, hidden, w_hh, sizes, reverse)


@op(
    residuals=("gates", "hidden"),
    composite=vjp_in_float32(_gru_composite),
    shared={"deltas": vjp_in_float32(_gru_deltas)},
)
@in_float32
def gru(x, h0, w_ih, w_hh, b_ih=None, b_hh=None, *, sizes, reverse):
    """y[row] = h = (1 − z) u + z h' with u = tanh(s_u + r q), r and z = σ(s + q): (rows, H).

    s = W_ih x + b_ih and q = W_hh h' + b_hh (3 H) have the order r, z, u. (Cho et al. 2014; r is
    applied after the product with W_hh.) Of h̄:

    s̄_z = h̄ (h' − u) z (1 − z)    s̄_u = h̄ (1 − z) (1 − u²)    s̄_r = s̄_u q_u r (1 − r)

    q̄ is s̄, but q̄_u = s̄_u r, and takes the place of s̄ in W̄_hh, b̄_hh and h̄. h' enters h directly too:
    ∂h/∂h' has the term z.
    """
    return kernels.gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse)


_register(gru, h0=lambda g, deltas: deltas[2])
