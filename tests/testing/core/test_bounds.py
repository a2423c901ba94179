"""The bound that a verdict states is true: an error of three times its size is seen."""

from itertools import chain

import numpy as np
import pytest

from tinygrad_cnn.testing.core.blocks import blocks
from tinygrad_cnn.testing.core.differentiable import Differentiable
from tinygrad_cnn.testing.core.line import Line
from tinygrad_cnn.testing.core.verdict import Outcome
from tinygrad_cnn.testing.selftest.case import RIGHT
from tinygrad_cnn.testing.selftest.table import select
from tinygrad_cnn.testing.values import signed
from tinygrad_cnn.testing.verify import Point, repeated

select([])  # loads the cases


def points(seed):
    """The right functions of float64, of at most 2,000 numbers, each at a point with a cotangent."""
    for case in RIGHT:
        rng = np.random.default_rng([seed, 3])
        xs = case.draw(rng)
        if sum(x.size for x in xs) > 2000 or any(x.dtype != np.float64 for x in xs):
            continue
        value, vjp = case.functions()
        pull = lambda g, *xs, vjp=vjp: vjp(xs, g if isinstance(g, tuple) else (g,))  # noqa: E731
        subject = Differentiable(value, pull, name=case.name).subject(xs)
        at = repeated(subject)
        if all(np.isfinite(y).all() for y in at):
            yield subject, Point(subject, at, [signed(rng, y.shape) for y in at], 1e-7), rng


def lines(seed):
    """(point, line, verdict) for each line along which a gradient was found right."""
    for subject, point, rng in points(seed):
        for k, gradient in zip(subject.wrt, point.gradients, strict=True):
            v = signed(rng, gradient.shape)
            for block in blocks(subject.doubles[k], gradient):
                step = block.of(v) * max(block.scale, 1.0)
                line = Line(subject, point.us, k, step, gradient, point.at, block.scale)
                verdict = point.judge(line)
                if verdict.outcome is Outcome.RIGHT and np.isfinite(verdict.seen):
                    yield point, line, verdict


@pytest.mark.parametrize("where", ["in one element", "in all elements"])
def test_a_gradient_that_passes_is_off_by_less_than_three_times_the_bound(where):
    """The bound may be larger after an error was put in: then all steps are tried, not a few."""
    true = tried = 0
    for point, line, verdict in chain(lines(0), lines(1)):
        moved = np.flatnonzero(line.v)
        if not len(moved) or not verdict.seen:
            continue
        change = np.zeros_like(line.gradient)
        if where == "in one element":
            moved = moved[:1]
        change.flat[moved] = 3 * verdict.seen / line.v.flat[moved] / len(moved)
        wrong = line.gradient + change
        other = Line(line.subject, line.us, line.k, line.v, wrong, line.at, line.scale)
        found = point.judge(other)
        tried += 1
        error = abs(float(((wrong - line.gradient) * line.v).sum()))
        true += found.outcome is not Outcome.RIGHT or error < 3 * found.seen
    assert tried > 300
    assert true >= 0.99 * tried, (true, tried)
