"""Functions with kinks or jumps that random inputs miss, but come near to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import constant, elementwise, indicator, right
from ..draws import normal, separated, sizes, uniform

FAMILY = "kinks by chance"
MANY = normal(shape=(1000,))  # of 1000 numbers the smallest is 1e-3

RELU = elementwise(
    "relu of 1000", FAMILY, "the number nearest to 0 is 1e-3", lambda x: np.maximum(x, 0),
    lambda x: indicator(constant(x) > 0, x), MANY,
)  # fmt: skip
elementwise(
    "|x| of 1000", FAMILY, "", lambda x: np.abs(x),
    lambda x: indicator(constant(x) > 0, x) * 2 - 1, MANY,
)  # fmt: skip
elementwise(
    "clip(x, −1, 1) of 1000", FAMILY, "two kinks", lambda x: np.minimum(np.maximum(x, -1), 1),
    lambda x: indicator((constant(x) > -1) & (constant(x) < 1), x), MANY,
)  # fmt: skip
elementwise(
    "leaky relu of 1000", FAMILY, "", lambda x: np.maximum(x, 0) + 0.01 * np.minimum(x, 0),
    lambda x: 0.01 + 0.99 * indicator(constant(x) > 0, x), MANY,
)  # fmt: skip
elementwise(
    "Huber loss of 1000", FAMILY, "the slope has a kink, the value has none",
    lambda x: np.where(np.abs(x) < 1, 0.5 * x * x, np.abs(x) - 0.5),
    lambda x: np.minimum(np.maximum(x, -1), 1), MANY,
)  # fmt: skip
elementwise(
    "relu(x)²", FAMILY, "smooth, with a jump in the second derivative",
    lambda x: np.maximum(x, 0) * x, lambda x: 2 * np.maximum(x, 0), MANY,
)  # fmt: skip
FLOOR = elementwise(
    "⌊x⌋ + x", FAMILY, "jumps at the integers", lambda x: np.floor(x) + x,
    lambda x: 1.0 + 0 * x, normal(10, shape=(50,)),
)  # fmt: skip
elementwise(
    "round(x) x", FAMILY, "jumps between the integers", lambda x: np.rint(x) * x,
    lambda x: np.rint(constant(x)) + 0 * x, uniform(-20, 20, shape=(50,)),
)  # fmt: skip
elementwise(
    "x mod 1", FAMILY, "a sawtooth", lambda x: x - np.floor(x), lambda x: 1.0 + 0 * x,
    uniform(-50, 50, shape=(100,)),
)  # fmt: skip
MAXIMUM = right(
    "max(a, b)", FAMILY, "two arrays of 200 numbers: some pairs are close",
    lambda a, b: np.maximum(a, b),
    lambda xs, gs: (gs[0] * (m := constant(xs[0]) > constant(xs[1])), gs[0] * ~m),
    normal(shape=(200,), count=2), second=False,
)  # fmt: skip


def max_pool(x: Any) -> Any:
    """The maximum of each 2 × 2 window."""
    n, h, w = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4))


def max_pool_vjp(xs: Any, gs: Any) -> Any:
    """Each cotangent goes to the first maximum of its window."""
    (x,), (g,) = xs, gs
    n, h, w = x.shape
    flat = x.reshape(n, h // 2, 2, w // 2, 2).swapaxes(2, 3).reshape(n, h // 2, w // 2, 4)
    found = np.zeros(flat.shape, g.dtype)
    np.put_along_axis(found, flat.argmax(axis=-1)[..., None], g[..., None], axis=-1)
    return (found.reshape(n, h // 2, w // 2, 2, 2).swapaxes(2, 3).reshape(x.shape),)


MAX_POOL = right(
    "max pool 2 × 2", FAMILY, "of 400 normal numbers", max_pool, max_pool_vjp,
    lambda rng: (rng.normal(size=(4, 2 * sizes(rng, (2, 5))[0], 10)),), second=False,
)  # fmt: skip


def sort_vjp(xs: Any, gs: Any) -> Any:
    """Each cotangent goes back to where its number came from."""
    found = np.zeros_like(gs[0])
    np.put_along_axis(found, xs[0].argsort(axis=-1, kind="stable"), gs[0], axis=-1)
    return (found,)


SORT = right(
    "sort", FAMILY, "of 300 numbers: neighbours are close", lambda x: np.sort(x, axis=-1),
    sort_vjp, normal(shape=(3, 100)), second=False,
)  # fmt: skip


def middle(x: Any) -> Any:
    """The median of an odd number."""
    return np.sort(x)[len(x) // 2]


def middle_vjp(xs: Any, gs: Any) -> Any:
    """The cotangent goes to the element in the middle."""
    (x,), (g,) = xs, gs
    found = np.zeros(x.shape, g.dtype)
    found[x.argsort(kind="stable")[len(x) // 2]] = g
    return (found,)


MEDIAN = right(
    "median of 101", FAMILY, "all but one gradient is 0", middle, middle_vjp,
    normal(shape=(101,)), second=False,
)  # fmt: skip


def largest_three(x: Any) -> Any:
    """The sum of the squares of the three largest."""
    return (np.sort(x, axis=-1)[..., -3:] ** 2).sum(axis=-1)


def largest_three_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = 2 ȳ x at the three largest"""
    (x,), (g,) = xs, gs
    chosen = np.zeros(x.shape, bool)
    np.put_along_axis(chosen, x.argsort(axis=-1, kind="stable")[..., -3:], True, axis=-1)
    return (np.where(chosen, 2 * x * g[..., None], 0.0),)


TOP = right(
    "Σ of the three largest squares", FAMILY, "a choice among 20", largest_three,
    largest_three_vjp, normal(shape=(5, 20)), second=False,
)  # fmt: skip


def row_maximum_vjp(xs: Any, gs: Any) -> Any:
    """To the maximum of each row."""
    (x,), (g,) = xs, gs
    found = np.zeros_like(x)
    np.put_along_axis(found, x.argmax(axis=-1)[..., None], g[..., None], axis=-1)
    return (found,)


ROW_MAXIMUM = right(
    "max of each row", FAMILY, "", lambda x: x.max(axis=-1), row_maximum_vjp,
    lambda rng: (separated(rng, sizes(rng, (1, 4), (1, 5)), 1e-3),), second=False,
)  # fmt: skip
right(
    "hinge loss of 500", FAMILY, "the mean hides a kink among 500 terms",
    lambda x: np.maximum(1 - x, 0).mean(axis=0),
    lambda xs, gs: (gs[0] * indicator(constant(xs[0]) < 1, xs[0]) * (-1.0 / len(xs[0])),),
    normal(shape=(500,)),
)  # fmt: skip
right(
    "Σ |x − y| of 300", FAMILY, "a distance, of both inputs",
    lambda x, y: np.abs(x - y).sum(axis=-1),
    lambda xs, gs: (
        (u := gs[0].reshape(*gs[0].shape, 1)
         * (indicator(constant(xs[0]) > constant(xs[1]), xs[0]) * 2 - 1)),
        -u,
    ),
    normal(shape=(3, 100), count=2),
)  # fmt: skip
