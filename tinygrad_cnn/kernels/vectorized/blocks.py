"""Work cut into blocks."""

from functools import lru_cache


def split(length, count):
    """Slices that cut a length into `count` even pieces, of at least one each."""
    count = max(1, min(count, length))
    return [slice(length * k // count, length * (k + 1) // count) for k in range(count)]


def scaled(part, size):
    """The slice of elements of a slice of groups, of `size` elements each."""
    return slice(part.start * size, part.stop * size)


@lru_cache(maxsize=1024)
def divisor(n, most):
    """The largest divisor of n up to `most`, or n itself if that would be below 64."""
    return next((m for m in range(min(n, most), 63, -1) if n % m == 0), n)
