"""Mistakes of 10 % and more in functions that are hard to check.

A checker that forgives whatever is hard passes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import RIGHT, Right, Value, constant, wrong
from ..draws import uniform
from ..right.precision import standardise_vjp
from ..right.shifts import variance_of_moments_vjp

FAMILY = "hard functions"


def named(name: str) -> Right:
    """The right function of that name."""
    (found,) = (case for case in RIGHT if case.name == name)
    return found


def slope(name: str, mistake: str, what: str, wrong_slope: Value, **options: Any) -> None:
    """Add a wrong slope of a right function of one input."""

    def vjp(xs: Any, gs: Any) -> Any:
        return (gs[0] * wrong_slope(*xs),)

    vjp.__name__ = mistake
    wrong(named(name), FAMILY, what, **options)(vjp)


slope("1e3 + 1e-6 x²", "one_factor_detached", "one of both factors x is detached",
      lambda x: 1e-6 * x, size=0.4)  # fmt: skip
slope("1 + 1e-6 sin x", "slope_of_the_cosine", "a small term under a constant: −sin for cos",
      lambda x: -1e-6 * np.sin(x), size=0.01)  # fmt: skip
slope("(1e8 + x) − 1e8", "a_tenth_too_much", "under an offset of 1e8", lambda x: 1.1 + 0 * x,
      size=0.05)  # fmt: skip
slope("tanh(x − 1e8)", "slope_of_the_sigmoid", "y (1 − y) for 1 − y²",
      lambda x: (y := np.tanh(x - 1e8)) * (1 - y), size=0.01)  # fmt: skip
slope("sin((t − 1.7e9) / 3600)", "unit_forgotten", "a slope by hours, not by seconds",
      lambda t: np.cos((t - 1.7e9) / 3600), size=0.9)  # fmt: skip
slope("sin(1e8 x)", "sign_of_the_cosine", "|cos| for cos", lambda x: 1e8 * np.abs(np.cos(1e8 * x)),
      size=0.9, draw=lambda rng: (rng.normal(size=12),))  # fmt: skip
slope("tanh(1e6 x)", "inner_slope_twice", "a tenth more", lambda x: 1.1e6 / np.cosh(1e6 * x) ** 2,
      size=0.05)  # fmt: skip
slope("tanh x at 15", "half_of_a_tiny_slope", "the slope is 1e-12, and half of it is missing",
      lambda x: 0.5 / np.cosh(x) ** 2, size=0.4)  # fmt: skip
slope("sigmoid x at −40", "slope_of_zero", "0 for a slope of 1e-16: taken for saturated",
      lambda x: 0 * x, size=0.9, draw=uniform(-45, -35))  # fmt: skip
slope("exp(−x²) at 6", "factor_two_forgotten", "at slopes of 1e-10 and less",
      lambda x: -x * np.exp(-x * x), size=0.4)  # fmt: skip
slope("x⁸ at 1e-3", "power_too_high", "x⁸ for x⁷", lambda x: 8 * x**8, size=0.9)
slope("log x", "slope_beside_a_pole", "1 / (x + 1e-3)", lambda x: 1 / (x + 1e-3), size=0.3)
slope("1 / x", "sign_of_a_pole", "the sign is that of x", lambda x: -1 / (x * np.abs(x)),
      size=0.9, draw=lambda rng: (-rng.uniform(5e-7, 2e-6, 4),))  # fmt: skip
slope("artanh x", "slope_bounded", "1 / (1 − x² + 1e-6)",
      lambda x: 1 / ((1 - x) * (1 + x) + 1e-6), size=0.1,
      draw=lambda rng: (1 - 10 ** rng.uniform(-7, -6, 4),))  # fmt: skip
slope("√(x² + 1e-12)", "slope_of_the_kink", "sign x, as of |x|", lambda x: np.sign(x), size=0.01)
slope("x² with noise of 1e-10", "half_of_the_slope", "under noise", lambda x: x, size=0.4)
slope(
    "exp x, rounded to 1e-9", "slope_of_the_series", "1 + x for exp x", lambda x: 1 + x, size=1e-3
)
slope("(1e30 x)²", "scale_once", "1e30 for its square", lambda x: 2e30 * x, size=0.9)
slope("exp x at 700", "three_percent", "at slopes of 1e304", lambda x: 0.97 * np.exp(x), size=0.02)
slope("tanh x at 6, float32", "twice_the_slope", "where float32 has two digits of it",
      lambda x: 2 * (1 - np.tanh(x)) * (1 + np.tanh(x)), size=0.4)  # fmt: skip
slope("1 / (1 + x²), float16", "factor_two_forgotten_in_half", "in float16",
      lambda x: -x / ((1 + x * x) * (1 + x * x)), size=0.3)  # fmt: skip
slope("relu of 1000", "leak_of_one_percent", "negative inputs get 1 %, one kink in 1000 is near",
      lambda x: np.where(constant(x) > 0, 1, 0.01).astype(x.dtype), size=0.9)  # fmt: skip
slope("⌊x⌋ + x", "slope_of_two", "the floor is taken for x", lambda x: 2 + 0 * x, size=0.4)


@wrong(named("E[x²] − E[x]²"), FAMILY, "the mean is not taken off: 100 times too large", size=0.9)
def mean_not_taken_off(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0][..., None] / xs[0].shape[-1],)


@wrong(named("E[x²] − E[x]²"), FAMILY, "n − 1 for n, of numbers near 100", size=0.1)
def unbiased_for_biased(xs: Any, gs: Any) -> Any:
    n = xs[0].shape[-1]
    return (variance_of_moments_vjp(xs, gs)[0] * n / (n - 1),)


@wrong(named("1e8 a + b²"), FAMILY, "b has no gradient, beside a slope of 1e8", size=0.9)
def small_input_left_out(xs: Any, gs: Any) -> Any:
    return 1e8 * gs[0], 0 * xs[1]


@wrong(named("1e8 a beside b², in one array"), FAMILY, "small outputs have half of the gradient",
       size=0.4)  # fmt: skip
def small_outputs_halved(xs: Any, gs: Any) -> Any:
    return (np.concatenate([1e8 * gs[0][:2], gs[0][2:] * xs[0][2:]]),)


@wrong(named("w · x"), FAMILY, "a weight of 1e-8 gives its input no gradient", size=0.9,
       draw=lambda rng: (np.array([1e8, 1.0, 1e-8]) * rng.uniform(1, 2, 3),
                         rng.uniform(1, 2, 3) * [1, -1, 3]))  # fmt: skip
def smallest_weight_left_out(xs: Any, gs: Any) -> Any:
    w, x = xs
    kept = np.where(np.abs(w) < 1e-6, 0, w)
    return gs[0] * x, gs[0] * kept


@wrong(named("softmax of [0, 30]"), FAMILY, "the sum is left out", size=0.9)
def sum_left_out(xs: Any, gs: Any) -> Any:
    e = np.exp(xs[0] - xs[0].max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True) * gs[0],)


@wrong(named("batch norm of (2, 3), float32"), FAMILY, "ε is forgotten: the gradient cancels to 0",
       size=0.3)  # fmt: skip
def epsilon_forgotten(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=0, keepdims=True)
    scale = np.sqrt((d * d).mean(axis=0, keepdims=True))
    y = d / scale
    along = (g * y).mean(axis=0, keepdims=True)
    return (((g - g.mean(axis=0, keepdims=True)) - y * along) / scale,)


@wrong(named("batch norm of (2, 3), float32"), FAMILY, "the sign of a gradient that nearly cancels",
       size=0.9)  # fmt: skip
def sign_of_what_is_left(xs: Any, gs: Any) -> Any:
    return (-standardise_vjp(xs, gs)[0],)


@wrong(named("softmax of 1e5"), FAMILY, "one of 1e5 probabilities is left out", size=0.9)
def one_probability_left_out(xs: Any, gs: Any) -> Any:
    e = np.exp(xs[0])
    p = e / e.sum()
    found = p * (gs[0] - (gs[0] * p).sum())
    found[len(found) // 2] = 0
    return (found,)


@wrong(named("cumsum of 1e5"), FAMILY, "a block of 64 misses the carry of the next one", size=1e-3)
def carry_between_blocks(xs: Any, gs: Any) -> Any:
    found = np.cumsum(gs[0][::-1])[::-1].copy()
    found[:64] -= found[64]
    return (found,)


@wrong(
    named("a @ x of 300 × 300"), FAMILY, "one of 9e4 elements belongs to its neighbour", size=1e-3
)
def one_element_of_a_matrix(xs: Any, gs: Any) -> Any:
    a_bar = np.outer(gs[0], xs[1])
    a_bar[123, 45] = a_bar[123, 46]
    return a_bar, xs[0].T @ gs[0]


@wrong(named("Σ softmax(x)"), FAMILY, "p for a gradient of 0", size=0.9)
def probabilities_for_zero(xs: Any, gs: Any) -> Any:
    e = np.exp(xs[0])
    return (1e-3 * gs[0][..., None] * e / e.sum(axis=-1, keepdims=True),)


@wrong(
    named("one-hot of argmax"),
    FAMILY,
    "a straight-through gradient that nobody documents",
    size=0.9,
)
def straight_through(xs: Any, gs: Any) -> Any:
    return (gs[0].copy(),)
