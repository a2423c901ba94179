"""The calls of the pooling loops, for channels or images innermost. Other layouts, and windows of
more taps than a byte counts, go to the fallback.

A plane is pooled by itself, so images and channels can change their names: with images innermost, a
kernel calls itself with the two axes swapped.
"""

from math import prod

import numpy as np

from .calls import FALLBACK, FLOATS, address, channels_last, lanes, pointer, share
from .loops import pooling as loops


def _is_readable(x):
    """Whether the loops can read x: channels must be innermost, or there must be one."""
    return x.dtype in FLOATS and x.flags.aligned and x.size and x.strides[1] == x.itemsize


def _images_innermost(x):
    """Whether images are innermost, and more than the channels or than a vector holds."""
    count, channels = x.shape[:2]
    vector = count >= lanes(FLOATS[0]) and x.strides[1] != x.itemsize
    return x.strides[0] == x.itemsize and (count > channels or vector)


def _swapped(shape):
    N, C, *plane = shape
    return C, N, *plane


def _window_integers(kernel_size, stride, padding, dilation):
    """The loops' arguments that say where the windows are."""
    (top, _), (left, _) = padding
    return *kernel_size, *stride, top, left, *dilation


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    """One pass, from window to window."""
    if _images_innermost(x):
        results = max_pool2d(x.swapaxes(0, 1), kernel_size, stride, padding, dilation, output_size)
        return tuple([result.swapaxes(0, 1) for result in results])
    if not _is_readable(x) or prod(kernel_size) > 255 or not prod(output_size):
        return FALLBACK.max_pool2d(x, kernel_size, stride, padding, dilation, output_size)
    (N, C, H, W), (P, Q) = x.shape, output_size
    y = channels_last((N, C, P, Q), x.dtype)
    taps = channels_last((N, C, P, Q), np.dtype(np.uint8))
    at, sn, _, sh, sw = pointer(x)
    windows = _window_integers(kernel_size, stride, padding, dilation)
    common = at, sn, sh, sw, C, H, W, *windows, address(y), address(taps), 0, 0, P, Q
    share(loops.maximum, x.dtype, common, N * P, y.size * prod(kernel_size))
    return y, taps


def max_pool2d_scatter(g, taps, x_shape, kernel_size, stride, padding, dilation):
    """One pass: from cell to cell, or from window to window where they share no cell."""
    if _images_innermost(taps):
        g, taps, shape = g.swapaxes(0, 1), taps.swapaxes(0, 1), _swapped(x_shape)
        return max_pool2d_scatter(
            g, taps, shape, kernel_size, stride, padding, dilation
        ).swapaxes(0, 1)  # fmt: skip
    in_order = taps.dtype == np.uint8 and taps.transpose(0, 2, 3, 1).flags.c_contiguous
    if not (in_order and prod(x_shape) and g.dtype in FLOATS and g.size):
        return FALLBACK.max_pool2d_scatter(g, taps, x_shape, kernel_size, stride, padding, dilation)
    g = _channels_innermost(g)
    x = channels_last(x_shape, g.dtype)
    _, C, H, W = x_shape
    P, Q = g.shape[2:]
    at, gn, _, gh, gw = pointer(g)
    windows = _window_integers(kernel_size, stride, padding, dilation)
    common = at, gn, gh, gw, address(taps), C, H, W, *windows, address(x), P, Q
    spans = zip(kernel_size, stride, dilation, strict=True)
    if all([d * (taps - 1) < s for taps, s, d in spans]):
        share(loops.scatter_apart, g.dtype, common, len(x) * P, x.size * 2)
    else:
        share(loops.scatter, g.dtype, common, len(x) * H, x.size * 4)
    return x


def avg_pool2d(x, kernel_size, stride, padding, output_size, divisor):
    """One pass, from window to window."""
    if _images_innermost(x):
        y = avg_pool2d(x.swapaxes(0, 1), kernel_size, stride, padding, output_size, divisor)
        return y.swapaxes(0, 1)
    if not _is_readable(x) or not prod(output_size):
        return FALLBACK.avg_pool2d(x, kernel_size, stride, padding, output_size, divisor)
    (N, C, H, W), (P, Q) = x.shape, output_size
    y = channels_last((N, C, P, Q), x.dtype)
    divisors = np.ascontiguousarray(divisor, x.dtype)
    steps = (Q, 1) if divisors.ndim == 2 else (0, 0)
    at, sn, _, sh, sw = pointer(x)
    windows = _window_integers(kernel_size, stride, padding, (1, 1))
    common = at, sn, sh, sw, C, H, W, *windows, address(y), address(divisors), *steps, P, Q
    share(loops.average, x.dtype, common, N * P, y.size * prod(kernel_size))
    return y


def avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor):
    """One pass, from cell to cell."""
    if _images_innermost(g):
        g, shape = g.swapaxes(0, 1), _swapped(x_shape)
        return avg_pool2d_input(g, shape, kernel_size, stride, padding, divisor).swapaxes(0, 1)
    if not _is_readable(g) or not prod(x_shape):
        return FALLBACK.avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor)
    if np.ndim(divisor):  # if g repeats numbers, the quotients may have another layout
        g, divisor = _channels_innermost(g / np.asarray(divisor, g.dtype)), 1
    divisors = np.full(1, divisor, g.dtype)
    _, C, H, W = x_shape
    P, Q = g.shape[2:]
    x = channels_last(x_shape, g.dtype)
    at, gn, _, gh, gw = pointer(g)
    windows = _window_integers(kernel_size, stride, padding, (1, 1))
    common = at, gn, gh, gw, address(divisors), C, H, W, *windows, address(x), P, Q
    share(loops.spread, g.dtype, common, x.shape[0] * H, x.size * 2)
    return x


def _channels_innermost(g):
    """g in a layout that the loops can read."""
    if _is_readable(g):
        return g
    memory = channels_last(g.shape, g.dtype.newbyteorder("="))
    memory[...] = g
    return memory
