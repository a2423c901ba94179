"""Calls and references of the scans along an axis, and of the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import Reference, register_strategy
from ..strategies import separated_arrays, shapes
from ..values import Array
from .forms import at
from .reduce import by_numpy


def scan(combine: Callable[[Array, Array], Array]) -> Reference:
    """Combines one slice after the other along an axis."""

    def run(x: Array, dim: int) -> Array:
        slices = list(np.moveaxis(x, dim, 0))
        for k in range(1, len(slices)):
            slices[k] = combine(slices[k - 1], slices[k])
        return np.stack(slices, dim) if slices else x

    return run


@st.composite
def scanned(draw: st.DrawFn, zeros: bool = False) -> Call:
    """An array and an axis of it. With `zeros`, one element may be 0.

    Several zeros would make all first derivatives of a product 0, with nothing left to compare.
    """
    shape = draw(shapes(1, 3, 0, 4))
    x = draw(separated_arrays(shape, avoid=[0.0], margin=0.3))
    if zeros and x.size and draw(st.booleans()):
        x.flat[draw(st.integers(0, x.size - 1))] = 0.0
    return Call((x,), {"dim": draw(st.integers(0, len(shape) - 1))})


@st.composite
def products(draw: st.DrawFn) -> Call:
    """Calls of `prod`: an array with at most one zero, an axis or none, and `keepdim`."""
    call = draw(scanned(zeros=True))
    (x,) = map(np.asarray, call.inputs)
    dim = call.attributes["dim"] - draw(st.sampled_from([0, x.ndim]))
    which: dict[str, Any] = draw(st.sampled_from([{}, {"dim": dim}, {"dim": dim}]))
    return Call(call.inputs, {**which, "keepdim": draw(st.booleans())})


register_strategy("cumsum", scanned(), linear_in=("x",), reference=scan(np.add))
register_strategy("cumprod", scanned(zeros=True), reference=scan(np.multiply))
register_strategy(
    "prod",
    products(),
    reference=by_numpy(np.prod),
    conventions=[at([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]), at([0.0, 0.0], [0.0, 0.0])],
)
