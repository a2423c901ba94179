"""Inputs of mixed scales, and functions that are steep or flat there."""

from __future__ import annotations

import numpy as np

from ..case import elementwise, right
from ..draws import magnitudes, normal, powers, sizes, together, uniform

# --- Badly scaled -------------------------------------------------------------------------------

FAMILY = "badly scaled"

elementwise(
    "x²", FAMILY, "magnitudes from 1e-8 to 1e8 in one array",
    lambda x: x * x, lambda x: 2 * x, powers(-8, 8),
)  # fmt: skip
elementwise(
    "x³", FAMILY, "slopes from 1e-16 to 1e16 in one array",
    lambda x: x * x * x, lambda x: 3 * x * x, powers(-8, 8),
)  # fmt: skip
right(
    "a b", FAMILY, "one input of 1e8, one of 1e-8",
    lambda a, b: a * b, lambda xs, gs: (gs[0] * xs[1], gs[0] * xs[0]),
    lambda rng: (1e8 * (x := rng.normal(size=sizes(rng, (1, 4), (1, 3)))),
                 1e-8 * rng.normal(size=x.shape)),
)  # fmt: skip
right(
    "a / b", FAMILY, "divisors from 1e-6 to 1e6",
    lambda a, b: a / b, lambda xs, gs: (gs[0] / xs[1], -gs[0] * xs[0] / (xs[1] * xs[1])),
    lambda rng: (rng.normal(size=(n := sizes(rng, (1, 4), (1, 3)))), magnitudes(rng, n, -6, 6)),
)  # fmt: skip
right(
    "sin(a c)", FAMILY, "a of 1e5 and c of 1e-5: the step for one is no step for the other",
    lambda a, c: np.sin(a * c),
    lambda xs, gs: ((u := gs[0] * np.cos(xs[0] * xs[1])) * xs[1], u * xs[0]),
    lambda rng: (1e5 * (x := rng.normal(size=sizes(rng, (1, 5)))), 1e-5 * rng.normal(size=x.shape)),
)  # fmt: skip
right(
    "√(a² + b²)", FAMILY, "magnitudes from 1e-5 to 1e5; one is up to a hundred times the other",
    lambda a, b: np.sqrt(a * a + b * b),
    lambda xs, gs: ((u := gs[0] / np.sqrt(xs[0] * xs[0] + xs[1] * xs[1])) * xs[0], u * xs[1]),
    lambda rng: (a := magnitudes(rng, sizes(rng, (1, 6)), -5, 5),
                 a * magnitudes(rng, a.shape, -2, 2)),
)  # fmt: skip
right(
    "w · x", FAMILY, "terms from 1e-8 to 1e8 in one sum",
    lambda w, x: (w * x).sum(), lambda xs, gs: (gs[0] * xs[1], gs[0] * xs[0]),
    lambda rng: (magnitudes(rng, n := sizes(rng, (2, 9)), -8, 8), rng.normal(size=n)),
)  # fmt: skip
elementwise(
    "log x, scaled", FAMILY, "inputs from 1e-8 to 1e8",
    lambda x: np.log(x), lambda x: 1 / x, powers(-8, 8, signed=False),
)  # fmt: skip
elementwise(
    "exp(−(x / 1e-4)²)", FAMILY, "everything happens within 1e-4",
    lambda x: np.exp(-(x * x) / 1e-8),
    lambda x: np.exp(-(x * x) / 1e-8) * x * -2e8, normal(1e-4),
)  # fmt: skip
elementwise(
    "x^2.5", FAMILY, "slopes from 1e-9 to 1e9",
    lambda x: x**2.5, lambda x: 2.5 * x**1.5, powers(-6, 6, signed=False),
)  # fmt: skip
right(
    "a @ b", FAMILY, "rows and columns of scales from 1e-4 to 1e4",
    lambda a, b: a @ b,
    lambda xs, gs: (gs[0] @ xs[1].swapaxes(0, 1), xs[0].swapaxes(0, 1) @ gs[0]),
    lambda rng: (
        rng.normal(size=(n := sizes(rng, (1, 4), (1, 4), (1, 4)))[:2])
        * magnitudes(rng, (n[0], 1), -4, 4),
        rng.normal(size=n[1:]) * magnitudes(rng, (1, n[2]), -4, 4),
    ),
)  # fmt: skip
elementwise(
    "x / (1 + x²)", FAMILY, "from linear near 0 to 1/x far away",
    lambda x: x / (1 + x * x), lambda x: (1 - x * x) / ((1 + x * x) * (1 + x * x)), powers(-8, 6),
)  # fmt: skip
right(
    "a x + b x³ + c", FAMILY, "coefficients of 1e5, 1e-5 and 1",
    lambda x, a, b, c: a * x + b * x**3 + c,
    lambda xs, gs: (gs[0] * (xs[1] + 3 * xs[2] * xs[0] ** 2), gs[0] * xs[0],
                    gs[0] * xs[0] ** 3, gs[0] * 1.0),
    lambda rng: tuple(s * rng.normal(size=3) for s in (1.0, 1e5, 1e-5, 1.0)),
)  # fmt: skip

# --- Steep --------------------------------------------------------------------------------------

FAMILY = "steep"

elementwise(
    "sin(1e8 x)", FAMILY, "a period of 6e-8", lambda x: np.sin(1e8 * x),
    lambda x: 1e8 * np.cos(1e8 * x), normal(), tolerance=1e-5,
)  # fmt: skip
elementwise(
    "tanh(1e6 x)", FAMILY, "a step of width 1e-6", lambda x: np.tanh(1e6 * x),
    lambda x: 1e6 / np.cosh(1e6 * x) ** 2, normal(1e-6),
)  # fmt: skip
elementwise(
    "exp(300 x)", FAMILY, "outputs from 1e-130 to 1e130", lambda x: np.exp(300 * x),
    lambda x: 300 * np.exp(300 * x), uniform(-1, 1),
)  # fmt: skip
elementwise(
    "sigmoid(1e4 x)", FAMILY, "a step of width 1e-4", lambda x: 1 / (1 + np.exp(-1e4 * x)),
    lambda x: (y := 1 / (1 + np.exp(-1e4 * x))) * (1 - y) * 1e4, normal(1e-4),
)  # fmt: skip
elementwise(
    "cos x² at 300", FAMILY, "a period of 0.01 at inputs of 300", lambda x: np.cos(x * x),
    lambda x: -2 * x * np.sin(x * x), uniform(200, 400), tolerance=1e-6,
)  # fmt: skip
elementwise(
    "arctan(1e7 x)", FAMILY, "a step of width 1e-7", lambda x: np.arctan(1e7 * x),
    lambda x: 1e7 / (1 + 1e14 * x * x), normal(1e-7),
)  # fmt: skip
elementwise(
    "x^50", FAMILY, "slopes from 1e-14 to 1e10", lambda x: x**50, lambda x: 50 * x**49,
    uniform(0.5, 1.5),
)  # fmt: skip
elementwise(
    "sin(1/x)", FAMILY, "oscillates faster and faster towards 0", lambda x: np.sin(1 / x),
    lambda x: -np.cos(1 / x) / (x * x), uniform(0.002, 0.05),
)  # fmt: skip
right(
    "softmax(1e3 x)", FAMILY, "a hard choice, with inputs that differ by 1e-3",
    lambda x: (e := np.exp(1e3 * x)) / e.sum(axis=-1, keepdims=True),
    lambda xs, gs: (
        (y := (e := np.exp(1e3 * xs[0])) / e.sum(axis=-1, keepdims=True))
        * (gs[0] - (gs[0] * y).sum(axis=-1, keepdims=True)) * 1e3,
    ),
    normal(1e-3),
)  # fmt: skip

# --- Flat ---------------------------------------------------------------------------------------

FAMILY = "flat"

elementwise(
    "exp(−1/x²)", FAMILY, "slopes of 1e-40 beside slopes of 1", lambda x: np.exp(-1 / (x * x)),
    lambda x: 2 * np.exp(-1 / (x * x)) / (x * x * x), uniform(0.1, 1),
)  # fmt: skip
elementwise(
    "exp(−x²) at 6", FAMILY, "slopes from 1e-8 to 1e-24", lambda x: np.exp(-x * x),
    lambda x: -2 * x * np.exp(-x * x), uniform(4, 8),
)  # fmt: skip
elementwise(
    "1e-12 sin x", FAMILY, "all is tiny, but well conditioned", lambda x: 1e-12 * np.sin(x),
    lambda x: 1e-12 * np.cos(x), normal(),
)  # fmt: skip
elementwise(
    "x⁸ at 1e-3", FAMILY, "slopes of 1e-20", lambda x: x**8, lambda x: 8 * x**7, normal(1e-3),
)  # fmt: skip
elementwise(
    "1 + 1e-6 sin x", FAMILY, "a constant hides all but ten digits of the change",
    lambda x: 1 + 1e-6 * np.sin(x), lambda x: 1e-6 * np.cos(x), normal(),
)  # fmt: skip
elementwise(
    "cos x at 1e-6", FAMILY, "a maximum: the slope is the distance from it",
    lambda x: np.cos(x), lambda x: -np.sin(x), normal(1e-6),
)  # fmt: skip
elementwise(
    "1e3 + 1e-6 x²", FAMILY, "a large constant and a small smooth term",
    lambda x: 1e3 + 1e-6 * x * x, lambda x: 2e-6 * x, normal(),
)  # fmt: skip
right(
    "1e8 a + b²", FAMILY, "one input moves the output 1e8 times as far as the other",
    lambda a, b: 1e8 * a + b * b, lambda xs, gs: (gs[0] * 1e8, 2 * gs[0] * xs[1]),
    together(normal(shape=(3,)), normal(shape=(3,))),
)  # fmt: skip
