"""Mistakes in the gradient that a vjp returns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine import Op, variant
from ...ops import expand
from .base import FLOAT32, ONE, SECOND_ORDER, TWO, Mutation, Values, Watch, parameters, rewritten
from .changes import (
    LITTLE,
    Change,
    detached,
    dropped,
    in_float64,
    noisy,
    of_value,
    off,
    one_buffer,
    reversed_first,
    rolled,
    scaled,
    sign_turned,
    transposed,
    zeroed,
)


def on_gradient(name: str, input: str, change: Change, shown_by: str = ONE) -> Mutation:
    """A mutation that returns change(gradient, g, watch) in place of the gradient."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: Values) -> Any:
            wanted = vjp(g, *values.values())
            return watch.compare(wanted, change(wanted, g, watch))

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation(name, input, make, shown_by)


def g_added(d: Any, g: Any, watch: Watch) -> Any:
    return d + g if tuple(d.shape) == tuple(g.shape) else d


def as_large_as_g(d: Any, g: Any, watch: Watch) -> Any:
    """The sum over broadcast axes is missing: the gradient is expanded to the shape of g again."""
    shape = tuple(d.shape)
    if shape == tuple(g.shape) or len(shape) > len(g.shape):
        return d
    try:
        both = np.broadcast_shapes(shape, tuple(g.shape))
    except ValueError:
        return d
    return expand(d, shape=both)


def times_count(d: Any, g: Any, watch: Watch) -> Any:
    """A mean is differentiated as a sum."""
    sizes = math.prod(d.shape), math.prod(g.shape)
    return d * (sizes[0] / sizes[1]) if all(sizes) and sizes[0] != sizes[1] else d


def over_count(d: Any, g: Any, watch: Watch) -> Any:
    """A sum is differentiated as a mean."""
    sizes = math.prod(d.shape), math.prod(g.shape)
    return d * (sizes[1] / sizes[0]) if all(sizes) and sizes[0] != sizes[1] else d


def over_g(d: Any, g: Any, watch: Watch) -> Any:
    """Writes to the cotangent."""
    if isinstance(g, np.ndarray) and g.size and g.flags.writeable:
        d, watch.changed = d.copy(), True
        g *= 2
    return d


def gradients_of(input: str) -> Iterator[Mutation]:
    """All mistakes in the gradient of one input."""
    yield on_gradient(f"× {LITTLE}", input, of_value(scaled))
    yield on_gradient("sign turned", input, of_value(sign_turned))
    yield on_gradient("dropped", input, of_value(dropped))
    yield on_gradient("g added", input, g_added)
    yield on_gradient("first element zeroed", input, of_value(zeroed(0)))
    yield on_gradient("last element zeroed", input, of_value(zeroed(-1)))
    yield on_gradient("one element off by 0.001", input, of_value(off(0)))
    yield on_gradient("moved by one place", input, of_value(rolled))
    yield on_gradient("transposed where square", input, of_value(transposed))
    yield on_gradient("first axis turned around", input, of_value(reversed_first))
    yield on_gradient("not summed back to the input", input, as_large_as_g)
    yield on_gradient("sum for mean: times the count", input, times_count)
    yield on_gradient("mean for sum: over the count", input, over_count)
    yield on_gradient("in float64", input, of_value(in_float64), FLOAT32)
    yield on_gradient("cut off from g", input, of_value(detached), SECOND_ORDER)
    yield on_gradient("another each time", input, of_value(noisy()), TWO)
    yield on_gradient("writes to g", input, over_g)
    yield on_gradient("one buffer for all calls", input, one_buffer(), TWO)


def broadcast_kept(op: Op) -> Iterator[Mutation]:
    """The sum over broadcast axes, which the engine adds for elementwise ops, is missing."""
    if not op.elementwise:
        return

    for input in op.vjps:

        def make(op: Op, watch: Watch, input: str = input) -> Op:
            vjp = op.vjps[input]

            def run(g: Any, values: Values) -> Any:
                gradient = vjp(g, *(values[n] for n in parameters(vjp)))
                watch.changed |= tuple(gradient.shape) != tuple(values[f"{input}_shape"])
                return gradient

            wrong = {input: rewritten(vjp, run, [f"{input}_shape"])}
            return variant(op, vjps=wrong, elementwise=False)

        yield Mutation("broadcast not undone", input, make)
