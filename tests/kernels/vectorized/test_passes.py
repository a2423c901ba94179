"""Passes over large arrays in parts."""

import numpy as np
import pytest
from hypothesis import given, settings

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads

from ..layouts import lying
from ..test_normalization import cases, drawn, parts as parts

vectorized = kernels.load("vectorized")


def test_sums_hold_blas_at_one_thread(monkeypatch):
    """BLAS uses two threads from 2¹⁸ numbers on, and its second thread spins for 20 ms.

    A ResNet's convolutions took as long on two threads as on one until BLAS was limited to one.
    """
    blas, counts, ones = threads.openblas(), set(), np.ones
    if blas is None:
        pytest.skip("another BLAS")

    def counted(*arguments, **options):
        counts.add(blas[0]())
        return ones(*arguments, **options)

    x = lying(np.zeros((2, 64, 64, 64), np.float32), (0, 2, 3, 1))
    monkeypatch.setattr(np, "ones", counted)
    vectorized.moments(x, (0, 2, 3))
    assert counts == {1}


@given(cases())
@settings(deadline=None)
def test_the_same_bits_on_one_thread(case):
    dims, x, g, mu, *_ = drawn(case)

    def sums():
        return *vectorized.moments(x, dims), *vectorized.moments_with(g, x, mu, dims)

    bits = sums()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "get_num_threads", lambda: 1)
        assert all(np.array_equal(a, b) for a, b in zip(bits, sums(), strict=True))


def test_a_part_is_in_the_callers_error_state():
    x = np.full((2, 4, 5, 6), np.inf, np.float32)
    with np.errstate(invalid="ignore"):
        assert np.isnan(vectorized.moments(x, (0, 2, 3))[1]).all()
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        vectorized.moments(x, (0, 2, 3))
