"""Convolution with one channel and one filter a group: the calls of `loops.depthwise`.

Results have channels innermost. The filters must be finite.
"""

from functools import lru_cache

import numpy as np

from ..geometry import adjoint_phases, flipped_filters, output_size
from . import tuning
from .calls import (
    FALLBACK,
    address,
    channels_last,
    lanes,
    padded,
    pointer,
    readable,
    round_up,
    share,
    sum_over_threads,
)
from .loops import depthwise as loops

EVERY = slice(0, None, 1)


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """One pass over all windows."""
    x, w = _readable(x, w)
    plan = _forward_plan(x.shape, x.strides, x.dtype, w.shape, stride, padding, dilation)
    return _correlate(x, w, bias, *plan)


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """One pass for all phases of the stride."""
    g, w = _readable(g, w)
    plan = _adjoint_plan(g.shape, g.strides, x_shape, g.dtype, w.shape, stride, padding, dilation)
    return _correlate(g, flipped_filters(w, groups), None, *plan)


def _readable(x, w):
    dtype = np.result_type(x, w)
    return readable(x, dtype), readable(w, dtype)


def _correlate(x, w, bias, y_shape, table, integers, units, cost, nbytes):
    """y by a plan."""
    dtype, (C, _, I, J) = x.dtype, w.shape
    wide = round_up(C, lanes(dtype))
    y, factors = channels_last(y_shape, dtype), np.zeros((I, J, wide), dtype)
    factors[..., :C] = w[:, 0].transpose(1, 2, 0)
    bias = padded(bias, wide, dtype)
    common = (
        address(x), address(y), address(factors), address(bias), address(table), *integers
    )  # fmt: skip
    share(loops.forward, dtype, common, units, cost, nbytes)
    return y


def _is_in_place(shape, strides, dtype):
    return strides[1] == dtype.itemsize and not shape[1] % lanes(dtype)


def _strip_rows(N, P, row_bytes):
    """Rows of a strip, so that it stays in the cache and threads have several to share."""
    fitting = tuning.STRIP_BYTES // max(1, row_bytes)
    return max(1, min(fitting, P, -(-P * N // tuning.LEAST_UNITS)))


@lru_cache(1024)
def _forward_plan(x_shape, x_strides, dtype, w_shape, stride, padding, dilation):
    """`_plan` of a convolution: one phase, of all cells of y and all taps."""
    size = output_size(x_shape[2:], w_shape[2:], stride, padding, dilation)
    origin = [-before for before, _ in padding]
    phases = [((EVERY, EVERY), (EVERY, EVERY), origin, dilation)]
    return _plan(x_shape, x_strides, (*x_shape[:2], *size), dtype, w_shape, stride, phases)


@lru_cache(1024)
def _adjoint_plan(g_shape, g_strides, x_shape, dtype, w_shape, stride, padding, dilation):
    """`_plan` of the gradient of the input."""
    phases = adjoint_phases(x_shape[2:], w_shape[2:], stride, padding, dilation)
    return _plan(g_shape, g_strides, x_shape, dtype, w_shape, (1, 1), phases)


def _plan(x_shape, x_strides, y_shape, dtype, w_shape, stride, phases):
    """Everything in a call but addresses: computing it takes as long as a small convolution.

    (shape of y, table of phases, integers after the addresses, strips, cost, bytes of scratch
    memory); `loops.forward` says what a phase is.
    """
    N, C, H, W = x_shape
    wide, (I, J) = round_up(C, lanes(dtype)), w_shape[2:]
    yq = C
    yp = y_shape[3] * yq
    table, cost = [], 0
    for (h, v), (i, j), (top, left), (d, e) in phases:
        (h, P, s), (v, Q, t) = _indices(h, y_shape[2]), _indices(v, y_shape[3])
        (i, down, i_step), (j, along, j_step) = _indices(i, I), _indices(j, J)
        table.append(
            (h * yp + v * yq, s * yp, t * yq, P, Q, *stride, d, e, -top, -left, down, along,
             (i * J + j) * wide, i_step * J * wide, j_step * wide)
        )  # fmt: skip
        cost += N * C * P * Q * down * along * tuning.DEPTHWISE_MULTIPLY_ADDS
    in_place = _is_in_place(x_shape, x_strides, dtype)
    lowest = min(-phase[9] for phase in table)
    reach = max((phase[11] - 1) * phase[7] + 1 - phase[9] for phase in table)
    row_bytes = W * wide * dtype.itemsize
    rows = max(phase[3] for phase in table)
    strip = _strip_rows(N, rows, row_bytes * stride[0])
    strips = -(-rows // strip)
    high = min((strip - 1) * stride[0] + max(reach - lowest, 0), H)
    integers = (
        *[step // dtype.itemsize for step in x_strides], C, H, W, in_place, lowest, reach,
        stride[0], len(table), y_shape[2] * yp, strips, strip,
    )  # fmt: skip
    nbytes = 0 if in_place else high * row_bytes
    return y_shape, np.array(table, np.int64), integers, N * strips, cost, nbytes


def _indices(part, n):
    """(first, count, step) of a slice of n."""
    indices = range(n)[part]
    return indices.start, len(indices), indices.step


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """Sums over strips of each thread."""
    g, x = _readable(g, x)
    dtype, (N, C, H, W), (P, Q), (I, J) = x.dtype, x.shape, g.shape[2:], w_shape[2:]
    in_place, g_in_place = (_is_in_place(a.shape, a.strides, dtype) for a in (x, g))
    wide = round_up(C, lanes(dtype))
    row_bytes = W * wide * dtype.itemsize
    strip = _strip_rows(N, P, row_bytes * stride[0])
    high = min((strip - 1) * stride[0] + (I - 1) * dilation[0] + 1, H)
    nbytes = 0 if in_place else high * row_bytes
    nbytes += 0 if g_in_place else strip * Q * wide * dtype.itemsize
    common = (
        *pointer(x), C, H, W, in_place, *[before for before, _ in padding], *stride, *dilation, I,
        J, *pointer(g), g_in_place, P, Q, strip,
    )  # fmt: skip
    cost = N * C * P * Q * I * J * tuning.DEPTHWISE_MULTIPLY_ADDS
    units, shape = N * -(-P // strip), (I, J, wide)
    sums = sum_over_threads(loops.weight, dtype, common, units, shape, cost, nbytes)
    result = np.ascontiguousarray(sums[..., :C].transpose(2, 0, 1)[:, None])
    reach = all(map(_all_reach, x.shape[2:], g.shape[2:], (I, J), stride, padding, dilation))
    if not (np.isfinite(result).all() and (reach or np.isfinite(g).all())):
        return FALLBACK.conv2d_weight(g, x, w_shape, stride, padding, dilation, C)
    return result


def _all_reach(n, windows, taps, stride, padding, dilation):
    """Whether every window has a tap in x, so that an infinity of g shows in the result."""
    before = padding[0]
    return dilation == 1 and before < taps and (windows - 1) * stride - before < n
