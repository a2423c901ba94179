"""The calls of the pooling loops. What lies in another order than channels or images innermost, or has
as many taps as a byte cannot count, goes to `vectorized`.

A plane is pooled by itself, so images and channels may change their names: with images innermost the
loops are called with the two axes swapped.
"""

from math import prod

import numpy as np

from .. import vectorized
from . import _pool
from ._calls import FLOATS, address, images, lanes, place, share


def _suits(x):
    """Whether channels are innermost, or there is one alone."""
    return x.dtype in FLOATS and x.flags.aligned and x.size and x.strides[1] == x.itemsize


def _swapped(x):
    """Whether images are innermost, and more than channels or a vector: then the two are swapped."""
    count, channels = x.shape[:2]
    vector = count >= lanes(FLOATS[0]) and x.strides[1] != x.itemsize
    return x.strides[0] == x.itemsize and (count > channels or vector)


def _swap(shape):
    N, C, *plane = shape
    return C, N, *plane


def _flat(kernel_size, stride, padding, dilation):
    """The integers that say where the windows are."""
    (top, _), (left, _) = padding
    return *kernel_size, *stride, top, left, *dilation


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    """See `vectorized.max_pool2d`."""
    if _swapped(x):
        results = max_pool2d(x.swapaxes(0, 1), kernel_size, stride, padding, dilation, output_size)
        return tuple([result.swapaxes(0, 1) for result in results])
    if not _suits(x) or prod(kernel_size) > 255 or not prod(output_size):
        return vectorized.max_pool2d(x, kernel_size, stride, padding, dilation, output_size)
    (N, C, H, W), (P, Q) = x.shape, output_size
    y = images((N, C, P, Q), x.dtype)
    taps = images((N, C, P, Q), np.dtype(np.uint8))
    xa, sn, _, sh, sw = place(x)
    how = _flat(kernel_size, stride, padding, dilation)

    common = xa, sn, sh, sw, C, H, W, *how, address(y), address(taps), P, Q

    share(_pool.maximum, x.dtype, common, N * P, y.size * prod(kernel_size))
    return y, taps


def max_pool2d_scatter(g, taps, x_shape, kernel_size, stride, padding, dilation):
    """See `vectorized.max_pool2d_scatter`."""
    if _swapped(taps):
        g, taps = g.swapaxes(0, 1), taps.swapaxes(0, 1)
        x = max_pool2d_scatter(g, taps, _swap(x_shape), kernel_size, stride, padding, dilation)
        return x.swapaxes(0, 1)
    in_order = taps.dtype == np.uint8 and taps.transpose(0, 2, 3, 1).flags.c_contiguous
    if not (in_order and prod(x_shape) and g.dtype in FLOATS and g.size):
        return vectorized.max_pool2d_scatter(
            g, taps, x_shape, kernel_size, stride, padding, dilation
        )
    g = _channels_last(g)
    x = images(x_shape, g.dtype)
    _, C, H, W = x_shape
    P, Q = g.shape[2:]
    ga, gn, _, gh, gw = place(g)
    how = _flat(kernel_size, stride, padding, dilation)

    common = ga, gn, gh, gw, address(taps), C, H, W, *how, address(x), P, Q

    spans = zip(kernel_size, stride, dilation, strict=True)
    if all(d * (taps - 1) < s for taps, s, d in spans):
        share(_pool.scatter_apart, g.dtype, common, len(x) * P, x.size * 2)
    else:
        share(_pool.scatter, g.dtype, common, len(x) * H, x.size * 4)
    return x


def avg_pool2d(x, kernel_size, stride, padding, output_size, divisor):
    """See `vectorized.avg_pool2d`."""
    if _swapped(x):
        y = avg_pool2d(x.swapaxes(0, 1), kernel_size, stride, padding, output_size, divisor)
        return y.swapaxes(0, 1)
    if not _suits(x) or not prod(output_size):
        return vectorized.avg_pool2d(x, kernel_size, stride, padding, output_size, divisor)
    (N, C, H, W), (P, Q) = x.shape, output_size
    y = images((N, C, P, Q), x.dtype)
    divisors = np.ascontiguousarray(divisor, x.dtype)
    steps = (Q, 1) if divisors.ndim == 2 else (0, 0)
    xa, sn, _, sh, sw = place(x)
    how = _flat(kernel_size, stride, padding, ())

    common = xa, sn, sh, sw, C, H, W, *how, address(divisors), *steps, address(y), P, Q

    share(_pool.average, x.dtype, common, N * P, y.size * prod(kernel_size))
    return y


def avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor):
    """See `vectorized.avg_pool2d_input`."""
    if _swapped(g):
        swapped = g.swapaxes(0, 1), _swap(x_shape)
        return avg_pool2d_input(*swapped, kernel_size, stride, padding, divisor).swapaxes(0, 1)
    if not _suits(g) or not prod(x_shape):
        return vectorized.avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor)
    if np.ndim(divisor):  # where g repeats a number, the quotients may lie in another order
        g, divisor = _channels_last(g / np.asarray(divisor, g.dtype)), 1
    divisors = np.full(1, divisor, g.dtype)
    _, C, H, W = x_shape
    P, Q = g.shape[2:]
    x = images(x_shape, g.dtype)
    ga, gn, _, gh, gw = place(g)
    how = _flat(kernel_size, stride, padding, ())

    common = ga, gn, gh, gw, C, H, W, *how, address(divisors), address(x), P, Q

    share(_pool.spread, g.dtype, common, x.shape[0] * H, x.size * 2)
    return x


def _channels_last(g):
    """g with channels innermost."""
    if _suits(g):
        return g
    memory = images(g.shape, g.dtype.newbyteorder("="))
    memory[...] = g
    return memory
