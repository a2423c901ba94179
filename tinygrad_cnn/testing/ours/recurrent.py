"""Calls and references of the recurrent layers: one sequence after the other, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators
from ..values import Array, Shape, separated


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _sum(weight: Array, x: Array, bias: Array | None) -> Array:
    return np.asarray(weight @ x + (0 if bias is None else bias))


def _sequences(sizes: Shape, reverse: bool) -> Iterator[tuple[int, list[int]]]:
    """(number, its rows in the order of processing) of each sequence."""
    starts = [sum(sizes[:t]) for t in range(len(sizes))]
    for n in range(sizes[0]):
        rows = [start + n for start, size in zip(starts, sizes, strict=True) if n < size]
        yield n, rows[::-1] if reverse else rows


def rnn(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None = None,
    b_hh: Array | None = None, *,
    sizes: Shape, reverse: bool, relu: bool,
) -> Array:  # fmt: skip
    """h = φ(W x + b + W' h + b')"""
    y = np.zeros((len(x), h0.shape[1]))
    for n, rows in _sequences(sizes, reverse):
        h = h0[n]
        for row in rows:
            s = _sum(w_ih, x[row], b_ih) + _sum(w_hh, h, b_hh)
            y[row] = h = np.where(s > 0, s, 0) if relu else np.tanh(s)
    return y


def lstm(
    x: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None = None,
    b_hh: Array | None = None, *,
    sizes: Shape, reverse: bool,
) -> Array:  # fmt: skip
    """c = f c + i u, h = o tanh(c); h of all rows, then the last c."""
    y, last = np.zeros((len(x), h0.shape[1])), c0.copy()
    for n, rows in _sequences(sizes, reverse):
        h, c = h0[n], c0[n]
        for row in rows:
            i, f, u, o = np.split(_sum(w_ih, x[row], b_ih) + _sum(w_hh, h, b_hh), 4)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(u)
            y[row] = h = _sigmoid(o) * np.tanh(c)
        last[n] = c
    return np.concatenate([y, last])


def gru(
    x: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None = None,
    b_hh: Array | None = None, *,
    sizes: Shape, reverse: bool,
) -> Array:  # fmt: skip
    """h = (1 − z) u + z h, u = tanh(x_u + r q)."""
    y = np.zeros((len(x), h0.shape[1]))
    for n, rows in _sequences(sizes, reverse):
        h = h0[n]
        for row in rows:
            (r, z, u), (r_h, z_h, q) = (
                np.split(s, 3) for s in (_sum(w_ih, x[row], b_ih), _sum(w_hh, h, b_hh))
            )
            z, u = _sigmoid(z + z_h), np.tanh(u + _sigmoid(r + r_h) * q)
            y[row] = h = (1 - z) * u + z * h
    return y


@st.composite
def recurrences(draw: st.DrawFn, gates: int, states: int = 1, relu: bool = False) -> Call:
    """Packed sequences of up to three steps, with and without biases.

    With `relu` the op has that attribute. Its weights and states are then positive, and so are all
    sums, of which none is near the kink; or x is very negative, and so are they.
    """
    sizes = tuple(sorted(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), reverse=True))
    I, H = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    attributes: dict[str, Any] = {"sizes": sizes, "reverse": draw(st.booleans())}
    rectified = relu and draw(st.booleans())
    low = 0.2 if rectified else -1.5
    rng, count = draw(generators()), draw(st.sampled_from([0, 1, 2]))
    many, rows = sizes[0], sum(sizes)
    shapes = [(rows, I), *[(many, H)] * states, (gates * H, I), (gates * H, H)]
    biases: list[Any] = [(gates * H,)] * count
    inputs: list[Any] = separated(rng, *shapes, *biases, low=low, high=1.5)
    if relu:
        attributes["relu"] = rectified
        if rectified and draw(st.booleans()):
            inputs[0] -= 12.0 + 20.0 / I
    if count == 1 and draw(st.booleans()):
        inputs.insert(-1, None)  # b_hh alone
    return Call(tuple(inputs), attributes)


_AT_KINK = Call(
    tuple(np.array(v) for v in ([[1.0], [1.0]], [[0.0], [0.0]], [[0.0]], [[2.0]])),
    {"sizes": (2,), "reverse": False, "relu": True},
)
register_strategy(
    "rnn",
    recurrences(1, relu=True),
    reference=rnn,
    conventions=[(_AT_KINK, "h0", [[0.0], [0.0]])],
)
register_strategy("lstm", recurrences(4, states=2), reference=lstm)
register_strategy("gru", recurrences(3), reference=gru)
