"""What the forward of each op is by definition: plain loops and NumPy, apart from the kernels.

A reference takes arrays and attributes and returns y, or y and what else the op returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .values import Array, Shape

Pair = tuple[int, int]
Reference = Callable[..., Any]


# --- Elementwise --------------------------------------------------------------------------------

# Other words for the same function, where there are any, so that not NumPy is compared with itself.
BY_FORMULA: dict[str, Reference] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: x**-0.5,
    "log2": lambda x: np.log(x) / math.log(2),
    "log10": lambda x: np.log(x) / math.log(10),
    "log1p": lambda x: np.log(1 + x),
    "expm1": lambda x: np.exp(x) - 1,
    "tan": lambda x: np.sin(x) / np.cos(x),
    "sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2,
    "cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2,
    "asin": lambda x: np.arctan(x / np.sqrt(1 - x * x)),
    "acos": lambda x: math.pi / 2 - np.arcsin(x),
    "atan": lambda x: np.arcsin(x / np.sqrt(1 + x * x)),
    "asinh": lambda x: np.log(x + np.sqrt(x * x + 1)),
    "acosh": lambda x: np.log(x + np.sqrt(x * x - 1)),
    "atanh": lambda x: np.log((1 + x) / (1 - x)) / 2,
    "floor": np.vectorize(math.floor, otypes=[float]),
    "ceil": np.vectorize(math.ceil, otypes=[float]),
    "trunc": np.vectorize(math.trunc, otypes=[float]),
    "round": np.vectorize(round, otypes=[float]),
    "floor_divide": np.vectorize(lambda a, b: math.floor(a / b), otypes=[float]),
    "remainder": np.vectorize(lambda a, b: a % b, otypes=[float]),
    "fmod": np.vectorize(math.fmod, otypes=[float]),
}


# --- Reductions ---------------------------------------------------------------------------------


def by_numpy(function: Callable[..., Any]) -> Reference:
    """A reduction of NumPy's, with the attributes named as here."""

    def reduce(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
        return np.asarray(function(x, axis=dim, keepdims=keepdim))

    return reduce


def spread_by(function: Callable[..., Any]) -> Reference:
    """NumPy's var or std."""

    def reduce(x: Array, dim: Any = None, correction: int = 1, keepdim: bool = False) -> Array:
        return np.asarray(function(x, axis=dim, ddof=correction, keepdims=keepdim))

    return reduce


def extreme_along(value: Callable[..., Any], place: Callable[..., Any]) -> Reference:
    """The extreme along an axis, and its index."""

    def reduce(x: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        return value(x, axis=dim, keepdims=keepdim), place(x, axis=dim, keepdims=keepdim)

    return reduce


def logsumexp(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """ln Σ eˣ"""
    return np.asarray(np.log(np.exp(x).sum(axis=dim, keepdims=keepdim)))


def norm(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """√Σ x²"""
    return np.asarray(np.sqrt((x * x).sum(axis=dim, keepdims=keepdim)))


# --- Shapes -------------------------------------------------------------------------------------


def reshape(x: Array, shape: Shape) -> Array:
    """One element after the other, in row-major order."""
    return np.array([x[place] for place in np.ndindex(x.shape)], x.dtype).reshape(shape)


def permute(x: Array, dims: Shape) -> Array:
    """Element by element."""
    y = np.zeros([x.shape[d] for d in dims], x.dtype)
    for place in np.ndindex(x.shape):
        y[tuple(place[d] for d in dims)] = x[place]
    return y


def sum_to(x: Array, shape: Shape) -> Array:
    """Each element is added to the place that a broadcast would read for it."""
    y = np.zeros(shape, x.dtype)
    for place in np.ndindex(x.shape):
        tail = place[x.ndim - len(shape) :]
        y[tuple(0 if n == 1 else p for p, n in zip(tail, shape, strict=True))] += x[place]
    return y


def put(x: Array, index: Any, shape: Shape) -> Array:
    """Repeated places are added."""
    y = np.zeros(shape, x.dtype)
    places = np.arange(y.size).reshape(shape)[index]  # where each element goes
    for place, value in zip(places.ravel(), x.ravel(), strict=True):
        y.flat[place] += value
    return y


def setitem(x: Array, v: Any, index: Any) -> Array:
    """Of repeated places the last counts."""
    y = x.copy()
    places = np.arange(y.size).reshape(x.shape)[index]
    for place, value in zip(places.ravel(), np.broadcast_to(v, places.shape).ravel(), strict=True):
        y.flat[place] = value
    return y


def write_view(x: Array, v: Array, path: Any) -> Array:
    """NumPy's own views, written to."""
    part = whole = x.copy()
    for op, attributes in path:
        part = op.forward(part, **attributes)
    part[...] = v
    return whole


def pad(x: Array, widths: Any, value: float) -> Array:
    """Cell by cell."""
    y = np.full([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], value, x.dtype)
    for target in np.ndindex(y.shape):
        source = tuple(t - before for t, (before, _) in zip(target, widths, strict=True))
        if all(0 <= s < n for s, n in zip(source, x.shape, strict=True)):
            y[target] = x[source]
    return y


def gather(x: Array, index: Array, dim: int) -> Array:
    """Element by element."""
    y = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        y[place] = x[(*place[:dim], index[place], *place[dim + 1 :])]
    return y


def scatter_add(x: Array, index: Array, dim: int, shape: Shape) -> Array:
    """Element by element."""
    y = np.zeros(shape, x.dtype)
    for place in np.ndindex(index.shape):
        y[(*place[:dim], index[place], *place[dim + 1 :])] += x[place]
    return y


def flip(x: Array, dims: Shape) -> Array:
    """Element by element."""
    y = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        y[tuple(n - 1 - i if k in dims else i for k, (i, n) in _sides(place, x))] = x[place]
    return y


def roll(x: Array, shifts: Shape, dims: Shape) -> Array:
    """Element by element."""
    by, y = dict(zip(dims, shifts, strict=True)), np.zeros_like(x)
    for place in np.ndindex(x.shape):
        y[tuple((i + by.get(k, 0)) % n for k, (i, n) in _sides(place, x))] = x[place]
    return y


def _sides(place: Shape, x: Array) -> Any:
    return enumerate(zip(place, x.shape, strict=True))


def diagonal(x: Array, offset: int, dims: Pair) -> Array:
    """Element by element."""
    x = np.moveaxis(x, dims, (-2, -1))
    first = max(-offset, 0)
    n = max(min(x.shape[-2] - first, x.shape[-1] - max(offset, 0)), 0)
    return np.stack([x[..., first + k, first + k + offset] for k in range(n)], -1)


def from_diagonal(u: Array, offset: int, dims: Pair, shape: Shape) -> Array:
    """Element by element."""
    y = np.zeros(shape)
    inside = np.moveaxis(y, dims, (-2, -1))
    first = max(-offset, 0)
    for k in range(u.shape[-1]):
        inside[..., first + k, first + k + offset] = u[..., k]
    return y


# --- Scans and special functions ----------------------------------------------------------------


def scan(add: Callable[..., Any]) -> Reference:
    """One slice after the other along an axis."""

    def run(x: Array, dim: int) -> Array:
        slices = list(np.moveaxis(x, dim, 0))
        for k in range(1, len(slices)):
            slices[k] = add(slices[k - 1], slices[k])
        return np.stack(slices, dim) if slices else x

    return run


cumsum, cumprod = scan(np.add), scan(np.multiply)


def erfinv(x: Array) -> Array:
    """By bisection of math.erf."""

    def one(v: float) -> float:
        low, high = -6.0, 6.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle) < v else (low, middle)
        return low

    return np.asarray(np.vectorize(one, otypes=[float])(x))


# --- Products and convolution -------------------------------------------------------------------


def matmul(a: Array, b: Array) -> Array:
    """Σⱼ a[.., i, j] b[.., j, k], one j at a time."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = np.zeros((*lead, a.shape[-2], b.shape[-1]))
    for j in range(a.shape[-1]):
        y += a[..., :, j, None] * b[..., None, j, :]
    return y


def contract(a: Array, b: Array, of_a: str, of_b: str, of_y: str) -> Array:
    """NumPy's einsum."""
    return np.asarray(np.einsum(f"{of_a},{of_b}->{of_y}", a, b))


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Σ_d x[.., d] weight[f, d] + bias[f]"""
    y = (x[..., None, :] * weight).sum(-1)
    return y if bias is None else y + bias


def windows(
    plane: Shape, kernel: Shape, output: Shape, stride: Shape, padding: Any, dilation: Shape
) -> Iterator[tuple[Any, Any, Any]]:
    """(tap, window, cell), places each, for the taps of windows that stand on a cell of x."""
    n = len(plane)
    for place in np.ndindex(*kernel, *output):
        tap, window = place[:n], place[n:]
        axes = zip(window, stride, tap, dilation, padding, strict=True)
        cell = tuple(p * s + i * d - before for p, s, i, d, (before, _) in axes)
        if all(0 <= h < size for h, size in zip(cell, plane, strict=True)):
            yield tap, window, cell


def channels_of(f: int, w_shape: Shape, groups: int) -> slice:
    """The channels that filter f sees."""
    first = f // (w_shape[0] // groups) * w_shape[1]
    return slice(first, first + w_shape[1])


ALL: Any = slice(None)


def conv(
    x: Array, w: Array, b: Array | None = None, *,
    stride: Shape, padding: Any, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """Window by window; of any number of axes."""
    axes = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    output = tuple((n + sum(pad) - d * (k - 1) - 1) // s + 1 for n, k, s, pad, d in axes)
    y = np.zeros((x.shape[0], w.shape[0], *output))
    reach = windows(x.shape[2:], w.shape[2:], output, stride, padding, dilation)
    for tap, window, cell in reach:
        for f in range(w.shape[0]):
            seen = x[(ALL, channels_of(f, w.shape, groups), *cell)]
            y[(ALL, f, *window)] += seen @ w[(f, ALL, *tap)]
    return y if b is None else y + b.reshape(-1, *[1] * len(output))


def conv_input(
    u: Array, w: Array, *,
    x_shape: Shape, stride: Shape, padding: Any, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """What each window read gets its share."""
    x = np.zeros(x_shape)
    reach = windows(x_shape[2:], w.shape[2:], u.shape[2:], stride, padding, dilation)
    for tap, window, cell in reach:
        for f in range(w.shape[0]):
            share = u[(ALL, f, *window)][:, None] * w[(f, ALL, *tap)]
            x[(ALL, channels_of(f, w.shape, groups), *cell)] += share
    return x


def conv_weight(
    u: Array, x: Array, *,
    w_shape: Shape, stride: Shape, padding: Any, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """What each tap read, times what came of it."""
    w = np.zeros(w_shape)
    reach = windows(x.shape[2:], w_shape[2:], u.shape[2:], stride, padding, dilation)
    for tap, window, cell in reach:
        for f in range(w_shape[0]):
            seen = x[(ALL, channels_of(f, w_shape, groups), *cell)]
            w[(f, ALL, *tap)] += u[(ALL, f, *window)] @ seen
    return w


# --- Pooling, and what is linear along an axis --------------------------------------------------


def max_pool2d(
    x: Array, *, kernel_size: Pair, stride: Pair, padding: Any, dilation: Pair, output_size: Pair
) -> tuple[Array, Array]:
    """The first maximum of each window, and the number of its tap."""
    y = np.full((*x.shape[:2], *output_size), -np.inf)
    taps = np.full(y.shape, kernel_size[0] * kernel_size[1])
    reach = windows(x.shape[2:], kernel_size, output_size, stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reach:
        greater = x[:, :, h, k] > y[:, :, p, q]
        taps[:, :, p, q] = np.where(greater, i * kernel_size[1] + j, taps[:, :, p, q])
        y[:, :, p, q] = np.maximum(y[:, :, p, q], x[:, :, h, k])
    return y, taps


def max_pool2d_gather(
    x: Array, taps: Array, *, kernel_size: Pair, stride: Pair, padding: Any, dilation: Pair
) -> Array:
    """x at the tap of each window."""
    y = np.zeros(taps.shape)
    reach = windows(x.shape[2:], kernel_size, taps.shape[2:], stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reach:
        here = taps[:, :, p, q] == i * kernel_size[1] + j
        y[:, :, p, q] += np.where(here, x[:, :, h, k], 0)
    return y


def max_pool2d_scatter(
    u: Array, taps: Array, *,
    x_shape: Shape, kernel_size: Pair, stride: Pair, padding: Any, dilation: Pair,
) -> Array:  # fmt: skip
    """u added at the tap of each window."""
    x = np.zeros(x_shape)
    reach = windows(x_shape[2:], kernel_size, taps.shape[2:], stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reach:
        here = taps[:, :, p, q] == i * kernel_size[1] + j
        x[:, :, h, k] += np.where(here, u[:, :, p, q], 0)
    return x


def avg_pool2d(
    x: Array, *, kernel_size: Pair, stride: Pair, padding: Any, output_size: Pair, divisor: Any
) -> Array:
    """The sum of each window, divided."""
    y = np.zeros((*x.shape[:2], *output_size))
    reach = windows(x.shape[2:], kernel_size, output_size, stride, padding, (1, 1))
    for _, (p, q), (h, k) in reach:
        y[:, :, p, q] += x[:, :, h, k]
    return y / divisor


def avg_pool2d_input(
    u: Array, *, x_shape: Shape, kernel_size: Pair, stride: Pair, padding: Any, divisor: Any
) -> Array:
    """To each cell of a window its share."""
    x, share = np.zeros(x_shape), u / divisor
    reach = windows(x_shape[2:], kernel_size, u.shape[2:], stride, padding, (1, 1))
    for _, (p, q), (h, k) in reach:
        x[:, :, h, k] += share[:, :, p, q]
    return x


def resample(x: Array, dim: int, matrix: Any) -> Array:
    """The product with the matrix, written out in full."""
    full = np.zeros(matrix.shape)
    for row, cell, weight in zip(matrix.rows, matrix.cells, matrix.weights, strict=True):
        full[row, cell] += weight
    return np.moveaxis(np.tensordot(full, x, (1, dim)), 0, dim)


# --- Softmax, losses, normalisation -------------------------------------------------------------


def softmax(x: Array, dim: int) -> Array:
    """eˣ / Σ eˣ"""
    return np.asarray(np.exp(x) / np.exp(x).sum(dim, keepdims=True))


def log_softmax(x: Array, dim: int) -> Array:
    """Its logarithm."""
    return np.log(softmax(x, dim))


def cross_entropy(
    x: Array, target: Array, weight: Array | None = None, *,
    ignore_index: int, reduction: str, label_smoothing: float,
) -> Array:  # fmt: skip
    """One image, one place at a time."""
    logp, classes = log_softmax(x, 1), x.shape[1]
    weight = np.ones(classes) if weight is None else weight
    losses = np.zeros(target.shape)
    total: Any = 0.0
    for place in np.ndindex(target.shape):
        label = target[place]
        if label == ignore_index:
            continue
        of_place = logp[(place[0], slice(None), *place[1:])]
        own = -weight[label] * of_place[label]
        even = -(weight * of_place).sum() / classes
        losses[place] = (1 - label_smoothing) * own + label_smoothing * even
        total += weight[label]
    if reduction == "none":
        return losses
    return np.asarray(losses.sum() / (1 if reduction == "sum" else total or np.nan))


def normalization(centred: bool = True) -> Reference:
    """Set by set of what is normalised together; mean and biased variance too."""

    def normalize(
        x: Array, weight: Array | None = None, bias: Array | None = None, *,
        dims: Shape, affine_shape: Shape, eps: float,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        y, kept = np.zeros(x.shape), [1 if d in dims else n for d, n in enumerate(x.shape)]
        mean, variance = np.zeros(kept if centred else ()), np.zeros(kept)
        for place in np.ndindex(*kept) if x.size else ():
            together = tuple(ALL if d in dims else p for d, p in enumerate(place))
            about = x[together].mean() if centred else 0.0
            mean[place if centred else ()] = about
            variance[place] = ((x[together] - about) ** 2).mean()
            y[together] = (x[together] - about) / np.sqrt(variance[place] + eps)
        y *= 1 if weight is None else weight.reshape(affine_shape)
        return y + (0 if bias is None else bias.reshape(affine_shape)), mean, variance

    return normalize


def dropout(x: Array, p: float, random: Callable[[Shape], Array]) -> Array:
    """Kept, and grown by 1 / (1 − p), where the number is at least p."""
    return np.where(random(x.shape) >= p, x / (1 - p if p < 1 else 1), 0)
