"""Recurrent layers: all steps of some sequences, from the sums of the inputs on, and back.

A thread takes its sequences through all steps, so no thread waits for another, and the weights stay
in its cache. They are panels (`product`): (H, k H) for k gates, and (k H, H) on the way back.

`steps` has two integers for each step, in the order of the forward pass: its first row, and how many
sequences reach it. Rows of sums are `wide` elements apart and those of dh `deep`, multiples of the
width of a panel: a product reads whole vectors of what it adds to.
"""

from ..code import emit
from ..exponential import sigmoid, tanh
from ..jit import jit, part
from ..scalars import clear, get_integer, lanes_of, size_of
from .product import ZEROS_BYTES, along


@part
def _step(steps, t, first, last):
    """(row of the sequence `first` in step t, how many sequences up to `last` reach the step)."""
    return get_integer(steps + 16 * t) + first, min(get_integer(steps + 16 * t + 8), last) - first


@part
def _before(zero, states, initial, steps, t, n, H):
    """The address of the state of sequence n before step t."""
    if t > 0 and n < get_integer(steps + 16 * t - 8):
        return states + (get_integer(steps + 16 * t - 16) + n) * H * size_of(zero)
    return initial + n * H * size_of(zero)


@part
def _multiply(
    zero, a, a_row, w, terms, width, y, y_row, start, start_row, start_step, columns, rows, zeros
):  # fmt: skip
    """y = start + a w, panel by panel. `start_step` is 0 if all panels start from one row of 0."""
    size, lanes = size_of(zero), lanes_of(zero)
    for n in range(0, columns, width):
        some = min(width, columns - n)
        along(
            zero, width if some > lanes else lanes, a, a_row, zeros, w + n * terms * size, 0, width,
            y + n * size, y_row, start + n * start_step * size, start_row, terms, 1, some, rows,
        )  # fmt: skip


def _row(build):
    """A function for compiled code of addresses and H: `build(code, load, store)` along H elements.

    `load(a, k)` and `store(vector, a, k)` are of part k, of H elements, of the row at address a.
    """

    @emit
    def emitted(code, *integers):
        *rows, H = integers
        wholes, rest = code.divided(H, code.lanes)

        def one(addresses, mask):
            def place(a, k):
                return code.at(addresses[a], code.times(k, H))

            def load(a, k=0):
                return code.load(place(a, k), mask)

            def store(vector, a, k=0):
                code.store(vector, place(a, k), mask)

            build(code, load, store)

        walks = [(row, code.bytes_of(code.lanes)) for row in rows]
        with code.loop(wholes, *walks) as addresses:
            one(addresses, None)
        with code.when(code.less(0, rest)):
            one(addresses, code.mask(rest))

    return emitted


def _slope(code, s):
    """s (1 − s), the derivative of a sigmoid."""
    return s * (code.constant(1.0) - s)


def _slope_of_tanh(code, t):
    """1 − t²"""
    return code.constant(1.0) - t * t


# --- RNN ------------------------------------------------------------------------------------------


def _rnn(relu):
    @_row
    def cell(code, load, store):
        s = load(0)
        if relu:
            zero = code.constant(0.0)
            s = code.select(code.less_equal(s, zero), zero, s)
        else:
            s = tanh(code, s)
        store(s, 1)
        store(s, 2)

    @jit
    def kernel(zero, z, wide, w, width, h, y, steps, count, H, first, last, scratch):
        size, line = size_of(zero), H * size_of(zero)
        clear(scratch, ZEROS_BYTES)
        for t in range(count):
            row, n = _step(steps, t, first, last)
            sums, states = z + row * wide * size, h + first * line
            if n > 0:
                _multiply(
                    zero, states, H, w, H, width, sums, wide, sums, wide, 1, H, n, scratch
                )  # fmt: skip
            for k in range(n):
                cell(zero, sums + k * wide * size, states + k * line, y + (row + k) * line, H)

    return kernel


def _rnn_input(relu):
    @_row
    def cell(code, load, store):
        g, y = load(0) + load(2), load(1)
        if relu:
            zero = code.constant(0.0)
            store(code.select(code.less_equal(y, zero), zero, g), 3)
        else:
            store(g * _slope_of_tanh(code, y), 3)

    @jit
    def kernel(zero, g, y, w, width, dh, deep, d, steps, count, H, first, last, scratch):
        size, line = size_of(zero), H * size_of(zero)
        clear(scratch, ZEROS_BYTES)
        for t in range(count - 1, -1, -1):
            row, n = _step(steps, t, first, last)
            at, grown = row * line, dh + first * deep * size
            for k in range(n):
                cell(
                    zero, g + at + k * line, y + at + k * line, grown + k * deep * size,
                    d + at + k * line, H
                )  # fmt: skip
            if n > 0:
                _multiply(
                    zero, d + at, H, w, H, width, grown, deep, scratch, 0, 0, H, n, scratch
                )  # fmt: skip

    return kernel


rnn_tanh, rnn_relu = _rnn(False), _rnn(True)
rnn_tanh_input, rnn_relu_input = _rnn_input(False), _rnn_input(True)


# --- LSTM -----------------------------------------------------------------------------------------


@_row
def _lstm_cell(code, load, store):
    """Rows: sums, c, c of the step, h, h of the step."""
    i, f, o = (sigmoid(code, load(0, k)) for k in (0, 1, 3))
    u = tanh(code, load(0, 2))
    c = code.fma(f, load(1), i * u)
    h = o * tanh(code, c)
    for k, gate in enumerate((i, f, u, o)):
        store(gate, 0, k)
    store(c, 1)
    store(c, 2)
    store(h, 3)
    store(h, 4)


@_row
def _lstm_cell_input(code, load, store):
    """Rows: g, gates, c, c before, dh, dc, d."""
    i, f, u, o = (load(1, k) for k in range(4))
    t, h = tanh(code, load(2)), load(0) + load(4)
    c = code.fma(h * o, _slope_of_tanh(code, t), load(5))
    store(c * u * _slope(code, i), 6, 0)
    store(c * load(3) * _slope(code, f), 6, 1)
    store(c * i * _slope_of_tanh(code, u), 6, 2)
    store(h * t * _slope(code, o), 6, 3)
    store(c * f, 5)


@jit
def lstm(zero, z, wide, w, width, h, c, cells, y, steps, count, H, first, last, scratch):
    """The gates take the place of the sums z."""
    size, line = size_of(zero), H * size_of(zero)
    clear(scratch, ZEROS_BYTES)
    for t in range(count):
        row, n = _step(steps, t, first, last)
        sums, states, at = z + row * wide * size, first * line, row * line
        if n > 0:
            _multiply(
                zero, h + states, H, w, H, width, sums, wide, sums, wide, 1, 4 * H, n, scratch
            )  # fmt: skip
        for k in range(n):
            _lstm_cell(
                zero, sums + k * wide * size, c + states + k * line, cells + at + k * line,
                h + states + k * line, y + at + k * line, H
            )  # fmt: skip


@jit
def lstm_input(
    zero, g, z, wide, w, width, cells, c0, dh, deep, dc, d, steps, count, H, first, last, scratch
):  # fmt: skip
    """dh and dc are 0, or the gradients of the last states, at first; of the first ones at last."""
    size, line = size_of(zero), H * size_of(zero)
    clear(scratch, ZEROS_BYTES)
    for t in range(count - 1, -1, -1):
        row, n = _step(steps, t, first, last)
        grown = dh + first * deep * size
        for k in range(n):
            at = (row + k) * line
            _lstm_cell_input(
                zero, g + at, z + (row + k) * wide * size, cells + at,
                _before(zero, cells, c0, steps, t, first + k, H), grown + k * deep * size,
                dc + (first + k) * line, d + 4 * at, H
            )  # fmt: skip
        if n > 0:
            _multiply(
                zero, d + 4 * row * line, 4 * H, w, 4 * H, width, grown, deep, scratch, 0, 0, H, n,
                scratch
            )  # fmt: skip


# --- GRU ------------------------------------------------------------------------------------------


@_row
def _gru_cell(code, load, store):
    """Rows: sums of x, sums of h, h, the last part of the sums of h, h of the step."""
    r, z = (sigmoid(code, load(0, k) + load(1, k)) for k in (0, 1))
    q = load(1, 2)
    u = tanh(code, code.fma(r, q, load(0, 2)))
    h = code.fma(z, load(2) - u, u)
    for k, gate in enumerate((r, z, u)):
        store(gate, 0, k)
    store(h, 2)
    store(q, 3)
    store(h, 4)


@_row
def _gru_cell_input(code, load, store):
    """Rows: g, gates, the last part of the sums of h, h before, dh, d, d of the sums of h."""
    r, z, u = (load(1, k) for k in range(3))
    h = load(0) + load(4)
    of_u = (h - h * z) * _slope_of_tanh(code, u)
    of_z = h * (load(3) - u) * _slope(code, z)
    of_r = of_u * load(2) * _slope(code, r)
    for k, (of_x, of_h) in enumerate(((of_r, of_r), (of_z, of_z), (of_u, of_u * r))):
        store(of_x, 5, k)
        store(of_h, 6, k)
    store(h * z, 4)


@jit
def gru(zero, z, wide, w, width, bias, q, h, hidden, y, steps, count, H, first, last, scratch):
    """The gates take the place of the sums z. q has a row of sums for each sequence."""
    size, line = size_of(zero), H * size_of(zero)
    clear(scratch, ZEROS_BYTES)
    for t in range(count):
        row, n = _step(steps, t, first, last)
        states, at, products = first * line, row * line, q + first * wide * size
        if n > 0:
            _multiply(
                zero, h + states, H, w, H, width, products, wide, bias, 0, 1, 3 * H, n, scratch
            )  # fmt: skip
        for k in range(n):
            _gru_cell(
                zero, z + (row + k) * wide * size, products + k * wide * size,
                h + states + k * line, hidden + at + k * line, y + at + k * line, H
            )  # fmt: skip


@jit
def gru_input(
    zero, g, y, h0, z, wide, hidden, w, width, dh, deep, d, d_hidden, steps, count, H, first, last,
    scratch
):  # fmt: skip
    """dh is 0 at first, and the gradient of h0 at last."""
    size, line = size_of(zero), H * size_of(zero)
    clear(scratch, ZEROS_BYTES)
    for t in range(count - 1, -1, -1):
        row, n = _step(steps, t, first, last)
        grown = dh + first * deep * size
        for k in range(n):
            at = (row + k) * line
            _gru_cell_input(
                zero, g + at, z + (row + k) * wide * size, hidden + at,
                _before(zero, y, h0, steps, t, first + k, H), grown + k * deep * size, d + 3 * at,
                d_hidden + 3 * at, H
            )  # fmt: skip
        if n > 0:
            _multiply(
                zero, d_hidden + 3 * row * line, 3 * H, w, 3 * H, width, grown, deep, grown, deep, 1,
                H, n, scratch
            )  # fmt: skip
