"""The gradient of an input of few channels, such as an image.

A convolution would have one filter for each of these channels, and most of a vector would be empty.
So a product gives for each pixel of g what it adds to all cells of its window, I·J·C numbers, and
these are added up. The numbers of a row of the window are contiguous in x too.
"""

from ..code import emit
from ..jit import jit
from ..scalars import clear, lanes_of, move, size_of
from .patch import fill_patch, strip_of
from .product import ZEROS_BYTES, along


@emit
def _add(code, of, of_step, to, to_step, n, count):
    """to[k] += of[k] for k < n in a vector, `count` times, at addresses that many bytes further.

    The other lanes of `to` are written too, unchanged.
    """
    mask = code.mask(n)
    with code.loop(count, (of, of_step), (to, to_step)) as (source, target):
        code.store(code.load(source, mask) + code.load(target), target)


@jit
def spread(
    zero, g, gn, gc, gh, gw, F, P, Q, w, width, panels, s, t, d, e, I, J, top, left, C, x, H, W,
    high, first, last, scratch,
):  # fmt: skip
    """The blocks first to last of x (N, H, W, C), `high` rows each, counted over n, h.

    w is (panels, F, width), with I·J·C columns.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    deep = panels * width
    columns = max((Q - 1) * t + (J - 1) * e + 1, W + left)
    runs, run = (1, J * C) if e == 1 else (J, C)
    row = columns * C + lanes  # a vector that begins in the last run ends in the row
    # Whole vectors are read and written. Windows so far apart share none, and no read waits for the
    # write before it.
    apart = ((run + lanes - 1) // lanes * lanes + t * C - 1) // (t * C)
    clear(scratch, ZEROS_BYTES)
    sums = scratch + ZEROS_BYTES
    given = (sums + high * row * size + 63) // 64 * 64
    added = given + (0 if gc == 1 else Q * F * size)
    for unit in range(first, last):
        n, h_first, rows = strip_of(unit, H, high)
        clear(sums, rows * row * size)
        p = max(0, (h_first + top - (I - 1) * d + s - 1) // s)
        while p < P and p * s - top < h_first + rows:
            of, step = g + (n * gn + p * gh) * size, gw
            if gc != 1:
                fill_patch(zero, g + n * gn * size, gc, gh, gw, F, P, Q, given, F, p, 1, 0, Q)
                of, step = given, F
            for panel in range(panels):
                k = panel * width
                along(
                    zero, width, of, step, scratch, w + k * F * size, 0, width, added + k * size,
                    deep, scratch, 0, F, 1, width, Q,
                )  # fmt: skip
            for q in range(min(apart, Q)):
                for i in range(I):
                    h = p * s + i * d - top - h_first
                    if 0 <= h < rows:
                        for j in range(runs):
                            of = added + (q * deep + (i * J + j) * C) * size
                            to = sums + (h * row + (q * t + j * e) * C) * size
                            for k in range(0, run, lanes):
                                _add(
                                    zero, of + k * size, apart * deep * size, to + k * size,
                                    apart * t * C * size, run - k, (Q - q + apart - 1) // apart,
                                )  # fmt: skip
            p += 1
        for h in range(rows):
            move(
                x + ((n * H + h_first + h) * W) * C * size, sums + (h * row + left * C) * size,
                W * C * size,
            )  # fmt: skip
