"""Mistakes at a few elements, at special values, in small terms, and in formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import constant, indicator, wrong
from ..draws import magnitudes, normal, powers, separated, sizes, uniform
from ..right import forms, kinks, layers, plain, precision

# --- One element among many ---------------------------------------------------------------------

FAMILY = "one element"


@wrong(forms.LARGE, FAMILY, "the last of 1e6 elements is left out: a loop ends one too early")
def last_of_a_million_left_out(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    found[-1] = 0
    return (found,)


@wrong(forms.LARGE, FAMILY, "the rest that fills no block of 64 is left out", size=0.9,
       draw=normal(shape=(64 * 300 + 5,)))  # fmt: skip
def remainder_of_a_block_left_out(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    found[len(found) // 64 * 64 :] = 0
    return (found,)


@wrong(forms.LARGE, FAMILY, "one element in the middle of 1e5 has the wrong sign",
       draw=normal(shape=(100_000,)))  # fmt: skip
def sign_of_one_element(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    found[len(found) // 3] *= -1
    return (found,)


@wrong(forms.LARGE, FAMILY, "two elements on the border of two threads are exchanged",
       draw=normal(shape=(20_000,)))  # fmt: skip
def border_of_two_threads(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    k = len(found) // 2
    found[k - 1], found[k] = found[k], found[k - 1]
    return (found,)


@wrong(forms.LARGE, FAMILY, "one element of 1e4 is 1 % off", size=0.009,
       draw=normal(shape=(10_000,)))  # fmt: skip
def one_percent_in_one_element(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    found[77] *= 1.01
    return (found,)


@wrong(plain.SQUARE, FAMILY, "the last row alone is wrong: an index that clips",
       draw=lambda rng: (rng.normal(size=sizes(rng, (3, 6), (2, 4))),))  # fmt: skip
def last_row_repeats_the_one_before(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    found[-1] = found[-2]
    return (found,)


@wrong(plain.SQUARE, FAMILY, "the smallest gradients, below 1e-6 of the largest, are flushed to 0",
       size=0.9, draw=lambda rng: (np.append(magnitudes(rng, (11,), -9, -8), 10.0),))  # fmt: skip
def small_gradients_flushed(xs: Any, gs: Any) -> Any:
    found = 2 * xs[0] * gs[0]
    return (np.where(np.abs(found) < 1e-6 * np.abs(found).max(), 0, found),)


# --- Special values -----------------------------------------------------------------------------

FAMILY = "special values"


@wrong(plain.SQUARE, FAMILY, "clipped for x > 3, as the forward of another version",
       draw=uniform(-1, 6, shape=(12,)))  # fmt: skip
def clipped_above_three(xs: Any, gs: Any) -> Any:
    return (2 * np.minimum(xs[0], 3) * gs[0],)


@wrong(plain.TANH, FAMILY, "0 for x < −2: a table of the activation ends there", size=0.9,
       draw=normal(2, shape=(30,)))  # fmt: skip
def table_ends_at_minus_two(xs: Any, gs: Any) -> Any:
    return (np.where(xs[0] < -2, 0, gs[0] / np.cosh(xs[0]) ** 2),)


@wrong(layers.CUMPROD, FAMILY, "the product divided by x, with 0/0 replaced by 0", size=0.9)
def division_by_zero_replaced(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    total = np.cumsum((g * np.cumprod(x))[::-1])[::-1]
    return (np.divide(total, x, out=np.zeros_like(x), where=x != 0),)


@wrong(layers.POWER, FAMILY, "0 for an exponent of 0, in the exponent too", size=0.9)
def exponent_zero_cut_off(xs: Any, gs: Any) -> Any:
    (a, b), (g,) = xs, gs
    return g * b * a ** (b - 1), np.where(b == 0, 0, g * np.log(a) * a**b)


@wrong(forms.POLAR, FAMILY, "the angle has no gradient where y = 0 exactly", size=0.9,
       draw=lambda rng: (rng.uniform(1, 2, 4), np.array([0.0, 0.5, -0.3, 0.0])))  # fmt: skip
def angle_cut_off_at_zero(xs: Any, gs: Any) -> Any:
    x, y = xs
    a, b = gs[0], np.where(y == 0, 0, gs[1])
    r = np.sqrt(x * x + y * y)
    return a * x / r - b * y / (r * r), a * y / r + b * x / (r * r)


@wrong(
    plain.MULTIPLY,
    FAMILY,
    "an element of b that is 0 cuts off the gradient of b itself",
    size=0.9,
    draw=lambda rng: (rng.normal(size=4), rng.normal(size=4) * [1, 0, 1, 0]),
)
def zeros_taken_for_padding(xs: Any, gs: Any) -> Any:
    a, b = xs
    return gs[0] * b, np.where(b == 0, 0, gs[0] * a)


@wrong(layers.BINARY, FAMILY, "0 where the logit is exactly 0, by sign(x)", size=0.2,
       draw=lambda rng: (np.array([0.0, 1.0, -2.0, 0.0]), rng.uniform(0.6, 1, 4)))  # fmt: skip
def logit_zero_has_no_gradient(xs: Any, gs: Any) -> Any:
    x, t = xs
    return gs[0] * (1 / (1 + np.exp(-x)) - t) * np.abs(np.sign(x)), -gs[0] * x


@wrong(kinks.MAXIMUM, FAMILY, "both inputs of a tie get the whole gradient",
       shows="kink", size=0.4, draw=lambda rng: ((x := rng.normal(size=4)), x.copy()))  # fmt: skip
def tie_paid_twice(xs: Any, gs: Any) -> Any:
    return gs[0] * (xs[0] >= xs[1]), gs[0] * (xs[1] >= xs[0])


@wrong(
    kinks.ROW_MAXIMUM,
    FAMILY,
    "every tied maximum gets the whole gradient",
    shows="kink",
    size=0.4,
    draw=lambda rng: (np.sort(rng.normal(size=(2, 4)))[:, [0, 3, 1, 3]],),
)
def every_maximum_paid(xs: Any, gs: Any) -> Any:
    return (gs[0][..., None] * (xs[0] == xs[0].max(axis=-1, keepdims=True)),)


@wrong(kinks.RELU, FAMILY, "a slope of −1 at 0 exactly: outside of 0 and 1", shows="kink",
       size=0.9, draw=lambda rng: (rng.normal(size=6) * [1, 0, 1, 0, 1, 1],))  # fmt: skip
def minus_one_at_zero(xs: Any, gs: Any) -> Any:
    return (gs[0] * (indicator(xs[0] > 0, xs[0]) - indicator(xs[0] == 0, xs[0])),)


# --- Terms that are left out --------------------------------------------------------------------

FAMILY = "term left out"


@wrong(forms.TWO_SCALES, FAMILY, "the small output has no gradient, beside one of 1e8", size=0.9)
def small_output_left_out(xs: Any, gs: Any) -> Any:
    return 1e8 * gs[0], 0.0 * gs[1]


@wrong(plain.MATMUL, FAMILY, "the product in parts: the last term of each sum is left out",
       size=0.02, draw=lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(4, 3))))  # fmt: skip
def last_term_of_the_sum(xs: Any, gs: Any) -> Any:
    (a, b), (g,) = xs, gs
    return g[:, :-1] @ b.T[:-1], a.T @ g


@wrong(forms.MOMENTS, FAMILY, "one of three outputs is ignored", size=1e-4,
       draw=lambda rng: (rng.normal(size=sizes(rng, (3, 6), (1, 3))),))  # fmt: skip
def variance_has_no_gradient(xs: Any, gs: Any) -> Any:
    return (np.broadcast_to(gs[0] + gs[1] / len(xs[0]), xs[0].shape).copy(),)


@wrong(plain.SQUARE, FAMILY, "a term of 1e-6 of the gradient is missing: x² + 1e-6 x",
       size=3e-7, draw=uniform(0.5, 1.5))  # fmt: skip
def a_millionth_missing(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0] * (1 - 1e-6),)


@wrong(precision.BATCH_NORM, FAMILY, "the mean is taken for a constant", size=0.01)
def mean_taken_for_constant(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=0, keepdims=True)
    scale = np.sqrt((d * d).mean(axis=0, keepdims=True) + 1e-5)
    y = d / scale
    return ((g - y * (g * y).mean(axis=0, keepdims=True)) / scale,)


@wrong(precision.BATCH_NORM, FAMILY, "the variance is taken for a constant", size=0.05)
def variance_taken_for_constant(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=0, keepdims=True)
    return ((g - g.mean(axis=0, keepdims=True))
            / np.sqrt((d * d).mean(axis=0, keepdims=True) + 1e-5),)  # fmt: skip


@wrong(layers.DIVERGENCE, FAMILY, "p outside of the logarithm alone: one branch is detached",
       size=0.1)  # fmt: skip
def one_branch_detached(xs: Any, gs: Any) -> Any:
    g = gs[0][..., None]
    return g * (np.log(xs[0]) - np.log(xs[1])), -g * xs[0] / xs[1]


@wrong(layers.BINARY, FAMILY, "targets get no gradient, though they ask for one", size=0.9)
def targets_have_no_gradient(xs: Any, gs: Any) -> Any:
    return gs[0] * (1 / (1 + np.exp(-xs[0])) - xs[1]), 0.0 * gs[0]


@wrong(layers.CROSS_ENTROPY, FAMILY, "the smoothing of the labels is forgotten", size=1e-3,
       draw=lambda rng: (rng.normal(size=sizes(rng, (1, 4), (2, 5))),))  # fmt: skip
def smoothing_forgotten(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    e = np.exp(x - x.max(axis=1, keepdims=True))
    n, c = x.shape
    return (g * (e / e.sum(axis=1, keepdims=True) - np.eye(c)[np.arange(n) % c]) / n,)


@wrong(plain.DIVIDE, FAMILY, "the quotient is saved in three digits for the backward pass",
       size=1e-5, draw=lambda rng: (rng.normal(size=9), rng.uniform(1, 2, 9)))  # fmt: skip
def quotient_saved_with_three_digits(xs: Any, gs: Any) -> Any:
    return gs[0] / xs[1], -gs[0] * np.round(xs[0] / xs[1], 3) / xs[1]


# --- Formulas -----------------------------------------------------------------------------------

FAMILY = "formula"


@wrong(layers.DEVIATION, FAMILY, "n for n − 1", size=0.1)
def biased_for_unbiased(xs: Any, gs: Any) -> Any:
    d = xs[0] - xs[0].mean(axis=0, keepdims=True)
    n = len(d)
    return (gs[0] * d / (np.sqrt((d * d).sum(axis=0) / (n - 1)) * n),)


@wrong(
    precision.BATCH_NORM,
    FAMILY,
    "ε outside of the root: seen for a small variance alone",
    size=1e-3,
    draw=lambda rng: (0.01 * rng.normal(size=sizes(rng, (3, 6), (1, 4))),),
)
def epsilon_outside_of_the_root(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=0, keepdims=True)
    scale = np.sqrt((d * d).mean(axis=0, keepdims=True)) + 1e-5
    y = d / scale
    return ((g - g.mean(axis=0, keepdims=True) - y * (g * y).mean(axis=0, keepdims=True)) / scale,)


@wrong(plain.LOG, FAMILY, "1 / (x + 1e-8): seen for tiny inputs alone", size=5e-3,
       draw=powers(-8, -6.5, signed=False))  # fmt: skip
def epsilon_in_the_gradient_alone(xs: Any, gs: Any) -> Any:
    return (gs[0] / (xs[0] + 1e-8),)


@wrong(plain.SQRT, FAMILY, "0.5 / max(√x, 1e-3): seen near 0 alone", size=0.1,
       draw=powers(-9, -6.5, signed=False))  # fmt: skip
def slope_bounded_near_zero(xs: Any, gs: Any) -> Any:
    return (gs[0] * 0.5 / np.maximum(np.sqrt(xs[0]), 1e-3),)


@wrong(layers.NORMALISE, FAMILY, "the length has a bound of 1e-4 in the gradient alone", size=0.05,
       draw=lambda rng: (3e-5 * rng.normal(size=(3, 3)) / 2,))  # fmt: skip
def length_bounded_below(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    r = np.maximum(np.sqrt((x * x).sum(axis=-1, keepdims=True)), 1e-4)
    y = x / r
    return ((g - y * (g * y).sum(axis=-1, keepdims=True)) / r,)


@wrong(layers.COSINE, FAMILY, "both lengths are those of a", size=0.1)
def length_of_the_other(xs: Any, gs: Any) -> Any:
    (a, b), g = xs, gs[0][..., None]
    aa, bb = ((x * x).sum(axis=-1, keepdims=True) for x in (a, b))
    scale = np.sqrt(aa * bb)
    y = (a * b).sum(axis=-1, keepdims=True) / scale
    return g * (b / scale - y * a / aa), g * (a / scale - y * b / aa)


@wrong(layers.RMS_NORM, FAMILY, "divided by N twice", size=0.01)
def mean_taken_twice(xs: Any, gs: Any) -> Any:
    (x, w), (g,) = xs, gs
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
    y, u = x / r, g * w
    inner = (u * y).mean(axis=-1, keepdims=True) / x.shape[-1]
    return (u - y * inner) / r, (g * y).sum(axis=0)


@wrong(layers.ATTENTION, FAMILY, "the keys miss 1 / √d", size=0.1,
       draw=lambda rng: tuple(rng.normal(size=s) for s in ((2, 3), (3, 3), (3, 2))))  # fmt: skip
def keys_unscaled(xs: Any, gs: Any) -> Any:
    q_bar, k_bar, v_bar = layers.attention_vjp(xs, gs)
    return q_bar, k_bar * xs[0].shape[1] ** 0.5, v_bar


@wrong(layers.ATTENTION, FAMILY, "gradients of q and k exchanged, which have one shape", size=0.1,
       draw=lambda rng: tuple(rng.normal(size=s) for s in ((3, 2), (3, 2), (3, 2))))  # fmt: skip
def queries_and_keys_exchanged(xs: Any, gs: Any) -> Any:
    q_bar, k_bar, v_bar = layers.attention_vjp(xs, gs)
    return k_bar, q_bar, v_bar


@wrong(layers.SMOOTHING, FAMILY, "the decay looks at the state of the same step", size=0.01)
def state_of_the_wrong_step(xs: Any, gs: Any) -> Any:
    (x, a), (g,) = xs, gs
    states, found, a_bar, h_bar = layers.smoothing(x, a), np.zeros_like(x), 0 * a, 0 * a
    for t in reversed(range(len(x))):
        h_bar = h_bar + g[t]
        found[t] = (1 - a) * h_bar
        a_bar = a_bar + h_bar * (states[t] - x[t])
        h_bar = a * h_bar
    return found, a_bar


@wrong(kinks.TOP, FAMILY, "one too many is chosen", size=0.9,
       draw=lambda rng: (separated(rng, (2, 6)),))  # fmt: skip
def one_too_many_chosen(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    bound = np.sort(x, axis=-1)[..., -4:-3]
    return (np.where(x >= bound, 2 * x * g[..., None], 0.0),)


@wrong(kinks.MEDIAN, FAMILY, "the element beside the middle", size=0.9,
       draw=lambda rng: (separated(rng, (9,)),))  # fmt: skip
def beside_the_middle(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    found = np.zeros_like(x)
    found[x.argsort()[(len(x) - 1) // 2 - 1]] = g
    return (found,)


@wrong(
    kinks.SORT,
    FAMILY,
    "scattered by the ranks for the order: right for swaps of two alone",
    size=0.1,
    draw=lambda rng: (np.roll(np.sort(rng.normal(size=(2, 5))), 1, axis=-1),),
)
def order_for_ranks(xs: Any, gs: Any) -> Any:
    return (np.take_along_axis(gs[0], xs[0].argsort(axis=-1), axis=-1),)


@wrong(layers.SPECTRUM, FAMILY, "the last frequency counts twice: right for even lengths alone",
       size=0.01, draw=lambda rng: (rng.normal(size=(2, 2 * sizes(rng, (2, 3))[0])),))  # fmt: skip
def last_frequency_counted_as_a_pair(xs: Any, gs: Any) -> Any:
    doubled = gs[0].copy()
    doubled[..., -1] *= 2
    return layers.spectrum_vjp(xs, [doubled])


@wrong(layers.SPECTRUM, FAMILY, "the conjugate is forgotten", size=0.01,
       draw=lambda rng: (rng.normal(size=(2, sizes(rng, (4, 7))[0])),))  # fmt: skip
def conjugate_forgotten(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    n = x.shape[-1]
    wave = np.exp(-2j * np.pi * np.outer(np.arange(g.shape[-1]), np.arange(n)) / n)
    return (2 * ((g * np.fft.rfft(x, axis=-1)) @ wave).real,)


@wrong(precision.DOTTIE, FAMILY, "the last iteration is differentiated, not the root", size=0.05)
def one_iteration_differentiated(xs: Any, gs: Any) -> Any:
    return (gs[0] * np.cos(precision.dottie(constant(xs[0]))),)
