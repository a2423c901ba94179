"""Functions that round coarsely: float32, float16, noise inside, the ends of the range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import constant, elementwise, right
from ..draws import both_sides, cast, magnitudes, matrices, normal, sizes, uniform
from .shifts import softmax, softmax_vjp

# --- float32 ------------------------------------------------------------------------------------

FAMILY = "float32"
SINGLE = 3e-5  # error of a gradient that loses no digits in float32

elementwise(
    "tanh x, float32", FAMILY, "", lambda x: np.tanh(x), lambda x: 1 / np.cosh(x) ** 2,
    cast(normal(), np.float32), tolerance=SINGLE,
)  # fmt: skip
right(
    "a @ b, float32", FAMILY, "",
    lambda a, b: a @ b,
    lambda xs, gs: (gs[0] @ xs[1].swapaxes(0, 1), xs[0].swapaxes(0, 1) @ gs[0]),
    cast(matrices("ij", "jk"), np.float32), tolerance=SINGLE,
)  # fmt: skip
right(
    "softmax(x), float32", FAMILY, "", softmax, softmax_vjp,
    cast(normal(), np.float32), tolerance=SINGLE, second_tolerance=1e-3,
)  # fmt: skip
elementwise(
    "tanh x at 6, float32", FAMILY, "1 − y² has two digits in float32",
    lambda x: np.tanh(x), lambda x: (1 - np.tanh(x)) * (1 + np.tanh(x)),
    cast(uniform(3, 6), np.float32), tolerance=0.1, second_tolerance=1e-2,
)  # fmt: skip


def standardise(x: Any) -> Any:
    """(x − μ) / √(σ² + 1e-5) over the first axis, as batch norm in training"""
    centred = x - x.mean(axis=0, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=0, keepdims=True) + 1e-5)


def standardise_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = (ȳ − mean ȳ − y mean(ȳ y)) / √(σ² + 1e-5)"""
    (x,), (g,) = xs, gs
    centred = x - x.mean(axis=0, keepdims=True)
    scale = np.sqrt((centred * centred).mean(axis=0, keepdims=True) + 1e-5)
    y = centred / scale
    along = (g * y).mean(axis=0, keepdims=True)
    return ((g - g.mean(axis=0, keepdims=True) - y * along) / scale,)


right(
    "batch norm of (2, 3), float32", FAMILY, "two rows: all but 1e-5 of the gradient cancels",
    standardise, standardise_vjp,
    lambda rng: ((x := rng.normal(size=(1, 3)),
                  np.concatenate([x, x + both_sides(0.05, 1, shape=(1, 3))(rng)[0]])
                  .astype(np.float32))[1],),
    tolerance=0.1, second_tolerance=0.1,
)  # fmt: skip
BATCH_NORM = right(
    "batch norm", "zero gradient", "the same gradient for x + 1: rows sum to 0",
    standardise, standardise_vjp,
    lambda rng: (rng.normal(size=sizes(rng, (3, 6), (1, 4))),), tolerance=1e-7,
)  # fmt: skip
right(
    "log Σ exp, float32", FAMILY, "",
    lambda x: np.log(np.exp(x).sum(axis=-1)),
    lambda xs, gs: ((e := np.exp(xs[0])) / e.sum(axis=-1, keepdims=True)
                    * gs[0].reshape(*gs[0].shape, 1),),
    cast(normal(), np.float32), tolerance=SINGLE, second_tolerance=1e-3,
)  # fmt: skip
elementwise(
    "x² of 1e18, float32", FAMILY, "outputs of 1e36 are near the end of the range",
    lambda x: x * x, lambda x: x * np.float32(2),
    lambda rng: (magnitudes(rng, sizes(rng, (1, 5)), 16, 18).astype(np.float32),),
    tolerance=SINGLE,
)  # fmt: skip
elementwise(
    "sin x of 1e3, float32", FAMILY, "x is rounded to 6e-5: float32 inputs far from 0",
    lambda x: np.sin(x), lambda x: np.cos(x),
    cast(uniform(500, 2000), np.float32), tolerance=SINGLE,
)  # fmt: skip

# --- float16 ------------------------------------------------------------------------------------

FAMILY = "float16"
HALF = 0.02

right(
    "a b, float16", FAMILY, "", lambda a, b: a * b,
    lambda xs, gs: (gs[0] * xs[1], gs[0] * xs[0]),
    cast(normal(count=2), np.float16), tolerance=HALF,
)  # fmt: skip
elementwise(
    "exp x, float16", FAMILY, "", lambda x: np.exp(x), lambda x: np.exp(x),
    cast(uniform(-2, 2), np.float16), tolerance=HALF,
)  # fmt: skip
right(
    "Σ x, float16", FAMILY, "the sum itself is accumulated in float32",
    lambda x: x.sum(axis=0, dtype=np.float32).astype(np.float16),
    lambda xs, gs: (np.broadcast_to(gs[0], xs[0].shape).copy(),),
    cast(normal(shape=(40, 3)), np.float16), second=False, tolerance=HALF,
)  # fmt: skip
elementwise(
    "1 / (1 + x²), float16", FAMILY, "", lambda x: 1 / (1 + x * x),
    lambda x: -2 * x / ((1 + x * x) * (1 + x * x)),
    cast(normal(), np.float16), tolerance=HALF, second_tolerance=0.1,
)  # fmt: skip

# --- Noise inside -------------------------------------------------------------------------------

FAMILY = "noisy"

right(
    "Σ x², float32 inside", FAMILY, "float64 inputs, but sums in float32",
    lambda x: (x * x).astype(np.float32).sum(axis=-1, dtype=np.float32).astype(x.dtype),
    lambda xs, gs: (2 * xs[0] * gs[0].reshape(*gs[0].shape, 1),),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (5, 20))),),
)  # fmt: skip
elementwise(
    "exp x, rounded to 1e-9", FAMILY, "as a file with nine digits would be",
    lambda x: np.round(np.exp(x), 9), lambda x: np.exp(x), normal(),
)  # fmt: skip


def dottie(a: Any) -> Any:
    """The root of x = a cos x, by plain iteration to 1e-9."""
    x = np.zeros_like(a)
    for _ in range(500):
        after = a * np.cos(x)
        if np.all(np.abs(after - x) < 1e-9):
            break
        x = after
    return x


def dottie_vjp(xs: Any, gs: Any) -> Any:
    """dx = cos x da / (1 + a sin x), at a root of more digits"""
    (a,), (g,) = xs, gs
    x = dottie(a)
    for _ in range(20):
        x = x - (x - a * np.cos(x)) / (1 + a * np.sin(x))
    return (g * np.cos(x) / (1 + a * np.sin(x)),)


DOTTIE = right(
    "x = a cos x, to 1e-9", FAMILY, "the number of iterations changes with a",
    dottie, dottie_vjp, uniform(0.3, 0.9), second=False,
)  # fmt: skip


def trapezoid(a: Any) -> Any:
    """∫₀¹ cos(a t) dt, with step after step until two agree to 1e-7"""
    before, n = np.full_like(a, np.inf), 4
    while True:
        t = ((np.arange(n) + 0.5) / n).astype(a.dtype)
        y = np.cos(a[..., None] * t).mean(axis=-1)
        if np.all(np.abs(y - before) < 1e-7) or n > 20_000:
            return y
        before, n = y, 2 * n


def trapezoid_vjp(xs: Any, gs: Any) -> Any:
    """∂ sin(a)/a = (a cos a − sin a) / a²"""
    (a,), (g,) = xs, gs
    return (g * (a * np.cos(a) - np.sin(a)) / (a * a),)


right(
    "∫ cos(a t), to 1e-7", FAMILY, "a quadrature with as many points as it needs",
    trapezoid, trapezoid_vjp, uniform(0.5, 3), tolerance=1e-8,
)  # fmt: skip


def noise_of(x: Any) -> Any:
    """Numbers in [0, 1) that depend on all bits of x."""
    return np.abs(np.sin(1e9 * x)) * 0.5


elementwise(
    "x² with noise of 1e-10", FAMILY, "deterministic, but rough",
    lambda x: x * x + 1e-10 * noise_of(x), lambda x: 2 * x, normal(),
)  # fmt: skip

# --- The ends of the range ----------------------------------------------------------------------

FAMILY = "range"

elementwise(
    "(1e30 x)²", FAMILY, "gradients of 1e60: more than float32 holds",
    lambda x: (1e30 * x) ** 2, lambda x: 2e60 * x, normal(),
)  # fmt: skip
elementwise(
    "1e-300 x²", FAMILY, "outputs and gradients near the smallest numbers",
    lambda x: 1e-300 * x * x, lambda x: 2e-300 * x, normal(),
)  # fmt: skip
elementwise(
    "x at 1e-310", FAMILY, "denormal inputs", lambda x: x * 3.0, lambda x: 3.0 + 0 * x,
    lambda rng: (1e-310 * rng.normal(size=sizes(rng, (1, 5))),),
)  # fmt: skip
elementwise(
    "exp x at 700", FAMILY, "outputs of 1e304; exp(710) is infinite",
    lambda x: np.exp(x), lambda x: np.exp(x), uniform(690, 705),
)  # fmt: skip
elementwise(
    "x / 1e200", FAMILY, "a huge divisor, and small slopes", lambda x: x / 1e200,
    lambda x: 1e-200 + 0 * x, normal(1e100),
)  # fmt: skip
right(
    "log Σ exp at ±1e4", FAMILY, "exp would overflow: the maximum is taken out",
    lambda x: (m := x.max(axis=-1)) + np.log(np.exp(x - m.reshape(*m.shape, 1)).sum(axis=-1)),
    lambda xs, gs: (
        (e := np.exp(xs[0] - constant(xs[0]).max(axis=-1, keepdims=True)))
        / e.sum(axis=-1, keepdims=True) * gs[0].reshape(*gs[0].shape, 1),
    ),
    lambda rng: (rng.choice([-1e4, 1e4]) + rng.normal(size=sizes(rng, (1, 3), (2, 5))),),
)  # fmt: skip
