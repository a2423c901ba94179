"""Large offsets, cancelling terms, edges of the domain, and saturation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..case import constant, elementwise, right
from ..draws import both_sides, normal, of, powers, rows, sizes, uniform

# --- Offset -------------------------------------------------------------------------------------

FAMILY = "offset"

elementwise(
    "tanh(x − 1e8)", FAMILY, "x is rounded to 1e-8", lambda x: np.tanh(x - 1e8),
    lambda x: 1 / np.cosh(x - 1e8) ** 2, normal(at=1e8),
)  # fmt: skip
elementwise(
    "sin((t − 1.7e9) / 3600)", FAMILY, "seconds since 1970", lambda t: np.sin((t - 1.7e9) / 3600),
    lambda t: np.cos((t - 1.7e9) / 3600) / 3600, normal(7200, at=1.7e9),
)  # fmt: skip
elementwise(
    "(x − 1e6)²", FAMILY, "a parabola far from 0", lambda x: (x - 1e6) ** 2,
    lambda x: 2 * (x - 1e6), normal(at=1e6),
)  # fmt: skip
elementwise(
    "exp(x − 1e4)", FAMILY, "a step relative to x is a large one", lambda x: np.exp(x - 1e4),
    lambda x: np.exp(x - 1e4), normal(at=1e4),
)  # fmt: skip
elementwise(
    "log(x − 1e6)", FAMILY, "the edge of the domain is at 1e6", lambda x: np.log(x - 1e6),
    lambda x: 1 / (x - 1e6), uniform(1e6 + 0.5, 1e6 + 2),
)  # fmt: skip
elementwise(
    "√(x − 1e5)", FAMILY, "the edge of the domain is at 1e5", lambda x: np.sqrt(x - 1e5),
    lambda x: 0.5 / np.sqrt(x - 1e5), uniform(1e5 + 0.01, 1e5 + 1),
)  # fmt: skip


def softmax(x: Any) -> Any:
    """Softmax along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = p · (ȳ − Σ ȳ p)"""
    (x,), (g,) = xs, gs
    e = np.exp(x - constant(x).max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return (p * (g - (g * p).sum(axis=-1, keepdims=True)),)


right(
    "softmax(x), x of 1e6", FAMILY, "only the differences count",
    softmax, softmax_vjp, normal(at=1e6),
)  # fmt: skip
elementwise(
    "sigmoid((year − 2000) / 3)", FAMILY, "years", lambda x: 1 / (1 + np.exp((2000 - x) / 3)),
    lambda x: (y := 1 / (1 + np.exp((2000 - x) / 3))) * (1 - y) / 3, normal(10, at=2000),
)  # fmt: skip

# --- Cancelling ---------------------------------------------------------------------------------

FAMILY = "cancelling"

elementwise(
    "(1e8 + x) − 1e8", FAMILY, "the output is rounded to 1e-8", lambda x: (1e8 + x) - 1e8,
    lambda x: 1.0 + 0 * x, normal(),
)  # fmt: skip


def variance_of_moments(x: Any) -> Any:
    """E[x²] − E[x]²"""
    mean = x.mean(axis=-1, keepdims=True)
    return (x * x).mean(axis=-1) - (mean * mean).mean(axis=-1)


def variance_of_moments_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = 2 ȳ (x − μ) / N"""
    (x,), (g,) = xs, gs
    n = x.shape[-1]
    return (g.reshape(*x.shape[:-1], 1) * 2 * (x - x.mean(axis=-1, keepdims=True)) / n,)


right(
    "E[x²] − E[x]²", FAMILY, "of numbers near 100: four digits are lost",
    variance_of_moments, variance_of_moments_vjp,
    lambda rng: (100 + rng.normal(size=sizes(rng, (1, 3), (2, 6))),),
)  # fmt: skip
elementwise(
    "1 − cos x", FAMILY, "at 1e-4: 5e-9, with an error of 1e-16", lambda x: 1 - np.cos(x),
    lambda x: np.sin(x), normal(1e-4),
)  # fmt: skip
elementwise(
    "exp(x) − 1", FAMILY, "at 1e-6: ten digits are left", lambda x: np.exp(x) - 1,
    lambda x: np.exp(x), normal(1e-6),
)  # fmt: skip
elementwise(
    "√(x + 1) − √x", FAMILY, "at 1e6: 5e-4 is left of 1e3", lambda x: np.sqrt(x + 1) - np.sqrt(x),
    lambda x: -0.5 / (np.sqrt(x + 1) * np.sqrt(x) * (np.sqrt(x + 1) + np.sqrt(x))),
    uniform(1e5, 1e6),
)  # fmt: skip
right(
    "a² − b²", FAMILY, "a and b are equal but for 1e-6", lambda a, b: a * a - b * b,
    lambda xs, gs: (2 * gs[0] * xs[0], -2 * gs[0] * xs[1]),
    lambda rng: (a := rng.normal(size=sizes(rng, (1, 5))), a + 1e-6 * rng.normal(size=a.shape)),
)  # fmt: skip
elementwise(
    "log(1 + x)", FAMILY, "at 1e-7, without log1p", lambda x: np.log(1 + x),
    lambda x: 1 / (1 + x), normal(1e-7),
)  # fmt: skip
elementwise(
    "x − sin x", FAMILY, "at 0.01: 1e-7, of terms of 1e-2", lambda x: x - np.sin(x),
    lambda x: 2 * np.sin(x / 2) ** 2, normal(0.01),
)  # fmt: skip

# --- Near the edge of the domain ----------------------------------------------------------------

FAMILY = "near a pole"

elementwise(
    "log x", FAMILY, "at 1e-3", lambda x: np.log(x), lambda x: 1 / x, uniform(5e-4, 2e-3),
)  # fmt: skip
elementwise(
    "1 / x", FAMILY, "at 1e-6: slopes of 1e12", lambda x: 1 / x, lambda x: -1 / (x * x),
    both_sides(5e-7, 2e-6),
)  # fmt: skip
elementwise(
    "√x", FAMILY, "at 1e-4", lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x), uniform(5e-5, 2e-4),
)  # fmt: skip
elementwise(
    "x log x", FAMILY, "at 1e-5", lambda x: x * np.log(x), lambda x: np.log(x) + 1,
    uniform(5e-6, 2e-5),
)  # fmt: skip
elementwise(
    "artanh x", FAMILY, "1e-6 from 1", lambda x: np.arctanh(x), lambda x: 1 / ((1 - x) * (1 + x)),
    of(lambda rng, shape: 1 - 10 ** rng.uniform(-7, -3, shape)),
)  # fmt: skip
elementwise(
    "arcsin x", FAMILY, "1e-6 from 1", lambda x: np.arcsin(x),
    lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
    of(lambda rng, shape: (1 - 10 ** rng.uniform(-7, -3, shape)) * rng.choice([-1.0, 1.0], shape)),
)  # fmt: skip
elementwise(
    "log(1 − x)", FAMILY, "1e-6 from 1", lambda x: np.log(1 - x), lambda x: 1 / (x - 1),
    of(lambda rng, shape: 1 - 10 ** rng.uniform(-7, -3, shape)),
)  # fmt: skip
elementwise(
    "tan x", FAMILY, "1e-4 from π/2", lambda x: np.tan(x), lambda x: 1 / np.cos(x) ** 2,
    of(lambda rng, shape: np.pi / 2 - 10 ** rng.uniform(-5, -2, shape)),
)  # fmt: skip
elementwise(
    "x⁻²", FAMILY, "at 1e-3: slopes of 1e9", lambda x: 1 / (x * x), lambda x: -2 / (x * x * x),
    both_sides(5e-4, 2e-3),
)  # fmt: skip
elementwise(
    "1 / (x − 1)", FAMILY, "1e-5 from the pole, on both sides", lambda x: 1 / (x - 1),
    lambda x: -1 / ((x - 1) * (x - 1)), lambda rng: (1 + both_sides(1e-6, 1e-4)(rng)[0],),
)  # fmt: skip
elementwise(
    "logit p", FAMILY, "1e-6 from 0 and from 1", lambda p: np.log(p / (1 - p)),
    lambda p: 1 / (p * (1 - p)),
    of(lambda rng, shape: np.where(rng.random(shape) < 0.5,
                                   q := 10 ** rng.uniform(-7, -1, shape), 1 - q)),
)  # fmt: skip
elementwise(
    "√(x² + 1e-12)", FAMILY, "a smooth |x|, with a bend of width 1e-6",
    lambda x: np.sqrt(x * x + 1e-12), lambda x: x / np.sqrt(x * x + 1e-12), normal(1e-6),
)  # fmt: skip

# --- Saturated ----------------------------------------------------------------------------------

FAMILY = "saturated"

elementwise(
    "tanh x at 15", FAMILY, "1 − y² is of the size of the rounding of y",
    lambda x: np.tanh(x), lambda x: 1 / np.cosh(x) ** 2, both_sides(10, 18),
)  # fmt: skip
right(
    "softmax of [0, 30]", FAMILY, "probabilities of 1 and of 1e-13", softmax, softmax_vjp,
    lambda rng: (rows(rng, [0.0, 30.0], sizes(rng, (1, 3), (2, 5)), 0.1),),
    tolerance=0.1,  # of 1 − p, 1e-13 is left
)  # fmt: skip
elementwise(
    "sigmoid x at −40", FAMILY, "slopes of 1e-18", lambda x: 1 / (1 + np.exp(-x)),
    lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, both_sides(30, 40),
)  # fmt: skip


def erf(x: Any) -> Any:
    """The error function of an array."""
    return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype) if x.size else x


elementwise(
    "erf x at 6", FAMILY, "y is 1 to the last bit, the slope 1e-16", erf,
    lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x), both_sides(4, 6),
)  # fmt: skip
elementwise(
    "softplus x at ±40", FAMILY, "x on one side, 1e-18 on the other",
    lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0),
    lambda x: 1 / (1 + np.exp(-x)), both_sides(20, 40),
)  # fmt: skip
elementwise(
    "x sigmoid(1.7 x) at ±20", FAMILY, "an activation far from its bend",
    lambda x: x / (1 + np.exp(-1.7 * x)),
    lambda x: (s := 1 / (1 + np.exp(-1.7 * x))) + 1.7 * x * s * s * np.exp(-1.7 * x),
    both_sides(5, 20),
)  # fmt: skip
elementwise(
    "arctan x at 1e5", FAMILY, "slopes of 1e-10", lambda x: np.arctan(x),
    lambda x: 1 / (1 + x * x), powers(4, 6),
)  # fmt: skip
