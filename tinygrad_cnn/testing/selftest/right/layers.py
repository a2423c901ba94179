"""Layers and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Functions, constant, indicator, right
from ..draws import normal, separated, sizes

FAMILY = "layer"


def column(g: Any) -> Any:
    """g with an axis of 1 at the end."""
    return g.reshape(*g.shape, 1)


# --- Softmax and losses -------------------------------------------------------------------------


def smoothed(x: Any) -> Any:
    """Targets: class k mod C of row k, with a smoothing of 0.1."""
    n, c = x.shape
    return 0.9 * np.eye(c, dtype=constant(x).dtype)[np.arange(n) % c] + 0.1 / c


def cross_entropy(x: Any) -> Any:
    """The mean of −Σ t log softmax(x)"""
    z = x - x.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(smoothed(x) * log_p).sum(axis=1).mean(axis=0)


def cross_entropy_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = ȳ (p − t) / N"""
    (x,), (g,) = xs, gs
    e = np.exp(x - constant(x).max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return (g * (p - smoothed(x)) / len(x),)


CROSS_ENTROPY = right(
    "cross entropy, logits of 50", FAMILY, "label smoothing, and probabilities of 1e-20",
    cross_entropy, cross_entropy_vjp,
    lambda rng: (rng.normal(size=(n := sizes(rng, (1, 4), (2, 5))))
                 * np.where(np.arange(n[0]) % 2, 50, 1)[:, None],),
    second_tolerance=1e-9,
)  # fmt: skip
LOG_SUM_EXP = right(
    "log Σ exp", FAMILY, "over the first axis", lambda x: np.log(np.exp(x).sum(axis=0)),
    lambda xs, gs: (gs[0] * np.exp(xs[0]) / np.exp(xs[0]).sum(axis=0, keepdims=True),),
    lambda rng: (rng.normal(size=sizes(rng, (2, 4), (1, 3))),),
)  # fmt: skip
DIVERGENCE = right(
    "Σ p log(p / q)", FAMILY, "the Kullback-Leibler divergence, of both inputs",
    lambda p, q: (p * (np.log(p) - np.log(q))).sum(axis=-1),
    lambda xs, gs: (
        column(gs[0]) * (np.log(xs[0]) - np.log(xs[1]) + 1), -column(gs[0]) * xs[0] / xs[1],
    ),
    lambda rng: tuple(rng.dirichlet(np.ones(n[1]), n[0]) + 1e-3
                      for n in [sizes(rng, (1, 3), (2, 4))] for _ in range(2)),
)  # fmt: skip
BINARY = right(
    "binary cross entropy", FAMILY, "of logits, and of targets too",
    lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))),
    lambda xs, gs: (gs[0] * (1 / (1 + np.exp(-xs[0])) - xs[1]), -gs[0] * xs[0]),
    lambda rng: (4 * rng.normal(size=(n := sizes(rng, (1, 5)))), rng.uniform(0, 1, n)),
)  # fmt: skip

# --- Norms --------------------------------------------------------------------------------------


def layer_norm(epsilon: float) -> Functions:
    """(x − μ) / √(σ² + ε) over the last axis"""

    def value(x: Any) -> Any:
        d = x - x.mean(axis=-1, keepdims=True)
        return d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + epsilon)

    def vjp(xs: Any, gs: Any) -> Any:
        (x,), (g,) = xs, gs
        d = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((d * d).mean(axis=-1, keepdims=True) + epsilon)
        y = d / scale
        inner = g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True)
        return (inner / scale,)

    return value, vjp


LAYER_NORM = right(
    "layer norm", FAMILY, "", *layer_norm(1e-5),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (3, 6))),), tolerance=1e-7,
)  # fmt: skip
right(
    "layer norm of constant rows, ε = 1e-12", FAMILY, "slopes of 1e6, bends within 1e-6",
    *layer_norm(1e-12),
    lambda rng: (rng.choice([-1.0, 0.5, 2.0], ((n := sizes(rng, (1, 3), (3, 6)))[0], 1))
                 + 1e-7 * rng.normal(size=n),),
    tolerance=1e-6,
)  # fmt: skip


def rms_norm(x: Any, w: Any) -> Any:
    """w x / √(mean x² + 1e-6)"""
    return w * x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)


def rms_norm_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = (w ȳ − y' mean(w ȳ y')) / r, with y' = x / r; w̄ = Σ ȳ y'"""
    (x, w), (g,) = xs, gs
    r = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
    y, u = x / r, g * w
    return (u - y * (u * y).mean(axis=-1, keepdims=True)) / r, (g * y).sum(axis=0)


RMS_NORM = right(
    "RMS norm with weights", FAMILY, "", rms_norm, rms_norm_vjp,
    lambda rng: (rng.normal(size=(n := sizes(rng, (1, 3), (2, 5)))), rng.normal(size=n[1])),
)  # fmt: skip


def cosine(a: Any, b: Any) -> Any:
    """a · b / (|a| |b|)"""
    return (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))


def cosine_vjp(xs: Any, gs: Any) -> Any:
    """ā = ȳ (b / (|a| |b|) − y a / |a|²), and the same for b"""
    (a, b), g = xs, column(gs[0])
    aa, bb = ((x * x).sum(axis=-1, keepdims=True) for x in (a, b))
    scale = np.sqrt(aa * bb)
    y = (a * b).sum(axis=-1, keepdims=True) / scale
    return g * (b / scale - y * a / aa), g * (a / scale - y * b / bb)


COSINE = right(
    "cosine similarity", FAMILY, "of vectors of lengths 1e-3 and 1e3", cosine, cosine_vjp,
    lambda rng: (1e-3 * rng.normal(size=(n := sizes(rng, (1, 3), (2, 5)))),
                 1e3 * rng.normal(size=n)),
)  # fmt: skip


def normalise(x: Any) -> Any:
    """x / |x|"""
    return x / np.sqrt((x * x).sum(axis=-1, keepdims=True))


def normalise_vjp(xs: Any, gs: Any) -> Any:
    """x̄ = (ȳ − y Σ ȳ y) / |x|"""
    (x,), (g,) = xs, gs
    r = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    y = x / r
    return ((g - y * (g * y).sum(axis=-1, keepdims=True)) / r,)


NORMALISE = right(
    "x / |x| near 0", FAMILY, "lengths of 1e-4: slopes of 1e4", normalise, normalise_vjp,
    lambda rng: (1e-4 * rng.normal(size=sizes(rng, (1, 3), (2, 5))),),
)  # fmt: skip

# --- Attention ----------------------------------------------------------------------------------


def attention(q: Any, k: Any, v: Any) -> Any:
    """softmax(q kᵀ / √d) v"""
    s = np.exp(q @ k.swapaxes(0, 1) / q.shape[1] ** 0.5)
    return s / s.sum(axis=1, keepdims=True) @ v


def attention_vjp(xs: Any, gs: Any) -> Any:
    """v̄ = pᵀ ȳ, s̄ = p (ȳ vᵀ − Σ p ȳ vᵀ) / √d, q̄ = s̄ k, k̄ = s̄ᵀ q"""
    (q, k, v), (g,) = xs, gs
    e = np.exp(q @ k.swapaxes(0, 1) / q.shape[1] ** 0.5)
    p = e / e.sum(axis=1, keepdims=True)
    u = g @ v.swapaxes(0, 1)
    s = p * (u - (u * p).sum(axis=1, keepdims=True)) / q.shape[1] ** 0.5
    return s @ k, s.swapaxes(0, 1) @ q, p.swapaxes(0, 1) @ g


def attended(rng: Any) -> Any:
    """Queries (I, D), keys (J, D), values (J, E)."""
    i, j, d, e = sizes(rng, (1, 3), (1, 3), (1, 3), (1, 3))
    return rng.normal(size=(i, d)), rng.normal(size=(j, d)), rng.normal(size=(j, e))


ATTENTION = right("attention", FAMILY, "three inputs", attention, attention_vjp, attended)

# --- Scans and indices --------------------------------------------------------------------------


def cumprod_vjp(xs: Any, gs: Any) -> Any:
    """x̄[i] = Σ ȳ[j] Π x[k], k ≤ j but i: products to the left, and a sum from the right"""
    (x,), (g,) = xs, gs
    found, n = np.zeros_like(x), len(x)
    left, rest = np.ones_like(x), np.zeros_like(x)
    for i in range(1, n):
        left[i] = left[i - 1] * x[i - 1]
    for i in reversed(range(n)):
        rest[i] = g[i] + (x[i + 1] * rest[i + 1] if i + 1 < n else 0)
        found[i] = left[i] * rest[i]
    return (found,)


def with_zeros(rng: Any) -> Any:
    """Normal numbers, one or two of them 0."""
    x = rng.normal(size=sizes(rng, (3, 6)))
    x[rng.choice(len(x), sizes(rng, (1, 2))[0], replace=False)] = 0.0
    return (x,)


CUMPROD = right(
    "cumprod with zeros", FAMILY, "no division is possible", lambda x: np.cumprod(x, axis=0),
    cumprod_vjp, with_zeros, second=False,
)  # fmt: skip
CUMSUM = right(
    "cumsum, axis 1 of 3", FAMILY, "", lambda x: np.cumsum(x, axis=1),
    lambda xs, gs: (np.flip(np.cumsum(np.flip(gs[0], 1), axis=1), 1).copy(),),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (1, 4), (1, 3))),), second=False,
)  # fmt: skip


def smoothing(x: Any, a: Any) -> Any:
    """h[t] = a h[t − 1] + (1 − a) x[t]"""
    states = [(1 - a) * x[0]]
    for t in range(1, len(x)):
        states.append(a * states[-1] + (1 - a) * x[t])
    return np.stack(states)


def smoothing_vjp(xs: Any, gs: Any) -> Any:
    """Back through the steps."""
    (x, a), (g,) = xs, gs
    states, found, a_bar, h_bar = smoothing(x, a), np.zeros_like(x), 0 * a, 0 * a
    for t in reversed(range(len(x))):
        h_bar = h_bar + g[t]
        found[t] = (1 - a) * h_bar
        a_bar = a_bar + h_bar * ((states[t - 1] if t else 0) - x[t])
        h_bar = a * h_bar
    return found, a_bar


SMOOTHING = right(
    "exponential smoothing", FAMILY, "a scan with a parameter", smoothing, smoothing_vjp,
    lambda rng: (rng.normal(size=(n := sizes(rng, (2, 6), (1, 3)))), rng.uniform(0.1, 0.9, n[1])),
    second=False,
)  # fmt: skip


def places(n: int, count: int) -> Any:
    """Indices below n, with repetitions."""
    return (np.arange(count) * 2 + 1) % n if n > 1 else np.zeros(count, int)


def gather_vjp(xs: Any, gs: Any) -> Any:
    """Cotangents of one row are added."""
    (x,), (g,) = xs, gs
    found = np.zeros_like(x)
    np.add.at(found, places(len(x), 6), g)
    return (found,)


GATHER = right(
    "rows of a table, repeated", FAMILY, "an embedding",
    lambda x: x[places(len(x), 6)], gather_vjp,
    lambda rng: (rng.normal(size=sizes(rng, (1, 5), (1, 3))),), second=False,
)  # fmt: skip


def scatter_add(x: Any, u: Any) -> Any:
    """x with rows of u added, some to the same row."""
    y = x.copy()
    np.add.at(y, places(len(x), len(u)), u)
    return y


SCATTER = right(
    "scatter-add", FAMILY, "several rows go to one place", scatter_add,
    lambda xs, gs: (gs[0].copy(), gs[0][places(len(xs[0]), len(xs[1]))]),
    lambda rng: (rng.normal(size=(n := sizes(rng, (1, 4), (1, 3)))), rng.normal(size=(5, n[1]))),
    second=False,
)  # fmt: skip


def overwrite(x: Any, u: Any) -> Any:
    """x with rows 0, 2, 4, ... replaced by u."""
    y = x.copy()
    y[::2] = u
    return y


def overwrite_vjp(xs: Any, gs: Any) -> Any:
    """The replaced rows of x get no gradient."""
    found = gs[0].copy()
    found[::2] = 0
    return found, gs[0][::2].copy()


OVERWRITE = right(
    "every second row replaced", FAMILY, "", overwrite, overwrite_vjp,
    lambda rng: (rng.normal(size=(n := sizes(rng, (1, 5), (1, 3)))),
                 rng.normal(size=((n[0] + 1) // 2, n[1]))),
    second=False,
)  # fmt: skip
EINSUM = right(
    "einsum bij,bjk,k→bi", FAMILY, "three operands",
    lambda a, b, c: np.einsum("bij,bjk,k->bi", a, b, c),
    lambda xs, gs: (
        np.einsum("bi,bjk,k->bij", gs[0], xs[1], xs[2]),
        np.einsum("bi,bij,k->bjk", gs[0], xs[0], xs[2]),
        np.einsum("bi,bij,bjk->k", gs[0], xs[0], xs[1]),
    ),
    lambda rng: tuple(
        rng.normal(size=s) for b, i, j, k in [sizes(rng, *[(1, 3)] * 4)]
        for s in [(b, i, j), (b, j, k), (k,)]
    ),
    second=False,
)  # fmt: skip


def spectrum(x: Any) -> Any:
    """The power of each frequency."""
    return np.abs(np.fft.rfft(x, axis=-1)) ** 2


def spectrum_vjp(xs: Any, gs: Any) -> Any:
    """x̄[t] = 2 Re Σ ȳ[f] X[f] e^(2πi f t / N), over the frequencies that are kept"""
    (x,), (g,) = xs, gs
    n = x.shape[-1]
    wave = np.exp(2j * np.pi * np.outer(np.arange(g.shape[-1]), np.arange(n)) / n)
    return (2 * ((g * np.fft.rfft(x, axis=-1)) @ wave).real.astype(x.dtype),)


SPECTRUM = right(
    "power of a real FFT", FAMILY, "odd and even lengths", spectrum, spectrum_vjp,
    lambda rng: (rng.normal(size=sizes(rng, (1, 2), (2, 7))),), second=False,
)  # fmt: skip
POWER = right(
    "a^b", FAMILY, "both differentiable; some exponents are 0", lambda a, b: a**b,
    lambda xs, gs: (
        gs[0] * xs[1] * xs[0] ** (xs[1] - 1), gs[0] * np.log(xs[0]) * xs[0] ** xs[1],
    ),
    lambda rng: (rng.uniform(0.5, 3, n := sizes(rng, (2, 5))),
                 rng.normal(size=n) * (np.arange(n[0]) % 2)),
    second=False,
)  # fmt: skip
DEVIATION = right(
    "standard deviation, n − 1", FAMILY, "unbiased",
    lambda x: np.sqrt(((x - x.mean(axis=0, keepdims=True)) ** 2).sum(axis=0) / (len(x) - 1)),
    lambda xs, gs: (
        (gs[0] / (np.sqrt(((d := xs[0] - xs[0].mean(axis=0, keepdims=True)) ** 2).sum(axis=0)
                          / (len(xs[0]) - 1)) * (len(xs[0]) - 1))) * d,
    ),
    lambda rng: (rng.normal(size=sizes(rng, (3, 6), (1, 3))),),
)  # fmt: skip
LOG_SOFTMAX = right(
    "log softmax", FAMILY, "over axis 1 of three",
    lambda x: x - np.log(np.exp(x).sum(axis=1, keepdims=True)),
    lambda xs, gs: (
        gs[0] - gs[0].sum(axis=1, keepdims=True) * (e := np.exp(xs[0]))
        / e.sum(axis=1, keepdims=True),
    ),
    lambda rng: (rng.normal(size=sizes(rng, (1, 3), (2, 4), (1, 3))),), tolerance=1e-8,
)  # fmt: skip
CENTRED = right(
    "maximum minus minimum", FAMILY, "over all of two axes",
    lambda x: x.max(axis=(0, 1)) - x.min(axis=(0, 1)),
    lambda xs, gs: (
        gs[0] * (indicator((x := constant(xs[0])) == x.max(axis=(0, 1)), x)
                 - indicator(x == x.min(axis=(0, 1)), x)),
    ),
    lambda rng: (separated(rng, sizes(rng, (2, 3), (2, 3), (1, 3))),),
)  # fmt: skip
MEAN = right(
    "mean over axis 1 of 4", FAMILY, "", lambda x: x.mean(axis=1),
    lambda xs, gs: (
        np.broadcast_to(gs[0][:, None] / xs[0].shape[1], xs[0].shape).copy(),
    ),
    normal(shape=(2, 3, 2, 3)), second=False,
)  # fmt: skip
