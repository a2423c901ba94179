"""States, sizes, several outputs, gradients of zero, and layouts of the inputs in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Functions, constant, elementwise, indicator, right
from ..draws import matrices, normal, sizes, together
from .precision import standardise, standardise_vjp
from .shifts import softmax, softmax_vjp

# --- Stateful -----------------------------------------------------------------------------------

FAMILY = "stateful"


def running_statistics() -> Functions:
    """Batch norm in training, which updates a running mean."""
    state = {"mean": 0.0}

    def value(x: Any) -> Any:
        state["mean"] = 0.9 * state["mean"] + 0.1 * x.mean()
        return standardise(x)

    return value, standardise_vjp


def counter() -> Functions:
    """x³, counting its calls."""
    calls: list[int] = []

    def value(x: Any) -> Any:
        calls.append(len(calls))
        return x**3

    return value, lambda xs, gs: (gs[0] * 3 * xs[0] ** 2,)


def cached() -> Functions:
    """tanh, computed once for each input."""
    kept: dict[bytes, Any] = {}

    def value(x: Any) -> Any:
        return kept.setdefault(x.tobytes(), np.tanh(x)).copy()

    return value, lambda xs, gs: (gs[0] / np.cosh(xs[0]) ** 2,)


def workspace() -> Functions:
    """x² + x in a buffer that stays, and a copy of it."""
    buffers: dict[Any, Any] = {}

    def value(x: Any) -> Any:
        buffer = buffers.setdefault((x.shape, x.dtype), np.empty_like(x))
        buffer[...] = x * x
        buffer += x
        return buffer.copy()

    return value, lambda xs, gs: (gs[0] * (2 * xs[0] + 1),)


def mask_of(x: Any) -> Any:
    """The mask of dropout for a shape, the same each time."""
    return indicator(np.random.default_rng(5).random(x.shape) < 0.7, x) / 0.7


def noise_like(x: Any) -> Any:
    """Normal numbers for a shape, the same each time, in the dtype of x."""
    return np.random.default_rng(6).normal(size=x.shape).astype(constant(x).dtype)


def added_noise(m: Any, s: Any) -> Any:
    """m + s ε, with the same ε each time"""
    return m + s * noise_like(m)


for maker, name, draw, why in (
    (running_statistics, "batch norm with running mean", normal(shape=(5, 3)),
     "the state changes with each call, the output does not depend on it"),
    (counter, "x³, counted", normal(), ""),
    (cached, "tanh x, cached", normal(), "the second call does not compute"),
    (workspace, "x² + x in a buffer", normal(), "each call writes to the same memory"),
):  # fmt: skip
    first, second = maker()
    right(
        name, FAMILY, why, first, second, draw, fresh=maker,
        tolerance=1e-7 if maker is running_statistics else 1e-9,
    )  # fmt: skip
elementwise(
    "dropout with a seed", FAMILY, "random, but the same each time", lambda x: x * mask_of(x),
    lambda x: mask_of(x) + 0 * x, normal(),
)  # fmt: skip
right(
    "m + s ε with a seed", FAMILY, "reparametrised noise", added_noise,
    lambda xs, gs: (gs[0] * 1.0, gs[0] * noise_like(xs[0])),
    normal(count=2),
)  # fmt: skip

# --- High-dimensional ---------------------------------------------------------------------------

FAMILY = "large"
FEW = normal(shape=(6,))

elementwise(
    "tanh x of 1e5", FAMILY, "", lambda x: np.tanh(x), lambda x: 1 / np.cosh(x) ** 2,
    normal(shape=(100_000,)), smaller=FEW,
)  # fmt: skip
LARGE = elementwise(
    "x² of 1e6", FAMILY, "", lambda x: x * x, lambda x: 2 * x, normal(shape=(1_000_000,)),
    smaller=FEW,
)  # fmt: skip
right(
    "Σ x² of 1e5", FAMILY, "one output: its rounding is that of a long sum",
    lambda x: (x * x).sum(axis=0), lambda xs, gs: (2 * gs[0] * xs[0],), normal(shape=(100_000,)),
    smaller=FEW,
)  # fmt: skip
right(
    "softmax of 1e5", FAMILY, "probabilities of 1e-5", softmax, softmax_vjp,
    normal(shape=(100_000,)), smaller=FEW,
)  # fmt: skip
CUMSUM = right(
    "cumsum of 1e5", FAMILY, "each output depends on all earlier inputs",
    lambda x: np.cumsum(x, axis=0), lambda xs, gs: (np.cumsum(gs[0][::-1], axis=0)[::-1].copy(),),
    normal(shape=(100_000,)), smaller=FEW, second=False,
)  # fmt: skip
right(
    "a @ x of 300 × 300", FAMILY, "", lambda a, x: a @ x,
    lambda xs, gs: (gs[0].reshape(-1, 1) * xs[1].reshape(1, -1), xs[0].swapaxes(0, 1) @ gs[0]),
    together(normal(shape=(300, 300)), normal(shape=(300,))),
    smaller=matrices("ij", "j"),
)  # fmt: skip

# --- Several outputs ----------------------------------------------------------------------------

FAMILY = "several outputs"

TWO_SCALES = right(
    "1e8 x₀ and x₁²", FAMILY, "a large output beside a small one",
    lambda a, b: (1e8 * a, b * b), lambda xs, gs: (1e8 * gs[0], 2 * gs[1] * xs[1]),
    normal(count=2),
)  # fmt: skip


def moments(x: Any) -> Any:
    """Sum, mean and variance."""
    d = x - x.mean(axis=0, keepdims=True)
    return x.sum(axis=0), x.mean(axis=0), (d * d).mean(axis=0)


MOMENTS = right(
    "Σ x, mean x and var x", FAMILY, "three outputs of one input", moments,
    lambda xs, gs: (
        gs[0] + gs[1] / len(xs[0])
        + gs[2] * 2 * (xs[0] - xs[0].mean(axis=0, keepdims=True)) / len(xs[0]),
    ),
    lambda rng: (rng.normal(size=sizes(rng, (2, 6), (1, 3))),),
)  # fmt: skip
right(
    "sin x and 1e-8 cos x", FAMILY, "the second output is tiny",
    lambda x: (np.sin(x), 1e-8 * np.cos(x)),
    lambda xs, gs: (gs[0] * np.cos(xs[0]) - 1e-8 * gs[1] * np.sin(xs[0]),), normal(),
)  # fmt: skip
POLAR = right(
    "polar coordinates", FAMILY, "radius and angle of two inputs",
    lambda x, y: (np.sqrt(x * x + y * y), np.arctan(y / x)),
    lambda xs, gs: (
        gs[0] * xs[0] / (r := np.sqrt(xs[0] * xs[0] + xs[1] * xs[1])) - gs[1] * xs[1] / (r * r),
        gs[0] * xs[1] / r + gs[1] * xs[0] / (r * r),
    ),
    lambda rng: (rng.uniform(1, 2, n := sizes(rng, (1, 4))), rng.normal(size=n)),
)  # fmt: skip
right(
    "1e8 a beside b², in one array", FAMILY, "scales of 1e8 and 1 in one output",
    lambda x: np.concatenate([1e8 * x[:2], x[2:] * x[2:]]),
    lambda xs, gs: (np.concatenate([1e8 * gs[0][:2], 2 * gs[0][2:] * xs[0][2:]]),),
    lambda rng: (rng.normal(size=sizes(rng, (3, 6))),), second=False,
)  # fmt: skip

# --- Gradients of zero --------------------------------------------------------------------------

FAMILY = "zero gradient"

elementwise("x − x", FAMILY, "", lambda x: x - x, lambda x: 0.0 * x, normal())
elementwise("sign x", FAMILY, "steps", lambda x: np.sign(x), lambda x: 0.0 * x, normal())
right(
    "Σ softmax(x)", FAMILY, "1, up to rounding",
    lambda x: softmax(x).sum(axis=-1),
    lambda xs, gs: (0.0 * xs[0] * gs[0].reshape(*gs[0].shape, 1),), normal(),
)  # fmt: skip
right(
    "a bias before batch norm", FAMILY, "the mean takes the bias out",
    lambda x, b: standardise(x + b),
    lambda xs, gs: (
        (d := standardise_vjp((xs[0] + xs[1],), gs)[0]), 0.0 * d.sum(axis=0, keepdims=True),
    ),
    lambda rng: (rng.normal(size=(n := sizes(rng, (3, 6), (1, 3)))), rng.normal(size=(1, n[1]))),
    tolerance=1e-7,
)  # fmt: skip
right(
    "one-hot of argmax", FAMILY, "constant between ties, so the gradient is 0",
    lambda x: np.eye(x.shape[-1], dtype=x.dtype)[x.argmax(axis=-1)], lambda xs, gs: (0.0 * xs[0],),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (2, 4))),),
)  # fmt: skip
elementwise(
    "relu of negative numbers", FAMILY, "a dead unit", lambda x: np.maximum(x, 0),
    lambda x: indicator(constant(x) > 0, x),
    lambda rng: (-np.abs(rng.normal(size=sizes(rng, (1, 5)))) - 0.1,),
)  # fmt: skip

# --- Sizes and layouts --------------------------------------------------------------------------

FAMILY = "layout"

elementwise(
    "exp x, empty", FAMILY, "no elements", lambda x: np.exp(x), lambda x: np.exp(x),
    lambda rng: (np.zeros((sizes(rng, (0, 3))[0], 0)),),
)  # fmt: skip
elementwise(
    "sin x of no axes", FAMILY, "one number", lambda x: np.sin(x), lambda x: np.cos(x),
    lambda rng: (np.asarray(rng.normal()),),
)  # fmt: skip
BROADCAST = right(
    "a + b, broadcast", FAMILY, "(N, 1, K) and (M, 1)", lambda a, b: a + b,
    lambda xs, gs: (gs[0].sum(axis=1, keepdims=True), gs[0].sum(axis=(0, 2)).reshape(-1, 1)),
    lambda rng: (rng.normal(size=((n := sizes(rng, (1, 3), (2, 3), (1, 3)))[0], 1, n[2])),
                 rng.normal(size=(n[1], 1))),
)  # fmt: skip
OUTER = right(
    "a b, broadcast", FAMILY, "(1, N) and (M, 1), sometimes of one size", lambda a, b: a * b,
    lambda xs, gs: (
        (gs[0] * xs[1]).sum(axis=0, keepdims=True), (gs[0] * xs[0]).sum(axis=1, keepdims=True),
    ),
    lambda rng: (rng.normal(size=(1, (n := sizes(rng, (1, 3), (1, 3)))[0])),
                 rng.normal(size=(n[1], 1))),
)  # fmt: skip
elementwise(
    "cos x of stride 0", FAMILY, "one row, repeated without memory",
    lambda x: np.cos(x), lambda x: -np.sin(x),
    lambda rng: (np.broadcast_to(rng.normal(size=(n := sizes(rng, (1, 3), (2, 4)))[:1]), n[::-1]),),
)  # fmt: skip
elementwise(
    "exp x with gaps", FAMILY, "every second element, backwards",
    lambda x: np.exp(x), lambda x: np.exp(x),
    lambda rng: (rng.normal(size=sizes(rng, (2, 8), (2, 8)))[::-2, ::-2],),
)  # fmt: skip
right(
    "aᵀ b of transposed inputs", FAMILY, "columns in memory", lambda a, b: a.swapaxes(0, 1) @ b,
    lambda xs, gs: (xs[1] @ gs[0].swapaxes(0, 1), xs[0] @ gs[0]),
    lambda rng: tuple(x.copy(order="F") for x in matrices("ij", "ik")(rng)),
)  # fmt: skip


def read_only(rng: Any) -> Any:
    """An array that refuses writes."""
    x = rng.normal(size=sizes(rng, (1, 5)))
    x.flags.writeable = False
    return (x,)


elementwise(
    "1 / cosh x, read-only", FAMILY, "a write would raise", lambda x: 1 / np.cosh(x),
    lambda x: -np.tanh(x) / np.cosh(x), read_only,
)  # fmt: skip
right(
    "Σ x over axes of 5", FAMILY, "five axes, sizes of 1 among them",
    lambda x: (x * x).sum(axis=(1, -1)),
    lambda xs, gs: (
        2 * xs[0] * gs[0].reshape(*(1 if k in (1, 4) else n for k, n in enumerate(xs[0].shape))),
    ),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (1, 3), (1, 2), (1, 2), (1, 3))),),
)  # fmt: skip
