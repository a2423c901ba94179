"""Test values keep their gaps, and fixed random numbers stay the same."""

import numpy as np
import pytest

from tinygrad_cnn.testing.values import FixedRandom, separated


@pytest.mark.parametrize("seed", range(10))
def test_separated_values(seed):
    a, b = separated(
        np.random.default_rng(seed), (4, 5), (7,), low=-1, high=3, avoid=[0.0, 1.0], margin=0.1
    )
    values = np.sort(np.concatenate([a.ravel(), b]))
    assert values[0] >= -1
    assert values[-1] <= 3
    assert np.diff(values).min() > 3.6 / 27 * 0.49
    assert min(np.abs(values).min(), np.abs(values - 1).min()) >= 0.1
    assert separated(np.random.default_rng(seed), (0, 3))[0].shape == (0, 3)


def test_fixed_random_numbers():
    random = FixedRandom(1)
    assert np.array_equal(random((2, 3)), random((2, 3)))
    assert repr(random) == "FixedRandom(seed=1)"
