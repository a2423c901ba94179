"""Elementwise passes over arrays, the large ones on all threads, and functions that compiled code knows."""

import numpy as np

from ._parts import alike, each_part
from ._windows import split

LARGE = 1 << 20  # elements, from which a second thread pays: it waits for the interpreter, too


def elementwise(f, *given, **constants):
    """f(*given, **constants), of arrays of one shape and what is none; it is elementwise in the arrays.

    f is written with NumPy's functions and with those below; what it refers to must stay what it is. Large
    arrays are shared by all threads, in parts.
    """
    at = [k for k, a in enumerate(given) if isinstance(a, np.ndarray) and a.ndim]
    if (
        not at
        or given[at[0]].size < LARGE
        or alike(*(given[k] for k in at)) is None
        or any(getattr(constant, "ndim", 0) for constant in constants.values())
    ):
        return f(*given, **constants)
    flat = {k: given[k].ravel(order="K") for k in at}

    def of(part, **more):
        made = f(
            *(flat[k][part] if k in flat else a for k, a in enumerate(given)), **constants, **more
        )
        return made if isinstance(made, tuple) else (made,)

    made = [np.empty_like(given[at[0]], y.dtype) for y in of(slice(0))]
    results = [y.ravel(order="K") for y in made]

    def work(part):
        if f in WRITING or isinstance(f, np.ufunc):
            of(part, out=results[0][part])
        else:
            for y, some in zip(results, of(part), strict=True):
                y[part] = some

    each_part(work, split(results[0].size, 2 * -(-results[0].size // LARGE)))
    return made[0] if len(made) == 1 else tuple(made)


def masked(x, mask, out=None):
    """x where the mask, of bool, holds, else 0; they may broadcast.

    x's bits times 0 or 1, as integers: exact, no NaN comes of an infinity, and ten times as fast as np.where.
    """
    if not isinstance(x, np.ndarray):
        return np.where(mask, x, 0)
    if x.dtype.kind != "f":
        return np.multiply(x, mask, out=out)
    bits = f"i{x.dtype.itemsize}"
    out = None if out is None else out.view(bits)
    return np.multiply(x.view(bits), mask, out=out).view(x.dtype)


def rectified(g, y, out=None):
    """g where not y ≤ 0, else 0."""
    return masked(g, ~(y <= 0), out)


def between(y, low, high):
    """Whether y, none of which is below low or above high, is neither of them; also of NaN."""
    inside = y != low
    inside &= y != high
    return inside


def logistic(x):
    """1 / (1 + e⁻ˣ), as e^min(x, 0) / (1 + e^−|x|): nothing overflows, and a choice would take longer."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


WRITING = (masked, rectified)  # as NumPy's own do, into `out`
