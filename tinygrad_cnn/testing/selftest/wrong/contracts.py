"""Mistakes that a formula does not show: state, memory, layouts, cotangents, dtypes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..case import Functions, wrong, wrong_functions
from ..draws import cast, normal, sizes, uniform
from ..right import forms, kinks, layers, precision, scales, shifts

Rng = np.random.Generator

# --- The layout of the cotangent and of the inputs ----------------------------------------------

FAMILY = "layouts"


def repeated(rng: Rng, y: Any) -> Any:
    """One number for all elements, without memory: the cotangent that a sum hands over."""
    return np.broadcast_to(np.asarray(rng.normal(), y.dtype), y.shape)


def repeated_rows(rng: Rng, y: Any) -> Any:
    """One row for all rows, without memory."""
    return np.broadcast_to(rng.normal(size=y.shape[-1]).astype(y.dtype), y.shape)


def columns(rng: Rng, y: Any) -> Any:
    """Column after column in memory."""
    return np.asfortranarray(rng.normal(size=y.shape).astype(y.dtype))


def backwards(rng: Rng, y: Any) -> Any:
    """With negative strides."""
    return rng.normal(size=y.shape).astype(y.dtype)[..., ::-1]


def fixed(rng: Rng, y: Any) -> Any:
    """Read-only."""
    g = rng.normal(size=y.shape).astype(y.dtype)
    g.flags.writeable = False
    return g


TABLE = normal(shape=(3, 4))


@wrong(scales.SQUARE, FAMILY, "reads a cotangent of stride 0 as if it had memory: one value, then 0",
       shows="layout", size=0.9, draw=TABLE, cotangent=repeated)  # fmt: skip
def one_value_of_a_repeated_cotangent(xs: Any, gs: Any) -> Any:
    g = gs[0]
    if g.size > 1 and not any(g.strides):
        first = np.zeros(g.shape, g.dtype)
        first.flat[0] = g.flat[0]
        g = first
    return (2 * xs[0] * g,)


@wrong(scales.SQUARE, FAMILY, "one stride of 0 is taken for 1", shows="layout", size=0.9,
       draw=TABLE, cotangent=repeated_rows)  # fmt: skip
def repeated_rows_read_on(xs: Any, gs: Any) -> Any:
    g = gs[0]
    if g.ndim > 1 and 0 in g.strides[:1] and g.strides[-1]:
        g = np.concatenate([g[:1], np.zeros((len(g) - 1, *g.shape[1:]), g.dtype)])
    return (2 * xs[0] * g,)


@wrong(scales.SQUARE, FAMILY, "reads a transposed cotangent in the order of memory",
       shows="layout", size=0.05, draw=TABLE, cotangent=columns)  # fmt: skip
def cotangent_read_in_memory_order(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0].ravel(order="K").reshape(gs[0].shape),)


@wrong(scales.SQUARE, FAMILY, "takes negative strides for positive ones", shows="layout", size=0.05,
       draw=TABLE, cotangent=backwards)  # fmt: skip
def negative_strides_taken_for_positive(xs: Any, gs: Any) -> Any:
    g = gs[0]
    turned = tuple(slice(None, None, -1 if s < 0 else 1) for s in g.strides)
    return (2 * xs[0] * g[turned],)


@wrong(shifts.TANH, FAMILY, "a read-only cotangent is copied to a buffer of float32", size=1e-9,
       shows="layout", draw=TABLE, cotangent=fixed)  # fmt: skip
def read_only_copied_with_loss(xs: Any, gs: Any) -> Any:
    g = gs[0] if gs[0].flags.writeable else gs[0].astype(np.float32).astype(gs[0].dtype)
    return (g / np.cosh(xs[0]) ** 2,)


@wrong(scales.MULTIPLY, FAMILY, "an input with gaps in memory is saved without the gaps",
       shows="layout", size=0.05,
       draw=lambda rng: (rng.normal(size=(4, 6))[::2, ::2], rng.normal(size=(2, 3))))  # fmt: skip
def gaps_read_as_values(xs: Any, gs: Any) -> Any:
    a, b = xs
    if a.base is not None and isinstance(a.base, np.ndarray) and a.base.size > a.size:
        a = a.base.ravel()[: a.size].reshape(a.shape)
    return gs[0] * b, gs[0] * a


@wrong(scales.MATMUL, FAMILY, "a product of transposed memory is transposed once more", size=0.01,
       shows="layout",
       draw=lambda rng: (rng.normal(size=(3, 3)).copy(order="F"), rng.normal(size=(3, 3))))
def transposed_memory_transposed_again(xs: Any, gs: Any) -> Any:
    (a, b), (g,) = xs, gs
    return g @ b.T, (a if a.flags.f_contiguous and a.shape[0] > 1 else a.T) @ g


# --- The values of the cotangent ----------------------------------------------------------------

FAMILY = "cotangents"


def half_zeros(rng: Rng, y: Any) -> Any:
    """Half of them 0."""
    g = rng.normal(size=y.shape)
    g.flat[::2] = 0
    return g


def one_hot(rng: Rng, y: Any) -> Any:
    """1 at one place, the last or the one before, and 0 elsewhere."""
    g = np.zeros(y.shape)
    g.flat[g.size - 1 - int(rng.integers(0, 2))] = 1
    return g


def large(rng: Rng, y: Any) -> Any:
    """Of 1e4."""
    return 1e4 * rng.normal(size=y.shape)


def small(rng: Rng, y: Any) -> Any:
    """Of 1e-6."""
    return 1e-6 * rng.normal(size=y.shape)


ROW = uniform(0.5, 1.5, shape=(8,))


@wrong(scales.SQUARE, FAMILY, "zeros of the cotangent are skipped, and the rest moves up",
       draw=ROW, cotangent=half_zeros, size=0.1)  # fmt: skip
def rest_moves_up(xs: Any, gs: Any) -> Any:
    found, kept = np.zeros_like(gs[0]), gs[0].ravel()[gs[0].ravel() != 0]
    found.flat[: len(kept)] = kept
    return (2 * xs[0] * found,)


@wrong(scales.SQUARE, FAMILY, "a cotangent with a single 1 takes a shorter way, which is wrong",
       draw=lambda rng: (rng.uniform(1, 2) * np.arange(1.0, 9.0),), cotangent=one_hot, size=0.5)  # fmt: skip
def short_way_for_one_hots(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    if g.size > 1 and np.count_nonzero(g) == 1:
        return (2 * x.ravel()[0] * g,)
    return (2 * x * g,)


@wrong(scales.SQUARE, FAMILY, "clipped to ±1000", draw=ROW, cotangent=large, size=0.1)
def gradients_clipped(xs: Any, gs: Any) -> Any:
    return (np.clip(2 * xs[0] * gs[0], -1000, 1000),)


@wrong(scales.SQUARE, FAMILY, "cotangents under 1e-5 are taken for 0", draw=ROW, cotangent=small,
       size=0.9)  # fmt: skip
def small_cotangents_dropped(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * np.where(np.abs(gs[0]) < 1e-5, 0, gs[0]),)


@wrong(kinks.RELU, FAMILY, "negative cotangents are dropped", draw=normal(shape=(20,)), size=0.9)
def negative_cotangents_dropped(xs: Any, gs: Any) -> Any:
    return (np.maximum(gs[0], 0) * (xs[0] > 0),)


@wrong(scales.SQUARE, FAMILY, "the first cotangent for all: right for sum()", draw=ROW, size=0.1)
def first_cotangent_for_all(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0].ravel()[0],)


@wrong(shifts.TANH, FAMILY, "the cotangent is left out: right where it is 1", draw=ROW, size=0.1)
def cotangent_left_out(xs: Any, gs: Any) -> Any:
    return (1 / np.cosh(xs[0]) ** 2 + 0 * gs[0],)


@wrong(scales.SQUARE, FAMILY, "not zero for a cotangent of zeros: an offset of 1e-3", draw=ROW,
       size=1e-4)  # fmt: skip
def offset_of_the_gradient(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0] + 1e-3,)


# --- State --------------------------------------------------------------------------------------

FAMILY = "state"


@wrong_functions(scales.SQUARE, FAMILY, "keeps the inputs of the first call of each shape", size=0.1,
                 draw=ROW, shows="second call")  # fmt: skip
def inputs_of_the_first_call() -> Functions:
    kept: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        return (2 * kept.setdefault(xs[0].shape, xs[0].copy()).astype(xs[0].dtype) * gs[0],)

    return scales.SQUARE.value, vjp


@wrong_functions(shifts.TANH, FAMILY, "uses the output of the last forward, whosever it is",
                 size=0.01, draw=normal(shape=(5,)), shows="second call")  # fmt: skip
def output_of_the_last_forward() -> Functions:
    last = {}

    def value(x: Any) -> Any:
        last["y"] = np.tanh(x)
        return last["y"].copy()

    def vjp(xs: Any, gs: Any) -> Any:
        y = last["y"] if last["y"].shape == xs[0].shape else np.tanh(xs[0])
        return (gs[0] * (1 - y * y).astype(xs[0].dtype),)

    return value, vjp


@wrong_functions(shifts.LOG, FAMILY, "a cache whose key is the rounded input", size=1e-3,
                 draw=uniform(1.6, 2.4, shape=(4,)), shows="second call")  # fmt: skip
def cache_with_a_rounded_key() -> Functions:
    kept: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        key = np.round(xs[0], 0).tobytes(), xs[0].shape
        return (gs[0] / kept.setdefault(key, xs[0].copy()).astype(xs[0].dtype),)

    return shifts.LOG.value, vjp


@wrong_functions(scales.SQUARE, FAMILY, "every fourth call returns half", size=0.4, draw=ROW,
                 shows="noise")  # fmt: skip
def every_fourth_call() -> Functions:
    calls = []

    def vjp(xs: Any, gs: Any) -> Any:
        calls.append(0)
        return (2 * xs[0] * gs[0] * (0.5 if len(calls) % 4 == 0 else 1),)

    return scales.SQUARE.value, vjp


@wrong_functions(forms.BROADCAST, FAMILY, "gradients of earlier calls are added", size=0.1,
                 shows="noise")  # fmt: skip
def added_to_earlier_calls() -> Functions:
    sums: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        first, second = forms.BROADCAST.vjp(xs, gs)
        before = sums.get(second.shape, 0)
        sums[second.shape] = before + second
        return first, sums[second.shape].astype(second.dtype)

    return forms.BROADCAST.value, vjp


@wrong_functions(shifts.TANH, FAMILY, "a second thread finds no saved output and takes 0",
                 size=0.01, draw=normal(shape=(5,)), shows="threads")  # fmt: skip
def saved_for_one_thread() -> Functions:
    local = threading.local()

    def value(x: Any) -> Any:
        local.here = True
        return np.tanh(x)

    def vjp(xs: Any, gs: Any) -> Any:
        y = np.tanh(xs[0]) if getattr(local, "here", False) else np.zeros_like(xs[0])
        return (gs[0] * (1 - y * y),)

    return value, vjp


# --- Chance -------------------------------------------------------------------------------------

FAMILY = "chance"


@wrong_functions(scales.SQUARE, FAMILY, "dropout draws its mask again in the backward pass", size=0.1,
                 draw=ROW, shows="noise")  # fmt: skip
def mask_drawn_again() -> Functions:
    rng = np.random.default_rng()

    def vjp(xs: Any, gs: Any) -> Any:
        return (2 * xs[0] * gs[0] * (rng.random(xs[0].shape) < 0.7),)

    return scales.SQUARE.value, vjp


@wrong_functions(scales.SQUARE, FAMILY, "the order of a sum changes: 1e-7 of noise", size=1e-9,
                 draw=ROW, shows="noise")  # fmt: skip
def noise_of_one_ten_millionth() -> Functions:
    rng = np.random.default_rng()

    def vjp(xs: Any, gs: Any) -> Any:
        noise = 1 + 1e-7 * rng.normal(size=xs[0].shape).astype(xs[0].dtype)
        return (2 * xs[0] * gs[0] * noise,)

    return scales.SQUARE.value, vjp


@wrong_functions(kinks.RELU, FAMILY, "elements that are cut off hold what was in memory", size=0.9,
                 draw=normal(shape=(20,)), shows="noise")  # fmt: skip
def memory_not_cleared() -> Functions:
    rng = np.random.default_rng()

    def vjp(xs: Any, gs: Any) -> Any:
        rest = rng.normal(size=xs[0].shape).astype(xs[0].dtype)  # stands for np.empty
        return (np.where(xs[0] > 0, gs[0], rest),)

    return kinks.RELU.value, vjp


# --- Memory -------------------------------------------------------------------------------------

FAMILY = "memory"


@wrong(scales.SQUARE, FAMILY, "the product is written to the cotangent", draw=ROW, shows="writes")
def cotangent_overwritten(xs: Any, gs: Any) -> Any:
    g = gs[0] if gs[0].flags.writeable else gs[0].copy()
    g *= 2 * xs[0]
    return (g,)


@wrong(kinks.RELU, FAMILY, "cut-off inputs are set to 0 in place", draw=normal(shape=(20,)),
       shows="writes")  # fmt: skip
def input_overwritten(xs: Any, gs: Any) -> Any:
    if xs[0].flags.writeable:
        np.maximum(xs[0], 0, out=xs[0])
    return (gs[0] * (xs[0] > 0),)


@wrong_functions(layers.LAYER_NORM, FAMILY, "the forward centres its input in place", shows="writes")
def input_centred_in_place() -> Functions:
    def value(x: Any) -> Any:
        y = layers.LAYER_NORM.value(x)
        if x.flags.writeable:
            x -= x.mean(axis=-1, keepdims=True)
        return y

    return value, layers.LAYER_NORM.vjp


@wrong_functions(scales.SQUARE, FAMILY, "gradients of one shape are in one buffer", draw=ROW,
                 shows="memory")  # fmt: skip
def one_buffer_for_all_calls() -> Functions:
    buffers: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        buffer = buffers.setdefault((gs[0].shape, gs[0].dtype), np.empty(gs[0].shape, gs[0].dtype))
        return (np.multiply(2 * xs[0], gs[0], out=buffer),)

    return scales.SQUARE.value, vjp


@wrong(scales.MULTIPLY, FAMILY, "both gradients are computed in one buffer: the second stays",
       size=0.05, draw=lambda rng: (rng.normal(size=5), rng.normal(size=5)))  # fmt: skip
def second_gradient_overwrites_the_first(xs: Any, gs: Any) -> Any:
    buffer = gs[0] * xs[1]
    first = buffer
    np.multiply(gs[0], xs[0], out=buffer)
    return first, buffer


# --- dtypes -------------------------------------------------------------------------------------

FAMILY = "dtypes"


@wrong(scales.MATMUL, FAMILY, "float32 inputs are multiplied in float16", size=1e-4,
       draw=cast(lambda rng: (rng.normal(size=(3, 40)), rng.normal(size=(40, 3))), np.float32))
def half_precision_inside(xs: Any, gs: Any) -> Any:
    a, b, g = (t.astype(np.float16) if t.dtype == np.float32 else t for t in (*xs, *gs))
    return (g @ b.T).astype(xs[0].dtype), (a.T @ g).astype(xs[1].dtype)


@wrong(scales.SQUARE, FAMILY, "the gradient passes through float32: 1e-8 of it is lost", size=1e-9,
       draw=ROW)  # fmt: skip
def through_float32(xs: Any, gs: Any) -> Any:
    return ((2 * xs[0] * gs[0]).astype(np.float32).astype(xs[0].dtype),)


@wrong(precision.BATCH_NORM, FAMILY, "in float32 alone, ε is 1e-3", size=1e-3,
       draw=cast(lambda rng: (0.1 * rng.normal(size=(5, 3)),), np.float32))  # fmt: skip
def other_epsilon_in_float32(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    d = x - x.mean(axis=0, keepdims=True)
    epsilon = 1e-3 if x.dtype == np.float32 else 1e-5
    scale = np.sqrt((d * d).mean(axis=0, keepdims=True) + epsilon)
    y = d / scale
    return ((g - g.mean(axis=0, keepdims=True) - y * (g * y).mean(axis=0, keepdims=True)) / scale,)


@wrong(scales.SQUARE, FAMILY, "in float16 a factor of 1024 overflows and comes back", size=0.9,
       draw=cast(uniform(50, 60, shape=(30,)), np.float16))  # fmt: skip
def overflow_in_float16(xs: Any, gs: Any) -> Any:
    scale = np.asarray(1024, xs[0].dtype)
    return (2 * xs[0] * gs[0] * scale / scale,)


@wrong(scales.SQUARE, FAMILY, "float64 for a float32 input", shows="dtype",
       draw=cast(ROW, np.float32))  # fmt: skip
def float64_for_float32(xs: Any, gs: Any) -> Any:
    return (2 * xs[0].astype(np.float64) * gs[0],)


@wrong(scales.SQUARE, FAMILY, "float32 for a float64 input", shows="dtype", draw=ROW)
def float32_for_float64(xs: Any, gs: Any) -> Any:
    return ((2 * xs[0] * gs[0]).astype(np.float32),)


@wrong(forms.OUTER, FAMILY, "a gradient of the broadcast shape", shows="dtype",
       draw=lambda rng: (rng.normal(size=(1, 2)), rng.normal(size=(sizes(rng, (2, 4))[0], 1))))
def gradient_of_the_broadcast_shape(xs: Any, gs: Any) -> Any:
    return gs[0] * xs[1], (gs[0] * xs[0]).sum(axis=1, keepdims=True)
