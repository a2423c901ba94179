"""Mistakes in the second derivative alone, and in the forward under a right vjp."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..case import Functions, constant, wrong, wrong_functions
from ..draws import both_sides, normal, separated, sizes, uniform
from ..right import forms, kinks, layers, plain

# --- The second derivative alone ----------------------------------------------------------------

FAMILY = "second derivative"
NUMBERS = both_sides(0.3, 1.5, shape=(5,))


def cut_off(x: Any) -> Any:
    """A Tensor without its graph; an array as it is."""
    return x.detach() if hasattr(x, "detach") else x


@wrong(plain.TANH, FAMILY, "the saved output is a constant", shows="second derivative", size=0.9,
       second=True, draw=NUMBERS)  # fmt: skip
def saved_output_is_constant(xs: Any, gs: Any) -> Any:
    y = np.tanh(cut_off(xs[0]))
    return (gs[0] * (1 - y * y),)


@wrong(plain.SQUARE, FAMILY, "the gradient is not recorded", shows="second derivative", size=0.9,
       second=True, draw=NUMBERS)  # fmt: skip
def gradient_not_recorded(xs: Any, gs: Any) -> Any:
    return (cut_off(2 * xs[0] * gs[0]),)


@wrong(plain.SQUARE, FAMILY, "the cotangent is cut off: no second derivative by it",
       shows="second derivative", size=0.9, second=True, draw=NUMBERS)  # fmt: skip
def cotangent_cut_off(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * cut_off(gs[0]),)


@wrong(plain.MULTIPLY, FAMILY, "one of two inputs is cut off", shows="second derivative", size=0.9,
       second=True, draw=normal(shape=(4,), count=2))  # fmt: skip
def one_input_cut_off(xs: Any, gs: Any) -> Any:
    return gs[0] * xs[1], gs[0] * cut_off(xs[0])


@wrong(plain.LOG, FAMILY, "x² is half cut off: half of the second derivative", size=0.4,
       shows="second derivative", second=True, draw=uniform(1, 2, shape=(4,)))  # fmt: skip
def half_of_the_second_derivative(xs: Any, gs: Any) -> Any:
    return (gs[0] / (np.sqrt(xs[0]) * np.sqrt(cut_off(xs[0]))),)


@wrong(
    layers.LOG_SUM_EXP,
    FAMILY,
    "the probabilities are constants",
    shows="second derivative",
    size=0.9,
    second=True,
    draw=lambda rng: (rng.normal(size=(sizes(rng, (2, 4))[0], 2)),),
)
def probabilities_are_constant(xs: Any, gs: Any) -> Any:
    e = np.exp(cut_off(xs[0]))
    return (gs[0] * e / e.sum(axis=0, keepdims=True),)


@wrong(layers.LAYER_NORM, FAMILY, "the scale is a constant", shows="second derivative", size=0.01,
       second=True)  # fmt: skip
def scale_is_constant(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=-1, keepdims=True)
    scale = cut_off(np.sqrt((d * d).mean(axis=-1, keepdims=True) + 1e-5))
    y = d / scale
    return (
        (g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True)) / scale,
    )


@wrong(plain.DIVIDE, FAMILY, "the saved quotient is a constant", shows="second derivative",
       size=0.3, second=True,
       draw=lambda rng: (rng.normal(size=4), both_sides(1, 2, shape=(4,))(rng)[0]))  # fmt: skip
def saved_quotient_is_constant(xs: Any, gs: Any) -> Any:
    return gs[0] / xs[1], -gs[0] * cut_off(xs[0] / xs[1]) / xs[1]


@wrong(forms.POLAR, FAMILY, "a cotangent is added, not subtracted, in the graph alone",
       shows="second derivative", size=0.1, second=True,
       draw=lambda rng: (rng.uniform(1, 2, 3), rng.normal(size=3)))  # fmt: skip
def sign_in_the_graph_alone(xs: Any, gs: Any) -> Any:
    x, y = xs
    r = np.sqrt(x * x + y * y)
    angle = gs[1] * y / (r * r)
    flipped = angle - 2 * cut_off(angle) if hasattr(angle, "detach") else -angle
    return gs[0] * x / r + flipped, gs[0] * y / r + gs[1] * x / (r * r)


# --- The forward --------------------------------------------------------------------------------

FAMILY = "forward"


@wrong_functions(plain.SQUARE, FAMILY, "clipped at 9 in the forward alone: wrong for |x| > 3",
                 shows="forward", size=0.9, draw=both_sides(3.5, 5, shape=(5,)))  # fmt: skip
def output_clipped() -> Functions:
    return lambda x: np.minimum(x * x, 9), plain.SQUARE.vjp


@wrong_functions(plain.TANH, FAMILY, "a rational approximation, with the exact slope", size=1e-4,
                 shows="forward", draw=both_sides(1, 2, shape=(5,)))  # fmt: skip
def approximation_with_the_exact_slope() -> Functions:
    return lambda x: x * (27 + x * x) / (27 + 9 * x * x), plain.TANH.vjp


@wrong_functions(plain.TANH, FAMILY, "rounded to eighths: a step function with a smooth slope",
                 shows="forward", size=0.9, draw=both_sides(0.3, 1.5, shape=(5,)))  # fmt: skip
def rounded_to_eighths() -> Functions:
    return lambda x: np.round(np.tanh(x) * 8) / 8, plain.TANH.vjp


@wrong_functions(
    layers.RMS_NORM,
    FAMILY,
    "the forward uses the mean over all rows",
    size=1e-3,
    shows="forward",
    draw=lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=4)),
)
def mean_over_all_rows() -> Functions:
    return lambda x, w: w * x / np.sqrt((x * x).mean() + 1e-6), layers.RMS_NORM.vjp


@wrong_functions(
    kinks.ROW_MAXIMUM,
    FAMILY,
    "a soft maximum, with the gradient of the hard one",
    shows="forward",
    size=1e-4,
    draw=lambda rng: (separated(rng, (2, 4), 0.3),),
)
def soft_maximum() -> Functions:
    return lambda x: np.log(np.exp(4 * x).sum(axis=-1)) / 4, kinks.ROW_MAXIMUM.vjp


@wrong_functions(plain.LOG, FAMILY, "log(x + 1e-6) in the forward alone", shows="forward",
                 size=1e-4, draw=uniform(5e-4, 2e-3, shape=(4,)))  # fmt: skip
def epsilon_in_the_forward_alone() -> Functions:
    return lambda x: np.log(x + 1e-6), plain.LOG.vjp


def gelu_by_tanh(x: Any) -> Any:
    """The usual approximation of x Φ(x)."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@wrong_functions(kinks.RELU, FAMILY, "a smooth activation with the gradient of relu", size=0.01,
                 shows="forward", draw=normal(shape=(20,)))  # fmt: skip
def gradient_of_another_activation() -> Functions:
    return gelu_by_tanh, lambda xs, gs: (gs[0] * (constant(xs[0]) > 0),)
