"""How arrays are arranged in memory, and the letters of their dtypes."""

from functools import lru_cache

FLOATING = "fV"  # NumPy's kinds of floating-point dtypes; V is bfloat16, of the package ml_dtypes
NARROW = "eE"  # the characters of float16 and bfloat16


@lru_cache(maxsize=1024)
def dense_axes(shape, strides, itemsize):
    """The axes longer than 1, outermost first; None if memory has gaps between elements."""
    axes = sorted((d for d, n in enumerate(shape) if n > 1), key=lambda d: -strides[d])
    expected = itemsize
    for d in reversed(axes):
        if strides[d] != expected:
            return None
        expected *= shape[d]
    return axes


def common_axes(x, *others):
    """`dense_axes` of x if all arrays have its shape and that layout, else None."""
    axes = dense_axes(x.shape, x.strides, x.itemsize)
    same = [
        a.shape == x.shape and dense_axes(a.shape, a.strides, a.itemsize) == axes for a in others
    ]
    return axes if axes is not None and all(same) else None
