"""Updates: the arithmetic of a step on one parameter, in place, elementwise, with NumPy's functions.

An update is called as `update((p, g, *state), scratch, numbers)`, with arrays of one shape. It changes
p and the state, and not the gradient g. The kernels may record its calls once and replay them with
other numbers: so numbers are operands only, and no branch may depend on them. A choice between two
updates is made outside: each has its own function or closure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..atomic import Change

Update: TypeAlias = Callable[[Any, Any, Any], None]
# (an update, the arrays of the state, how many scratch arrays it needs, its numbers, *changes): the
# changes to the rest of the state are made together with the update
Job: TypeAlias = tuple[Any, ...]


def assign(x: Any, value: Any) -> Change:
    """The change that gives all elements of `x` a value, or those of an array, in its dtype."""
    return partial(x._array.__setitem__, ..., value)


def descending(update: Update, decay: bool, apart: bool, up: bool) -> Update:
    """`update` after weight decay and `maximize`. It needs one more scratch array and number.

    Coupled decay sets g ← ±g + decay · p, and the number is the decay. Decoupled decay (`apart`;
    Loshchilov and Hutter 2019) sets p ← p − lr · decay · p, and the number is 1 − lr · decay.
    """

    def descend(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, *state), s, number = arrays, scratch[-1], numbers[-1]
        if apart:
            np.multiply(p, number, out=p)
        elif decay:
            np.multiply(p, number, out=s)
            g = np.subtract(s, g, out=s) if up else np.add(s, g, out=s)
        if up and (apart or not decay):
            g = np.negative(g, out=s)
        update((p, g, *state), scratch[:-1], numbers[:-1])

    return descend


def average(m: Any, x: Any, weight: float, s: Any) -> None:
    """m ← m + weight · (x − m): the running average. `s` is scratch."""
    np.subtract(x, m, out=s)
    np.multiply(s, weight, out=s)
    np.add(m, s, out=m)


def average_square(v: Any, x: Any, beta: float, rest: float, s: Any) -> None:
    """v ← beta · v + rest · x², with rest = 1 − beta. `s` is scratch."""
    np.multiply(v, beta, out=v)
    np.multiply(x, x, out=s)
    np.multiply(s, rest, out=s)
    np.add(v, s, out=v)


def subtract_ratio(p: Any, rate: float, x: Any, d: Any, s: Any) -> None:
    """p ← p − rate · x / d. `s` is scratch, and may be d."""
    np.divide(x, d, out=s)
    np.multiply(s, rate, out=s)
    np.subtract(p, s, out=p)
