"""How the ops beside a network's are called: special functions, division, scans, rearrangements, einsum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from . import references
from .calls import Call, register_strategy
from .op_strategies import at, binary, unary
from .strategies import broadcastable_shapes, generators, separated_arrays, shapes
from .values import separated

# --- Special functions --------------------------------------------------------------------------

register_strategy("erf", unary(), reference=np.vectorize(math.erf, otypes=[float]))
register_strategy("erfinv", unary(-0.9, 0.9), reference=references.erfinv)


# --- Elementwise --------------------------------------------------------------------------------

for name, low, high in [
    ("square", -2, 2),
    ("reciprocal", 0.4, 2),
    ("rsqrt", 0.4, 2),
    ("log2", 0.3, 3),
    ("log10", 0.3, 3),
    ("log1p", -0.6, 2),
    ("expm1", -2, 2),
    ("tan", -1, 1),
    ("sinh", -2, 2),
    ("cosh", -2, 2),
    ("asin", -0.8, 0.8),
    ("acos", -0.8, 0.8),
    ("atan", -2, 2),
    ("asinh", -2, 2),
    ("acosh", 1.3, 3),
    ("atanh", -0.8, 0.8),
]:
    register_strategy(name, unary(low, high), reference=references.BY_FORMULA[name])
for name in ("floor", "ceil", "trunc", "round"):
    kinks = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)
    register_strategy(name, unary(avoid=kinks), reference=references.BY_FORMULA[name])


@st.composite
def divisions(draw: st.DrawFn) -> Call:
    """a = (q + r) b with an integer q and r in (0.2, 0.8): away from the jumps. Either may be a
    number or whole, where that keeps away from them too.
    """
    shape_a, shape_b = draw(broadcastable_shapes(2))
    whole = np.broadcast_shapes(shape_a, shape_b)
    rng = draw(generators())
    if draw(st.integers(0, 3)):  # |b| in (0.9, 1.1) and a = n + 0.5: a / b is not whole
        (b,) = separated(rng, shape_b, low=0.9, high=1.1)
        a = rng.integers(-4, 4, shape_a) + 0.5
        return Call((a, b * rng.choice([-1, 1], shape_b)))
    (r,) = separated(rng, whole, low=0.2, high=0.8)
    b = draw(st.sampled_from([2.0, -1.5, 2, 0.5, 3]))
    return Call(((rng.integers(-3, 3, whole) + r) * b, b))


register_strategy("floor_divide", divisions(), reference=references.BY_FORMULA["floor_divide"])
register_strategy("remainder", divisions(), reference=references.BY_FORMULA["remainder"])
register_strategy("fmod", divisions(), reference=references.BY_FORMULA["fmod"])
register_strategy(
    "atan2",
    binary(a=(-2, 2), b=(0.4, 2), whole=False),
    reference=lambda a, b: np.angle(b + 1j * a),
)


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


@st.composite
def diagonals(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array, two of its axes (from the front), and which diagonal of them, where there is one."""
    shape = draw(shapes(2, 4, 1, 4))
    dims = tuple(draw(st.permutations(range(len(shape))))[:2])
    offset = draw(st.integers(1 - shape[dims[0]], shape[dims[1]] - 1))
    how: dict[str, Any] = {"offset": offset, "dims": dims}
    if inverse:
        how["shape"] = shape
        shape = np.empty(shape).diagonal(offset, *dims).shape
    return Call((draw(separated_arrays(shape)),), how)


register_strategy("diagonal", diagonals(), linear_in=("x",), reference=references.diagonal)
register_strategy(
    "from_diagonal", diagonals(inverse=True), linear_in=("u",), reference=references.from_diagonal
)


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
