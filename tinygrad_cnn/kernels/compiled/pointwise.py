"""1×1 convolutions of stride 1: a product of pixels by channels with channels by filters."""

import numpy as np

from .matmul import by_panels, is_readable


def is_pointwise(x, w_shape, y, stride, origin, groups):
    """Whether pixels of y are products with the same pixels of x, and both are matrices."""
    return (
        groups == 1
        and w_shape[2:] == (1, 1)
        and tuple(stride) == (1, 1)
        and tuple(origin) == (0, 0)
        and x.shape[2:] == y.shape[2:]
        and all(map(is_matrix, (x, y)))
    )


def is_matrix(x):
    """Whether channels are innermost, and pixels follow each other at one distance."""
    _, C, H, W = x.shape
    image, channel, row, pixel = x.strides
    one = channel == x.itemsize and pixel >= C * channel
    return one and row == W * pixel and image == H * row


def pixels(x):
    """(N·H·W, C), a view of x."""
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def pointwise(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` as a product of pixels by channels with channels by filters."""
    w = w[:, :, 0, 0]
    w = w if is_readable(w) else np.ascontiguousarray(w)
    by_panels(pixels(x), w.T, pixels(y), bias)


def pointwise_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` as a product of filters by pixels with pixels by channels."""
    return by_panels(pixels(g).T, pixels(x)).reshape(w_shape)
