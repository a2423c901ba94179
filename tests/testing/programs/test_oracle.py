"""The oracle itself: its slopes are right, and it raises errors where it must."""

import numpy as np

import tinygrad_cnn as tc
from tinygrad_cnn.testing import Program
from tinygrad_cnn.testing.programs import oracle

A = "a = real([1.0, 2.0, -3.0], requires_grad=True)"
ONES = "real([1.0, 1.0, 1.0])"


def test_every_slope_of_the_oracle_agrees_with_differences():
    rng = np.random.default_rng(0)
    for value, slopes in oracle.TABLE.values():
        xs = [rng.uniform(0.3, 1.7, 5) for _ in slopes]
        h = 2.0**-14
        for k, (slope, _) in enumerate(slopes):
            moved = [[x + s * h * (j == k) for j, x in enumerate(xs)] for s in (1, -1)]
            expected = (value(*moved[0]) - value(*moved[1])) / (2 * h)
            np.testing.assert_allclose(
                slope(*xs, value(*xs)) * np.ones(5), expected, rtol=1e-6, atol=1e-7
            )


def test_the_oracle_raises_where_a_graph_is_spent_or_what_is_read_was_changed():
    for lines in (
        (A, "(a * a).sum().backward()", "b = a * a", f"b.backward({ONES})", f"b.backward({ONES})"),
        (A, "b = a.exp()", "b.add_(1.0)", "b.sum().backward()"),
        (A, "a.add_(1.0)"),
        (A, "a[0].add_(1.0)"),
        (A, "a.backward()"),
        ("a = real([1.0])", "a.backward()"),
        (A, "b = (a * 1.0).expand(2, 3)", "b.add_(1.0)"),
    ):
        outcome = Program(lines).run(oracle)
        assert outcome.error is RuntimeError
        assert outcome.line == len(lines) - 1
        Program(lines).check(tc)
