"""Elementwise functions: NumPy's own passes, for large arrays in parts on all threads."""

import numpy as np

from ..functions import masked, rectified
from ..layout import common_axes
from . import tuning
from .blocks import split
from .passes import each_part

WITH_OUT = (masked, rectified)  # functions that write into `out`, as NumPy's own do


def elementwise(f, *given, **constants):
    """f itself. Large arrays of one layout go in parts, on all threads."""
    at = [k for k, a in enumerate(given) if isinstance(a, np.ndarray) and a.ndim]
    large = tuning.SHARED_ELEMENTS
    if (
        not at
        or given[at[0]].size < large
        or common_axes(*(given[k] for k in at)) is None
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
        if f in WITH_OUT or isinstance(f, np.ufunc):
            of(part, out=results[0][part])
        else:
            for y, some in zip(results, of(part), strict=True):
                y[part] = some

    each_part(work, split(results[0].size, 2 * -(-results[0].size // large)))
    return made[0] if len(made) == 1 else tuple(made)
