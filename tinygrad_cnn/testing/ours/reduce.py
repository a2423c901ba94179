"""Calls and references of the reductions: sums, means, extremes, variances, norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.lib.array_utils import normalize_axis_tuple

from ..calls import Call
from ..entries import Reference, register_strategy
from ..strategies import generators, separated_arrays, shapes
from ..values import Array, Shape, separated
from .forms import at

Dim = int | Shape | None  # one axis, several, or all

# --- References ---------------------------------------------------------------------------------


def by_numpy(function: Callable[..., Any]) -> Reference:
    """A reduction of NumPy with the attributes that the ops have."""

    def reduce(x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
        return np.asarray(function(x, axis=dim, keepdims=keepdim))

    return reduce


def deviation(function: Callable[..., Any]) -> Reference:
    """NumPy's var or std with the attributes that the ops have."""

    def reduce(x: Array, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Array:
        return np.asarray(function(x, axis=dim, ddof=correction, keepdims=keepdim))

    return reduce


def extreme_along(value: Callable[..., Any], place: Callable[..., Any]) -> Reference:
    """The extreme along an axis, and its index."""

    def reduce(x: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        return value(x, axis=dim, keepdims=keepdim), place(x, axis=dim, keepdims=keepdim)

    return reduce


def logsumexp(x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
    """ln Σ eˣ"""
    return np.asarray(np.log(np.exp(x).sum(axis=dim, keepdims=keepdim)))


def norm(x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
    """√Σ x²"""
    return np.asarray(np.sqrt((x * x).sum(axis=dim, keepdims=keepdim)))


def p_norm(x: Array, p: float, dim: Dim = None, keepdim: bool = False) -> Array:
    """(Σ |x|ᵖ)^(1/p), and for p = 0 the number of elements that are not 0."""
    if p == 0:
        return np.asarray(np.count_nonzero(x, axis=dim, keepdims=keepdim), x.dtype)
    return np.asarray((np.abs(x) ** p).sum(axis=dim, keepdims=keepdim) ** (1 / p))


# --- Sums and extremes --------------------------------------------------------------------------


@st.composite
def reductions(draw: st.DrawFn, shape: Shape, *, nonempty: bool = True) -> Dim:
    """A `dim` for an array of that shape: None, an axis from either end, or several axes.

    With `nonempty`, the reduced axes have elements.
    """
    axes = [k for k, n in enumerate(shape) if n or not nonempty]
    kinds = ["all"] if not nonempty or 0 not in shape else []
    if axes:
        kinds += ["one", "one", "several"]
    kind = draw(st.sampled_from(kinds))
    if kind == "all":
        return None
    if kind == "one":
        k = draw(st.sampled_from(axes))
        return k - len(shape) if draw(st.booleans()) else k
    return tuple(draw(st.lists(st.sampled_from(axes), min_size=1, unique=True)))


@st.composite
def reduced(draw: st.DrawFn, /, nonempty: bool = True, default: bool = True, **values: Any) -> Call:
    """An array, the axes to reduce, and `keepdim`.

    With `nonempty`, the reduced axes have elements. With `default`, `dim` may be left out.
    `values` are options of `separated_arrays`.
    """
    shape = draw(shapes(0, 3, 0, 4))
    if nonempty and shape and not any(shape):
        shape = (2, *shape[1:])
    x = draw(separated_arrays(shape, low=-1.5, **values))
    dim = draw(reductions(x.shape, nonempty=nonempty))
    given: dict[str, Any] = {} if dim is None and default else {"dim": dim}
    return Call((x,), {**given, "keepdim": draw(st.booleans())})


TIED = [[3.0, 1.0, 3.0], [0.0, 2.0, 2.0]]
LEAST = [[-3.0, 1.0, -3.0], [4.0, 2.0, 2.0]]
SHARED = [[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]
OVER_ALL = [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
FIRST = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]

register_strategy("sum", reduced(nonempty=False), linear_in=("x",), reference=by_numpy(np.sum))
register_strategy("mean", reduced(), linear_in=("x",), reference=by_numpy(np.mean))
register_strategy(
    "amax",
    reduced(),
    reference=by_numpy(np.max),
    conventions=[at(TIED, SHARED, dim=1), at(TIED, OVER_ALL), at(TIED, OVER_ALL, keepdim=True)],
)
register_strategy(
    "amin",
    reduced(),
    reference=by_numpy(np.min),
    conventions=[at(LEAST, SHARED, dim=1), at(LEAST, OVER_ALL), at(LEAST, OVER_ALL, keepdim=True)],
)
register_strategy("logsumexp", reduced(default=False), reference=logsumexp)


@st.composite
def along(draw: st.DrawFn) -> Call:
    """An array, an axis of it that has elements, and `keepdim`."""
    n = draw(st.integers(1, 4))
    before, after = draw(shapes(0, 1, 0, 3)), draw(shapes(0, 1, 0, 3))
    x = draw(separated_arrays((*before, n, *after)))
    dim = len(before) - draw(st.sampled_from([0, x.ndim]))
    return Call((x,), {"dim": dim, "keepdim": draw(st.booleans())})


register_strategy(
    "max_along",
    along(),
    reference=extreme_along(np.max, np.argmax),
    conventions=[at(TIED, FIRST, dim=1)],
)
register_strategy(
    "min_along",
    along(),
    reference=extreme_along(np.min, np.argmin),
    conventions=[at(LEAST, FIRST, dim=1)],
)


# --- Variances and norms ------------------------------------------------------------------------


@st.composite
def variances(draw: st.DrawFn) -> Call:
    """An array with at least two elements to reduce, so that n − correction is over 0.

    The elements that are reduced together are spread over the whole interval. A small deviation
    has such large higher derivatives that differences are inaccurate.
    """
    shape = draw(shapes(1, 3, 2, 4))
    dim = draw(reductions(shape))
    axes = normalize_axis_tuple(range(len(shape)) if dim is None else dim, len(shape))
    order = [k for k in range(len(shape)) if k not in axes] + list(axes)  # the reduced ones last
    together = math.prod(shape[k] for k in axes)
    rng = draw(generators())
    rows = [separated(rng, (together,))[0] for _ in range(math.prod(shape) // together)]
    x = np.stack(rows).reshape([shape[k] for k in order]).transpose(np.argsort(order))
    return Call(
        (x,), {"dim": dim, "correction": draw(st.integers(0, 1)), "keepdim": draw(st.booleans())}
    )


register_strategy("var", variances(), reference=deviation(np.var))
register_strategy(
    "std",
    variances(),
    reference=deviation(np.std),
    conventions=[at([1.0, 1.0], [0.0, 0.0])],
)
register_strategy(
    "norm",
    reduced(avoid=[0.0], margin=0.4),
    reference=norm,
    conventions=[
        at([0.0, 0.0], [0.0, 0.0]),
        at([[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0], [0.6, 0.8]], dim=1),
    ],
)


@st.composite
def p_norms(draw: st.DrawFn) -> Call:
    """A call of `norm`, and p: over and under 1, 2 and 3, where the slopes at 0 change."""
    call = draw(reduced(avoid=[0.0], margin=0.4))
    p = draw(st.sampled_from([3.0, 2.5, 1.5, 0.5, 0.0, -1.0]))
    return Call(call.inputs, {"p": p, **call.attributes})


register_strategy(
    "p_norm",
    p_norms(),
    reference=p_norm,
    conventions=[
        *(at([0.0, 0.0], [0.0, 0.0], p=p) for p in (3.0, 1.5, 0.5, 0.0, -1.0)),
        at([[0.0, 0.0], [0.0, -4.0]], [[0.0, 0.0], [0.0, -1.0]], p=3.0, dim=1),
        at([[0.0, -4.0]], [[0.0, 0.0]], p=-1.0, dim=1),
    ],
)
