"""Mistakes that a formula does not show: state, chance, memory and dtypes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..case import Functions, wrong, wrong_functions
from ..draws import cast, normal, sizes, uniform
from ..right import forms, kinks, layers, plain, precision
from .cotangents import ROW

# --- State --------------------------------------------------------------------------------------

FAMILY = "state"


@wrong_functions(plain.SQUARE, FAMILY, "keeps the inputs of the first call of each shape", size=0.1,
                 draw=ROW, shows="second call")  # fmt: skip
def inputs_of_the_first_call() -> Functions:
    kept: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        return (2 * kept.setdefault(xs[0].shape, xs[0].copy()).astype(xs[0].dtype) * gs[0],)

    return plain.SQUARE.value, vjp


@wrong_functions(plain.TANH, FAMILY, "uses the output of the last forward, whosever it is",
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


@wrong_functions(plain.LOG, FAMILY, "a cache whose key is the rounded input", size=1e-3,
                 draw=uniform(1.6, 2.4, shape=(4,)), shows="second call")  # fmt: skip
def cache_with_a_rounded_key() -> Functions:
    kept: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        key = np.round(xs[0], 0).tobytes(), xs[0].shape
        return (gs[0] / kept.setdefault(key, xs[0].copy()).astype(xs[0].dtype),)

    return plain.LOG.value, vjp


@wrong_functions(plain.SQUARE, FAMILY, "every fourth call returns half", size=0.4, draw=ROW,
                 shows="noise")  # fmt: skip
def every_fourth_call() -> Functions:
    calls = []

    def vjp(xs: Any, gs: Any) -> Any:
        calls.append(0)
        return (2 * xs[0] * gs[0] * (0.5 if len(calls) % 4 == 0 else 1),)

    return plain.SQUARE.value, vjp


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


@wrong_functions(plain.TANH, FAMILY, "a second thread finds no saved output and takes 0",
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


@wrong_functions(plain.SQUARE, FAMILY, "dropout draws its mask again in the backward pass",
                 size=0.1,
                 draw=ROW, shows="noise")  # fmt: skip
def mask_drawn_again() -> Functions:
    rng = np.random.default_rng()

    def vjp(xs: Any, gs: Any) -> Any:
        return (2 * xs[0] * gs[0] * (rng.random(xs[0].shape) < 0.7),)

    return plain.SQUARE.value, vjp


@wrong_functions(plain.SQUARE, FAMILY, "the order of a sum changes: 1e-7 of noise", size=1e-9,
                 draw=ROW, shows="noise")  # fmt: skip
def noise_of_one_ten_millionth() -> Functions:
    rng = np.random.default_rng()

    def vjp(xs: Any, gs: Any) -> Any:
        noise = 1 + 1e-7 * rng.normal(size=xs[0].shape).astype(xs[0].dtype)
        return (2 * xs[0] * gs[0] * noise,)

    return plain.SQUARE.value, vjp


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


@wrong(plain.SQUARE, FAMILY, "the product is written to the cotangent", draw=ROW, shows="writes")
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


@wrong_functions(
    layers.LAYER_NORM, FAMILY, "the forward centres its input in place", shows="writes"
)
def input_centred_in_place() -> Functions:
    def value(x: Any) -> Any:
        y = layers.LAYER_NORM.value(x)
        if x.flags.writeable:
            x -= x.mean(axis=-1, keepdims=True)
        return y

    return value, layers.LAYER_NORM.vjp


@wrong_functions(plain.SQUARE, FAMILY, "gradients of one shape are in one buffer", draw=ROW,
                 shows="memory")  # fmt: skip
def one_buffer_for_all_calls() -> Functions:
    buffers: dict[Any, Any] = {}

    def vjp(xs: Any, gs: Any) -> Any:
        buffer = buffers.setdefault((gs[0].shape, gs[0].dtype), np.empty(gs[0].shape, gs[0].dtype))
        return (np.multiply(2 * xs[0], gs[0], out=buffer),)

    return plain.SQUARE.value, vjp


@wrong(plain.MULTIPLY, FAMILY, "both gradients are computed in one buffer: the second stays",
       size=0.05, draw=lambda rng: (rng.normal(size=5), rng.normal(size=5)))  # fmt: skip
def second_gradient_overwrites_the_first(xs: Any, gs: Any) -> Any:
    buffer = gs[0] * xs[1]
    first = buffer
    np.multiply(gs[0], xs[0], out=buffer)
    return first, buffer


# --- dtypes -------------------------------------------------------------------------------------

FAMILY = "dtypes"


@wrong(
    plain.MATMUL,
    FAMILY,
    "float32 inputs are multiplied in float16",
    size=1e-4,
    draw=cast(lambda rng: (rng.normal(size=(3, 40)), rng.normal(size=(40, 3))), np.float32),
)
def half_precision_inside(xs: Any, gs: Any) -> Any:
    a, b, g = (t.astype(np.float16) if t.dtype == np.float32 else t for t in (*xs, *gs))
    return (g @ b.T).astype(xs[0].dtype), (a.T @ g).astype(xs[1].dtype)


@wrong(plain.SQUARE, FAMILY, "the gradient passes through float32: 1e-8 of it is lost", size=1e-9,
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


@wrong(plain.SQUARE, FAMILY, "in float16 a factor of 1024 overflows and comes back", size=0.9,
       draw=cast(uniform(50, 60, shape=(30,)), np.float16))  # fmt: skip
def overflow_in_float16(xs: Any, gs: Any) -> Any:
    scale = np.asarray(1024, xs[0].dtype)
    return (2 * xs[0] * gs[0] * scale / scale,)


@wrong(plain.SQUARE, FAMILY, "float64 for a float32 input", shows="dtype",
       draw=cast(ROW, np.float32))  # fmt: skip
def float64_for_float32(xs: Any, gs: Any) -> Any:
    return (2 * xs[0].astype(np.float64) * gs[0],)


@wrong(plain.SQUARE, FAMILY, "float32 for a float64 input", shows="dtype", draw=ROW)
def float32_for_float64(xs: Any, gs: Any) -> Any:
    return ((2 * xs[0] * gs[0]).astype(np.float32),)


@wrong(
    forms.OUTER,
    FAMILY,
    "a gradient of the broadcast shape",
    shows="dtype",
    draw=lambda rng: (rng.normal(size=(1, 2)), rng.normal(size=(sizes(rng, (2, 4))[0], 1))),
)
def gradient_of_the_broadcast_shape(xs: Any, gs: Any) -> Any:
    return gs[0] * xs[1], (gs[0] * xs[0]).sum(axis=1, keepdims=True)
