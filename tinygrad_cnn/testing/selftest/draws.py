"""Sources of inputs: functions of a random generator that return a tuple of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..values import Array, Shape
from .case import Draw

Rng = np.random.Generator


def shape_of(rng: Rng, axes: tuple[int, int] = (1, 3), sizes: tuple[int, int] = (1, 4)) -> Shape:
    """A random shape."""
    return tuple(
        int(n) for n in rng.integers(sizes[0], sizes[1] + 1, rng.integers(axes[0], axes[1] + 1))
    )


def of(
    values: Callable[[Rng, Shape], Array], *, shape: Shape | None = None, count: int = 1
) -> Draw:
    """`count` arrays of one shape, random by default, with these values."""

    def draw(rng: Rng) -> tuple[Array, ...]:
        found = shape_of(rng) if shape is None else shape
        return tuple(np.asarray(values(rng, found)) for _ in range(count))

    return draw


def normal(scale: float = 1.0, at: float = 0.0, **options: Any) -> Draw:
    """Normal numbers."""
    return of(lambda rng, shape: at + scale * rng.normal(size=shape), **options)


def uniform(low: float, high: float, **options: Any) -> Draw:
    """Numbers between two bounds."""
    return of(lambda rng, shape: rng.uniform(low, high, shape), **options)


def powers(low: float, high: float, signed: bool = True, **options: Any) -> Draw:
    """Numbers of magnitudes between 10**low and 10**high, mixed in one array."""
    return of(lambda rng, shape: magnitudes(rng, shape, low, high, signed), **options)


def magnitudes(rng: Rng, shape: Shape, low: float, high: float, signed: bool = True) -> Array:
    """An array for `powers`."""
    sizes = 10 ** rng.uniform(low, high, shape)
    return np.asarray(sizes * rng.choice([-1.0, 1.0], shape) if signed else sizes)


def both_sides(low: float, high: float, **options: Any) -> Draw:
    """Numbers between two positive bounds, with either sign."""
    return of(
        lambda rng, shape: rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape), **options
    )


def together(*draws: Draw) -> Draw:
    """The inputs of several sources, one after the other."""
    return lambda rng: tuple(x for draw in draws for x in draw(rng))


def cast(draw: Draw, dtype: Any) -> Draw:
    """The same inputs in another dtype."""
    return lambda rng: tuple(x.astype(dtype) for x in draw(rng))


def sizes(rng: Rng, *bounds: tuple[int, int]) -> tuple[int, ...]:
    """A random integer between each pair of bounds."""
    return tuple(int(rng.integers(low, high + 1)) for low, high in bounds)


def matrices(*forms: str, low: int = 2, high: int = 4) -> Draw:
    """Normal arrays whose shapes are letters: "ij", "jk" share the size j."""

    def draw(rng: Rng) -> tuple[Array, ...]:
        letters = sorted(set("".join(forms)))
        size = dict(zip(letters, sizes(rng, *[(low, high)] * len(letters)), strict=True))
        return tuple(rng.normal(size=tuple(size[c] for c in form)) for form in forms)

    return draw


def conditioned(rng: Rng, n: int, condition: float, symmetric: bool = False) -> Array:
    """A matrix of this condition number; positive definite if symmetric."""
    u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    singular = condition ** -np.linspace(0, 1, n) if n > 1 else np.ones(1)
    return np.asarray((u * singular) @ (u.T if symmetric else v))


def separated(rng: Rng, shape: Shape, gap: float = 0.1) -> Array:
    """Numbers without ties: any two are at least `gap` apart."""
    n = int(np.prod(shape))
    values = (rng.permutation(n) - n / 2 + rng.uniform(0, 0.4)) * 2 * gap
    return np.asarray((values + rng.uniform(-0.4, 0.4, n) * gap).reshape(shape))


def rows(rng: Rng, values: Sequence[float], shape: Shape, noise: float = 0.0) -> Array:
    """Each row along the last axis is a permutation of `values`, repeated, plus noise."""
    line = np.resize(np.asarray(values), shape[-1])
    found = np.array([rng.permutation(line) for _ in range(int(np.prod(shape[:-1])))])
    return np.asarray(found.reshape(shape) + noise * rng.normal(size=shape))
