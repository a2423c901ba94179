"""The calls of the elementwise loops: for large arrays that lie alike; others go to `_elementwise`."""

import numpy as np

from .. import _elementwise, _erf
from .._parts import LARGE, alike
from . import _flat
from ._calls import FLOATS, address, share

BLOCK = 1 << 12  # elements
PASS = 16  # multiply-adds in whose time an element is read from memory


def _call(kernel, given, mask=None, bounds=None):
    """What the kernel makes of arrays that lie alike, as a list; None, and nothing made, if it cannot.

    With bounds the mask is a result too.
    """
    x, read = given[0], given if mask is None else (*given, mask)
    if x.size < LARGE or x.dtype not in FLOATS or not alike(*read):
        return None
    if not all(a.dtype == x.dtype and a.flags.aligned for a in given):
        return None
    if not (mask is None or mask.dtype == np.bool_):
        return None
    y = np.empty_like(x)
    made = [y] if bounds is None else [y, mask := np.empty_like(x, np.bool_)]
    bounds = np.array(bounds or (0, 0), x.dtype)
    common = (
        address(x), address((*given, y)[1]), address(y), 0 if mask is None else address(mask),
        address(bounds), BLOCK, x.size,
    )  # fmt: skip
    share(kernel, x.dtype, common, -(-x.size // BLOCK), x.size * PASS)
    return made


def relu(x):
    """See `_elementwise.relu`."""
    made = _call(_flat.relu, (x,))
    return made[0] if made else _elementwise.relu(x)


def relu_input(g, y):
    """See `_elementwise.relu_input`."""
    made = _call(_flat.relu_input, (g, y))
    return made[0] if made else _elementwise.relu_input(g, y)


def keep(x, mask):
    """See `_elementwise.keep`."""
    made = _call(_flat.keep, (x,), mask)
    return made[0] if made else _elementwise.keep(x, mask)


def hardtanh(x, low, high):
    """See `_elementwise.hardtanh`."""
    made = _call(_flat.hardtanh, (x,), bounds=(low, high))
    return tuple(made) if made else _elementwise.hardtanh(x, low, high)


def sigmoid(x):
    """See `_elementwise.sigmoid`."""
    made = _call(_flat.sigmoid, (x,))
    return made[0] if made else _elementwise.sigmoid(x)


def tanh(x):
    """As `np.tanh`."""
    made = _call(_flat.tanh, (x,))
    return made[0] if made else np.tanh(x)


def erf(x):
    """See `_erf.erf`."""
    made = _call(_flat.erf, (x,))
    return made[0] if made else _erf.erf(x)
