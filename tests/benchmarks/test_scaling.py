"""The fit finds the exponents of time and memory."""

import numpy as np
from hypothesis import given, strategies as st

from benchmarks import scaling
from benchmarks.measure import Samples


@given(st.floats(0.0, 3.0), st.floats(1e-6, 1e3), st.integers(2, 6), st.integers(1, 4))
def test_the_exponent_of_a_power_is_found(exponent, factor, count, rounds):
    sizes = [3**k for k in range(1, count + 1)]
    found = scaling.slopes([(n, [factor * n**exponent] * rounds) for n in sizes])
    np.testing.assert_allclose(found, [exponent] * rounds, atol=1e-9)


def test_the_cost_of_every_call_does_not_hide_the_exponent():
    sizes = (1, 10, 100, 1000, 10000, 100000)
    samples = [Samples("s", {"ours": [10 + n, 10 + n]}) for n in sizes]
    fit = scaling.exponents(sizes, samples, "ours")
    assert fit["all"][1] < 0.9 < 0.99 < fit["upper"][1] < 1.01
    assert scaling.exponents(sizes, samples, "torch") is None
