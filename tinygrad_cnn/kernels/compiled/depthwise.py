"""The calls of `_depthwise`: convolution with one channel and one filter a group.

Their arguments and results are those of `vectorized`, but for the groups; y and x̄ lie with channels
innermost.
"""

from functools import lru_cache
from itertools import product

import numpy as np

from .. import vectorized
from . import _depthwise
from ._calls import (
    add_up,
    address,
    images,
    lanes,
    padded,
    place,
    ready,
    share,
    whole,
)

PATCH_BYTES = 1 << 17  # of x gone through at once, or brought into place
EACH = 3  # multiply-adds of a product in whose time there is one here


def conv2d(x, w, bias, stride, padding, dilation):
    """See `vectorized.conv2d`."""
    dtype = np.result_type(x, w)
    if not np.isfinite(w).all():  # outside of x nothing is multiplied by zero, which would be NaN
        return vectorized.conv2d(x, w, bias, stride, padding, dilation, len(w))
    return _correlate(
        False, ready(x, dtype), ready(w, dtype), bias, None, *_hashable(stride, padding, dilation)
    )


def conv2d_input(g, w, x_shape, stride, padding, dilation):
    """See `vectorized.conv2d_input`: for each remainder of a cell's row and column a convolution."""
    dtype = np.result_type(g, w)
    if not np.isfinite(w).all():
        return vectorized.conv2d_input(g, w, x_shape, stride, padding, dilation, len(w))
    turned = ready(w, dtype)[:, :, ::-1, ::-1]
    return _correlate(
        True, ready(g, dtype), turned, None, tuple(x_shape), *_hashable(stride, padding, dilation)
    )


def _hashable(stride, padding, dilation):
    return tuple(stride), tuple(map(tuple, padding)), tuple(dilation)


def _correlate(adjoint, x, w, bias, y_shape, stride, padding, dilation):
    dtype, (C, _, I, J) = x.dtype, w.shape
    wide = whole(C, lanes(dtype))
    y_shape, table, integers, units, cost, nbytes = _plan(
        adjoint, x.shape, x.strides, y_shape, dtype, (I, J), stride, padding, dilation
    )
    y, factors = images(y_shape, dtype), np.zeros((I, J, wide), dtype)
    factors[..., :C] = w[:, 0].transpose(1, 2, 0)
    bias = padded(bias, wide, dtype)
    common = (
        address(x), address(y), address(factors), address(bias), address(table), *integers
    )  # fmt: skip
    share(_depthwise.forward, dtype, common, units, cost, nbytes)
    return y


def _is_in_place(shape, strides, dtype):
    return strides[1] == dtype.itemsize and not shape[1] % lanes(dtype)


def _strips(N, P, row_bytes):
    """(strips of an image, rows of one): what they hold stays in the cache, and there are some."""
    strip = max(1, min(PATCH_BYTES // max(1, row_bytes), P, -(-P * N // 8)))
    return -(-P // strip), strip


@lru_cache(1024)
def _plan(adjoint, x_shape, x_strides, y_shape, dtype, kernel, stride, padding, dilation):
    """What a call depends on besides addresses: it takes as long as a small convolution.

    (shape of y, phases, integers after the addresses, strips, cost, bytes of scratch memory).
    """
    axes = zip(
        (y_shape if adjoint else x_shape)[2:], kernel, stride, padding, dilation, strict=True
    )
    if adjoint:
        axes, apart = [list(vectorized._phases(*axis)) for axis in axes], (1, 1)
    else:
        apart, size = stride, []
        axes = list(axes)
        size = [(n + sum(pad) - d * (taps - 1) - 1) // s + 1 for n, taps, s, pad, d in axes]
        y_shape = *x_shape[:2], *size
        every = slice(0, None, 1)
        axes = [[(every, every, -pad[0], d)] for _, _, _, pad, d in axes]
    N, C, H, W = x_shape
    wide, (I, J) = whole(C, lanes(dtype)), kernel
    yq = C
    yp = y_shape[3] * yq
    phases, cost = [], 0
    for (h, i, top, d), (v, j, left, e) in product(*axes):
        (h, P, s), (v, Q, t) = _of(h, y_shape[2]), _of(v, y_shape[3])
        (i, down, i_step), (j, along, j_step) = _of(i, I), _of(j, J)
        to, of = h * yp + v * yq, (i * J + j) * wide
        phases.append(
            (to, s * yp, t * yq, P, Q, *apart, d, e, -top, -left, down, along, of, i_step * J * wide,
             j_step * wide)
        )  # fmt: skip
        cost += N * C * P * Q * down * along * EACH
    bare = _is_in_place(x_shape, x_strides, dtype)
    lowest = min(-phase[9] for phase in phases)
    reach = max((phase[11] - 1) * phase[7] + 1 - phase[9] for phase in phases)
    row_bytes = W * wide * dtype.itemsize
    strips, strip = _strips(N, max(phase[3] for phase in phases), row_bytes * apart[0])
    high = min((strip - 1) * apart[0] + max(reach - lowest, 0), H)
    integers = (
        *[stride // dtype.itemsize for stride in x_strides], C, H, W, bare, lowest, reach, apart[0],
        len(phases), y_shape[2] * yp, strips, strip,
    )  # fmt: skip
    nbytes = 0 if bare else high * row_bytes
    return y_shape, np.array(phases, np.int64), integers, N * strips, cost, nbytes


def _of(part, n):
    """(first, how many, step) of a slice of n."""
    indices = range(n)[part]
    return indices.start, len(indices), indices.step


def conv2d_weight(g, x, w_shape, stride, padding, dilation):
    """See `vectorized.conv2d_weight`."""
    dtype, (N, C, H, W), (P, Q), (I, J) = (
        np.result_type(g, x), x.shape, g.shape[2:], w_shape[2:]
    )  # fmt: skip
    g, x = ready(g, dtype), ready(x, dtype)
    bare, g_bare = (_is_in_place(a.shape, a.strides, dtype) for a in (x, g))
    wide = whole(C, lanes(dtype))
    row_bytes = W * wide * dtype.itemsize
    strips, strip = _strips(N, P, row_bytes * stride[0])
    high = min((strip - 1) * stride[0] + (I - 1) * dilation[0] + 1, H)
    nbytes = 0 if bare else high * row_bytes
    nbytes += 0 if g_bare else strip * Q * wide * dtype.itemsize

    common = (
        *place(x), C, H, W, bare, *[before for before, _ in padding], *stride, *dilation, I, J, *place(g),
        g_bare, P, Q, strips, strip,
    )  # fmt: skip
    sums = add_up(
        _depthwise.weight,
        dtype,
        common,
        N * strips,
        (I, J, wide),
        N * C * P * Q * I * J * EACH,
        nbytes,
    )
    result = np.ascontiguousarray(sums[..., :C].transpose(2, 0, 1)[:, None])
    reach = all(map(_all_reach, x.shape[2:], g.shape[2:], (I, J), stride, padding, dilation))
    if not (np.isfinite(result).all() and (reach or np.isfinite(g).all())):
        return vectorized.conv2d_weight(g, x, w_shape, stride, padding, dilation, C)
    return result


def _all_reach(n, windows, taps, stride, padding, dilation):
    """Whether every window has a tap in x, so that no infinity of g goes unseen."""
    before = padding[0]
    return dilation == 1 and before < taps and (windows - 1) * stride - before < n
