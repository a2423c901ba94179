"""Mistakes that show for some cotangents alone: by their layout in memory, or by their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import wrong
from ..draws import normal, uniform
from ..right import kinks, plain

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


@wrong(plain.SQUARE, FAMILY, "reads a cotangent of stride 0 as if it had memory: one value, then 0",
       shows="layout", size=0.9, draw=TABLE, cotangent=repeated)  # fmt: skip
def one_value_of_a_repeated_cotangent(xs: Any, gs: Any) -> Any:
    g = gs[0]
    if g.size > 1 and not any(g.strides):
        first = np.zeros(g.shape, g.dtype)
        first.flat[0] = g.flat[0]
        g = first
    return (2 * xs[0] * g,)


@wrong(plain.SQUARE, FAMILY, "one stride of 0 is taken for 1", shows="layout", size=0.9,
       draw=TABLE, cotangent=repeated_rows)  # fmt: skip
def repeated_rows_read_on(xs: Any, gs: Any) -> Any:
    g = gs[0]
    if g.ndim > 1 and 0 in g.strides[:1] and g.strides[-1]:
        g = np.concatenate([g[:1], np.zeros((len(g) - 1, *g.shape[1:]), g.dtype)])
    return (2 * xs[0] * g,)


@wrong(plain.SQUARE, FAMILY, "reads a transposed cotangent in the order of memory",
       shows="layout", size=0.05, draw=TABLE, cotangent=columns)  # fmt: skip
def cotangent_read_in_memory_order(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0].ravel(order="K").reshape(gs[0].shape),)


@wrong(plain.SQUARE, FAMILY, "takes negative strides for positive ones", shows="layout", size=0.05,
       draw=TABLE, cotangent=backwards)  # fmt: skip
def negative_strides_taken_for_positive(xs: Any, gs: Any) -> Any:
    g = gs[0]
    turned = tuple(slice(None, None, -1 if s < 0 else 1) for s in g.strides)
    return (2 * xs[0] * g[turned],)


@wrong(plain.TANH, FAMILY, "a read-only cotangent is copied to a buffer of float32", size=1e-9,
       shows="layout", draw=TABLE, cotangent=fixed)  # fmt: skip
def read_only_copied_with_loss(xs: Any, gs: Any) -> Any:
    g = gs[0] if gs[0].flags.writeable else gs[0].astype(np.float32).astype(gs[0].dtype)
    return (g / np.cosh(xs[0]) ** 2,)


@wrong(plain.MULTIPLY, FAMILY, "an input with gaps in memory is saved without the gaps",
       shows="layout", size=0.05,
       draw=lambda rng: (rng.normal(size=(4, 6))[::2, ::2], rng.normal(size=(2, 3))))  # fmt: skip
def gaps_read_as_values(xs: Any, gs: Any) -> Any:
    a, b = xs
    if a.base is not None and isinstance(a.base, np.ndarray) and a.base.size > a.size:
        a = a.base.ravel()[: a.size].reshape(a.shape)
    return gs[0] * b, gs[0] * a


@wrong(
    plain.MATMUL,
    FAMILY,
    "a product of transposed memory is transposed once more",
    size=0.01,
    shows="layout",
    draw=lambda rng: (rng.normal(size=(3, 3)).copy(order="F"), rng.normal(size=(3, 3))),
)
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


@wrong(plain.SQUARE, FAMILY, "zeros of the cotangent are skipped, and the rest moves up",
       draw=ROW, cotangent=half_zeros, size=0.1)  # fmt: skip
def rest_moves_up(xs: Any, gs: Any) -> Any:
    found, kept = np.zeros_like(gs[0]), gs[0].ravel()[gs[0].ravel() != 0]
    found.flat[: len(kept)] = kept
    return (2 * xs[0] * found,)


@wrong(plain.SQUARE, FAMILY, "a cotangent with a single 1 takes a shorter way, which is wrong",
       draw=lambda rng: (rng.uniform(1, 2) * np.arange(1.0, 9.0),),
       cotangent=one_hot, size=0.5)  # fmt: skip
def short_way_for_one_hots(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    if g.size > 1 and np.count_nonzero(g) == 1:
        return (2 * x.ravel()[0] * g,)
    return (2 * x * g,)


@wrong(plain.SQUARE, FAMILY, "clipped to ±1000", draw=ROW, cotangent=large, size=0.1)
def gradients_clipped(xs: Any, gs: Any) -> Any:
    return (np.clip(2 * xs[0] * gs[0], -1000, 1000),)


@wrong(plain.SQUARE, FAMILY, "cotangents under 1e-5 are taken for 0", draw=ROW, cotangent=small,
       size=0.9)  # fmt: skip
def small_cotangents_dropped(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * np.where(np.abs(gs[0]) < 1e-5, 0, gs[0]),)


@wrong(kinks.RELU, FAMILY, "negative cotangents are dropped", draw=normal(shape=(20,)), size=0.9)
def negative_cotangents_dropped(xs: Any, gs: Any) -> Any:
    return (np.maximum(gs[0], 0) * (xs[0] > 0),)


@wrong(plain.SQUARE, FAMILY, "the first cotangent for all: right for sum()", draw=ROW, size=0.1)
def first_cotangent_for_all(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0].ravel()[0],)


@wrong(plain.TANH, FAMILY, "the cotangent is left out: right where it is 1", draw=ROW, size=0.1)
def cotangent_left_out(xs: Any, gs: Any) -> Any:
    return (1 / np.cosh(xs[0]) ** 2 + 0 * gs[0],)


@wrong(plain.SQUARE, FAMILY, "not zero for a cotangent of zeros: an offset of 1e-3", draw=ROW,
       size=1e-4)  # fmt: skip
def offset_of_the_gradient(xs: Any, gs: Any) -> Any:
    return (2 * xs[0] * gs[0] + 1e-3,)
