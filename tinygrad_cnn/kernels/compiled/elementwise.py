"""The calls of the elementwise loops: for large arrays that lie alike; others go to `_elementwise`."""

import numpy as np

from .. import _elementwise
from .._elementwise import alike
from . import _flat
from ._calls import FLOATS, address, share

BLOCK = 1 << 12  # elements
PASS = 16  # multiply-adds in whose time an element is read from memory


def _call(kernel, given, masks=(), bounds=(0, 0), of=None):
    """Run the kernel on arrays that lie alike, the last of which it writes; whether it could."""
    x = given[0]
    if x.size < _elementwise.LARGE or x.dtype not in FLOATS or not alike(*given, *masks):
        return False
    if not all(a.dtype == x.dtype and a.flags.aligned for a in given):
        return False
    if not all(m.dtype == np.bool_ for m in masks):
        return False
    bounds = np.array(bounds, x.dtype)
    mask = address(masks[0]) if masks else 0
    common = (
        address(x), address(given[1]), address(given[-1]), mask, address(bounds), BLOCK, x.size
    )  # fmt: skip
    share(kernel, x.dtype, common, -(-x.size // BLOCK), x.size * PASS)
    return True


def relu(x):
    """See `_elementwise.relu`."""
    y = np.empty_like(x)
    return y if _call(_flat.relu, (x, y)) else _elementwise.relu(x)


def relu_input(g, y):
    """See `_elementwise.relu_input`."""
    x = np.empty_like(g)
    return x if _call(_flat.relu_input, (g, y, x)) else _elementwise.relu_input(g, y)


def keep(x, mask):
    """See `_elementwise.keep`."""
    y = np.empty_like(x)
    return y if _call(_flat.keep, (x, y), (mask,)) else _elementwise.keep(x, mask)


def hardtanh(x, low, high):
    """See `_elementwise.hardtanh`."""
    y, inside = np.empty_like(x), np.empty_like(x, np.bool_)
    if _call(_flat.hardtanh, (x, y), (inside,), (low, high)):
        return y, inside
    return _elementwise.hardtanh(x, low, high)
