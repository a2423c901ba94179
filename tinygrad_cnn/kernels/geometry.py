"""Which cells the windows of a convolution or a pooling hold.

Tap i of window p stands on the cell p·s + i·d − before, for the stride s, the dilation d and the
padding `before` the first cell.
"""

from functools import lru_cache
from itertools import product
from math import gcd

Sizes = tuple[int, ...]
Pair = tuple[int, int]


@lru_cache(maxsize=1024)
def output_size(
    size: Sizes, kernel: Sizes, stride: Sizes, padding: tuple[Pair, ...], dilation: Sizes
) -> Sizes:
    """How many windows there are along each axis."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple([(n + sum(pad) - d * (taps - 1) - 1) // s + 1 for n, taps, s, pad, d in axes])


@lru_cache(maxsize=256)
def tap_slices(
    length: int, taps: int, stride: int, padding: Pair, dilation: int, windows: int
) -> list[tuple[slice, slice]]:
    """For each tap of one axis: the slice of the windows where it stands in x, and of its cells.

    >>> tap_slices(4, 3, 1, (1, 1), 1, 4)[0]  # tap 0 of window 0 is in the padding
    (slice(1, 4, None), slice(0, 3, 1))
    """
    found = []
    for i in range(taps):
        first = i * dilation - padding[0]  # the cell of window 0
        low = max(0, -(first // stride))
        high = max(low, min(windows, (length - 1 - first) // stride + 1))
        cells = slice(low * stride + first, (high - 1) * stride + first + 1, stride)
        found.append((slice(low, high), cells if low < high else slice(0, 0)))
    return found


@lru_cache(maxsize=256)
def adjoint_phases(plane, kernel, stride, padding, dilation):
    """The convolutions of stride 1 that make up the gradient of a convolution's input.

    With a stride s, the cells h of one remainder (h + before) mod s meet only the taps i with i·d
    of that remainder. These taps follow each other at equal distance, so each pair of a row's and
    a column's remainder is a convolution of the cotangent with its share of the flipped filter.

    A list of (cells, taps, origin, dilation), pairs for rows and columns: the slices of x̄'s
    cells and of the flipped filter's taps, and the cell of the cotangent under the first tap of
    window 0.
    """
    axes = zip(plane, kernel, stride, padding, dilation, strict=True)
    pairs = product(*[_phases_of_axis(*axis) for axis in axes])
    return [tuple(zip(rows, columns, strict=True)) for rows, columns in pairs]


def _phases_of_axis(length, taps, s, padding, d):
    """`adjoint_phases` of one axis.

    The taps i = i0 + k·s/gcd(s,d) share one remainder of i·d mod s. They reach the cells
    h ≡ i0·d − before from the windows p = (h + before − i0·d)/s − k·d/gcd(s,d).
    """
    before = padding[0]
    apart, dilation = s // gcd(s, d), d // gcd(s, d)
    phases, reached = [], set()
    for i0 in range(min(taps, apart)):
        first = (i0 * d - before) % s  # cell
        reached.add(first)
        count = (taps - 1 - i0) // apart + 1
        # flipped, tap i stands at taps − 1 − i
        last = taps - 1 - i0 - (count - 1) * apart
        origin = (first + before - i0 * d) // s - (count - 1) * dilation
        if first < length:
            share = slice(last, taps - i0, apart)
            phases.append((slice(first, None, s), share, origin, dilation))
    for first in range(min(s, length)):
        if first not in reached:  # no tap reaches these cells: a filter without taps gives zeros
            phases.append((slice(first, None, s), slice(0, 0), 0, 1))
    return phases


def flipped_filters(w, groups):
    """Filters of the input's gradient: (F, c, I, J) → (C, f, I, J), rows and columns reversed."""
    F, c, I, J = w.shape
    w = w.reshape(groups, F // groups, c, I, J).swapaxes(1, 2)  # (G, c, f, I, J)
    return w.reshape(groups * c, F // groups, I, J)[:, :, ::-1, ::-1]
