"""Right: a function with its vjp, and inputs that are hard to check. Wrong: a mistake in the vjp.

Both are functions of NumPy arrays and know nothing of this package, so any checker can run them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..values import Array

Value = Callable[..., Any]  # of arrays; returns an array, or a tuple of arrays
Vjp = Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]]  # of inputs and cotangents
Draw = Callable[[np.random.Generator], tuple[Array, ...]]
Functions = tuple[Value, Vjp]

RIGHT: list[Right] = []
WRONG: list[Wrong] = []


@dataclass(frozen=True)
class Right:
    """A function, its right vjp, and a source of inputs.

    - `value(*xs)` returns an array or a tuple of arrays; `vjp(xs, gs)` returns a gradient for each
      input. `gs` has a cotangent for each output;
    - `draw(rng)` returns inputs: other values, and most often other shapes, for each seed;
    - `second` says that `vjp` serves Tensors with the same lines, so that it has a derivative too;
    - `fresh` makes new functions for each trial, if they keep a state; `value` and `vjp` are then a
      pair of them;
    - `smaller` draws inputs of the same form that are small enough for exact arithmetic;
    - `tolerance` bounds the error of the gradient, relative to the sum of the magnitudes of its
      terms: the rounding of the vjp, which tests prove. `second_tolerance` is that of the
      derivative of the gradient, and the same by default.
    """

    name: str
    family: str
    why: str
    value: Value
    vjp: Vjp
    draw: Draw
    second: bool = True
    tolerance: float = 1e-9
    second_tolerance: float | None = None
    smaller: Draw | None = None
    fresh: Callable[[], Functions] | None = None

    def functions(self) -> Functions:
        """The function and its vjp, with a state of their own if they have one."""
        return self.fresh() if self.fresh else (self.value, self.vjp)


@dataclass(frozen=True)
class Wrong:
    """A wrong vjp of a right function.

    - `what` says what is wrong, in words;
    - `shows` says in what the mistake shows: see `KINDS`;
    - `draw` returns inputs at which it shows; by default those of the right function;
    - `cotangent(rng, y)` returns a cotangent with which it shows; by default a random one;
    - `size` is a lower bound of its size: of the error of an element of the gradient, relative to
      the larger of the wrong and the right one. It is proved.
    """

    name: str
    family: str
    what: str
    right: Right
    fresh: Callable[[], Functions]
    shows: str = "gradient"
    size: float = 1e-3
    draw: Draw | None = None
    second: bool = False
    cotangent: Callable[[np.random.Generator, Array], Array] | None = None

    def inputs(self, rng: np.random.Generator) -> tuple[Array, ...]:
        """Inputs at which the mistake shows."""
        return (self.draw or self.right.draw)(rng)

    def functions(self) -> Functions:
        """The function and the wrong vjp, with a state of their own if they have one."""
        return self.fresh()


KINDS = {
    "gradient": "in the gradient for a random cotangent",
    "second call": "in the gradient of a later call at other inputs",
    "second derivative": "in the derivative of the gradient alone",
    "layout": "in the gradient for a cotangent or an input of another layout in memory",
    "forward": "in the value: the vjp is that of the function that was meant",
    "writes": "it writes to an input or to the cotangent",
    "memory": "gradients share memory with each other or with a later call's",
    "noise": "two calls give two results",
    "threads": "in the gradient of a call in another thread than the forward",
    "dtype": "the gradient has another dtype or shape than the input",
    "kink": "at a kink alone, where it is outside of the slopes of both sides",
}


def right(
    name: str, family: str, why: str, value: Value, vjp: Vjp, draw: Draw, **options: Any
) -> Right:
    """Add a right function to the list."""
    RIGHT.append(Right(name, family, why, value, vjp, draw, **options))
    return RIGHT[-1]


def elementwise(
    name: str, family: str, why: str, value: Value, slope: Value, draw: Draw, **options: Any
) -> Right:
    """Add a right function of one input whose vjp is ȳ times a slope."""
    return right(name, family, why, value, lambda xs, gs: (gs[0] * slope(*xs),), draw, **options)


def wrong(base: Right, family: str, what: str, **options: Any) -> Callable[[Vjp], Vjp]:
    """A decorator that adds a wrong vjp to the list."""

    def add(vjp: Vjp) -> Vjp:
        functions = base.value, vjp
        name = f"{base.name}: {vjp.__name__.replace('_', ' ')}"
        WRONG.append(Wrong(name, family, what, base, lambda: functions, **options))
        return vjp

    return add


def wrong_functions(
    base: Right, family: str, what: str, **options: Any
) -> Callable[[Callable[[], Functions]], Callable[[], Functions]]:
    """A decorator that adds a maker of functions: for mistakes with a state, or in the value."""

    def add(fresh: Callable[[], Functions]) -> Callable[[], Functions]:
        name = f"{base.name}: {fresh.__name__.replace('_', ' ')}"
        WRONG.append(Wrong(name, family, what, base, fresh, **options))
        return fresh

    return add


def outputs_of(value: Any) -> tuple[Array, ...]:
    """The outputs of a function as a tuple of arrays."""
    return tuple(map(np.asarray, value if isinstance(value, tuple) else (value,)))


def constant(x: Any) -> Any:
    """The values of a Tensor as an array, cut off from the graph; an array as it is."""
    return x.detach().numpy() if hasattr(x, "detach") else x


def indicator(mask: Any, x: Any) -> Any:
    """1 where the mask is true and 0 elsewhere, in the dtype of x."""
    return mask.astype(constant(x).dtype)
