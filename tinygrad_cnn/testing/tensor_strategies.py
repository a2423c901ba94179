"""How the ops beside a network's are called: special functions, scans, rearrangements, einsum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from . import references
from .calls import Call, register_strategy
from .op_strategies import at, unary
from .strategies import generators, separated_arrays, shapes
from .values import separated

# --- Special functions --------------------------------------------------------------------------

register_strategy("erf", unary(), reference=np.vectorize(math.erf, otypes=[float]))
register_strategy("erfinv", unary(-0.9, 0.9), reference=references.erfinv)


# --- Scans --------------------------------------------------------------------------------------


@st.composite
def scanned(draw: st.DrawFn, zeros: bool = False) -> Call:
    """An array and an axis of it; `zeros`: sometimes with one.

    (Of a product with more, all first derivatives are 0, and there is nothing to compare with.)
    """
    shape = draw(shapes(1, 3, 0, 4))
    x = draw(separated_arrays(shape, avoid=[0.0], margin=0.3))
    if zeros and x.size and draw(st.booleans()):
        x.flat[draw(st.integers(0, x.size - 1))] = 0.0
    return Call((x,), {"dim": draw(st.integers(0, len(shape) - 1))})


@st.composite
def products_of(draw: st.DrawFn) -> Call:
    """A scan's array with zeros; an axis of it from either end, or all; keepdim."""
    call = draw(scanned(zeros=True))
    dim = call.attributes["dim"] - draw(st.sampled_from([0, call.inputs[0].ndim]))
    which: dict[str, Any] = draw(st.sampled_from([{}, {"dim": dim}, {"dim": dim}]))
    return Call(call.inputs, {**which, "keepdim": draw(st.booleans())})


register_strategy("cumsum", scanned(), linear_in=("x",), reference=references.cumsum)
register_strategy("cumprod", scanned(zeros=True), reference=references.cumprod)
register_strategy(
    "prod",
    products_of(),
    reference=references.by_numpy(np.prod),
    conventions=[at([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]), at([0.0, 0.0], [0.0, 0.0])],
)


# --- Rearrangements -----------------------------------------------------------------------------


@st.composite
def flips(draw: st.DrawFn) -> Call:
    """An array and some of its axes."""
    x = draw(separated_arrays(shapes(0, 3, 0, 4)))
    dims = draw(st.permutations(range(x.ndim)))
    return Call((x,), {"dims": tuple(dims[: draw(st.integers(0, x.ndim))])})


@st.composite
def rolls(draw: st.DrawFn) -> Call:
    """An array, some of its axes, and how far: either way, also more than the length."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    dims = draw(st.permutations(range(x.ndim)))[: draw(st.integers(1, x.ndim))]
    return Call(
        (x,), {"dims": tuple(dims), "shifts": tuple(draw(st.integers(-5, 5)) for _ in dims)}
    )


register_strategy("flip", flips(), linear_in=("x",), reference=references.flip)
register_strategy("roll", rolls(), linear_in=("x",), reference=references.roll)


# --- Products -----------------------------------------------------------------------------------


@st.composite
def contractions(draw: st.DrawFn) -> Call:
    """Up to five labels; each in two or in all three of a, b and y, in any order."""
    kinds = draw(st.lists(st.sampled_from(["ab", "ay", "by", "aby"]), min_size=0, max_size=5))
    size = {label: draw(st.sampled_from([1, 2, 3, 2, 3, 0])) for label in "ijklm"[: len(kinds)]}
    of = {
        name: "".join(
            draw(st.permutations([k for k, kind in zip(size, kinds, strict=True) if name in kind]))
        )
        for name in "aby"
    }
    parts = separated(draw(generators()), *(tuple(size[k] for k in of[name]) for name in "ab"))
    return Call(tuple(parts), {f"of_{name}": labels for name, labels in of.items()})


register_strategy("contract", contractions(), linear_in=("a", "b"), reference=references.contract)
